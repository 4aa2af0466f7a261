"""`voxgraft evaluate`: base and result side by side on texts that neither was trained on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json, print_table, say_line

if TYPE_CHECKING:
    from voxgraft.evaluation.compare import Comparison
    from voxgraft.evaluation.instruments import Clip
    from voxgraft.evaluation.judge import HeldOut
    from voxgraft.evaluation.voices import SeededVoice


def evaluate(
    result: Annotated[str, typer.Argument(help="The voice to judge: a .onnx, its folder, or an installed package.")],
    base: Annotated[str | None, typer.Option(help="The voice that it started from, judged on the same texts.")] = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            help="Recordings of the wanted voice: a folder, metadata or manifest; `sample` is the bundled one."
        ),
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="Ids of the corpus that were not trained on, one a line; default: all.")
    ] = None,
    texts: Annotated[
        Path | None, typer.Option(help="Texts to speak instead, one a line, as `text` or `id|text`.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Syntheses of each text.")] = 3,
    speaker: Annotated[str | None, typer.Option(help="Speaker of the result, by name or number.")] = None,
    base_speaker: Annotated[str | None, typer.Option(help="Speaker of the base, by name or number.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the texts; default: the voice's.")] = None,
    recogniser: Annotated[
        str, typer.Option(help="Folder of a faster-whisper model; `auto` takes an installed one.")
    ] = "auto",
    dnsmos: Annotated[bool, typer.Option(help="Measure sound quality too.")] = True,
    report: Annotated[Path | None, typer.Option(help="Write a page with the scores, sound and pictures.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Say how well a voice is understood, how like the target it sounds, and how clean, next to its base."""
    began = time.monotonic()
    if held_out is not None and corpus is None:
        raise typer.BadParameter("needs --corpus, whose ids it lists", param_hint="--held-out")
    if held_out is not None and texts is not None:
        raise typer.BadParameter("chooses texts of the corpus; --texts gives others: take one", param_hint="--held-out")
    from voxgraft.evaluation.compare import compare
    from voxgraft.evaluation.instruments import METRIC_NAMES
    from voxgraft.evaluation.voices import SeededVoice

    voices = {"result": SeededVoice(result, speaker=speaker)}
    if base is not None:
        voices = {"base": SeededVoice(base, speaker=base_speaker)} | voices
    spoken = language or voices["result"].language or "en"
    lines, target = _material(corpus, held_out, texts, spoken)
    comparison = compare(
        {role: voice.candidate() for role, voice in voices.items()},
        lines,
        target=target,
        seeds=seeds,
        language=spoken,
        recogniser=recogniser,
        metrics=METRIC_NAMES if dnsmos else [name for name in METRIC_NAMES if name != "dnsmos"],
    )
    if report is not None:
        _write_report(report, comparison, voices, spoken, corpus)
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
        say_line(f"{report}: listen and compare")


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
        say_line(f"{name} was not measured: {reason}")
    for note in comparison.notes:
        say_line(note)


def _in_words(value: str, low: str, high: str) -> str:
    return f"{value} ({low.split()[0]} … {high.split()[0]})"
