"""Speech without end for a base to learn from: phrases of Python's own manual, said by a voice.

    python -m benchmarks.synthetic_speech FOLDER [--minutes 60] [--voice en_US-joe-medium] [--seed 0]

Writes FOLDER/wavs/*.wav (16 kHz) and FOLDER/metadata.csv (`id|text`). Tempo and noise differ from phrase to phrase.
"""

from __future__ import annotations

import argparse
import pydoc_data.topics
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from voxgraft.audio.resample import resample
from voxgraft.inference.voice.voice import Voice

RATE = 16000
SHORTEST, LONGEST = 20, 90


def phrases() -> Iterator[str]:
    """Runs of words without code, numbers or signs between them, each once."""
    seen = set()
    for topic in pydoc_data.topics.topics.values():
        for run in re.findall(r"(?<![^\s(])[A-Za-z][a-z]*(?:\s+[a-z]+)+(?=[\s,.;:!?)])", topic):
            phrase = " ".join(run.split())
            if SHORTEST <= len(phrase) <= LONGEST and phrase not in seen:
                seen.add(phrase)
                yield phrase


def main() -> None:
    """Say phrases until the minutes are full."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--voice", default="en_US-joe-medium")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    voice = Voice.load(arguments.voice, seed=arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    texts = list(phrases())
    wavs = arguments.folder / "wavs"
    wavs.mkdir(parents=True)
    rows, seconds = [], 0.0
    for number in rng.permutation(len(texts)):
        if seconds >= 60 * arguments.minutes:
            break
        scales = {"length_scale": rng.uniform(0.8, 1.3), "noise_scale": rng.uniform(0.2, 0.8)}
        sound = resample(np.concatenate(list(voice.speak(texts[number], **scales))), voice.sample_rate, RATE)
        name = f"phrase-{number:05d}"
        soundfile.write(wavs / f"{name}.wav", sound, RATE)
        rows.append(f"{name}|{texts[number]}")
        seconds += len(sound) / RATE
    (arguments.folder / "metadata.csv").write_text("\n".join(rows) + "\n", "utf-8")
    print(f"{len(rows)} of {len(texts)} phrases, {seconds / 60:.1f} minutes", file=sys.stderr)


if __name__ == "__main__":
    main()
