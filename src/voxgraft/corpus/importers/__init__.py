"""Import a corpus: any layout that an importer recognises becomes one Manifest, and nothing is modified."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path

from voxgraft.audio.read import read_info
from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.checks.usable import usable
from voxgraft.corpus.encoding import WESTERN
from voxgraft.corpus.importers import audio_folder, everyvoice, headed, jsonl, metadata, paired
from voxgraft.corpus.importers.importer import WESTERN_FINDING, Importer, Row, Source
from voxgraft.corpus.importers.recordings import Recordings, UnsafePath, utterance_id, within_folders
from voxgraft.corpus.lines import require_table, table_encoding
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.split import is_speakable
from voxgraft.errors import AudioError, CorpusError
from voxgraft.progress import progress

# The more specific before the less.
BUILT_IN: tuple[Importer, ...] = (
    *headed.IMPORTERS,
    audio_folder.IMPORTER,
    everyvoice.IMPORTER,
    metadata.IMPORTER,
    jsonl.IMPORTER,
    audio_folder.UNREADABLE,
    paired.IMPORTER,
)

# A table with more is not worth going on with, and what is wrong with each row takes memory.
MOST_FINDINGS = 200_000
# Half of a pair, which no text in UTF-8 can hold; JSON can.
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Scan:
    """What a folder holds: the utterances that are whole, and what is wrong with the other rows."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    importer: str


def importers() -> tuple[Importer, ...]:
    """Those of other packages (entry points `voxgraft.importers`) before our own."""
    return (*(point.load() for point in entry_points(group="voxgraft.importers")), *BUILT_IN)


def import_corpus(
    path: str | Path,
    *,
    columns: tuple[str, ...] | None = None,
    skip_bad: bool = False,
    follow_links: bool = False,
) -> Manifest:
    """The utterances of a metadata file, a manifest or a folder; CorpusError names bad rows unless `skip_bad`."""
    found = scan(path, columns=columns, follow_links=follow_links)
    return usable(found.manifest, found.findings, path, skip_bad=skip_bad)


def scan(path: str | Path, *, columns: tuple[str, ...] | None = None, follow_links: bool = False) -> Scan:
    """Read all rows and the headers of all recordings; what is wrong with a row becomes a finding, not an error.

    `path` may be several, with commas between them.
    """
    return scan_all(several(path), columns=columns, follow_links=follow_links)


def scan_all(paths: Sequence[Path], *, columns: tuple[str, ...] | None = None, follow_links: bool = False) -> Scan:
    """Several files or folders as one: see `scan`."""
    scans = [_scan_one(one, columns, follow_links) for one in paths]
    return scans[0] if len(scans) == 1 else _joined(paths, scans)


def several(path: str | Path) -> list[Path]:
    """The paths of a list with commas; a path that is there as it stands is one, commas or not."""
    names = [name.strip() for name in str(path).split(",") if name.strip()]
    return [Path(path)] if len(names) < 2 or Path(path).exists() else [Path(name) for name in names]


def _scan_one(path: Path, columns: tuple[str, ...] | None, follow_links: bool) -> Scan:
    importer, start, source = _open(path, columns)
    # A table that is a link may name what lies beside the file itself.
    roots = (start.resolve().parent,) if start.is_file() else ()
    recordings = Recordings(source.folder.absolute(), follow_links, source.trusted, roots)
    utterances: dict[str, Utterance] = {}
    findings: list[Finding] = []
    table = str(start) if start.is_file() else None
    if start.is_file() and importer != "manifest" and table_encoding(start) == WESTERN:
        findings.append(WESTERN_FINDING)
    with progress("Reading recordings", None) as advance:
        for row in source.rows:
            result = row if isinstance(row, Finding) else _utterance(row, recordings, utterances)
            if isinstance(result, Utterance):
                utterances[result.id] = replace(result, table=table)
                findings += _size_findings(row, result)
            else:
                findings.append(result)
            if len(findings) > MOST_FINDINGS:
                raise CorpusError(
                    f"over {MOST_FINDINGS} rows can't be used",
                    file=path,
                    got=f"{findings[-1].kind}: {findings[-1].detail}"[:200],
                    remedy="Look at the first lines of the table, and whether its recordings lie beside it.",
                )
            advance()
    return Scan(Manifest(tuple(utterances.values())), tuple(replace(f, file=table) for f in findings), importer)


def _joined(paths: Sequence[Path], scans: Sequence[Scan]) -> Scan:
    """Several scans as one; an id that comes again gets the name of its corpus before it."""
    utterances: dict[str, Utterance] = {}
    findings: list[Finding] = []
    for path, found in zip(paths, scans, strict=True):
        taken = {u.id for u in found.manifest} & utterances.keys()
        for utterance in found.manifest:
            name = utterance.id
            for before in (path.stem, str(path)):
                name = name if name not in utterances else f"{before}/{utterance.id}"
            utterances[name] = replace(utterance, id=name)
        for f in found.findings:
            clip = f"{path.stem}/{f.clip}" if f.clip in taken else f.clip
            findings.append(replace(f, clip=clip, file=f.file or str(path)))
    return Scan(
        Manifest(tuple(utterances.values())), tuple(findings), ",".join(dict.fromkeys(s.importer for s in scans))
    )


def _open(path: Path, columns: tuple[str, ...] | None) -> tuple[str, Path, Source]:
    if not path.exists():
        raise CorpusError("no such file or folder", file=path, remedy="Check the path.")
    if not path.is_dir():
        require_table(path)
    for importer in importers():
        start = importer.find(path)
        if start is not None:
            return importer.name, start, importer.read(start, columns)
    raise CorpusError(
        "no corpus found",
        file=path,
        expected=f"a folder with {metadata.FILE_NAMES[0]} (`id|text`) and wavs/, or recordings with .txt files beside them",
        remedy="Write metadata.csv, one line a recording: its file name, `|`, what is said.",
    )


def _size_findings(row: Row | Finding, utterance: Utterance) -> list[Finding]:
    """Whether the recording is as large as its row says."""
    if isinstance(row, Finding) or row.size is None:
        return []
    size = Path(utterance.audio).stat().st_size
    if row.size == str(size):
        return []
    detail = f"{row.size!r:.40} bytes are written, the file has {size}"
    remedy = "Listen: the recording may have been cut off or replaced; the number itself is not used."
    return [Finding(utterance.id, "wrong size", detail, remedy, row.line)]


def _utterance(row: Row, recordings: Recordings, known: dict[str, Utterance]) -> Utterance | Finding:
    """One row as an utterance, or what is wrong with it."""
    written = recordings.relative(row.id)
    name = utterance_id(written)
    try:
        audio = recordings.find(row.audio)
    except UnsafePath as fault:
        remedy = "Name files inside the folder, or trust the table: --follow-links (corpus.follow_links: true)."
        return Finding(name, "unsafe path", str(fault), remedy, row.line)
    if row.id == row.audio and audio is not None:
        name = _free_name(written, audio, known)
    if name in known:
        return Finding(name, "duplicate id", "this id was used before", "Rename one of the two or remove it.", row.line)
    if audio is None:
        where = f"no recording {row.audio!r} in {recordings.folder} or its wavs/ or wav/"
        return Finding(name, "missing audio", where, "Add the file or remove the row.", row.line)
    if _SURROGATE.search(row.text):
        remedy = "Write the text again, as UTF-8."
        return Finding(name, "malformed row", "the text holds a character that is not valid Unicode", remedy, row.line)
    if not is_speakable(row.text):
        return Finding(name, "empty text", "the row has no text", "Write what is said or remove the row.", row.line)
    try:
        info = read_info(audio)
    except AudioError as fault:
        return Finding(name, "unreadable audio", fault.problem, fault.remedy, row.line)
    if not info.frames:
        return Finding(name, "unreadable audio", "holds no sound", "Record it again or remove the row.", row.line)
    return Utterance(
        id=name,
        audio=str(audio),
        text=row.text,
        duration=info.duration,
        sample_rate=info.sample_rate,
        channels=info.channels,
        speaker=row.speaker,
        language=row.language,
        part=row.part,
        line=row.line,
    )


def _free_name(written: str, audio: Path, known: dict[str, Utterance]) -> str:
    """An id of what is written; where another recording has the shortest, one with the extension or the folder."""
    names = [utterance_id(written), within_folders(written), written.replace("\\", "/")]
    return next((name for name in names if name not in known or known[name].audio == str(audio)), names[0])


__all__ = ["BUILT_IN", "Importer", "Row", "Scan", "Source", "import_corpus", "importers", "scan", "scan_all", "several"]
