"""How quickly vocoders speak: ONNX, onnxruntime, 1 and 2 threads, 10 seconds of speech.

    python -m benchmarks.vocoder_speed [--seconds 10] [--repeats 3] [--only NAME ...]

Seconds that a vocoder takes for a second of speech (real-time factor), the median of the repeats; weights as they start,
which take as long as trained ones. Contenders take turns, so that a busy machine slows all alike.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from voxgraft.architectures.presets import preset_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.export.vocoder.onnx import export_vocoder
from voxgraft.inference.vocoder.vocoder import Vocoder
from voxgraft.models.networks import network_of

SPEC = AudioSpec(22050, fmax=8000.0, magnitude_floor=1e-9)
NETWORKS = (
    ("hifigan", "v1"), ("hifigan", "v2"), ("hifigan", "v3"), ("hifigan", "tiny"), ("hifigan", "istft"),
    ("univnet", "full"), ("univnet", "small"), ("vocos", "full"), ("vocos", "small"), ("vocos", "tiny"),
)  # fmt: skip
THREADS = (1, 2)


def exported(family: str, size: str, folder: Path) -> tuple[Path, float]:
    """The ONNX of a network from scratch, and its parameters in millions."""
    torch.manual_seed(0)
    architecture = {"mels": SPEC.n_mels, **preset_of(family, size)}
    network = network_of(family, architecture)
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    path = folder / f"{family}-{size}.onnx"
    export_vocoder(Checkpoint(family, architecture, tensors, Provenance(path, "scratch", ""), audio=SPEC), path)
    return path, sum(p.numel() for p in network.parameters()) / 1e6


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    frames = int(arguments.seconds * SPEC.sample_rate / SPEC.hop)
    mel = np.random.default_rng(0).standard_normal((SPEC.n_mels, frames)).astype(np.float32) - 5
    chosen = [pair for pair in NETWORKS if not arguments.only or "-".join(pair) in arguments.only]
    with tempfile.TemporaryDirectory() as folder:
        made = {pair: exported(*pair, Path(folder)) for pair in chosen}
        vocoders = {
            (pair, threads): Vocoder.load(path, threads=threads)
            for pair, (path, _) in made.items()
            for threads in THREADS
        }
        times: dict[tuple[tuple[str, str], int], list[float]] = {key: [] for key in vocoders}
        for _ in range(arguments.repeats + 1):
            for key, vocoder in vocoders.items():
                began = time.perf_counter()
                vocoder.speak(mel)
                times[key].append(time.perf_counter() - began)
        sizes = {pair: path.stat().st_size / 1e6 for pair, (path, _) in made.items()}
    print(f"{arguments.seconds:g} s of speech at {SPEC.sample_rate} Hz, hop {SPEC.hop}; seconds a second of speech\n")
    print("| vocoder | parameters (M) | file (MB) | 1 thread | 2 threads |\n|---|---|---|---|---|")
    for pair, (_, parameters) in made.items():
        one, two = (statistics.median(times[pair, threads][1:]) / arguments.seconds for threads in THREADS)
        print(f"| {' '.join(pair)} | {parameters:.2f} | {sizes[pair]:.1f} | {one:.3f} | {two:.3f} |")


if __name__ == "__main__":
    main()
