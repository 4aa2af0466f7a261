"""Have a published Piper voice read sentences: a corpus whose durations are known, to train two-stage bases on.

    python recipes/base_pair/speak.py TEXTS.txt OUT [--voice en_US-joe-medium] [--minutes 60] [--process 0/2]

Writes OUT/wavs/*.wav, OUT/metadata.csv (id|text) and OUT/durations/*.pt, the frames of each symbol, as EveryVoice keeps them;
those of VITS' pads between symbols count with the symbol before. What is there already is
not spoken again; --process 0/2 and 1/2 share the work between two programs.
"""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path

import numpy as np
import soundfile
import torch

from voxgraft import open_checkpoint, resolve
from voxgraft.audio.write import write_wav
from voxgraft.export.piper.load import load_vits
from voxgraft.files import write_atomically
from voxgraft.models.vits import Vits
from voxgraft.models.vits.masks import path_from_durations, sequence_mask
from voxgraft.progress import progress
from voxgraft.project.symbols import in_language
from voxgraft.text.encode import encode_text

# Livelier speech is harder to predict from text alone, duller speech teaches less.
NOISE, NOISE_OF_DURATIONS = 0.5, 0.6
LONGEST = 250


def main() -> None:
    """Speak until there are as many minutes."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("texts", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--voice", default="en_US-joe-medium")
    arguments.add_argument("--minutes", type=float, default=60.0)
    arguments.add_argument("--process", default="0/1")
    chosen = arguments.parse_args()
    rank, count = map(int, chosen.process.split("/"))
    base = open_checkpoint(resolve(chosen.voice))
    assert base.audio is not None
    assert base.symbols is not None
    model, symbols, rate = load_vits(base).model, in_language(base.symbols, None), base.audio.sample_rate
    texts = chosen.texts.read_text("utf-8").splitlines()
    rows, seconds, wanted = [], 0.0, chosen.minutes * 60 / count
    for folder in ("wavs", "durations"):
        (chosen.out / folder).mkdir(parents=True, exist_ok=True)
    with progress("speaking", wanted) as advance:
        for number in np.random.default_rng(0).permutation(len(texts))[rank::count]:
            sentences = encode_text(texts[number], symbols)
            if len(sentences) != 1 or sentences[0].unknown or not 8 < len(sentences[0].ids) < LONGEST:
                continue
            name = f"{number:06d}"
            audio_file = chosen.out / "wavs" / f"{name}.wav"
            if not audio_file.exists():
                audio, durations = spoken(model, np.array(sentences[0].ids), zlib.crc32(texts[number].encode()))
                torch.save(
                    without_pads(torch.from_numpy(durations)),
                    chosen.out / "durations" / f"{name}--default--default--duration.pt",
                )
                write_wav(audio_file, audio, rate)
            length = soundfile.info(audio_file).duration
            rows.append(f"{name}|{texts[number]}\n")
            seconds += length
            advance(length)
            if seconds >= wanted:
                break
    part = "" if count == 1 else f".{rank}"
    write_atomically(chosen.out / f"metadata{part}.csv", "".join(rows).encode())


@torch.inference_mode()
def spoken(model: Vits, ids: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """ids [N] -> audio float32 [T * hop] and the frames of each symbol, int64 [N]."""
    torch.manual_seed(seed)
    text = model.encode_text(torch.from_numpy(ids)[None], torch.tensor([len(ids)]))
    durations = torch.ceil(torch.exp(model.dp(text.hidden, text.mask, None, NOISE_OF_DURATIONS)) * text.mask)
    mask = sequence_mask(durations.sum((1, 2)), durations.sum().long())
    mean, log_deviation = model.expand_prior(text, path_from_durations(durations, text.mask, mask))
    latent = mean + NOISE * torch.randn_like(mean) * torch.exp(log_deviation)
    audio = model.decode(model.flow(latent, mask, None, reverse=True), None)
    return audio[0, 0].numpy(), durations[0, 0].long().numpy()


def without_pads(durations: torch.Tensor) -> torch.Tensor:
    """Durations [2N - 1] of symbols with a pad after each but the last -> [N], each pad's frames with the symbol before it."""
    found = durations[::2].clone()
    found[:-1] += durations[1::2]
    return found


if __name__ == "__main__":
    main()
