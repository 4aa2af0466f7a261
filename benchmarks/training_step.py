"""One training step of VITS medium, both networks, 8 clips of 3-4 s: Piper's own trainer against ours.

    python -m benchmarks.training_step [--steps 5] [--threads 2] [--device cuda] [--only NAME ...]

Every contender takes a step in turn on the same batch, so that a busy machine slows all alike. `wall` and `cpu` are
medians of seconds a step (cpu adds up the cores); `faster` compares wall times with Piper's float32, its default.
Afterwards the gradients of our fast float32 step are compared with those of Piper's own losses at the same weights.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import types
import warnings
from collections.abc import Callable
from datetime import date

import numpy as np
import torch

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.presets import preset
from voxgraft.config.run import TrainingConfig
from voxgraft.config.tasks.voice import LearningRates, LossWeights, VoiceConfig
from voxgraft.graft.apply import build_discriminator
from voxgraft.models.alignment import maximum_path
from voxgraft.models.discriminators import PiperDiscriminator
from voxgraft.models.spectral import linear_spectrogram
from voxgraft.models.vits import Vits
from voxgraft.models.vits.masks import segments
from voxgraft.training.loop.adversarial import adversarial_losses
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.step import take_step
from voxgraft.training.tasks.vits.batches import Cutting
from voxgraft.training.tasks.vits.batches import make_batch as make_own_batch
from voxgraft.training.tasks.vits.examples import Example
from voxgraft.training.tasks.vits.module import VitsLearner
from voxgraft.training.tasks.vits.reconstruction import reconstruction_terms

SPEC = AudioSpec(sample_rate=22050)
SEGMENT = 32  # frames that are decoded of each clip
SYMBOLS_A_SECOND = 28  # phonemes and the blanks between them
Batch = dict[str, torch.Tensor]


def make_batch(device: str = "cpu", clips: int = 8, seed: int = 0) -> Batch:
    """Noise in the shape of a batch of speech: 3 to 4 s a clip."""
    generator = torch.Generator().manual_seed(seed)
    seconds = torch.linspace(3, 4, clips)
    frames = (seconds * SPEC.sample_rate / SPEC.hop).long()
    lengths = (seconds * SYMBOLS_A_SECOND).long()
    audio = torch.zeros(clips, int(frames.max()) * SPEC.hop)
    for row, count in zip(audio, frames.tolist(), strict=True):
        row[: count * SPEC.hop] = 0.1 * torch.randn(count * SPEC.hop, generator=generator)
    batch = {
        "ids": torch.randint(1, 150, (clips, int(lengths.max())), generator=generator),
        "lengths": lengths,
        "spectrogram": linear_spectrogram(audio, SPEC),
        "spectrogram_lengths": frames,
        "audio": audio,
    }
    return {name: value.to(device) for name, value in batch.items()}


def piper_model() -> torch.nn.Module:
    """Piper's LightningModule as its wheel has it, with an alignment search in place of the one that it lacks."""
    name = "piper.train.vits.monotonic_align.monotonic_align"
    package, core = types.ModuleType(name), types.ModuleType(f"{name}.core")
    package.__path__ = []
    core.maximum_path_c = _align_for_piper
    sys.modules.setdefault(name, package)
    sys.modules.setdefault(f"{name}.core", core)
    from piper.train.vits.lightning import VitsModel

    torch.manual_seed(0)
    return VitsModel(batch_size=8, mos_metric=None)


def _align_for_piper(paths: np.ndarray, values: np.ndarray, frames: np.ndarray, symbols: np.ndarray) -> None:
    scores = torch.from_numpy(np.ascontiguousarray(values.transpose(0, 2, 1)))
    mask = torch.zeros_like(scores)
    for row, n, t in zip(mask, symbols, frames, strict=True):
        row[:n, :t] = 1
    paths[:] = maximum_path(scores, mask).transpose(1, 2).numpy()


def piper_batch(batch: Batch) -> object:
    """The same batch in Piper's own type."""
    from piper.train.vits.dataset import Batch as PiperBatch

    return PiperBatch(
        phoneme_ids=batch["ids"],
        phoneme_lengths=batch["lengths"],
        spectrograms=batch["spectrogram"],
        spectrogram_lengths=batch["spectrogram_lengths"],
        audios=batch["audio"].unsqueeze(1),
        audio_lengths=batch["spectrogram_lengths"] * SPEC.hop,
    )


def piper_step(batch: Batch, dtype: torch.dtype | None) -> Callable[[], None]:
    """What Piper's `training_step` does, with its own losses and optimisers."""
    device = batch["audio"].device
    model = piper_model().to(device).train()
    (opt_g, opt_d), _ = model.configure_optimizers()
    theirs = piper_batch(batch)

    def step() -> None:
        with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
            loss_g, loss_d, _ = model._compute_loss(theirs)
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()

    return step


class Clip:
    """One clip of the batch as the corpus would bring it: `audio` [T], `spectrogram` [F, N]."""

    def __init__(self, batch: Batch, row: int) -> None:
        self.frames = int(batch["spectrogram_lengths"][row])
        self.audio = batch["audio"][row, : self.frames * SPEC.hop].cpu().numpy()
        self.spectrogram = batch["spectrogram"][row, :, : self.frames].cpu().numpy()

    def audio_between(self, begin: int, end: int) -> np.ndarray:
        """Samples `begin` to `end`."""
        return self.audio[begin:end]

    def spectrogram_between(self, begin: int, end: int) -> np.ndarray:
        """Frames `begin` to `end`."""
        return self.spectrogram[:, begin:end]


def our_step(batch: Batch, discriminator: str, dtype: torch.dtype | None, **voice: object) -> Callable[[], None]:
    """The very step that a run takes (training/loop/step.py), its batch made anew each time; everything learns."""
    device = batch["audio"].device
    everything = dict.fromkeys(LearningRates.model_fields, 2e-4)
    settings = VoiceConfig(discriminator=discriminator, learning_rates=everything, **voice)
    examples = [
        Example(batch["ids"][row, : int(count)].cpu().numpy(), Clip(batch, row), 0)
        for row, count in enumerate(batch["lengths"])
    ]
    learner = VitsLearner(
        medium(), build_discriminator(discriminator, 0).train(), examples, SPEC, settings, ema=0.99, autocast=dtype
    )
    learner.to(device)
    cutting = Cutting(settings.window, settings.segment // SPEC.hop, SPEC.hop, learner.generator.enc_p.channels)
    position, alone = Position(10_000), Processes()

    def step() -> None:
        made = make_own_batch(examples, range(len(examples)), cutting, 0, position.step).to(device)
        take_step(learner, made, TrainingConfig(), position, 0, alone)

    return step


def medium() -> Vits:
    """Our network at Piper's medium quality, in training mode."""
    keywords = {name: value for name, value in preset("medium").items() if name != "sample_rate"}
    return Vits(**{"symbols": 256} | keywords).train()


CONTENDERS: dict[str, Callable[[Batch], Callable[[], None]]] = {
    "piper fp32": lambda batch: piper_step(batch, None),
    "piper bf16": lambda batch: piper_step(batch, torch.bfloat16),
    "ours fp32, whole clips, Piper's discriminators": lambda batch: our_step(batch, "piper", None, window=None),
    "ours fp32, Piper's discriminators": lambda batch: our_step(batch, "piper", None),
    "ours fp32": lambda batch: our_step(batch, "light", None),
    "ours bf16": lambda batch: our_step(batch, "light", torch.bfloat16),
}


def measure(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """(wall, cpu) seconds of each contender's steps, all of them in turn, after one to warm up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            wall, cpu = time.perf_counter(), time.process_time()
            step()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if turn:
                times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return times


def gradient_differences(batch: Batch) -> tuple[float, float]:
    """How far our gradients are from those of Piper's own losses at the same weights: norm of the difference over norm.

    Of the generator and of the discriminators; without dropout, which the two would draw differently.
    """
    theirs, ours, adversary = piper_model().eval(), medium().eval(), PiperDiscriminator()
    ours.load_state_dict(theirs.model_g.state_dict())
    adversary.load_state_dict(theirs.model_d.state_dict())
    torch.manual_seed(1)
    loss_g, loss_d, _ = theirs._compute_loss(piper_batch(batch))
    loss_g.backward()
    theirs.model_d.zero_grad()
    loss_d.backward()
    torch.manual_seed(1)
    output = ours(
        batch["ids"], batch["lengths"], batch["spectrogram"], batch["spectrogram_lengths"], segment_frames=SEGMENT
    )
    terms = reconstruction_terms(output, batch["spectrogram"], SPEC, SEGMENT)
    real = segments(batch["audio"].unsqueeze(1), output.starts * SPEC.hop, SEGMENT * SPEC.hop)
    weights = LossWeights()
    adversarial = adversarial_losses(adversary, real, output.audio, weights.adversarial, weights.feature)
    (sum(getattr(weights, name) * value for name, value in terms.items()) + adversarial.for_generator).backward()
    adversarial.for_discriminator.backward()
    return _distance(ours, theirs.model_g), _distance(adversary, theirs.model_d)


def _distance(ours: torch.nn.Module, theirs: torch.nn.Module) -> float:
    wanted = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    off = sum(float((p.grad - wanted[name]).square().sum()) for name, p in ours.named_parameters())
    return (off / sum(float(gradient.square().sum()) for gradient in wanted.values())) ** 0.5


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--only", nargs="*", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--no-check", action="store_true", help="leave the comparison of gradients out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(arguments.threads)
    batch = make_batch(arguments.device)
    times = measure({name: CONTENDERS[name](batch) for name in arguments.only}, arguments.steps)
    print(
        f"{date.today()}, {machine(arguments.device)}, {arguments.threads} threads, torch {torch.__version__}, {arguments.steps} steps"
    )
    print(f"{'step':<48}{'wall s':>8}{'cpu s':>8}{'faster':>8}")
    reference = None
    for name, pairs in times.items():
        wall, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
        reference = reference or wall
        print(f"{name:<48}{wall:>8.2f}{cpu:>8.2f}{reference / wall:>7.2f}×")
    if not arguments.no_check:
        generator, discriminator = gradient_differences(make_batch())
        print(
            f"gradients of ours fp32 differ from Piper's by {generator:.0e} (generator), {discriminator:.0e} (discriminators)"
        )


def machine(device: str) -> str:
    """What the processor or GPU calls itself, and whether a processor multiplies bfloat16 natively."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    with open("/proc/cpuinfo") as file:
        text = file.read()
    name = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")), "CPU")
    return f"{name} ({'native' if 'avx512_bf16' in text or 'amx_bf16' in text else 'no'} bf16)"


if __name__ == "__main__":
    main()
