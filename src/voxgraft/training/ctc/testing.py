"""The test at the end of a recogniser's run: the best of the run, and its base, on recordings that neither learned from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import VoxgraftError
from voxgraft.evaluation.bootstrap import Interval
from voxgraft.files import write_atomically
from voxgraft.graft.project import open_base
from voxgraft.graft.recogniser import whole_network
from voxgraft.inference.labels import Labels
from voxgraft.models.ctc.networks import NETWORKS
from voxgraft.progress import notice
from voxgraft.training.callbacks.validation import Best
from voxgraft.training.ctc.examples import Example
from voxgraft.training.ctc.listening import Hearing, listen

TEST = "test.json"


@dataclass(frozen=True)
class Tested:
    """WER and CER with their 95 % intervals, (value, low, high); the base's are None where it could not be tested."""

    wer: Interval | None
    cer: Interval | None
    base_wer: Interval | None = None
    base_cer: Interval | None = None


def tested_run(
    config: RunConfig, folder: Path, best: Best | None, test: Sequence[Example], device: torch.device
) -> Tested | None:
    """Test the best of a run, say what came out, and write test.json."""
    if best is None or best.voice is None or not test:
        return None
    result = hear(open_checkpoint(Path(best.voice)), test, device)
    base = _hear_the_base(config, test, device)
    tested = Tested(
        result.interval("wer"),
        result.interval("cer"),
        base.interval("wer") if base is not None else None,
        base.interval("cer") if base is not None else None,
    )
    document = {"step": best.step, "result": result.to_dict(), "base": base and base.to_dict(worst=0)}
    write_atomically(folder / TEST, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    for who, wer, cer in (("the base", tested.base_wer, tested.base_cer), ("the result", tested.wer, tested.cer)):
        if wer is not None and cer is not None:
            notice(f"{who} on {len(test)} utterances for test: WER {in_percent(wer)}, CER {in_percent(cer)}")
    return tested


def hear(checkpoint: Checkpoint, test: Sequence[Example], device: torch.device) -> Hearing:
    """What the recogniser of a checkpoint hears, by its own labels."""
    assert checkpoint.symbols is not None
    network = whole_network(checkpoint).to(device)
    return listen(network, test, Labels.of(checkpoint.symbols), device, foreign=True)


def read_test(folder: Path) -> Tested | None:
    """The test of a run, as test.json has it; None where the run has not been tested."""
    path = folder / TEST
    if not path.is_file():
        return None
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    base = document["base"] or {}
    return Tested(*(_interval(part.get(name)) for part in (document["result"], base) for name in ("wer", "cer")))


def measures_of(tested: Tested | None) -> dict[str, Interval | None]:
    """The measures by their names; None where they were not made."""
    return {name: getattr(tested, name, None) for name in ("wer", "cer", "base_wer", "base_cer")}


def in_percent(interval: Interval) -> str:
    """`12.3 % (10.0 to 14.1)`."""
    value, low, high = (100 * number for number in interval)
    return f"{value:.1f} % (95 %: {low:.1f} to {high:.1f})"


def _hear_the_base(config: RunConfig, test: Sequence[Example], device: torch.device) -> Hearing | None:
    """None from scratch, and where the base is gone or does not say what its outputs mean."""
    try:
        base = open_base(config)
        if base is None or base.symbols is None or base.family not in NETWORKS:
            return None
        if test and (base.features or base.audio) not in (None, test[0].heard.spec):
            return None
        return hear(base, test, device)
    except VoxgraftError as fault:
        notice(f"the base can't be tested: {fault.summary}")
        return None


def _interval(values: Any) -> Interval | None:
    return None if values is None else (float(values[0]), float(values[1]), float(values[2]))
