"""`voxgraft evaluate`: base and result side by side on texts, or on recordings, that neither was trained on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json, print_table
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig
    from voxgraft.evaluation.compare import Comparison
    from voxgraft.evaluation.instruments import Clip
    from voxgraft.evaluation.judge import HeldOut
    from voxgraft.evaluation.voice import SeededVoice


def evaluate(
    result: Annotated[
        str, typer.Argument(help="A voice (.onnx, folder, package), or a recogniser (.onnx, run, checkpoint).")
    ],
    project: Annotated[
        Path | None,
        typer.Option(help="The project that made it: its base, recogniser, seeds, and texts it was not trained on."),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="What it started from, judged on the same texts or recordings.")
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            help="Recordings of the wanted voice, or to be transcribed: a folder, metadata or manifest; `sample` is the bundled one."
        ),
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="Ids of the corpus that were not trained on, one a line; default: all.")
    ] = None,
    texts: Annotated[
        Path | None, typer.Option(help="Texts to speak instead, one a line, as `text` or `id|text`.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="Syntheses of each text; the project's, or 3.")
    ] = None,
    speaker: Annotated[str | None, typer.Option(help="Speaker of the result, by name or number.")] = None,
    base_speaker: Annotated[str | None, typer.Option(help="Speaker of the base, by name or number.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the texts; default: the voice's.")] = None,
    recogniser: Annotated[
        str | None,
        typer.Option(help="Folder of a faster-whisper model; `auto` takes an installed one; the project's, or auto."),
    ] = None,
    dnsmos: Annotated[bool | None, typer.Option(help="Measure sound quality too; the project's, or yes.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with the scores, sound and pictures.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Say how well a voice is understood, how like the target it sounds and how clean, next to its base.

    Of a recogniser: how many words and characters it hears wrongly, next to its base.
    """
    began = time.monotonic()
    _check_options(project, corpus, held_out, texts)
    from voxgraft.cli.evaluate_recogniser import evaluate_recogniser, refuse_options_of_voices
    from voxgraft.export.recogniser.ready import ready_recogniser

    hearing = ready_recogniser(result)
    if hearing is not None:
        refuse_options_of_voices(
            texts=texts,
            seeds=seeds,
            speaker=speaker,
            base_speaker=base_speaker,
            language=language,
            recogniser=recogniser,
            dnsmos=dnsmos,
        )
        settings = None if project is None else _settings(project)
        evaluate_recogniser(
            hearing, project=settings, base=base, corpus=corpus, held_out=held_out, report=report, json=json
        )
        return
    from voxgraft.config.run import EvaluationConfig
    from voxgraft.evaluation.compare import compare
    from voxgraft.evaluation.instruments import METRIC_NAMES
    from voxgraft.evaluation.voice import SeededVoice

    config = None if project is None else _settings(project)
    wanted = config.evaluation if config is not None else EvaluationConfig()
    if config is not None and base is None:
        base = _speaking_base(config)
    voices = {"result": SeededVoice(result, speaker=speaker)}
    if base is not None:
        voices = {"base": SeededVoice(base, speaker=base_speaker)} | voices
    spoken = language or voices["result"].language or "en"
    lines, target = _material(corpus, held_out, texts, spoken) if config is None else _own_material(config, texts)
    comparison = compare(
        {role: voice.candidate() for role, voice in voices.items()},
        lines,
        target=target,
        seeds=seeds or wanted.seeds,
        language=spoken,
        recogniser=recogniser or wanted.recogniser,
        metrics=METRIC_NAMES
        if (wanted.dnsmos if dnsmos is None else dnsmos)
        else [name for name in METRIC_NAMES if name != "dnsmos"],
    )
    if report is not None:
        _write_report(report, comparison, voices, spoken, corpus or (str(project) if project else None))
    if json:
        print_json(
            comparison.to_dict()
            | {
                "voices": {role: voice.name for role, voice in voices.items()},
                "report": None if report is None else str(report),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        return
    print_comparison(comparison)
    if report is not None:
        notice(f"{report}: listen and compare")


def _check_options(project: Path | None, corpus: str | None, held_out: Path | None, texts: Path | None) -> None:
    if project is not None and (corpus is not None or held_out is not None):
        raise typer.BadParameter(
            "brings corpus and held-out texts: leave the other options out", param_hint="--project"
        )
    if held_out is not None and corpus is None:
        raise typer.BadParameter("needs --corpus, whose ids it lists", param_hint="--held-out")
    if held_out is not None and texts is not None:
        raise typer.BadParameter("chooses texts of the corpus; --texts gives others: take one", param_hint="--held-out")


def _settings(project: Path) -> RunConfig:
    from voxgraft.config.load import load_config
    from voxgraft.project.project import find_project

    return find_project(project) or load_config(project)


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


def _own_material(config: RunConfig, texts: Path | None) -> tuple[list[HeldOut], list[Clip]]:
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


def _material(
    corpus: str | None, held_out: Path | None, texts: Path | None, language: str
) -> tuple[list[HeldOut], list[Clip]]:
    """Texts to speak, and recordings of the wanted voice that are not among them."""
    from voxgraft.evaluation import material

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


def print_comparison(comparison: Comparison) -> None:
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
        rows.append([metric.title, *cells])
    print_table("", ["", *(ROLES[role] for role in roles)], rows)
    for name, reason in comparison.absent.items():
        notice(f"{name} was not measured: {reason}")
    for note in comparison.notes:
        notice(note)


def _in_words(value: str, low: str, high: str) -> str:
    return f"{value} ({low.split()[0]} … {high.split()[0]})"
