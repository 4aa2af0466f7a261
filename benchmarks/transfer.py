"""Does transfer pay? A recogniser of one language as the base for another, against starting from scratch, at equal steps.

    python -m benchmarks.transfer ENGLISH RUSSIAN [--minutes 10] [--seeds 2] [--n-hidden 256] [--recordings-minutes 20]
                                  [--base CHECKPOINT] [--base-steps 3000] [--steps 3000]
                                  [--points 8] [--only NAME ...] [--jobs 2] [--threads 1]

ENGLISH and RUSSIAN are corpora (folders with metadata.csv and wavs/, or anything `voxgraft corpus import` reads; several with
commas between them). The base is trained on the first, or given. 15 % of the texts of the second are held out, whole texts;
of the rest as many recordings are taken as asked for. Every contender takes the same steps on the same batches: as many as from scratch can in
`--minutes`, at most `--steps`. `mapped` keeps all layers and the output rows of letters that both alphabets have, new ones
starting from their neighbours; `drop N` starts the last N layers anew, with no letter mapped. CER is on the held-out
recordings, greedy, uncapped, of the averaged weights at that step: no step is chosen by it. The last columns say how many
steps of the run each needs for the CER that from scratch ends with, and its errors against from scratch's at the last step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from voxgraft.config.run import RunConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.split import split, text_key
from voxgraft.training.loop.checkpoints import run_folder
from voxgraft.training.run import train
from voxgraft.training.tasks.ctc.setup import begin

HELD_OUT = 0.15
LONGEST = 30.0
SCRATCH, MAPPED = "from scratch", "mapped"
DROPS = {f"drop {count}": count for count in range(1, 6)}

Curve = dict[int, float]


def tables(corpus: str, minutes: float, folder: Path, seed: int) -> dict[str, list[str]]:
    """Manifests of the recordings to learn from and of those held out, their texts disjoint."""
    parts = [import_corpus(Path(path), skip_bad=True) for path in corpus.split(",")]
    whole = Manifest(tuple(utterance for part in parts for utterance in part))
    texts = {text_key(utterance.text) for utterance in whole}
    parts = split(whole, max(1, round(HELD_OUT * len(texts))), (), seed)
    learned, seconds = [], 0.0
    for utterance in parts.train:
        if seconds < 60 * minutes:
            learned.append(utterance)
            seconds += utterance.duration
    paths = {"train": folder / "train" / "manifest.jsonl", "held_out": folder / "held_out" / "manifest.jsonl"}
    Manifest(tuple(learned)).write(paths["train"])
    parts.validation.write(paths["held_out"])
    print(
        f"{corpus}: {len(learned)} recordings to learn from ({seconds / 60:.1f} minutes), {len(parts.validation)} held out",
        file=sys.stderr,
    )
    return {"train": [str(paths["train"])], "dev": [str(paths["held_out"])], "test": [str(paths["held_out"])]}


def settings(
    name: str, folder: Path, base: str, corpora: dict[str, list[str]], arguments: Any, **changes: Any
) -> RunConfig:
    """Settings of one training; `changes` go over its sections."""
    scratch = {"n_hidden": arguments.n_hidden} if base == "none" else {}
    training = {"steps": arguments.steps, "patience": 10**6, "device": arguments.device, "keep": 1}
    return RunConfig(
        name=name.replace(" ", "-"),
        output=str(folder),
        base=base,
        task="recogniser",
        seed=changes.get("seed", 0),
        corpus={"longest": LONGEST},
        graft={"allow_partial": True, **changes.get("graft", {})},
        recogniser={**corpora, **scratch},
        training=training | changes.get("training", {}),
    )


def steps_in(config: RunConfig) -> int:
    """Steps that fit into the minutes of a run, measured."""
    return begin(config).config.training.steps


def curve_of(folder: Path) -> Curve:
    """CER by step, of a run's validations."""
    lines = (json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines())
    return {line["step"]: line["cer"] for line in lines if line["kind"] == "validation"}


def steps_to(curve: Curve, wanted: float) -> int | None:
    """The first step at which a CER is reached."""
    return next((step for step, cer in sorted(curve.items()) if cer <= wanted), None)


def contend(
    names: list[str], corpora: dict[str, list[str]], base: str, folder: Path, arguments: Any
) -> dict[str, list[Curve]]:
    """A curve of each contender and seed, all of the same steps."""
    curves: dict[str, list[Curve]] = {name: [] for name in names}
    alphabet = {"alphabet": arguments.alphabet} if arguments.alphabet else {}
    limit = {"minutes": arguments.minutes, "validate_every": max(1, arguments.steps // arguments.points)}
    steps = steps_in(settings("measured", folder, "none", corpora, arguments, graft=alphabet, training=limit))
    every = {"steps": steps, "validate_every": max(1, steps // arguments.points)}
    runs = []
    for seed in range(arguments.seeds):
        for name in names:
            dropped = {"drop_source_layers": DROPS[name], "map_letters": "never"} if name in DROPS else {}
            start, graft = "none" if name == SCRATCH else base, alphabet | dropped
            runs.append(
                settings(f"{name} {seed}", folder, start, corpora, arguments, seed=seed, graft=graft, training=every)
            )
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn"), torch.set_num_threads, (arguments.threads,)) as pool:
        for name, curve in zip(itertools.cycle(names), pool.map(run_curve, runs), strict=False):
            curves[name].append(curve)
    return curves


def run_curve(config: RunConfig) -> Curve:
    """The curve of one training, which goes on where it was stopped."""
    return curve_of(train(config, resume=(run_folder(config) / "config.yaml").exists()).folder)


def print_table(curves: dict[str, list[Curve]]) -> None:
    """CER, %, at each step that all have validated at; means over the seeds, the last step's values one by one."""
    shared = sorted(set.intersection(*({*curve} for found in curves.values() for curve in found)))
    last = shared[-1]
    scratch = curves.get(SCRATCH)
    goal = statistics.mean(curve[last] for curve in scratch) if scratch else None
    titles = [*(str(step) for step in shared), "each seed", "steps to scratch's", "errors against scratch"]
    print(f"\n| CER, %, after steps | {' | '.join(titles)} |\n|---|{'---|' * len(titles)}")
    for name, found in curves.items():
        means = {step: statistics.mean(curve[step] for curve in found) for step in shared}
        cells = [f"{100 * means[step]:.1f}" for step in shared]
        cells.append(", ".join(f"{100 * curve[last]:.1f}" for curve in found))
        reached = steps_to(means, goal) if goal is not None else None
        cells.append("–" if reached is None else f"{reached} of {last}")
        cells.append("–" if not goal else f"{100 * (means[last] / goal - 1):+.0f} %")
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    """Train all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="corpus of the base's language")
    parser.add_argument("target", help="corpus of the new language")
    parser.add_argument("--minutes", type=float, default=10.0, help="most minutes of a run")
    parser.add_argument("--base-minutes", type=float, help="most minutes of the base's training; default: no limit")
    parser.add_argument("--recordings-minutes", type=float, default=20.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--points", type=int, default=8, help="of each curve")
    parser.add_argument("--base-steps", type=int, default=3000)
    parser.add_argument("--n-hidden", type=int, default=256)
    parser.add_argument("--base", help="a recogniser to start from, instead of training one")
    parser.add_argument("--alphabet", help="alphabet of the new language; default: that of its transcripts")
    parser.add_argument("--only", nargs="+", help="contenders, such as: mapped 'drop 1'")
    parser.add_argument("--jobs", type=int, default=2, help="trainings side by side")
    parser.add_argument("--threads", type=int, default=1, help="of each")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--folder",
        type=Path,
        help="where the runs are kept, to go on with what was stopped; default: a temporary folder",
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    names = arguments.only or [SCRATCH, MAPPED, *DROPS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        base = arguments.base
        if base is None:
            corpora = tables(arguments.source, 1e9, folder / "source", 0)
            limit = {"minutes": arguments.base_minutes} if arguments.base_minutes else {}
            steps = {"steps": arguments.base_steps} | limit
            result = train(settings("base", folder, "none", corpora, arguments, training=steps))
            base = result.folder / "best" / result.best.weights
            print(f"the base, on its own language: CER {100 * result.outcome.values['cer'][0]:.1f} %", file=sys.stderr)
        corpora = tables(arguments.target, arguments.recordings_minutes, folder / "target", 0)
        curves = contend(names, corpora, base, folder, arguments)
    print(f"{date.today()}, torch {torch.__version__}, {arguments.threads} threads, n_hidden {arguments.n_hidden}")
    print_table(curves)


if __name__ == "__main__":
    main()
