"""Replay: voices that a run keeps but has no recordings of go on speaking as they did, so that they are not forgotten.

The grafted network speaks as the base does: before it takes its first step it says some of the project's texts in every
voice that it is to keep, and these clips are trained on among the recordings. They are kept in the run's folder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from voxgraft.audio.write import write_wav
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.files import sha256_of
from voxgraft.models.vits import Vits
from voxgraft.progress import notice, track
from voxgraft.training.loop.draws import generator
from voxgraft.training.tasks.vits.examples import Example

FOLDER = "replay"
LIST = "manifest.jsonl"


def silent_voices(speakers: Sequence[str], own: Sequence[str], examples: Sequence[Example]) -> tuple[int, ...]:
    """Rows of the base's `own` speakers among `speakers` that no example is of."""
    heard = {example.speaker for example in examples}
    return tuple(row for row, name in enumerate(speakers) if len(speakers) > 1 and name in own and row not in heard)


def clips_for(share: float, recordings: int, voices: int) -> int:
    """How many clips make up `share` of all that is trained on; every voice speaks at least once."""
    return max(voices, math.ceil(recordings * share / (1 - share))) if share and voices else 0


@torch.inference_mode()
def replay(
    model: Vits,
    examples: Sequence[Example],
    voices: Sequence[int],
    speakers: Sequence[str],
    *,
    count: int,
    folder: Path,
    sample_rate: int,
    scales: dict[str, float],
    seed: int,
) -> Manifest:
    """Have `count` clips spoken, voice by voice in turn, with the texts of `examples`; written to `folder` with their list."""
    model.eval()
    spoken = []
    with torch.random.fork_rng():
        for number in track(range(count), "Replay: the base's voices speak"):
            row = voices[number % len(voices)]
            draw = generator(seed, "replay", number)
            example = examples[int(draw.integers(len(examples)))]
            torch.manual_seed(int(draw.integers(2**31)))
            ids = torch.from_numpy(example.ids)[None]
            audio = model.infer(ids, torch.tensor([ids.shape[1]]), speaker=torch.tensor([row]), **scales)
            path = folder / f"{number}.wav"
            write_wav(path, audio[0, 0].numpy(), sample_rate)
            spoken.append(_utterance(path, example, speakers[row], audio.shape[-1] / sample_rate, sample_rate))
    found = Manifest(tuple(spoken))
    found.write(folder / LIST)
    names = ", ".join(speakers[row] for row in voices[:5]) + (" …" if len(voices) > 5 else "")
    notice(f"replay: {count} clips of {names}, which the corpus has no recordings of, in {folder}")
    return found


def replayed(folder: Path) -> Manifest | None:
    """The clips of a run that was begun before, wherever it lies now; None where it replays nothing."""
    if not (folder / LIST).exists():
        return None
    return Manifest(tuple(replace(u, audio=str(folder / Path(u.audio).name)) for u in Manifest.read(folder / LIST)))


def _utterance(path: Path, example: Example, speaker: str, seconds: float, sample_rate: int) -> Utterance:
    return Utterance(
        id=f"{FOLDER}/{path.stem}",
        audio=str(path),
        text=example.prepared.utterance.text,
        duration=seconds,
        sample_rate=sample_rate,
        speaker=speaker,
        sha256=sha256_of(path),
    )
