"""`voxgraft corpus`: import, check, measure and export recordings with transcripts."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxgraft.cli.output import print_json, print_table
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig
    from voxgraft.corpus.checks.check import Report
    from voxgraft.corpus.checks.finding import Finding
    from voxgraft.corpus.importers import Scan
    from voxgraft.corpus.manifest import Manifest
    from voxgraft.corpus.transcript_spec import TranscriptSpec
    from voxgraft.inference.recogniser.recogniser import Recogniser
    from voxgraft.text.symbols import SymbolTable

app = typer.Typer(
    help="Import, check and export recordings with their transcripts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Source = Annotated[
    Path,
    typer.Argument(
        help="metadata.csv, Coqui STT's CSV, Common Voice's TSV, manifest.jsonl, or a folder with one of them or with "
        ".txt files; several with commas between them."
    ),
]
SourceOrProject = Annotated[
    Path,
    typer.Argument(help="A project; or what `corpus import` takes: tables, folders, several with commas between them."),
]
Columns = Annotated[
    str | None, typer.Option(help="Columns of the metadata, as in `id,speaker,text`; told from the file.")
]
FollowLinks = Annotated[
    bool, typer.Option(help="Also read recordings outside of the folder: links, and names that lead there.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

_SHOWN_FINDINGS = 40
_SHOWN_SPEAKERS, _SHOWN_TEXT = 5, 80


@app.command("import")
def import_(
    path: Source,
    into: Annotated[Path, typer.Option(help="Folder for manifest.jsonl.")] = Path("corpus"),
    columns: Columns = None,
    skip_bad: Annotated[bool, typer.Option(help="Leave bad rows out instead of stopping.")] = False,
    follow_links: FollowLinks = False,
    as_json: AsJson = False,
) -> None:
    """Read metadata and recordings into a manifest; the recordings stay where they are, unchanged."""
    from voxgraft.corpus.checks.usable import usable, warn
    from voxgraft.corpus.importers import scan

    found = scan(path, columns=_columns(columns), follow_links=follow_links)
    manifest = usable(found.manifest, found.findings, path, skip_bad=skip_bad)
    target = into / "manifest.jsonl"
    manifest.write(target)
    warn(found.findings)
    for line in _outcome(manifest, target):
        notice(line)
    if as_json:
        print_json({"manifest": str(target), "clips": len(manifest), "seconds": round(manifest.seconds, 2)})


@app.command()
def check(
    path: SourceOrProject,
    base: Annotated[
        str | None, typer.Option(help="Base whose symbols and sample rate the corpus must fit; the project's.")
    ] = None,
    shortest: Annotated[
        float | None, typer.Option(help="Seconds of speech under which a clip is too short; the project's, or 0.5.")
    ] = None,
    longest: Annotated[
        float | None, typer.Option(help="Seconds of speech over which a clip is too long; the project's, or 15.")
    ] = None,
    alphabet: Annotated[
        Path | None, typer.Option(help="Alphabet that a recogniser is to write, a label a line; the project's.")
    ] = None,
    dev: Annotated[
        Path | None, typer.Option(help="Recordings that choose a recogniser's best: what they share is told.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Recordings that a recogniser is tested on, likewise.")] = None,
    recogniser: Annotated[
        Path | None,
        typer.Option(help="Have a recogniser (a .onnx, or its folder) tell which texts their recordings don't say."),
    ] = None,
    columns: Columns = None,
    follow_links: FollowLinks = False,
    page: Annotated[
        Path | None, typer.Option("--html", help="Page to write; by default check.html beside our manifest, or here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with which clip and what to do; exit 1 where clips can't be trained on."""
    from voxgraft.config.run import RunConfig
    from voxgraft.corpus.checks.check import examine
    from voxgraft.corpus.checks.page import write_page
    from voxgraft.corpus.importers import scan
    from voxgraft.inference.recogniser.recogniser import Recogniser
    from voxgraft.project.project import find_project, open_named_base, project_fit
    from voxgraft.project.transcript_spec import project_transcript_spec

    listening = Recogniser.load(recogniser) if recogniser is not None else None
    project = find_project(path)
    path = _recordings(path)
    config = project or RunConfig()
    wanted = _with_alphabet(config if base is None else RunConfig(base=base, recogniser=config.recogniser), alphabet)
    opened = open_named_base(wanted)
    transcript_spec = project_transcript_spec(wanted, opened)
    symbols, rate = project_fit(wanted, opened) if transcript_spec is None else (None, None)
    found = scan(path, columns=_columns(columns), follow_links=follow_links)
    report = examine(
        found.manifest,
        earlier=(*found.findings, *_preflight(transcript_spec, found, dev, test)),
        count_unknown=_counter(symbols),
        sample_rate=rate,
        shortest=config.corpus.shortest if shortest is None else shortest,
        longest=config.corpus.longest if longest is None else longest,
    )
    if listening is not None:
        report = _listened_to(report, listening)
    target = page or _page_beside(path, found)
    write_page(report, target)
    if as_json:
        print_json(report.to_dict() | {"page": str(target)})
    else:
        _print_report(report)
    notice(f"the page with audio: {target}")
    if report.blocked:
        raise typer.Exit(1)


@app.command()
def make(
    path: Annotated[Path, typer.Argument(help="A long recording, or a folder of them.")],
    folder: Annotated[Path, typer.Argument(help="New or empty folder for wavs/ and metadata.csv.")],
    language: Annotated[str, typer.Option(help="Language that is spoken, as `en`.")] = "en",
    recogniser: Annotated[
        str, typer.Option(help="Folder of a faster-whisper model; auto takes an installed one.")
    ] = "auto",
    longest: Annotated[float, typer.Option(help="Most seconds of an utterance.")] = 12.0,
    as_json: AsJson = False,
) -> None:
    """Cut long recordings at pauses and write down what is said; read the texts before you train on them."""
    from voxgraft.corpus.importers import import_corpus
    from voxgraft.corpus.make import make_corpus
    from voxgraft.evaluation.metrics.recogniser import Recogniser

    transcribe = Recogniser(recogniser, language=language).transcribe
    metadata = make_corpus(path, folder, transcribe, longest=longest)
    manifest = import_corpus(metadata)
    notice(f"{len(manifest)} clips, {manifest.seconds / 60:.1f} minutes, in {folder}")
    if as_json:
        print_json({"metadata": str(metadata), "clips": len(manifest), "seconds": round(manifest.seconds, 2)})


@app.command()
def alphabet(
    path: SourceOrProject,
    out: Annotated[Path | None, typer.Option(help="File to write, a label a line; it must not be there yet.")] = None,
    text: Annotated[
        str, typer.Option(help="plain: small letters without punctuation; as_is: all signs of the transcripts.")
    ] = "plain",
    columns: Columns = None,
    follow_links: FollowLinks = False,
    as_json: AsJson = False,
) -> None:
    """Derive a recogniser's alphabet from transcripts; show its letters with counts, rare ones with their clips."""
    from voxgraft.corpus.alphabet_from import derive_alphabet, require_kind, write_alphabet
    from voxgraft.corpus.checks.preflight import shown
    from voxgraft.corpus.importers import scan

    kind = require_kind(text)
    found = scan(_recordings(path), columns=_columns(columns), follow_links=follow_links)
    derived = derive_alphabet(found.manifest, kind)
    if out is not None:
        write_alphabet(derived, out)
    _say_skipped(found)
    if as_json:
        print_json(derived.to_dict() | {"alphabet": str(out) if out is not None else None})
        return
    rows = ((shown(c), n, ", ".join(derived.rare.get(c, ()))) for c, n in derived.counts.items())
    print_table(
        f"{len(derived.labels)} labels of {len(found.manifest)} transcripts", ("label", "times", "only in"), rows
    )
    if out is not None:
        notice(f"written to {out}")


@app.command()
def stats(
    path: SourceOrProject, columns: Columns = None, follow_links: FollowLinks = False, as_json: AsJson = False
) -> None:
    """Count clips, minutes, speakers, sample rates and characters; --json lists the ids too."""
    from voxgraft.corpus.checks.statistics import describe
    from voxgraft.corpus.importers import scan

    found = scan(_recordings(path), columns=_columns(columns), follow_links=follow_links)
    facts = describe(found.manifest)
    _say_skipped(found)
    if as_json:
        print_json(facts | {"ids": [u.id for u in found.manifest]})
    else:
        print_table(str(path), ("", ""), ((name.replace("_", " "), _shown(value)) for name, value in facts.items()))


@app.command()
def export(
    path: SourceOrProject,
    folder: Annotated[Path, typer.Argument(help="New or empty folder.")],
    to: Annotated[str, typer.Option(help="ljspeech, or everyvoice: a whole project of it, preprocessed.")] = "ljspeech",
    sample_rate: Annotated[int, typer.Option(help="Samples a second of what is preprocessed for EveryVoice.")] = 22050,
    columns: Columns = None,
    skip_bad: Annotated[bool, typer.Option(help="Leave bad rows out instead of stopping.")] = False,
    follow_links: FollowLinks = False,
    as_json: AsJson = False,
) -> None:
    """Write the corpus in LJSpeech's layout (wavs/ and metadata.csv), or as a project that EveryVoice trains."""
    from voxgraft.corpus.export import export_ljspeech
    from voxgraft.corpus.export_everyvoice import CONFIGS, export_everyvoice
    from voxgraft.corpus.importers import import_corpus

    if to not in ("ljspeech", "everyvoice"):
        raise typer.BadParameter("is ljspeech or everyvoice", param_hint="--to")
    source = _recordings(path)
    manifest = import_corpus(source, columns=_columns(columns), skip_bad=skip_bad, follow_links=follow_links)
    if to == "everyvoice":
        metadata = export_everyvoice(manifest, folder, sample_rate=sample_rate)
        notice(f"fill in contact and permissions_obtained in {folder / CONFIGS} before `everyvoice train`")
    else:
        metadata = export_ljspeech(manifest, folder)
    notice(f"{len(manifest)} clips written to {folder}")
    if as_json:
        print_json({"metadata": str(metadata), "clips": len(manifest)})


def _outcome(manifest: Manifest, target: Path) -> list[str]:
    """What came out of an import, an example of it, and what to do next."""
    from voxgraft.config.load import PROJECT_FILE

    names = manifest.speakers
    more = f" and {len(names) - _SHOWN_SPEAKERS} more" if len(names) > _SHOWN_SPEAKERS else ""
    whose = f"{len(names)} speaker{'s' if len(names) > 1 else ''} ({', '.join(names[:_SHOWN_SPEAKERS])}{more})"
    first = manifest.utterances[0]
    project = target.parent.parent
    named = (project / PROJECT_FILE).exists() and target.parent.name == "corpus"
    checked = shlex.quote(str(project if named else target.parent))
    after = f"voxgraft plan {checked}" if named else f"voxgraft new MY-VOICE --corpus {checked}"
    return [
        f"{len(manifest)} clips, {manifest.seconds / 60:.1f} minutes, "
        f"{whose if names else 'no names of speakers'}, written to {target}",
        f"the first is {first.id}: {first.text[:_SHOWN_TEXT]!r}{f', said by {first.speaker}' if first.speaker else ''}",
        f"Next:\n  voxgraft corpus check {checked}\n  {after}",
    ]


def _page_beside(path: Path, found: Scan) -> Path:
    """In our own corpus folder; never among someone's recordings."""
    if found.importer != "manifest":
        return Path("check.html")
    return (path if path.is_dir() else path.parent) / "check.html"


def _with_alphabet(config: RunConfig, alphabet: Path | None) -> RunConfig:
    """The same settings with an alphabet that was named by hand."""
    if alphabet is None:
        return config
    graft = config.graft.model_copy(update={"alphabet": str(alphabet), "bytes": False})
    return config.model_copy(update={"graft": graft})


def _preflight(
    found_spec: tuple[TranscriptSpec, list[Finding]] | None, found: Scan, dev: Path | None, test: Path | None
) -> list[Finding]:
    """What a recogniser would find wrong; without one, what the sets share."""
    from voxgraft.corpus.checks.leakage import leaks
    from voxgraft.corpus.checks.preflight import preflight
    from voxgraft.corpus.importers import scan

    others = [scan(part).manifest if part is not None else None for part in (dev, test)]
    if found_spec is None:
        return leaks(found.manifest, *others)
    transcript_spec, findings = found_spec
    return findings + preflight(found.manifest, transcript_spec, dev=others[0], test=others[1], pace=False)


def _listened_to(report: Report, recogniser: Recogniser) -> Report:
    """The same report with the texts that a recogniser doubts, the worst first."""
    from dataclasses import replace

    from voxgraft.corpus.checks.finding import located
    from voxgraft.corpus.checks.spoken import align_utterances, doubtful
    from voxgraft.progress import track

    clips = report.usable
    found = located(doubtful(align_utterances(track(clips, "Aligning", len(clips)), recogniser)), clips)
    return replace(report, findings=(*found, *report.findings))


def _columns(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.replace("|", ",").split(",")) if text else None


def _recordings(path: Path) -> Path:
    """The path itself, or where the project that it leads to names its recordings."""
    from voxgraft.project.project import find_project, project_recordings

    project = find_project(path)
    return path if project is None else project_recordings(project)


def _counter(symbols: SymbolTable | None) -> Callable[[str], Counter[str]] | None:
    """How the symbols count those of a text that they lack."""
    from voxgraft.text.encode import encode_text

    if symbols is None:
        return None
    return lambda text: sum((e.unknown for e in encode_text(text, symbols)), Counter())


def _say_skipped(found: Scan) -> None:
    from voxgraft.corpus.checks.usable import tell_left_out, warn

    tell_left_out(found.findings)
    warn(found.findings)


def _print_report(report: Report) -> None:
    kinds = Counter((f.kind, f.blocking) for f in report.findings)
    title = f"{len(report.manifest)} clips, {report.manifest.seconds / 60:.1f} minutes, {len(report.usable)} usable"
    if not report.findings:
        print_table(title, ("nothing was found",), ())
        return
    print_table(title, ("findings", "kind", ""), ((n, k, "left out" if b else "") for (k, b), n in kinds.most_common()))
    ordered = sorted(report.findings, key=lambda f: (f.clip != "*", not f.blocking))
    rows = ((_clip(f), f.kind, f.detail, f.remedy) for f in ordered[:_SHOWN_FINDINGS])
    print_table("", ("clip", "kind", "detail", "remedy"), rows)
    if len(ordered) > _SHOWN_FINDINGS:
        notice(f"and {len(ordered) - _SHOWN_FINDINGS} more, in the page and in --json")


def _clip(finding: Finding) -> str:
    """The clip; for what is wrong with a line of another file, that line."""
    if finding.clip != "*" or finding.file is None:
        return finding.clip
    return f"{Path(finding.file).name}{f' line {finding.line}' if finding.line else ''}"


def _shown(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{key} ({count})" for key, count in value.items()) or "none given"
