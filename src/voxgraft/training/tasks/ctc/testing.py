"""The test at the end of a recogniser's run: the best of the run, and its base, on recordings that neither learned from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import VoxgraftError
from voxgraft.evaluation.bootstrap import Interval
from voxgraft.evaluation.hearing import Hearing, letters_lacking
from voxgraft.files import write_atomically
from voxgraft.graft.recogniser import whole_network
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.json_file import read_object
from voxgraft.models.ctc.networks import NETWORKS
from voxgraft.progress import notice
from voxgraft.project.project import open_base
from voxgraft.training.loop.validation import Best
from voxgraft.training.tasks.ctc.data import RecogniserData
from voxgraft.training.tasks.ctc.examples import Example
from voxgraft.training.tasks.ctc.validate import transcribe

TEST = "test.json"
TARGET, SOURCE = "test", "source"


@dataclass(frozen=True)
class TestedSet:
    """Recordings (`test`, or `source` in the base's language) and what base and result heard of them.

    `base` is None where it could not be tested. `lacking` are letters of the transcripts that the result can't write.
    """

    name: str
    examples: tuple[Example, ...]
    result: Hearing
    base: Hearing | None = None
    lacking: str = ""


@dataclass(frozen=True)
class Tested:
    """WER and CER with their 95 % intervals, (value, low, high); None where that was not tested.

    `step` is that of the result: at 0 it is the graft, which has not learned yet.
    """

    wer: Interval | None = None
    cer: Interval | None = None
    base_wer: Interval | None = None
    base_cer: Interval | None = None
    source_wer: Interval | None = None
    source_cer: Interval | None = None
    base_source_wer: Interval | None = None
    base_source_cer: Interval | None = None
    step: int | None = None


def tested_sets(
    config: RunConfig, folder: Path, best: Best | None, data: RecogniserData, device: torch.device
) -> tuple[TestedSet, ...]:
    """Test the best of a run, say what came out, and write test.json. Nothing where there is no best."""
    if best is None:
        return ()
    result, base = open_checkpoint(folder / "best" / best.weights), _base_to_test(config, data.test)
    examples = {TARGET: data.test, SOURCE: data.source}
    sets = tuple(_tested(name, found, result, base, device) for name, found in examples.items() if found)
    by_name = {one.name: _plain(one) for one in sets}
    document = {"step": best.step, **by_name.get(TARGET, {}), SOURCE: by_name.get(SOURCE)}
    write_atomically(folder / TEST, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    for line in told(measured(sets, best.step), {one.name: len(one.examples) for one in sets}):
        notice(line)
    for one in sets:
        if one.lacking:
            notice(lacking_told(one))
    return sets


def hear(checkpoint: Checkpoint, test: Sequence[Example], device: torch.device) -> Hearing:
    """What the recogniser of a checkpoint hears, by its own labels."""
    assert checkpoint.symbols is not None
    network = whole_network(checkpoint).to(device)
    return transcribe(network, test, Labels.of(checkpoint.symbols), device, foreign=True)


def measured(sets: Sequence[TestedSet], step: int) -> Tested | None:
    """The measures of each set, of the best of a run at `step`; None where nothing was tested."""
    found: dict[str, Interval | None] = {}
    for one in sets:
        for before, hearing in (("", one.result), ("base_", one.base)):
            where = "source_" if one.name == SOURCE else ""
            for name in ("wer", "cer"):
                found[f"{before}{where}{name}"] = hearing.interval(name) if hearing is not None else None
    return Tested(**found, step=step) if found else None


def read_test(folder: Path) -> Tested | None:
    """The test of a run, as test.json has it; None where the run has not been tested."""
    path = folder / TEST
    if not path.is_file():
        return None
    document: dict[str, Any] = read_object(path, remedy="Test the run again with `voxgraft evaluate`.")
    parts = {"": document, "source_": document.get(SOURCE) or {}}
    return Tested(
        **{
            f"{before}{where}{name}": _interval((part.get(role) or {}).get(name))
            for where, part in parts.items()
            for before, role in (("", "result"), ("base_", "base"))
            for name in ("wer", "cer")
        },
        step=document.get("step"),
    )


def measures_of(tested: Tested | None) -> dict[str, Interval | None]:
    """The measures by their names; None where they were not made."""
    return {name: value for name, value in asdict(tested or Tested()).items() if name != "step"}


def told(tested: Tested | None, counts: dict[str, int] | None = None) -> list[str]:
    """A line for each that was tested on each set, with the number of its utterances where they are known."""
    measures, lines = measures_of(tested), []
    untrained = tested is not None and tested.step == 0
    result = "the graft, untrained (no step was better)" if untrained else "the new model"
    for name, where, words in ((TARGET, "", ""), (SOURCE, "source_", " in the base's language")):
        for before, who in (("base_", "the base"), ("", result)):
            wer, cer = measures[f"{before}{where}wer"], measures[f"{before}{where}cer"]
            if wer is not None and cer is not None:
                on = f" on {counts[name]} utterances for test" if counts else ""
                lines.append(f"{who}{on}{words}: WER {in_percent(wer)}, CER {in_percent(cer)}")
    return lines


def lacking_told(tested: TestedSet) -> str:
    """That letters can't be written, and what that does to the scores."""
    where = " of the base's language" if tested.name == SOURCE else ""
    return (
        f"the new model's alphabet lacks letters{where} that come in the recordings for test: {tested.lacking[:60]}; "
        "each of them counts as an error of the new model"
    )


def in_percent(interval: Interval) -> str:
    """`12.3 % (10.0 to 14.1)`."""
    value, low, high = (100 * number for number in interval)
    return f"{value:.1f} % (95 %: {low:.1f} to {high:.1f})"


def _tested(
    name: str, examples: tuple[Example, ...], result: Checkpoint, base: Checkpoint | None, device: torch.device
) -> TestedSet:
    assert result.symbols is not None
    labels = Labels.of(result.symbols)
    known = "".join(spelling for spelling in labels.spellings if spelling)
    lacking = "" if labels.bytes else letters_lacking([example.text for example in examples], known)
    return TestedSet(name, examples, hear(result, examples, device), _heard_by_base(base, examples, device), lacking)


def _base_to_test(config: RunConfig, test: Sequence[Example]) -> Checkpoint | None:
    """None from scratch, and where the base is gone, hears something else or does not say what its outputs mean."""
    try:
        base = open_base(config)
    except VoxgraftError as fault:
        notice(f"the base can't be tested: {fault.summary}")
        return None
    if base is None or base.symbols is None or base.symbols.blank is None or base.family not in NETWORKS:
        return None
    return base if not test or (base.features or base.audio) in (None, test[0].heard.spec) else None


def _heard_by_base(base: Checkpoint | None, examples: Sequence[Example], device: torch.device) -> Hearing | None:
    try:
        return None if base is None else hear(base, examples, device)
    except VoxgraftError as fault:
        notice(f"the base can't be tested: {fault.summary}")
        return None


def _plain(tested: TestedSet) -> dict[str, Any]:
    return {
        "result": tested.result.to_dict(),
        "base": tested.base and tested.base.to_dict(worst=0),
        "lacking": tested.lacking,
    }


def _interval(values: Any) -> Interval | None:
    return None if values is None else (float(values[0]), float(values[1]), float(values[2]))
