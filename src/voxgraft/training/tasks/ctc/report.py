"""The report at the end of a recogniser's run: one page with what was tested, misheard and learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from voxgraft.config.load import dump_config
from voxgraft.config.run import RunConfig
from voxgraft.evaluation.hearing import Hearing
from voxgraft.evaluation.instruments import Clip
from voxgraft.evaluation.report import HeardSet, RecogniserReport, write_recogniser_report
from voxgraft.evaluation.report.history import read_history
from voxgraft.graft.plan import GraftPlan
from voxgraft.training.loop.validation import Best
from voxgraft.training.tasks.ctc.data import RecogniserData
from voxgraft.training.tasks.ctc.testing import SOURCE, TestedSet, lacking_told

REPORT = "report.html"
TITLES = {
    "test": ("recordings for test", "What the run is for: neither trained on nor used to choose the best."),
    SOURCE: ("the base's language", "What was forgotten: recordings as the base was trained for, heard by both."),
}


def write_run_report(
    config: RunConfig,
    folder: Path,
    best: Best,
    sets: Sequence[TestedSet],
    data: RecogniserData,
    plan: GraftPlan | None,
    found: Sequence[str],
) -> Path:
    """Write report.html into the run's folder."""
    minutes = sum(example.heard.utterance.duration for example in data.train) / 60
    facts = {
        "Base": "none: from scratch" if plan is None or plan.base_sha256 is None else config.base,
        "Language": config.language or "not stated",
        "Learned from": f"{len(data.train)} utterances, {minutes:.1f} minutes",
        "Best at step": f"{best.step} of {config.training.steps}",
        "What learned": config.recogniser.learns,
    }
    provenance = {
        "Licence of the recordings": config.corpus.licence or "not stated",
        "sha256 of the base": plan.base_sha256 if plan is not None else None,
        "sha256 of what was learned from": data.dataset,
    }
    report = RecogniserReport(
        title=f"{config.name}: a recogniser",
        sets=[heard_set(one) for one in sets],
        lead="The best of the run and the base that it began with, on recordings that neither learned from; greedy decoding.",
        facts=facts,
        history=read_history(folder / "metrics.jsonl"),
        found=tuple(found),
        plan=plan,
        config=yaml.safe_load(dump_config(config)),
        provenance=provenance,
    )
    return write_recogniser_report(folder / REPORT, report)


def heard_set(tested: TestedSet) -> HeardSet:
    """A set as the page shows it."""
    sounds = {example.id: example.heard for example in tested.examples}

    def sound(name: str) -> Clip:
        return Clip(sounds[name].sound, sounds[name].spec.sample_rate)

    title, about = TITLES[tested.name]
    hearings: dict[str, Hearing] = ({"base": tested.base} if tested.base else {}) | {"result": tested.result}
    return HeardSet(tested.name, title, about, hearings, sound, (lacking_told(tested),) if tested.lacking else ())
