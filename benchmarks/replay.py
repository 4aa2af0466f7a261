"""Whether replay keeps a voice: the base's own speaker stays beside a new one, trained with and without clips of his.

    python -m benchmarks.replay [--steps 150] [--folder FOLDER]

The bundled recordings are the new speaker's; the base is kept by `graft.keep_speakers`. Each speaker says everyday
sentences that nothing was trained on. Similarity is to the speaker's own sound: the base's speech, or the recordings.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.noise_scale import SENTENCES
from voxgraft.audio.read import read_audio
from voxgraft.cli.output import print_table
from voxgraft.config.run import RunConfig
from voxgraft.corpus import sample
from voxgraft.corpus.manifest import Manifest
from voxgraft.demo.voice import BASE
from voxgraft.evaluation.judge import Judge
from voxgraft.graft.plan_project import plan_project
from voxgraft.inference.voice.voice import Voice
from voxgraft.library.resolve import resolve
from voxgraft.project.run_folder import MANIFEST
from voxgraft.training.run import train

NEW = "allison"
OWN_CLIPS = 24


def project(folder: Path, name: str, share: float, steps: int) -> RunConfig:
    """The bundled recordings as a new speaker's beside the base's own."""
    named = Manifest(tuple(replace(u, speaker=NEW) for u in sample.bundled()))
    (folder / MANIFEST).parent.mkdir(parents=True, exist_ok=True)
    named.write(folder / MANIFEST)
    return RunConfig(
        name=name,
        output=str(folder),
        base=BASE,
        graft={"keep_speakers": True},
        corpus={"held_out": sample.held_out_ids(), "validation": 4},
        training={"steps": steps, "validate_every": steps},
        voice={"replay": share},
    )


def say(voice: Voice, texts: Sequence[str], speaker: str | None = None) -> list[np.ndarray]:
    """Each text as float32 [T]."""
    return [np.concatenate(list(voice.speak(text, speaker=speaker))) for text in texts]


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=150)
    arguments.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        os.environ.setdefault("VOXGRAFT_HOME", str(folder / "home"))
        rows = measure(folder, chosen.steps)
    print_table(f"{date.today()}, {chosen.steps} steps", ["voice", "speaker", "CER", "similarity"], rows)


def measure(folder: Path, steps: int) -> list[tuple[str, ...]]:
    """CER and similarity of both speakers, before and after training with and without replay."""
    held_out = set(sample.held_out_ids())
    recordings = [u for u in sample.bundled() if u.id not in held_out]
    base = Voice.load(resolve(BASE), seed=1)
    own_sound = say(base, [u.text for u in recordings[:OWN_CLIPS]])
    old = plan_project(project(folder, "with", 0.2, steps)).target.speakers[0]
    judges = {
        old: Judge([(clip, base.sample_rate) for clip in own_sound]),
        NEW: Judge([read_audio(u.audio) for u in recordings]),
    }

    def row(title: str, voice: Voice, speaker: str, asked: str | None) -> tuple[str, ...]:
        heard = judges[speaker].score(say(voice, SENTENCES, asked), voice.sample_rate, SENTENCES)
        return title, speaker, f"{100 * heard.cer:.1f} %", f"{heard.speaker_similarity or 0:.3f}"

    rows = [row("base", Voice.load(resolve(BASE), seed=0), old, None)]
    for name, share in (("without", 0.0), ("with", 0.2)):
        made = train(project(folder, name, share, steps)).voice
        assert made is not None
        rows += [row(f"{name} replay", Voice.load(made, seed=0), speaker, speaker) for speaker in (old, NEW)]
    return rows


if __name__ == "__main__":
    main()
