"""One training step of a recogniser: `transformers`' Wav2Vec2ForCTC in its Trainer against our module in ours.

    pip install 'voxgraft[train,hf]' accelerate
    python -m benchmarks.ctc_step [--sizes tiny base] [--rounds 10] [--threads 2]

Both begin with the same weights and hear the same batch again and again: forward, loss, backward, clipping, AdamW; ours
keeps its average of the weights besides, as it does by default. Each has a process of its own with its real training
loop, and takes a step in turn, so that a busy machine slows both alike; the first steps are not counted. `tiny` is in the layout
of XLS-R, clips of several lengths; `base` is wav2vec2-base (95 million weights), clips of one length, since its
documentation advises against masks. No dropout, no masking of features, so that the losses can be compared: nats a label.
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
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

RATE = 16000
SYMBOLS, LABELS_A_SECOND = 32, 12
LEARNING_RATE, BETAS, CLIP = 1e-4, (0.9, 0.98), 0.1
WARM_UP = 2
NO_CHANCE = {
    "hidden_dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0, "feat_proj_dropout": 0.0,
    "final_dropout": 0.0, "layerdrop": 0.0, "apply_spec_augment": False, "mask_time_prob": 0.0,
}  # fmt: skip
# Settings of the model, and seconds of each clip.
SIZES: dict[str, tuple[dict[str, Any], tuple[float, ...]]] = {
    "tiny": (
        {
            "conv_dim": (32,) * 7, "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
            "intermediate_size": 256, "num_conv_pos_embeddings": 32, "num_conv_pos_embedding_groups": 4,
            "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True,
        },
        (1.0, 1.5, 2.0, 2.5, 3.0, 3.0, 3.5, 4.0),
    ),
    "base": ({}, (3.0,) * 4),
}  # fmt: skip


def prepare(size: str, folder: Path) -> None:
    """A random model as its makers save it, and a batch: samples [B, T], lengths [B], labels [B, N], label lengths [B]."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    settings, seconds = SIZES[size]
    torch.manual_seed(0)
    config = Wav2Vec2Config(vocab_size=SYMBOLS, pad_token_id=0, ctc_loss_reduction="sum", **settings, **NO_CHANCE)
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    random = np.random.default_rng(0)
    lengths = np.array([round(one * RATE) for one in seconds])
    counts = np.array([round(one * LABELS_A_SECOND) for one in seconds])
    samples = np.zeros((len(seconds), lengths.max()), np.float32)
    labels = np.zeros((len(seconds), counts.max()), np.int64)
    for row, (length, count) in enumerate(zip(lengths, counts, strict=True)):
        samples[row, :length] = random.standard_normal(length)
        labels[row, :count] = random.integers(1, SYMBOLS, count)
    np.savez(folder / "batch.npz", samples=samples, lengths=lengths, labels=labels, counts=counts)


class Turns:
    """Waits for its turn before each step, and reports what the step took."""

    def __init__(self, labels: int) -> None:
        self._labels = labels
        self._wall = self._cpu = 0.0

    def wait(self) -> None:
        """Until the other process is done with its step."""
        if not sys.stdin.readline():
            sys.exit(0)
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def done(self) -> None:
        """The step has ended."""
        self._wall, self._cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu

    def report(self, loss: float) -> None:
        """Tell of the step, whose loss is the sum over the batch."""
        print(json.dumps([self._wall, self._cpu, loss / self._labels]), flush=True)


def theirs(folder: Path, steps: int) -> None:
    """The Trainer of `transformers`."""
    import torch
    import transformers

    batch = dict(np.load(folder / "batch.npz"))
    turns = Turns(int(batch["counts"].sum()))

    class InTurn(transformers.TrainerCallback):
        def on_step_begin(self, *_: object, **__: object) -> None:
            turns.wait()

        def on_step_end(self, *_: object, **__: object) -> None:
            turns.done()

        def on_log(self, args: object, state: object, control: object, logs: Any = None, **_: object) -> None:
            if "loss" in logs:
                turns.report(float(logs["loss"]))

    lengths, counts = torch.from_numpy(batch["lengths"]), torch.from_numpy(batch["counts"])
    padded = torch.arange(batch["labels"].shape[1]) >= counts[:, None]
    inputs = {
        "input_values": torch.from_numpy(batch["samples"]),
        "labels": torch.from_numpy(batch["labels"]).masked_fill(padded, -100),
    }
    if len(set(lengths.tolist())) > 1:
        inputs["attention_mask"] = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
    arguments = transformers.TrainingArguments(
        output_dir=str(folder / "out"), max_steps=steps, per_device_train_batch_size=1, learning_rate=LEARNING_RATE,
        lr_scheduler_type="constant", weight_decay=0.0, max_grad_norm=CLIP, adam_beta1=BETAS[0], adam_beta2=BETAS[1],
        logging_strategy="steps", logging_steps=1, save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True,
        remove_unused_columns=False,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model=transformers.Wav2Vec2ForCTC.from_pretrained(folder),
        args=arguments,
        train_dataset=[{"place": 0}] * steps,
        data_collator=lambda _: inputs,
        callbacks=[InTurn()],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()


def ours(folder: Path, steps: int) -> None:
    """Our learner, stepped as a run steps it."""
    import torch

    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.config.run import TrainingConfig
    from voxgraft.models.ctc.networks import build_network, load_canonical
    from voxgraft.training.loop.learner import Position
    from voxgraft.training.loop.processes import Processes
    from voxgraft.training.loop.step import take_step
    from voxgraft.training.tasks.ctc.examples import Batch
    from voxgraft.training.tasks.ctc.module import CtcLearner

    found = {name: torch.from_numpy(array) for name, array in np.load(folder / "batch.npz").items()}
    total, clips = int(found["counts"].sum()), len(found["counts"])
    turns = Turns(total)
    batch = Batch(
        features=found["samples"].unsqueeze(2), lengths=found["lengths"], labels=found["labels"],
        clips=tuple(range(clips)), frames=tuple(found["lengths"].tolist()),
        label_lengths=tuple(found["counts"].tolist()), total=total,
    )  # fmt: skip
    checkpoint = open_checkpoint(folder)
    network = build_network(checkpoint.family, checkpoint.architecture)
    load_canonical(checkpoint.family, network, checkpoint.tensors, checkpoint.architecture)
    settings = TrainingConfig(warmup=0, decay="none", gradient_clip=CLIP, device="cpu")
    group = {"params": list(network.parameters()), "lr": LEARNING_RATE, "rate": LEARNING_RATE, "from_step": 0}
    examples = [SimpleNamespace(needed=0)] * clips
    learner = CtcLearner(network.train(), [group], examples, blank=0, ema=settings.ema, weight_decay=0.0, autocast=None)
    position, alone = Position(steps), Processes()
    for _ in range(steps):
        turns.wait()
        terms = take_step(learner, batch, settings, position, 0, alone)
        turns.done()
        turns.report(float(terms["ctc"]) * total)


CONTENDERS: dict[str, Callable[[Path, int], None]] = {"transformers": theirs, "ours": ours}


def measure(folder: Path, steps: int, threads: int) -> dict[str, list[list[float]]]:
    """[wall seconds, cpu seconds, loss] of each step of each contender."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-m", "benchmarks.ctc_step", "--work", name, str(folder), "--rounds", str(steps)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        for name in CONTENDERS
    }  # fmt: skip
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


def table(size: str, found: dict[str, list[list[float]]]) -> None:
    """The rows of one size."""
    reference = 0.0
    for name, steps in found.items():
        wall, cpu = (1000 * statistics.median(one[column] for one in steps[WARM_UP:]) for column in (0, 1))
        reference = reference or wall
        losses = f"{steps[0][2]:.4f} … {steps[-1][2]:.4f}"
        print(f"{size:<8}{name:<16}{wall:>10.1f}{cpu:>10.1f}{reference / wall:>8.2f}×   {losses}")


def main() -> None:
    """Print the table, or be one of the two."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", nargs=2, metavar=("CONTENDER", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.work:
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        CONTENDERS[arguments.work[0]](Path(arguments.work[1]), arguments.rounds)
        return
    import torch
    import transformers

    print(
        f"{date.today()}, {arguments.threads} threads, torch {torch.__version__}, transformers {transformers.__version__}"
    )
    print(f"{'model':<8}{'step':<16}{'wall ms':>10}{'cpu ms':>10}{'faster':>9}   loss a label, first … last")
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as name:
            prepare(size, Path(name))
            table(size, measure(Path(name), WARM_UP + arguments.rounds, arguments.threads))


if __name__ == "__main__":
    main()
