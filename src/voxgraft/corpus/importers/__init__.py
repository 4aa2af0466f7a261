"""Import a corpus: any layout that an importer recognises becomes one Manifest, and nothing is modified."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from voxgraft.audio.read import read_info
from voxgraft.corpus.finding import Finding
from voxgraft.corpus.importers import jsonl, metadata, paired
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.corpus.importers.recordings import Recordings, UnsafePath, utterance_id
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.split import is_speakable
from voxgraft.errors import AudioError, CorpusError
from voxgraft.progress import progress

BUILT_IN: tuple[Importer, ...] = (metadata.IMPORTER, jsonl.IMPORTER, paired.IMPORTER)


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
    return usable(scan(path, columns=columns, follow_links=follow_links), path, skip_bad=skip_bad)


def usable(found: Scan, path: str | Path, *, skip_bad: bool = False) -> Manifest:
    """The utterances of a scan; CorpusError names bad rows unless `skip_bad`, and always where nothing is left."""
    bad = [f for f in found.findings if f.blocking]
    if bad and not skip_bad:
        raise CorpusError(
            f"{len(bad)} rows can't be used: {_listed(bad)}",
            file=path,
            remedy="mend them (`voxgraft corpus check PROJECT` lists them all), or leave them out with --skip-bad",
        )
    if not found.manifest.utterances:
        raise CorpusError(
            "no usable recordings",
            file=path,
            got=_listed(bad) if bad else "no rows",
            remedy="check that the recordings lie in wavs/ beside the metadata and that the texts name them",
        )
    return found.manifest


def scan(path: str | Path, *, columns: tuple[str, ...] | None = None, follow_links: bool = False) -> Scan:
    """Read all rows and the headers of all recordings; what is wrong with a row becomes a finding, not an error."""
    importer, source = _open(Path(path), columns)
    recordings = Recordings(source.folder.absolute(), follow_links, source.trusted)
    utterances: dict[str, Utterance] = {}
    findings: list[Finding] = []
    with progress("Reading recordings", None) as advance:
        for row in source.rows:
            result = row if isinstance(row, Finding) else _utterance(row, recordings, utterances)
            if isinstance(result, Utterance):
                utterances[result.id] = result
            else:
                findings.append(result)
            advance()
    return Scan(Manifest(tuple(utterances.values())), tuple(findings), importer)


def _open(path: Path, columns: tuple[str, ...] | None) -> tuple[str, Source]:
    if not path.exists():
        raise CorpusError("no such file or folder", file=path, remedy="check the path")
    for importer in importers():
        start = importer.find(path)
        if start is not None:
            return importer.name, importer.read(start, columns)
    raise CorpusError(
        "no corpus found",
        file=path,
        expected=f"a folder with {metadata.FILE_NAMES[0]} (`id|text`) and wavs/, or recordings with .txt files beside them",
        remedy="write metadata.csv, one line a recording: its file name, `|`, what is said",
    )


def _utterance(row: Row, recordings: Recordings, known: dict[str, Utterance]) -> Utterance | Finding:
    """One row as an utterance, or what is wrong with it."""
    name = utterance_id(row.id)
    try:
        audio = recordings.find(row.audio)
    except UnsafePath as fault:
        return Finding(
            name, "unsafe path", str(fault), "name files inside the folder (or pass --follow-links)", row.line
        )
    if name in known:
        return Finding(name, "duplicate id", "this id was used before", "rename one of the two or remove it", row.line)
    if audio is None:
        where = f"no recording {row.audio!r} in {recordings.folder} or its wavs/ or wav/"
        return Finding(name, "missing audio", where, "add the file or remove the row", row.line)
    if not is_speakable(row.text):
        return Finding(
            name, "empty text", "nothing is said to be spoken", "write what is said or remove the row", row.line
        )
    try:
        info = read_info(audio)
    except AudioError as fault:
        return Finding(name, "unreadable audio", fault.problem, fault.remedy, row.line)
    return Utterance(
        id=name,
        audio=str(audio),
        text=row.text,
        duration=info.duration,
        sample_rate=info.sample_rate,
        channels=info.channels,
        speaker=row.speaker,
        language=row.language,
    )


def _listed(findings: list[Finding]) -> str:
    shown = [f"{f'line {f.line}: ' if f.line else ''}{f.clip}: {f.kind} ({f.detail})" for f in findings[:3]]
    more = [f"and {len(findings) - 3} more"] if len(findings) > 3 else []
    return "; ".join([*shown, *more])


__all__ = ["BUILT_IN", "Importer", "Row", "Scan", "Source", "import_corpus", "importers", "scan", "usable"]
