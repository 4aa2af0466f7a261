"""What `voxgraft evaluate` does with a voice: base and result speak the same texts, and are judged side by side."""

from __future__ import annotations

from pathlib import Path

from voxgraft.config.run import EvaluationConfig, RunConfig
from voxgraft.evaluation.compare import Comparison, compare
from voxgraft.evaluation.instruments import METRIC_NAMES, Clip
from voxgraft.evaluation.judge import HeldOut
from voxgraft.evaluation.voice import SeededVoice
from voxgraft.progress import notice
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest


def evaluate(result: str, request: EvaluationRequest) -> Evaluated:
    """Compare a voice with its base on texts that neither was trained on."""
    config = request.project
    wanted = config.evaluation if config is not None else EvaluationConfig()
    base = _speaking_base(config) if config is not None and request.base is None else request.base
    voices = {"result": SeededVoice(result, speaker=request.speaker)}
    if base is not None:
        voices = {"base": SeededVoice(base, speaker=request.base_speaker)} | voices
    language = request.language or voices["result"].language or "en"
    lines, target = _lines(request, language) if config is None else _own_lines(config, request.texts)
    dnsmos = wanted.dnsmos if request.dnsmos is None else request.dnsmos
    comparison = compare(
        {role: voice.candidate() for role, voice in voices.items()},
        lines,
        target=target,
        seeds=request.seeds or wanted.seeds,
        language=language,
        recogniser=request.recogniser or wanted.recogniser,
        metrics=[name for name in METRIC_NAMES if dnsmos or name != "dnsmos"],
    )
    if request.report is not None:
        where = request.corpus or (config.output if config is not None else None)
        _write_report(request.report, comparison, voices, language, where)
    columns, rows = _table(comparison)
    absent = tuple(f"{name} was not measured: {reason}" for name, reason in comparison.absent.items())
    values = comparison.to_dict() | {"voices": {role: voice.name for role, voice in voices.items()}}
    return Evaluated("", columns, rows, values, (*absent, *comparison.notes))


def _speaking_base(config: RunConfig) -> str | None:
    """The project's base where it is an exported voice; others can't speak here."""
    from voxgraft.library.resolve import resolve
    from voxgraft.project.project import FROM_SCRATCH, as_trained

    config = as_trained(config)
    if config.base is None or config.base == FROM_SCRATCH:
        return None
    path = resolve(config.base, config)
    if path.suffix == ".onnx":
        return str(path)
    notice(f"note: the base, {path.name}, is no exported voice: the result is judged alone.")
    notice(f"      `voxgraft export {config.base}` makes one of it, to be named with --base.")
    return None


def _own_lines(config: RunConfig, texts: Path | None) -> tuple[list[HeldOut], list[Clip]]:
    """Texts that the project's run was not trained on, and recordings that it was trained on."""
    from voxgraft.evaluation import material
    from voxgraft.project.project import as_trained, project_manifest, project_recordings

    trained = as_trained(config)
    project_recordings(trained)
    manifest = project_manifest(trained)
    assert manifest is not None
    lines, target = material.from_project(trained, manifest)
    if texts is not None:
        return material.from_text_file(texts), target
    whence = "held out by the project" if trained.corpus.held_out else "of the run's validation"
    notice(f"{len(lines)} texts {whence}, none of them trained on")
    return lines, target


def _lines(request: EvaluationRequest, language: str) -> tuple[list[HeldOut], list[Clip]]:
    """Texts to speak, and recordings of the wanted voice that are not among them."""
    from voxgraft.evaluation import material

    corpus, held_out, texts = request.corpus, request.held_out, request.texts
    if corpus is None:
        return (material.from_text_file(texts) if texts else material.from_sentences(language)), []
    from voxgraft.corpus import sample
    from voxgraft.corpus.importers import import_corpus

    if corpus == "sample":
        manifest, known = sample.bundled(), list(sample.held_out_ids())
    else:
        manifest, known = import_corpus(corpus), []
    if texts is not None:
        return material.from_text_file(texts), material.recordings(manifest)
    if held_out is None and not known:
        notice("note: these texts may have been trained on, which flatters the result; --held-out or --project")
        notice("      choose texts that were not.")
    return material.from_corpus(manifest, material.read_ids(held_out) if held_out else known)


def _write_report(
    path: Path, comparison: Comparison, voices: dict[str, SeededVoice], language: str, corpus: str | None
) -> None:
    from voxgraft.evaluation.report import Report, write_report

    names = [voice.name for voice in voices.values()]
    facts = {role.capitalize(): voice.name for role, voice in voices.items()}
    facts |= {"Language": language} | ({"Corpus": corpus} if corpus else {})
    write_report(path, Report(" and ".join(dict.fromkeys(names)), comparison, language=language, facts=facts))


def _table(comparison: Comparison) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    from voxgraft.evaluation.report.scoreboard import ROLES, amount
    from voxgraft.evaluation.scores import METRICS

    roles = [role for role in ROLES if role in comparison.scores]
    summaries = {role: comparison.scores[role].summary() for role in roles}
    rows = []
    for metric in METRICS:
        cells = []
        for role in roles:
            found = summaries[role][metric.name]
            cells.append("–" if found is None else _in_words(*(amount(metric, number) for number in found)))
        rows.append((metric.title, *cells))
    return ("", *(ROLES[role] for role in roles)), tuple(rows)


def _in_words(value: str, low: str, high: str) -> str:
    return f"{value} ({low.split()[0]} … {high.split()[0]})"
