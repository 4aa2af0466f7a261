"""One training step of FastSpeech 2 in EveryVoice's size, 16 clips of 2-6 s: EveryVoice's own module against ours.

    python -m benchmarks.acoustic_step --peer PYTHON [--rounds 5] [--threads 2] [--clips 16] [--size full]

PYTHON is the interpreter of an environment with `everyvoice` (tests/fixtures/make_everyvoice.py says how to make one).
`ours-bf16` is what `training.precision: auto` takes on a processor that multiplies bf16 by itself. What is done otherwise:

- dropout draws a byte an element instead of a random number (models/dropout.py): torch's takes a fifth of a CPU's step;
- attention while training is written out, with that dropout (models/fastspeech2/conformer.py);
- convolutions of width 1 are products, for which CPUs have quick code;
- the aligner's distances come of one product instead of a difference for each pair and channel [B, M, T, N];
- the search for the alignment runs over all clips at once in compiled code, before the step, on no gradient's way;
- one call of CTC and one fused optimiser; nothing is read back from the device in a step.

Both begin with the same weights and see the same batch again and again, as each one's training sees it: forward, all seven
losses, backward, clipping, AdamW; ours keeps its average of the weights besides. Each has a process of its own and takes a
step in turn, so that a busy machine slows both alike; the first steps are not counted. Dropout is as by default, so that
losses agree only roughly (tests/models/test_fastspeech2_losses.py holds that they and the gradients are equal without it).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HOP, RATE, MELS = 256, 22050, 80
SYMBOLS_A_SECOND = 14
SYMBOLS = "abcdefghijklmnopqrstuvwxyz"
SECONDS = (2.0, 6.0)
WARM_UP = 2
CONTACT = {"contact_name": "Ada", "contact_email": "ada@example.com"}
RANGE = {"min": 0.0, "max": 10.0, "std": 1.0, "mean": 5.0, "norm_min": -3.0, "norm_max": 3.0}


def prepare(folder: Path, clips: int) -> None:
    """A batch: ids [B, N], lengths [B], mel [B, M, T], frames [B], pitch and energy [B, T]; noise, as log mels are spread."""
    random = np.random.default_rng(0)
    seconds = np.linspace(*SECONDS, clips)
    frames, lengths = (seconds * RATE / HOP).astype(int), (seconds * SYMBOLS_A_SECOND).astype(int)
    inside, spoken = np.arange(frames.max()) < frames[:, None], np.arange(lengths.max()) < lengths[:, None]
    np.savez(
        folder / "batch.npz",
        ids=np.where(spoken, random.integers(12, 12 + len(SYMBOLS), spoken.shape), 0),
        lengths=lengths,
        mel=np.float32((random.standard_normal((clips, MELS, inside.shape[1])) - 5) * inside[:, None]),
        frames=frames,
        pitch=np.float32(random.standard_normal(inside.shape) * inside),
        energy=np.float32(random.standard_normal(inside.shape) * inside),
    )


class Turns:
    """Waits for its turn before each step, and reports what the step took."""

    def wait(self) -> None:
        """Until the other process is done with its step."""
        if not sys.stdin.readline():
            sys.exit(0)
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def report(self, loss: float) -> None:
        """Tell of the step."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        print(json.dumps([wall, cpu, loss]), flush=True)


def theirs(folder: Path, steps: int) -> None:
    """EveryVoice's LightningModule: its training step, and what Lightning does around it."""
    import pytorch_lightning as pl
    import torch
    from everyvoice.model.feature_prediction.config import FeaturePredictionConfig
    from everyvoice.model.feature_prediction.FastSpeech2_lightning.fs2 import model as fs2
    from everyvoice.model.feature_prediction.FastSpeech2_lightning.fs2.type_definitions_heavy import Stats
    from everyvoice.preprocessor.attention_prior import BetaBinomialInterpolator

    torch.manual_seed(0)
    config = FeaturePredictionConfig(contact=CONTACT, text={"symbols": {"ds_characters": list(SYMBOLS)}})
    network = fs2.FastSpeech2(
        config, stats=Stats(pitch=RANGE, energy=RANGE), lang2id={"und": 0}, speaker2id={"default": 0}
    )
    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    trainer.strategy.connect(network)
    trainer.save_checkpoint(folder / "begin.tmp")
    (folder / "begin.tmp").rename(folder / "begin.ckpt")
    network.log_dict = lambda *_, **__: None
    network.train()
    (optimiser,), _ = network.configure_optimizers()
    batch = _their_batch(folder, BetaBinomialInterpolator())
    turns = Turns()
    for _ in range(steps):
        turns.wait()
        optimiser.zero_grad()
        loss = network.training_step(batch, 0)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        turns.report(float(loss))


def _their_batch(folder: Path, prior: Any) -> dict[str, Any]:
    import torch

    found = {name: torch.from_numpy(array) for name, array in np.load(folder / "batch.npz").items()}
    n, t, clips = found["ids"].shape[1], found["mel"].shape[2], len(found["ids"])
    duration = torch.zeros(clips, t, n)
    for row, (length, frames) in enumerate(zip(found["lengths"].tolist(), found["frames"].tolist(), strict=True)):
        duration[row, :frames, :length] = torch.from_numpy(prior(frames, length)).float()
    return {
        "text": found["ids"].int(),
        "src_lens": found["lengths"].int(),
        "max_src_len": n,
        "mel": found["mel"].transpose(1, 2).contiguous(),
        "mel_lens": found["frames"].int(),
        "max_mel_len": t,
        "pitch": found["pitch"],
        "energy": found["energy"],
        "duration": duration,
        "speaker_id": torch.zeros(clips).int(),
        "language_id": torch.zeros(clips).int(),
        "pfs": [None],
        "mel_style_reference": [None],
        "duration_control": [None],
        "basename": [str(row) for row in range(clips)],
    }


def ours(folder: Path, steps: int, precision: str = "fp32") -> None:
    """Our learner, stepped as a run steps it."""
    import torch

    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.config.run import TrainingConfig
    from voxgraft.training.loop.learner import Position
    from voxgraft.training.loop.processes import Processes
    from voxgraft.training.loop.step import take_step
    from voxgraft.training.tasks.acoustic.families.registry import acoustic_family
    from voxgraft.training.tasks.acoustic.module import AcousticLearner
    from voxgraft.training.tasks.acoustic.network import whole_network
    from voxgraft.training.tasks.acoustic.phase import LossSchedule

    while not (folder / "begin.ckpt").exists():
        time.sleep(0.2)
    network, family = whole_network(open_checkpoint(folder / "begin.ckpt")).train(), acoustic_family("fastspeech2")
    batch = our_batch(folder)
    settings = TrainingConfig(warmup=0, decay="none", gradient_clip=1.0, device="cpu")
    learner = AcousticLearner(
        network,
        family,
        [{"params": list(network.parameters()), "rate": 1e-3, "part": "all"}],
        clips=len(batch),
        weights=family.weights,
        schedule=LossSchedule(0, 100),
        realign_every=1,
        ema=settings.ema,
        weight_decay=1e-6,
        autocast=torch.bfloat16 if precision == "bf16" else None,
    )
    position, alone, turns = Position(steps), Processes(), Turns()
    for _ in range(steps):
        turns.wait()
        terms = take_step(learner, batch, settings, position, 0, alone)
        turns.report(sum(learner.weight_of(name) * float(terms[name]) for name in family.weights))


def our_batch(folder: Path) -> Any:
    """The batch as the loader gives it."""
    import torch

    from voxgraft.corpus.prepare.prior import beta_binomial_prior
    from voxgraft.training.tasks.acoustic.batches import Batch

    found = {name: torch.from_numpy(array) for name, array in np.load(folder / "batch.npz").items()}
    lengths, frames = found["lengths"].tolist(), found["frames"].tolist()
    prior = torch.zeros(len(lengths), max(frames), max(lengths))
    for row, (n, t) in enumerate(zip(lengths, frames, strict=True)):
        prior[row, :t, :n] = torch.from_numpy(beta_binomial_prior(n, t).copy())
    nobody = torch.zeros(len(lengths), dtype=torch.long)
    return Batch(
        **found,
        speaker=nobody,
        language=nobody,
        prior=prior,
        durations=None,
        clips=tuple(range(len(lengths))),
        symbols=tuple(lengths),
        mel_frames=tuple(frames),
        total=len(lengths),
        total_frames=sum(frames),
        total_symbols=sum(lengths),
    )


CONTENDERS: dict[str, Callable[[Path, int], None]] = {
    "everyvoice": theirs,
    "ours": ours,
    "ours-bf16": partial(ours, precision="bf16"),
}


def measure(folder: Path, steps: int, threads: int, peer: str) -> dict[str, list[list[float]]]:
    """[wall seconds, cpu seconds, loss] of each step of each contender."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    work = ["--work", str(folder), "--rounds", str(steps), "--name"]
    here = [sys.executable, "-m", "benchmarks.acoustic_step"]
    commands = {
        name: [*([peer, str(Path(__file__).resolve())] if name == "everyvoice" else here), *work, name]
        for name in CONTENDERS
    }
    processes = {
        name: subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        for name, command in commands.items()
    }
    found: dict[str, list[list[float]]] = {name: [] for name in processes}
    for turn in range(steps):
        # Each goes first as often as the other.
        for name in sorted(processes, reverse=bool(turn % 2)):
            stdin, stdout = processes[name].stdin, processes[name].stdout
            assert stdin is not None
            assert stdout is not None
            stdin.write("go\n")
            stdin.flush()
            line = next((line for line in stdout if line.startswith("[")), None)
            if line is None:
                raise SystemExit(f"{name} ended with status {processes[name].wait()}")
            found[name].append(json.loads(line))
    for process in processes.values():
        process.communicate()
    return found


def table(found: dict[str, list[list[float]]]) -> None:
    """A row a contender."""
    print(f"{'step of':<14}{'wall ms':>10}{'cpu ms':>10}{'faster':>9}   loss, first … last")
    reference = 0.0
    for name, steps in found.items():
        wall, cpu = (1000 * statistics.median(one[column] for one in steps[WARM_UP:]) for column in (0, 1))
        reference = reference or wall
        print(f"{name:<14}{wall:>10.0f}{cpu:>10.0f}{reference / wall:>8.2f}×   {steps[0][2]:.3f} … {steps[-1][2]:.3f}")


def main() -> None:
    """Print the table, or be one of the two."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", help="interpreter of an environment with everyvoice")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--name", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.work:
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        CONTENDERS[arguments.name](Path(arguments.work), arguments.rounds)
        return
    if arguments.peer is None:
        parser.error("name the interpreter of an environment with everyvoice: --peer PYTHON")
    print(f"{date.today()}, {arguments.threads} threads, {arguments.clips} clips of {SECONDS[0]:g}-{SECONDS[1]:g} s")
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), arguments.clips)
        table(measure(Path(name), WARM_UP + arguments.rounds, arguments.threads, arguments.peer))


if __name__ == "__main__":
    main()
