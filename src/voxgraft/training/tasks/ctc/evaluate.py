"""What `voxgraft evaluate` does with a recogniser: base and result hear the same recordings."""

from __future__ import annotations

from pathlib import Path

from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest
from voxgraft.evaluation.recogniser import Transcriptions, hear_all
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.progress import notice
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest


def evaluate(result: Recogniser, request: EvaluationRequest) -> Evaluated:
    """Transcribe a corpus, or a project's recordings for test, with result and base; say how many errors each makes."""
    project = request.project
    recordings = _of_the_project(project) if project is not None else _of_the_corpus(request.corpus, request.held_out)
    recognisers = {"result": result}
    before = _ready(request.base) if request.base is not None else _base_of(project) if project is not None else None
    if before is not None:
        recognisers = {"base": before} | recognisers
    heard = hear_all(recognisers, recordings)
    if request.report is not None:
        names = {role: one.path.stem for role, one in recognisers.items()}
        where = request.corpus or "the project's recordings for test"
        _write_report(request.report, heard, recordings, names, where)
    columns, rows = _table(heard)
    named = {role: one.settings.name or one.path.stem for role, one in recognisers.items()}
    title = f"{len(heard.hearings['result'].rows)} utterances"
    return Evaluated(title, columns, rows, heard.to_dict() | {"recognisers": named}, tuple(heard.notes))


def _base_of(project: RunConfig) -> Recogniser | None:
    """A project's base, where it is a recogniser that can hear by itself."""
    from voxgraft.errors import VoxgraftError
    from voxgraft.library.resolve import resolve
    from voxgraft.project.project import FROM_SCRATCH, as_trained

    config = as_trained(project)
    if config.base in (None, FROM_SCRATCH):
        return None
    try:
        return _ready(str(resolve(str(config.base), config)))
    except VoxgraftError as fault:
        notice(f"note: the result is judged alone; its base can't be: {fault.summary}")
        return None


def _ready(base: str) -> Recogniser:
    from voxgraft.errors import EvaluationError
    from voxgraft.export.recogniser.ready import ready_recogniser

    found = ready_recogniser(base)
    if found is None:
        raise EvaluationError(
            "no recogniser to compare with", file=base, remedy="Name a run, a checkpoint or a .onnx of a recogniser."
        )
    return found


def _of_the_project(project: RunConfig) -> Manifest:
    from voxgraft.project.corpora import corpora_of
    from voxgraft.project.project import as_trained

    return corpora_of(as_trained(project)).test


def _of_the_corpus(corpus: str | None, held_out: Path | None) -> Manifest:
    from voxgraft.corpus import sample
    from voxgraft.corpus.importers import import_corpus
    from voxgraft.corpus.manifest import Manifest
    from voxgraft.errors import EvaluationError
    from voxgraft.evaluation import material

    if corpus is None:
        raise EvaluationError(
            "no recordings to evaluate a recogniser on", remedy="Name some with --corpus or --project."
        )
    manifest = sample.bundled() if corpus == "sample" else import_corpus(corpus)
    if held_out is None:
        notice(
            "note: recordings that were trained on flatter a recogniser; --held-out names others, --project knows them."
        )
        return manifest
    ids = set(material.read_ids(held_out))
    unknown = sorted(ids - {utterance.id for utterance in manifest})
    if unknown:
        raise EvaluationError(
            f"no such utterance: {', '.join(unknown[:5])}",
            field="--held-out",
            remedy="`voxgraft corpus stats CORPUS --json` lists the ids.",
        )
    return Manifest(tuple(utterance for utterance in manifest if utterance.id in ids))


def _write_report(path: Path, heard: Transcriptions, recordings: Manifest, names: dict[str, str], where: str) -> None:
    from voxgraft.audio.read import read_audio
    from voxgraft.evaluation.instruments import Clip
    from voxgraft.evaluation.report import HeardSet, RecogniserReport, write_recogniser_report

    files = {utterance.id: utterance.audio for utterance in recordings}
    shown = HeardSet(
        "corpus", "these recordings", where, heard.hearings, lambda name: Clip(*read_audio(files[name])), heard.notes
    )
    facts = {role.capitalize(): name for role, name in names.items()} | {"Recordings": where}
    write_recogniser_report(path, RecogniserReport(" and ".join(dict.fromkeys(names.values())), [shown], facts=facts))


def _table(heard: Transcriptions) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    from voxgraft.evaluation.report.scoreboard import ROLES, amount
    from voxgraft.evaluation.scores import METRICS

    roles = [role for role in ROLES if role in heard.hearings]
    rows = []
    for metric in (metric for metric in METRICS if metric.name in ("wer", "cer")):
        cells = []
        for role in roles:
            found = heard.hearings[role].interval(metric.name)
            cells.append("–" if found is None else "{} ({} … {})".format(*(amount(metric, number) for number in found)))
        rows.append((metric.title, *cells))
    return ("", *(ROLES[role] for role in roles)), tuple(rows)
