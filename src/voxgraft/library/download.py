"""download: a file from the first source that gives it, whole and verified, or not at all; goes on where it was stopped.

Our own: clients of HTTP leave to their callers what this is about: the next source, the rest by range, the hash, the bound.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from voxgraft.errors import CheckpointError
from voxgraft.files import sha256_of, write_atomically
from voxgraft.library.lock import locked
from voxgraft.library.remote import WEB_PAGE, Answer, Interrupted, Refused, ask, check_address, pieces
from voxgraft.progress import notice, progress

LARGEST = 20 * 10**9
_SYNC_BYTES = 4 * 2**20
_SYNC_SECONDS = 2.0
_MARGIN = 64 * 2**20
_LONGEST_PAUSE = 60.0
# What pages begin with that are sent in place of a file.
_PAGES = (b"<!doctype html", b"<html", b"<?xml version")


class _NotTheFile(Refused):
    """A whole file came, and it is not the one that was wanted."""


@dataclass(frozen=True)
class Wanted:
    """What is known about a file before it is fetched: hashes in hexadecimal, size in bytes; None where unknown.

    A size alone is believed only as a size: the file must have it.
    """

    sha256: str | None = None
    md5: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Downloaded:
    """A file that is there now, its hash, its size in bytes and the source that gave it."""

    path: Path
    sha256: str
    size: int
    source: str


@dataclass
class Partial:
    """How far an unfinished download is: `size` bytes of `url` are safely on the disk, as the server marked them."""

    url: str = ""
    size: int = 0
    total: int | None = None
    tag: str | None = None
    date: str | None = None

    @property
    def condition(self) -> str | None:
        """What proves to the server that the rest belongs to the same file: a strong ETag, or else a date."""
        if self.tag is not None and not self.tag.startswith("W/"):
            return self.tag
        return self.date


class Meter:
    """A bar that opens once the size is known; in megabytes."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._stack = ExitStack()
        self._advance: Callable[..., None] | None = None
        self._shown = 0.0

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    def show(self, size: int, total: int | None) -> None:
        """So many of so many bytes are here."""
        if self._advance is None:
            bar = progress(f"{self._title} (MB)", None if total is None else round(total / 1e6, 1))
            self._advance = self._stack.enter_context(bar)
        self._advance(size / 1e6 - self._shown)
        self._shown = size / 1e6


def download(
    sources: Sequence[str],
    target: Path,
    wanted: Wanted = Wanted(),
    *,
    largest: int = LARGEST,
    timeout: float = 30.0,
    tries: int = 5,
    pause: float = 1.0,
) -> Downloaded:
    """Fetch a file into `target` from the first of `sources` (http, https, file: or a path) that gives it.

    Each source is tried `tries` times without progress, with growing pauses. What was received stays beside the target
    as `NAME.part` and is gone on with, by this process or a later one. Two processes never fetch one target at once.

    Raises:
        CheckpointError: no source gave the file, with the reason of each; or the disk is too small.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(_beside(target, "lock"), waiting=f"another process is fetching {target.name}; waiting for it"):
        if target.is_file():
            with suppress(Refused):
                return _verified(target, wanted, str(target))
        reasons = []
        for source in sources:
            try:
                return _fetched(source, target, wanted, largest, timeout, tries, pause)
            except Refused as fault:
                reasons.append(f"{source}: {fault}")
        if len(reasons) == 1:
            problem = f"can't be fetched from {reasons[0]}"
        else:
            problem = f"none of {len(reasons)} sources gave it: {'; '.join(reasons)}" if reasons else "has no source"
        raise CheckpointError(
            problem,
            file=target.name,
            remedy="Fetch it by hand, for example with a browser, then `voxgraft library add FILE`.",
        )


def _fetched(
    source: str, target: Path, wanted: Wanted, largest: int, timeout: float, tries: int, pause: float
) -> Downloaded:
    local = local_path(source)
    part = _beside(target, "part")
    if local is not None:
        _copy(local, part, largest)
        _verified_or_forgotten(part, wanted, source)
    else:
        check_address(source)
        begun = _recorded(part).size > 0
        try:
            _receive(source, part, wanted, largest, timeout, tries, pause)
            _verified_or_forgotten(part, wanted, source)
        except _NotTheFile:
            if not begun:
                raise
            # What was gone on with may have been the beginning of another file.
            _receive(source, part, wanted, largest, timeout, tries, pause)
            _verified_or_forgotten(part, wanted, source)
    os.replace(part, target)
    _forget(part)
    return _verified(target, Wanted(), source)


def _receive(url: str, part: Path, wanted: Wanted, largest: int, timeout: float, tries: int, pause: float) -> None:
    """Fill `part` with the whole file. Raises Refused where tries or file come to an end."""
    failures, furthest = 0, _recorded(part).size
    title = part.name.removesuffix(".part").lstrip(".")
    with Meter(title) as meter:
        while True:
            partial = _taken_up(url, part, wanted)
            wait, reason = None, "the file ended early"
            try:
                with ask(url, partial.size, partial.condition, timeout) as answer:
                    if _stored(answer, partial, part, wanted, largest, timeout, meter):
                        if wanted != Wanted() or _ends_here(url, partial, part, timeout):
                            return
                        continue
            except Interrupted as fault:
                reason, wait = str(fault), fault.wait
            now = _recorded(part).size
            failures = 1 if now > furthest else failures + 1
            furthest = max(now, furthest)
            if failures >= tries:
                raise Refused(f"{reason}; {now} bytes are kept, and the next fetch goes on from there")
            seconds = wait if wait is not None else min(pause * 2 ** (failures - 1), _LONGEST_PAUSE)
            notice(f"{title}: {reason}; trying again in {seconds:.0f} s")
            time.sleep(seconds * random.uniform(0.8, 1.2))


def _stored(
    answer: Answer, partial: Partial, part: Path, wanted: Wanted, largest: int, timeout: float, meter: Meter
) -> bool:
    """Write what an answer brings; whether the file is whole now. Raises Refused, Interrupted."""
    if answer.body is None:
        if not answer.complete:
            # The file is shorter now than what is here: it was changed.
            _forget(part)
        return answer.complete
    if not _goes_on(answer, partial):
        if answer.start:
            _forget(part)
            raise Interrupted("the server's file is another now: beginning again")
        partial.size = 0
    partial.total, partial.tag, partial.date = answer.total, answer.tag, answer.date
    _check_size(answer.total, wanted, largest)
    _check_disk(part, (answer.total or 0) - partial.size)
    try:
        with open(part, "r+b" if part.exists() else "wb") as file:
            file.truncate(partial.size)
            file.seek(partial.size)
            try:
                _pour(pieces(answer.body, timeout), file, partial, part, largest, meter)
            finally:
                _record(file, part, partial)
    except OSError as fault:
        raise CheckpointError(
            f"can't be written: {fault.strerror or fault}",
            file=part,
            remedy="Check the disk and its permissions, and fetch again: what was received is kept.",
        ) from fault
    expected = partial.total if partial.total is not None else wanted.size
    return partial.size > 0 and (expected is None or partial.size >= expected)


def _pour(received: Iterator[bytes], file: IO[bytes], partial: Partial, part: Path, largest: int, meter: Meter) -> None:
    unsaved, saved_at = 0, time.monotonic()
    for piece in received:
        if partial.size + len(piece) > largest:
            raise Refused(f"it sends more than the {largest} bytes that are allowed")
        file.write(piece)
        partial.size += len(piece)
        unsaved += len(piece)
        meter.show(partial.size, partial.total)
        if unsaved >= _SYNC_BYTES or time.monotonic() - saved_at > _SYNC_SECONDS:
            _record(file, part, partial)
            _check_disk(part, 0 if partial.total is None else partial.total - partial.size)
            unsaved, saved_at = 0, time.monotonic()


def _ends_here(url: str, partial: Partial, part: Path, timeout: float) -> bool:
    """Whether the server, asked for what comes after the end, has nothing: it may have said too small a size.

    Where it has more, that is noted in the record, for the next request to fetch.
    """
    try:
        with ask(url, partial.size, None, timeout) as answer:
            if answer.body is None or answer.start != partial.size or answer.total is None:
                return True
            partial.total = answer.total
            write_atomically(_state_of(part), json.dumps(asdict(partial)))
            return partial.size >= answer.total
    except (Interrupted, Refused):
        return True


def _goes_on(answer: Answer, partial: Partial) -> bool:
    """Whether an answer brings the rest of the file that is here in part."""
    if answer.start != partial.size:
        return False
    same_total = partial.total is None or answer.total is None or answer.total == partial.total
    same_tag = partial.tag is None or answer.tag is None or answer.tag == partial.tag
    same_date = partial.date is None or answer.date is None or answer.date == partial.date
    return partial.size == 0 or (same_total and same_tag and same_date)


def _taken_up(url: str, part: Path, wanted: Wanted) -> Partial:
    """How much of a file is here already and may be gone on with; nothing of it where its rest couldn't be told."""
    partial = _recorded(part)
    there = part.stat().st_size if part.exists() else 0
    known = wanted.sha256 is not None or wanted.md5 is not None
    # The same content may come from another mirror, where a hash will prove it.
    usable = there >= partial.size > 0 and (known or (partial.url == url and partial.condition is not None))
    if not usable:
        _forget(part)
        return Partial(url=url)
    if partial.url != url:
        return Partial(url=url, size=partial.size, total=partial.total)
    return partial


def _recorded(part: Path) -> Partial:
    try:
        data = json.loads(_state_of(part).read_bytes())
        values = {field.name: data[field.name] for field in fields(Partial)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Partial()
    texts = all(isinstance(values[name], str | None) for name in ("tag", "date")) and isinstance(values["url"], str)
    counts = type(values["size"]) is int and isinstance(values["total"], int | None)
    return Partial(**values) if texts and counts and values["size"] >= 0 else Partial()


def _record(file: IO[bytes], part: Path, partial: Partial) -> None:
    """First the bytes, then the word that they are there: also where the power fails in between."""
    file.flush()
    os.fsync(file.fileno())
    write_atomically(_state_of(part), json.dumps(asdict(partial)))


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _state_of(part).unlink(missing_ok=True)


def _copy(source: Path, part: Path, largest: int) -> None:
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Refused("is not a file")
        _check_size(status.st_size, Wanted(), largest)
        _check_disk(part, status.st_size)
        _forget(part)
        shutil.copyfile(source, part)
    except OSError as fault:
        raise Refused(fault.strerror or str(fault)) from fault


def _verified_or_forgotten(part: Path, wanted: Wanted, source: str) -> None:
    """Raise _NotTheFile, and forget the part, where it is not what was wanted."""
    try:
        _verified(part, wanted, source)
    except Refused as fault:
        _forget(part)
        raise _NotTheFile(str(fault)) from fault


def _verified(path: Path, wanted: Wanted, source: str) -> Downloaded:
    """Raise Refused where a file is not what was wanted."""
    size = path.stat().st_size
    if size == 0:
        raise Refused("the file is empty")
    with open(path, "rb") as file:
        if file.read(64).lstrip().lower().startswith(_PAGES):
            raise Refused(WEB_PAGE)
    if wanted.size is not None and size != wanted.size:
        raise Refused(f"it has {size} bytes, {wanted.size} were expected")
    if wanted.md5 is not None:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if found != wanted.md5:
            raise Refused(f"its MD5 is {found}, {wanted.md5} was expected")
    sha256 = sha256_of(path)
    if wanted.sha256 is not None and sha256 != wanted.sha256:
        raise Refused(f"its SHA-256 is {sha256}, {wanted.sha256} was expected")
    return Downloaded(path, sha256, size, source)


def _check_size(total: int | None, wanted: Wanted, largest: int) -> None:
    if total is not None and wanted.size is not None and total != wanted.size:
        raise Refused(f"it has {total} bytes, {wanted.size} were expected")
    if total is not None and total > largest:
        raise Refused(f"it has {total} bytes, at most {largest} are allowed")


def _check_disk(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < needed + _MARGIN:
        raise CheckpointError(
            f"{needed / 1e9:.2f} GB more are needed and {free / 1e9:.2f} GB are free",
            file=part.parent,
            remedy="Free some disk space and fetch again: what was received is kept.",
        )


def local_path(source: str) -> Path | None:
    """The path that a source names, where it is no address: plain, or as `file:`. Raises Refused for a `file:` elsewhere."""
    if source[:5].lower() == "file:":
        parts = urlsplit(source)
        if parts.netloc not in ("", "localhost"):
            raise Refused(f"a file on another machine: {parts.netloc[:60]}")
        return Path(unquote(parts.path))
    return None if "://" in source or source.split(":", 1)[0].lower() in ("data", "javascript") else Path(source)


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(f".{target.name}.{ending}")


def _state_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")
