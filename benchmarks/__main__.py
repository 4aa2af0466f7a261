"""All benchmarks one after another: `python -m benchmarks [NAME ...]`. Run them on a quiet machine."""

from __future__ import annotations

import subprocess
import sys

# name -> what it measures
BENCHMARKS = {
    "say": "speaking, next to piper-tts",
    "inspect_checkpoint": "opening an 845 MB checkpoint",
    "inspect_files": "opening a checkpoint of each kind",
    "library": "listing a library of 1,000 bases and picking from it",
    "alignment": "monotonic alignment search",
    "training_step": "a training step, next to Piper's trainer",
    "ctc_step": "a training step of a recogniser, next to transformers' Trainer",
    "vocoder_step": "a training step of HiFi-GAN, next to EveryVoice's module (--peer of the file itself)",
    "vocoder_speed": "vocoders side by side: seconds a second of speech",
    "beam_search": "beam search, next to pyctcdecode and ctc-beam-decoder",
    "transcribe": "transcribing minutes and an hour: time and memory",
    "replay": "a voice kept beside a new one, with and without replay",
    "demo": "the demo: time, and scores of base, result and recordings",
}


def main(names: list[str]) -> int:
    """Run those named, or all; the exit status is that of the worst."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    worst = 0
    for name in names or list(BENCHMARKS):
        print(f"\n## {name}: {BENCHMARKS[name]}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
