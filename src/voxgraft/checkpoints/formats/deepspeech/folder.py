"""A folder of DeepSpeech's saves: which one its pointer files choose, its alphabet and its flags."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.containers.tf_bundle.bundle import SUFFIX, Bundle, read_bundle
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.files import open_regular

BEST, LAST = "best_dev_checkpoint", "checkpoint"
ALPHABET, FLAGS = "alphabet.txt", "flags.txt"
_MAX_BYTES = 2**20
# CheckpointState (tensorflow/python/training/checkpoint_state.proto) as text.
_POINTER = re.compile(
    rb'^\s*model_checkpoint_path\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\')', re.MULTILINE
)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_CHARACTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
# `--noNAME` turns NAME off, and no flag of DeepSpeech's but normalize_… begins with these letters.
_FLAG = re.compile(r"^--(no(?!rmalize))?([a-z][a-z0-9_]*)(?:=(.*))?$")


@dataclass(frozen=True)
class Save:
    """A save that was chosen, and why, in words."""

    index: Path
    bundle: Bundle
    notes: tuple[str, ...] = ()


def is_pointer(path: Path) -> bool:
    """Whether a file is a pointer to a save, as TensorFlow writes it."""
    return path.is_file() and _POINTER.search(_start_of(path)) is not None


def chosen_save(folder: Path, files: tuple[Path, ...]) -> Save:
    """The best save of a folder, else the last, as the pointer files name them; without pointers, the only save.

    Raises CheckpointError where the save is absent, unfinished or damaged, naming another that is whole.
    """
    names = {path.name for path in files}
    notes: list[str] = []
    for pointer in (BEST, LAST):
        if pointer not in names:
            continue
        try:
            index = _pointed(folder / pointer)
        except CheckpointError as fault:
            raise _named_by(pointer, fault, _indexes(files)) from fault
        others = [path for path in _indexes(files) if path != index]
        if index.name not in names:
            problem = CheckpointError(
                "this save is not in the folder", file=index, remedy="Copy the whole folder again."
            )
            raise _named_by(pointer, problem, others)
        try:
            bundle = read_bundle(index)
        except CheckpointError as fault:
            raise _named_by(pointer, fault, others) from fault
        notes.append(_choice(pointer, index, others))
        return Save(index, bundle, tuple(notes))
    return _only_save(folder, _indexes(files))


def _choice(pointer: str, index: Path, others: list[Path]) -> str:
    name = index.name.removesuffix(SUFFIX)
    kind = "the best on its development set" if pointer == BEST else "the last; no best one is marked"
    here = f"; also here: {', '.join(path.name for path in others[:5])}" if others else ""
    return f"{name} is taken, {kind}{here}"


def _only_save(folder: Path, indexes: list[Path]) -> Save:
    if not indexes:
        raise CheckpointError(
            "no save is in the folder", file=folder, expected=f"NAME{SUFFIX} with NAME.data-*", remedy="Copy it there."
        )
    if len(indexes) > 1:
        raise CheckpointError(
            "several saves and no pointer file that says which is the best",
            file=folder,
            expected=f"{BEST} or {LAST}",
            got=", ".join(path.name for path in indexes[:5]),
            remedy="Give the .index of one: with train-stt, after --load_checkpoint_dir.",
        )
    return Save(indexes[0], read_bundle(indexes[0]), (f"{indexes[0].name} is taken, the only one; no pointer file",))


def _indexes(files: tuple[Path, ...]) -> list[Path]:
    return [path for path in files if path.name.endswith(SUFFIX)]


def _named_by(pointer: str, fault: CheckpointError, others: list[Path]) -> CheckpointError:
    """The fault of a save that a pointer names, with another save to take instead."""
    whole = next((path for path in others if _is_whole(path)), None)
    instead = f" Or give {whole}, which is whole." if whole is not None else ""
    return CheckpointError(
        fault.problem
        if fault.file is not None and Path(fault.file).name == pointer
        else f"{fault.problem}, and {pointer} names it",
        file=fault.file,
        field=fault.field,
        expected=fault.expected,
        got=fault.got,
        remedy=fault.remedy + instead,
    )


def _is_whole(index: Path) -> bool:
    try:
        read_bundle(index)
    except CheckpointError:
        return False
    return True


def _pointed(pointer: Path) -> Path:
    """The index that a pointer file names: in the pointer's own folder, whatever folder it says."""
    with naming_file(pointer):
        found = _POINTER.search(_start_of(pointer))
        if found is None:
            raise CheckpointError(
                "names no save", field="model_checkpoint_path", remedy=f"Give the {SUFFIX} of a save instead."
            )
        raw = _ESCAPE.sub(_character, found[1] if found[1] is not None else found[2])
        # An absolute path is that of the machine that trained, so only the last name counts.
        name = re.split(r"[/\\]", raw.decode("utf-8", errors="replace"))[-1]
        if name in ("", ".", "..") or not name.isprintable():
            raise CheckpointError(
                "names no save", field="model_checkpoint_path", got=repr(name), remedy=f"Give the {SUFFIX} of a save."
            )
    return pointer.with_name(name + SUFFIX)


def _character(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    if code[0] in b"01234567":
        return bytes([int(code, 8) & 0xFF])
    if len(code) > 1:
        return bytes([int(code[1:], 16)])
    return _CHARACTERS.get(code, code)


def _start_of(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read(_MAX_BYTES)


def read_text_beside(index: Path, name: str) -> str | None:
    """A small text file in the save's folder; None where there is none. Raises CheckpointError where it isn't UTF-8."""
    path = index.with_name(name)
    if not path.is_file() or not path.resolve().is_relative_to(path.parent.resolve()):
        return None
    raw = _start_of(path)
    if len(raw) == _MAX_BYTES:
        raise CheckpointError(
            "far too large", file=path, expected=f"under {_MAX_BYTES} bytes", remedy="Check the file."
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        raise CheckpointError(
            "not UTF-8 text", file=path, field=f"line {line}", remedy="Save it as UTF-8 in a text editor."
        ) from fault


def parse_flags(text: str) -> dict[str, Any]:
    """The flags that a training wrote down: Coqui STT's JSON, or DeepSpeech's lines such as `--n_hidden=2048`."""
    try:
        flags = json.loads(text)
    except (ValueError, RecursionError):
        return _flags_of_lines(text)
    return {str(name): value for name, value in flags.items()} if isinstance(flags, dict) else {}


def _flags_of_lines(text: str) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    for line in text.splitlines():
        found = _FLAG.match(line.strip())
        if found is not None:
            off, name, value = found.groups()
            flags[name] = off is None if value is None else _value(value)
    return flags


def _value(text: str) -> Any:
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,18}(\.\d*)?(e[-+]?\d{1,3})?", text):
        return float(text)
    return {"true": True, "false": False}.get(text.lower(), text)
