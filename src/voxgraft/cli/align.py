"""`voxgraft align`: when each word is said, and which texts do not fit their recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxgraft.cli.output import print_json, print_table
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.corpus.checks.spoken import Spoken
    from voxgraft.corpus.manifest import Manifest

_SHOWN = 20


def align(
    model: Annotated[Path, typer.Argument(help="A recogniser: a .onnx, or a folder that holds one.")],
    source: Annotated[Path, typer.Argument(help="A recording with TEXT; or a corpus: its metadata or folder.")],
    text: Annotated[str | None, typer.Argument(help="What is said in the recording.")] = None,
    columns: Annotated[str | None, typer.Option(help="Columns of the metadata, as in `id,speaker,text`.")] = None,
    textgrid: Annotated[
        Path | None, typer.Option(help="Folder for a Praat TextGrid of each recording; a file for one with TEXT.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all words with their times here.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads; default: one a core.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document with words, times and scores.")] = False,
) -> None:
    """Find each word's time, and score each recording against its text, the worst first.

    Exit 1 where some could not be aligned.
    """
    from voxgraft.corpus.checks.spoken import align_utterances, worst_first
    from voxgraft.inference.recogniser.recogniser import Recogniser
    from voxgraft.progress import track

    manifest = _one(source, text) if text is not None else _corpus(source, columns)
    recogniser = Recogniser.load(model, threads=threads)
    spoken = worst_first(align_utterances(track(manifest, "Aligning", len(manifest)), recogniser))
    if textgrid is not None:
        _write_textgrids(spoken, textgrid, single=text is not None and not textgrid.is_dir())
    if csv is not None:
        _write_csv(spoken, csv)
    if as_json:
        print_json({"utterances": [_entry(s) for s in spoken]})
    else:
        _show(spoken)
    failed = [s for s in spoken if s.fault is not None]
    for s in failed[:_SHOWN]:
        assert s.fault is not None
        notice(f"error: {s.utterance.id}: {s.fault.summary}\n  {s.fault.remedy}")
    if failed:
        notice(f"{len(failed)} of {len(spoken)} recordings could not be aligned")
        raise typer.Exit(1)


def _one(audio: Path, text: str) -> Manifest:
    from voxgraft.audio.read import read_info
    from voxgraft.corpus.manifest import Manifest, Utterance

    info = read_info(audio)
    return Manifest((Utterance(audio.stem, str(audio), text, info.duration, info.sample_rate, info.channels),))


def _corpus(source: Path, columns: str | None) -> Manifest:
    from voxgraft.corpus.importers import scan
    from voxgraft.errors import CorpusError

    if source.is_file() and source.suffix.lower() in (".wav", ".flac", ".ogg", ".mp3"):
        raise typer.BadParameter("a recording needs its text: voxgraft align MODEL AUDIO TEXT", param_hint="TEXT")
    names = tuple(name.strip() for name in columns.replace("|", ",").split(",")) if columns else None
    found = scan(source, columns=names)
    left_out = [finding for finding in found.findings if finding.blocking]
    for finding in left_out[:_SHOWN]:
        notice(f"left out: {finding.clip}: {finding.kind}: {finding.detail}")
    if not len(found.manifest):
        raise CorpusError("holds no recording with a text", file=source, remedy="See `voxgraft corpus check`.")
    return found.manifest


def _entry(s: Spoken) -> dict[str, Any]:
    return {
        "id": s.utterance.id,
        "audio": s.utterance.audio,
        "text": s.utterance.text,
        "score": round(s.score, 4) if s.fault is None else None,
        "margin": round(s.margin, 4) if s.fault is None else None,
        "unspelt": s.unspelt,
        "heard": s.heard if s.fault is None else None,
        "words": [word._asdict() for word in s.words],
        "error": s.fault.summary if s.fault is not None else None,
    }


def _show(spoken: list[Spoken]) -> None:
    if len(spoken) == 1:
        print_table("", ("word", "from", "to", "score"), spoken[0].words)
    rows = (
        (s.utterance.id, "" if s.fault else f"{s.margin:.3f}", "" if s.fault else f"{s.score:.3f}", s.utterance.text)
        for s in spoken[:_SHOWN]
    )
    print_table("worst first", ("clip", "margin", "score", "text"), rows)
    if len(spoken) > _SHOWN:
        notice(f"and {len(spoken) - _SHOWN} more, in --json and --csv")


def _write_textgrids(spoken: list[Spoken], place: Path, *, single: bool) -> None:
    from voxgraft.files import write_atomically
    from voxgraft.inference.recogniser.transcript import to_textgrid

    for s in spoken:
        if s.fault is None:
            path = place if single else place / f"{Path(s.utterance.id).name}.TextGrid"
            write_atomically(path, to_textgrid(s.words, s.utterance.duration))


def _write_csv(spoken: list[Spoken], path: Path) -> None:
    import csv
    import io

    from voxgraft.files import write_atomically

    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(("id", "word", "start", "end", "word_score", "score", "margin"))
    for s in spoken:
        for word in s.words:
            table.writerow((s.utterance.id, *word, round(s.score, 4), round(s.margin, 4)))
    write_atomically(path, buffer.getvalue())
