"""A training step of HiFi-GAN, generator and all discriminators, 8192 samples a clip: EveryVoice's own module against ours.

    python -m benchmarks.vocoder_step --peer PYTHON [--steps 5] [--threads 2] [--clips 8]

PYTHON is that of an environment with everyvoice (tests/fixtures/make_everyvoice.py says how to make one); without it ours is
measured alone. Both train the same networks, HiFi-GAN V1 with MPD and MSD, on the same batch, and take their steps in turn,
so that a busy machine slows both alike. What is done otherwise than in EveryVoice:

- one forward pass of the discriminators serves both networks' losses; EveryVoice makes two
- the generator's gradient leads through the discriminators to its sound alone, not into their weights
- the generator learns from the discriminators as they were before this step's change, not after it
- period discriminators lay clips and phases out so that they fill the processor's vectors; generator and discriminators by
  scale convolve clips side by side
- weights are normalised once a step, not once a pass
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

HOP, MELS, FRAMES = 256, 80, 32
# What the peer's process is told, a line a step.
GO, END = b"step\n", b"end\n"


def batch_of(clips: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log mel [B, M, T] and audio [B, T * hop] of noise."""
    draw = np.random.default_rng(seed)
    mel = draw.standard_normal((clips, MELS, FRAMES)).astype(np.float32) - 5
    return mel, (0.1 * draw.standard_normal((clips, FRAMES * HOP))).astype(np.float32)


def ours(clips: int) -> Callable[[], float]:
    """A step of voxgraft's; gives the CPU seconds that it took."""
    import torch

    from voxgraft.architectures.presets import preset_of
    from voxgraft.audio.spec import AudioSpec
    from voxgraft.config.run import TrainingConfig
    from voxgraft.config.tasks.vocoder import VocoderConfig
    from voxgraft.training.loop.learner import Position
    from voxgraft.training.loop.processes import Processes
    from voxgraft.training.loop.step import take_step
    from voxgraft.training.tasks.vocoder.batches import Batch
    from voxgraft.training.tasks.vocoder.module import VocoderLearner
    from voxgraft.training.tasks.vocoder.setup import whole_network
    from voxgraft.training.tasks.vocoder.usual import settled, usual_of

    whole = whole_network("hifigan", {"mels": MELS, **preset_of("hifigan", "v1")}, "hifigan")
    settings = settled(VocoderConfig(), usual_of("hifigan", "everyvoice"), from_scratch=True)
    spec = AudioSpec(22050, fmax=8000.0, magnitude_floor=1e-9, centre=True)
    learner = VocoderLearner(whole, spec, settings, ema=0.0, steps_per_epoch=100)
    mel, audio = (torch.from_numpy(array) for array in batch_of(clips))
    batch = Batch(mel, audio, torch.zeros(clips, 0, FRAMES), tuple(range(clips)), clips)
    training, position = TrainingConfig(), Position(1000)

    def step() -> float:
        began = time.process_time()
        take_step(learner, batch, training, position, 0, Processes())
        return time.process_time() - began

    return step


def peers(clips: int) -> Callable[[], float]:
    """A step of EveryVoice's module, its own `training_step` without a Trainer's bookkeeping."""
    import torch
    from everyvoice.config.shared_types import ContactInformation
    from everyvoice.model.vocoder.config import VocoderConfig
    from everyvoice.model.vocoder.HiFiGAN_iSTFT_lightning.hfgl.model import HiFiGAN

    contact = ContactInformation(contact_name="bench", contact_email="bench@example.com").model_dump()
    network = HiFiGAN(VocoderConfig(contact=contact))
    optimisers, schedulers = network.configure_optimizers()

    class Alone:
        """What training_step asks of its Trainer."""

        is_last_batch = False
        global_step = 0

    def clip(optimiser: object, gradient_clip_val: float, gradient_clip_algorithm: str) -> None:
        parameters = [p for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
        torch.nn.utils.clip_grad_norm_(parameters, gradient_clip_val)

    network._fabric = None
    type(network).trainer = Alone()
    type(network).global_step = 0
    network.optimizers = lambda: optimisers
    network.lr_schedulers = lambda: schedulers
    network.log = lambda *_, **__: None
    network.clip_gradients = clip
    mel, audio = (torch.from_numpy(array) for array in batch_of(clips))
    batch = (mel, audio, [str(n) for n in range(clips)], mel)

    def step() -> float:
        began = time.process_time()
        network.training_step(batch, 0)
        return time.process_time() - began

    return step


def serve(clips: int, threads: int) -> None:
    """The peer's process: a step for each line, and how long it took."""
    import torch

    torch.set_num_threads(threads)
    step = peers(clips)
    print("ready", flush=True)
    for line in sys.stdin.buffer:
        if line == END:
            return
        began = time.perf_counter()
        cpu = step()
        print(f"{time.perf_counter() - began} {cpu}", flush=True)


def measure(arguments: argparse.Namespace) -> None:
    """Take steps in turn, the first of each unmeasured, and print the medians."""
    import torch

    torch.set_num_threads(arguments.threads)
    step, peer = ours(arguments.clips), _started(arguments)
    times: dict[str, list[tuple[float, float]]] = {"voxgraft": []} | ({"EveryVoice": []} if peer else {})
    for number in range(arguments.steps + 1):
        began = time.perf_counter()
        cpu = step()
        found = {"voxgraft": (time.perf_counter() - began, cpu)}
        if peer is not None:
            peer.stdin.write(GO)
            peer.stdin.flush()
            wall, cpu = map(float, peer.stdout.readline().split())
            found["EveryVoice"] = (wall, cpu)
        for name, pair in found.items() if number else ():
            times[name].append(pair)
    if peer is not None:
        peer.stdin.write(END)
        peer.stdin.flush()
        peer.wait(30)
    medians = {
        name: [statistics.median(column) for column in zip(*pairs, strict=True)] for name, pairs in times.items()
    }
    reference = medians.get("EveryVoice", medians["voxgraft"])
    print(f"HiFi-GAN V1, MPD and MSD, {arguments.clips} clips of {FRAMES * HOP} samples, {arguments.threads} threads\n")
    print("| | wall s | cpu s | faster (wall) | faster (cpu) |\n|---|---|---|---|---|")
    for name, (wall, cpu) in medians.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {reference[0] / wall:.2f}× | {reference[1] / cpu:.2f}× |")


def _started(arguments: argparse.Namespace) -> subprocess.Popen[bytes] | None:
    if arguments.peer is None:
        return None
    command = [
        arguments.peer,
        __file__,
        "--serve",
        "--clips",
        str(arguments.clips),
        "--threads",
        str(arguments.threads),
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    while (line := peer.stdout.readline()) != b"ready\n":
        if not line:
            raise SystemExit("the peer did not start: see above")
    return peer


def main() -> None:
    """Measure, or be the peer's process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--serve", action="store_true")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.clips, arguments.threads)
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
