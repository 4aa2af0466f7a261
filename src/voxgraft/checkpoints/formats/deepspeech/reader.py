"""Training folders of Coqui STT and DeepSpeech: TensorFlow 1 saves with pointer files, alphabet.txt and flags.txt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.architectures.families.deepspeech import FAMILY
from voxgraft.architectures.names.deepspeech import LSTM, canonical_shapes
from voxgraft.audio.mfcc import MfccSpec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.tf_bundle.bundle import SUFFIX, looks_like_index, names_in, read_bundle
from voxgraft.checkpoints.formats.deepspeech.folder import (
    ALPHABET,
    BEST,
    FLAGS,
    LAST,
    Save,
    chosen_save,
    is_pointer,
    parse_flags,
    read_text_beside,
)
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.files import open_regular
from voxgraft.text.alphabet import BYTE_LABELS, alphabet_table, byte_table, label_problems, parse_alphabet
from voxgraft.text.symbols import SymbolTable

FORMAT = "deepspeech-tf1"
_OUTPUT = "layer_6/weights"
_COEFFICIENTS = 26
_SLOTS = ("/Adam", "/Adam_1")
_COUNTERS = ("global_step", "learning_rate", "beta1_power", "beta2_power")
_OPAQUE = "cudnn_lstm/opaque_kernel"
_SCALED = ("current_loss_scale", "good_steps")
_REMEDY = "Give a checkpoint of Coqui STT, or of Mozilla DeepSpeech since 0.6."
_BYTE_FLAGS = ("bytes_output_mode", "utf8")


@dataclass(frozen=True)
class _Tensors:
    """The tensors of a save by what they are for."""

    network: dict[str, LazyTensor]
    state: dict[str, dict[str, LazyTensor]]
    strangers: tuple[str, ...]


def recognises(candidate: CheckpointSource) -> bool:
    """True for the index of a TensorFlow save with DeepSpeech's output layer, and for a folder with one or with pointers
    to one that is gone."""
    if not candidate.path.is_dir():
        return _is_ours(candidate.path, candidate.head)
    indexes = [path for path in candidate.files if path.name.endswith(SUFFIX)]
    if indexes:
        return any(_is_ours(path, CheckpointSource(path).head) for path in indexes)
    return any(is_pointer(candidate.path / name) for name in (BEST, LAST) if name in candidate.names)


def _is_ours(path: Path, head: bytes) -> bool:
    """Whether a file is an index with DeepSpeech's output layer; so is a damaged one, until it can be read."""
    if not looks_like_index(head):
        return False
    try:
        return _OUTPUT in names_in(path)
    except CheckpointError:
        return True


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read the best save of a folder, or the save of one .index. Raises CheckpointError where it is damaged."""
    path = candidate.path
    save = chosen_save(path, candidate.files) if path.is_dir() else Save(path, read_bundle(path))
    found = _sorted_out(save.bundle.tensors)
    text = read_text_beside(save.index, FLAGS)
    flags = parse_flags(text) if text is not None else {}
    notes = list(save.notes)
    with naming_file(save.index):
        architecture = _architecture(found.network, flags, notes)
    notes += _about_state(found)
    symbols = _symbols(save.index, architecture["symbols"], flags, notes)
    licence, source = stated_licence(save.index)
    return Checkpoint(
        family=FAMILY.name,
        architecture=architecture,
        tensors=TensorStore(found.network, save.index),
        provenance=Provenance(path, FORMAT, _sha256(save.bundle.files), licence, source),
        symbols=symbols,
        features=_features(flags, text is not None, notes),
        variant=_variant(found),
        step=_counter(save, "global_step", np.integer),
        learning_rate=_counter(save, "learning_rate", np.floating),
        training_state={kind: TensorStore(state, save.index) for kind, state in found.state.items() if state} or None,
        notes=tuple(notes),
        config={"flags": flags} if flags else {},
    )


def _sorted_out(tensors: Mapping[str, LazyTensor]) -> _Tensors:
    network: dict[str, LazyTensor] = {}
    state: dict[str, dict[str, LazyTensor]] = {"adam": {}, "cudnn": {}, "loss_scale": {}, "counters": {}}
    strangers = []
    for name, tensor in tensors.items():
        last = name.rpartition("/")[2]
        if name.startswith(_OPAQUE):
            state["cudnn"][name] = tensor
        elif last in _SCALED:
            state["loss_scale"][name] = tensor
        elif name.endswith(_SLOTS):
            state["adam"][name] = tensor
        elif last in _COUNTERS:
            state["counters"][name] = tensor
        elif FAMILY.part_of(name) != "unknown":
            network[name] = tensor
        else:
            strangers.append(name)
    return _Tensors(network, state, tuple(strangers))


def _architecture(network: Mapping[str, LazyTensor], flags: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """The module's keywords, from the shapes; every tensor that such a network has must be there, and no other."""
    shapes = {name: tensor.shape for name, tensor in network.items()}
    wanted = ("layer_1/weights", _OUTPUT, f"{LSTM}/kernel")
    odd = next((name for name in wanted if len(shapes.get(name, ())) != 2 or 0 in shapes[name]), None)
    if odd is not None:
        raise CheckpointError(
            "not a DeepSpeech network: this tensor is absent or not a matrix",
            field=odd,
            got=shapes.get(odd),
            remedy=_REMEDY,
        )
    inputs, hidden = shapes["layer_1/weights"]
    n_context = (inputs // _COEFFICIENTS - 1) // 2
    keywords: dict[str, Any] = {
        "n_hidden": hidden,
        "n_input": _COEFFICIENTS,
        "n_context": n_context,
        "symbols": shapes[_OUTPUT][1],
        "layer_norm": any("/LayerNorm/" in name for name in shapes),
    }
    expected = canonical_shapes(**keywords)
    for name in sorted(expected.keys() | shapes.keys()):
        if expected.get(name) != shapes.get(name):
            raise CheckpointError(
                "not a DeepSpeech network that voxgraft knows",
                field=name,
                expected=_shape(expected.get(name)),
                got=_shape(shapes.get(name)),
                remedy=_REMEDY,
            )
    recorded = flags.get("n_hidden")
    if type(recorded) is int and recorded != hidden:
        notes.append(f"{FLAGS} says n_hidden {recorded}, the tensors say {hidden}: the tensors win")
    clip = flags.get("relu_clip")
    known = isinstance(clip, int | float) and 0 < clip < 1e6
    return keywords | {"relu_clip": float(clip) if known and clip is not None else 20.0}


def _shape(shape: tuple[int, ...] | None) -> str:
    return "no such tensor" if shape is None else str(list(shape))


def _variant(found: _Tensors) -> str:
    """How it was trained: `cpu`, `cudnn`, `amp` or `cudnn-amp`."""
    kinds = ["cudnn"] if _is_cudnn(found) else []
    kinds += ["amp"] if _is_mixed(found) else []
    return "-".join(kinds) or "cpu"


def _is_cudnn(found: _Tensors) -> bool:
    slots = found.state["adam"]
    return bool(found.state["cudnn"]) or (bool(slots) and not any(LSTM in name for name in slots))


def _is_mixed(found: _Tensors) -> bool:
    counters = {**found.state["counters"], **found.state["adam"]}
    return bool(found.state["loss_scale"]) or any(name.startswith("cond_1/") for name in counters)


def _about_state(found: _Tensors) -> list[str]:
    notes = []
    if _is_cudnn(found):
        notes.append(
            "trained with CuDNN: the weights are whole, but Adam's moments of the LSTM are in CuDNN's own order"
        )
    if _is_mixed(found):
        notes.append("trained with automatic mixed precision: weights are in single precision all the same")
    if found.strangers:
        names = found.strangers
        notes.append(f"{len(names)} tensors are no part of the network and left out, such as {names[0]}")
    return notes


def _symbols(index: Path, rows: int, flags: Mapping[str, Any], notes: list[str]) -> SymbolTable | None:
    """What the outputs mean: bytes, or the alphabet beside the save if it fits."""
    if rows == BYTE_LABELS + 1 and any(flags.get(flag) is True for flag in _BYTE_FLAGS):
        return byte_table()
    text = read_text_beside(index, ALPHABET)
    if text is None:
        if rows == BYTE_LABELS + 1:
            notes.append(f"{BYTE_LABELS + 1} outputs and no {ALPHABET}: taken for byte output")
            return byte_table()
        notes.append(f"what its {rows} outputs mean is not recorded: put {ALPHABET} beside it")
        return None
    labels, about = _labels(text, rows)
    if len(labels) + 1 != rows:
        notes.append(
            f"{ALPHABET} has {len(labels)} labels, and with the blank the network has {rows} outputs: not used"
        )
        return None
    notes += [f"{ALPHABET}: {doubt}" for doubt in (*about, *label_problems(labels))]
    return alphabet_table(labels)


def _labels(text: str, rows: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels, and a note where a byte-order mark or other line endings were passed over."""
    about = ("lines end in \\r",) if "\r" in text else ()
    plain = parse_alphabet(text.removeprefix("\ufeff"))
    if not text.startswith("\ufeff"):
        return plain, about
    marked = parse_alphabet(text)
    # Coqui STT takes the mark for a part of the first line: a comment then becomes a label that is never learned.
    if len(marked) + 1 == rows != len(plain) + 1:
        return marked, (*about, "the byte-order mark made a label of the first line, as in Coqui STT")
    return plain, (*about, "begins with a byte-order mark, which is passed over")


def _features(flags: Mapping[str, Any], recorded: bool, notes: list[str]) -> MfccSpec:
    """The features that the flags describe; a rate or window that can't be is Coqui STT's own."""

    def number(name: str, default: int, low: int, high: int) -> int:
        value = flags.get(name, default)
        if type(value) is int and low <= value <= high:
            return value
        notes.append(f"{FLAGS}: {name} {str(value)[:40]} can't be: {default} is assumed")
        return default

    if not recorded:
        notes.append(f"no {FLAGS}: 16000 Hz and Coqui STT's own windows are assumed")
    rate = number("audio_sample_rate", 16000, 4000, 192_000)
    win, hop = number("feature_win_len", 32, 1, 1000), number("feature_win_step", 20, 1, 1000)
    if hop > win:
        notes.append(f"{FLAGS}: windows of {win} ms every {hop} ms can't be: 32 and 20 are assumed")
        win, hop = 32, 20
    return MfccSpec(sample_rate=rate, win=rate * win // 1000, hop=rate * hop // 1000, coefficients=_COEFFICIENTS)


def _counter(save: Save, name: str, kind: type) -> Any:
    """A single number of the save; None where there is none that makes sense."""
    tensor = save.bundle.tensors.get(name)
    if tensor is None or tensor.shape != ():
        return None
    value = tensor.load()
    if not np.issubdtype(value.dtype, kind) or not np.isfinite(value) or value < 0:
        return None
    # The shortest number that is the same in the file's precision: 0.001, not 0.0010000000474974513.
    return value.item() if kind is np.integer else float(str(value))


def _sha256(files: Iterable[Path]) -> str:
    """Hexadecimal SHA-256 of the index and the files of values, one after the other."""
    digest = hashlib.sha256()
    for path in files:
        with open_regular(path) as file:
            while piece := file.read(2**20):
                digest.update(piece)
    return digest.hexdigest()
