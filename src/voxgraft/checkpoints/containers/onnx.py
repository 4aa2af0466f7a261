"""The nodes and initialisers of an ONNX file, memory-mapped and read without the onnx package.

Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import math
import mmap
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from voxgraft.checkpoints.containers.protobuf import (
    BYTES,
    VARINT,
    FieldBudget,
    Span,
    read_fields,
    read_float,
    read_numbers,
    read_text,
)
from voxgraft.checkpoints.containers.wrappers import unwrapped_name, unwrapped_names
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.files import open_regular

# TensorProto.DataType -> numpy; bfloat16 (16) comes from ml_dtypes.
_DTYPES = {1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8"}
_BFLOAT16 = 16
_KNOWN = (*_DTYPES, _BFLOAT16)
_MAX_FIELDS = 3_000_000
_MAX_DIMS = 8
_DAMAGED = "The file is damaged or incomplete: copy or download it again."


@dataclass(frozen=True)
class Initialiser:
    """A constant of the graph: its shape and where its bytes lie; `values` where they are not raw."""

    name: str
    data_type: int
    shape: tuple[int, ...]
    span: Span | None
    values: tuple[float, ...] = ()
    external: bool = False

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Node:
    """One operation."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ints: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class OnnxGraph:
    """What an ONNX file holds, in file order."""

    buffer: mmap.mmap | bytes
    initialisers: dict[str, Initialiser]
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    metadata: dict[str, str]
    producer: str

    def array(self, name: str) -> np.ndarray:
        """The values of an initialiser or of an Identity of one, read-only, in the dtype of the file."""
        tensor = self.initialisers[name]
        dtype = _dtype(tensor)
        if tensor.span is None:
            return _array_of(tensor, dtype)
        raw = np.frombuffer(self.buffer, np.uint8, tensor.span[1] - tensor.span[0], tensor.span[0])
        array = raw.view(dtype).reshape(tensor.shape)
        return array if array.flags.aligned else array.copy()


def read_onnx(path: Path) -> OnnxGraph:
    """Read the structure of an ONNX file; weights stay on disk until `array` is called.

    Raises CheckpointError where the file is damaged, or keeps its weights in other files.
    """
    with open_regular(path) as file:
        try:
            buffer: mmap.mmap | bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise CheckpointError("the file is empty", file=path, remedy=_DAMAGED) from None
    with naming_file(path):
        return _read_model(buffer)


def _read_model(buffer: mmap.mmap | bytes) -> OnnxGraph:
    budget = FieldBudget(_MAX_FIELDS)
    graph: Span | None = None
    producer: list[str] = []
    metadata: dict[str, str] = {}
    for number, wire, value in read_fields(buffer, (0, len(buffer)), budget):
        if wire != BYTES or isinstance(value, int):
            continue
        if number == 7:
            graph = value
        elif number in (2, 3):
            producer.append(read_text(buffer, value))
        elif number == 14:
            metadata |= _read_entry(buffer, value, budget)
    if graph is None:
        raise CheckpointError("there is no graph in this ONNX file", remedy=_DAMAGED)
    return _read_graph(buffer, graph, budget, metadata, " ".join(producer))


def _read_graph(
    buffer: mmap.mmap | bytes, span: Span, budget: FieldBudget, metadata: dict[str, str], producer: str
) -> OnnxGraph:
    initialisers: dict[str, Initialiser] = {}
    nodes: list[Node] = []
    ends: dict[int, list[str]] = {11: [], 12: []}
    for number, wire, value in read_fields(buffer, span, budget):
        if wire != BYTES or isinstance(value, int):
            continue
        if number == 1:
            node, constant = _read_node(buffer, value, budget)
            nodes.append(node)
            if constant is not None and node.outputs:
                initialisers[node.outputs[0]] = constant
        elif number == 5:
            tensor = _read_tensor(buffer, value, budget)
            initialisers[tensor.name] = tensor
        elif number in ends:
            ends[number].append(_read_name(buffer, value, budget))
    initialisers, nodes = _unwrapped(initialisers, nodes)
    for node in nodes:
        if node.op == "Identity" and node.inputs and node.outputs and node.inputs[0] in initialisers:
            initialisers.setdefault(node.outputs[0], initialisers[node.inputs[0]])
    inputs = tuple(name for name in ends[11] if name not in initialisers)
    return OnnxGraph(buffer, initialisers, tuple(nodes), inputs, tuple(ends[12]), metadata, producer)


def _unwrapped(initialisers: dict[str, Initialiser], nodes: list[Node]) -> tuple[dict[str, Initialiser], list[Node]]:
    """The same graph, its weights and nodes under names without wrappers."""
    plain = unwrapped_names(initialisers)
    named = {plain[name]: tensor for name, tensor in initialisers.items()}
    return named, [
        replace(
            node,
            name=unwrapped_name(node.name),
            inputs=tuple(plain.get(name, name) for name in node.inputs),
            outputs=tuple(plain.get(name, name) for name in node.outputs),
        )
        for node in nodes
    ]


def _read_node(buffer: mmap.mmap | bytes, span: Span, budget: FieldBudget) -> tuple[Node, Initialiser | None]:
    inputs: list[str] = []
    outputs: list[str] = []
    op = name = ""
    ints: dict[str, tuple[int, ...]] = {}
    constant: Initialiser | None = None
    for number, wire, value in read_fields(buffer, span, budget):
        if wire != BYTES or isinstance(value, int):
            continue
        if number == 1:
            inputs.append(read_text(buffer, value))
        elif number == 2:
            outputs.append(read_text(buffer, value))
        elif number == 3:
            name = read_text(buffer, value)
        elif number == 4:
            op = read_text(buffer, value)
        elif number == 5:
            key, numbers, tensor = _read_attribute(buffer, value, budget)
            if numbers:
                ints[key] = numbers
            constant = tensor or constant
    return Node(op, name, tuple(inputs), tuple(outputs), ints), constant if op == "Constant" else None


def _read_attribute(
    buffer: mmap.mmap | bytes, span: Span, budget: FieldBudget
) -> tuple[str, tuple[int, ...], Initialiser | None]:
    name, numbers, tensor = "", [], None
    for number, wire, value in read_fields(buffer, span, budget):
        if number == 1 and not isinstance(value, int):
            name = read_text(buffer, value)
        elif number in (3, 8) and wire in (VARINT, BYTES):
            numbers += read_numbers(buffer, value, budget)
        elif number == 5 and not isinstance(value, int):
            tensor = _read_tensor(buffer, value, budget)
    return name, tuple(numbers), tensor


def _read_tensor(buffer: mmap.mmap | bytes, span: Span, budget: FieldBudget) -> Initialiser:
    shape: list[int] = []
    values: list[float] = []
    name, data_type, raw, external = "", 0, None, False
    for number, wire, value in read_fields(buffer, span, budget):
        if number == 1:
            shape += read_numbers(buffer, value, budget)
        elif number == 2 and isinstance(value, int):
            data_type = value
        elif number == 4 and not isinstance(value, int):
            if wire == BYTES:
                raw = value
            else:
                values.append(read_float(buffer, value))
        elif number in (5, 7):
            values += read_numbers(buffer, value, budget)
        elif number == 8 and not isinstance(value, int):
            name = read_text(buffer, value)
        elif number == 9 and not isinstance(value, int):
            raw = value
        elif number == 13 or (number == 14 and value == 1):
            external = True
    tensor = Initialiser(name, data_type, tuple(shape), raw, tuple(values), external)
    _check(tensor)
    return tensor


def _check(tensor: Initialiser) -> None:
    """Hold the shape against the bytes that are there, before anything is allocated."""
    if tensor.external:
        raise CheckpointError(
            "the weights lie in another file, which is not read",
            field=tensor.name,
            remedy="Merge them into one .onnx with onnx.save_model(onnx.load(path), path).",
        )
    if len(tensor.shape) > _MAX_DIMS or any(size < 0 for size in tensor.shape):
        raise CheckpointError("impossible shape", field=tensor.name, got=list(tensor.shape), remedy=_DAMAGED)
    if tensor.span is None and tensor.data_type in _KNOWN and tensor.numel != len(tensor.values):
        raise CheckpointError(
            "the data doesn't fill the shape",
            field=tensor.name,
            expected=f"{tensor.numel} values",
            got=len(tensor.values),
            remedy=_DAMAGED,
        )
    if tensor.span is not None and tensor.data_type in _KNOWN:
        size = tensor.span[1] - tensor.span[0]
        if size != tensor.numel * _dtype(tensor).itemsize:
            raise CheckpointError(
                "the data doesn't fill the shape",
                field=tensor.name,
                expected=f"{tensor.numel} values",
                got=f"{size} bytes",
                remedy=_DAMAGED,
            )


def _array_of(tensor: Initialiser, dtype: np.dtype) -> np.ndarray:
    """Values that are written out one by one; half floats as the whole numbers that have their bits."""
    halves = dtype.itemsize == 2 and dtype.kind not in "iu"
    try:
        numbers = np.array(tensor.values, np.uint16).view(dtype) if halves else np.array(tensor.values, dtype)
    except (OverflowError, ValueError) as fault:
        raise CheckpointError(
            "a value does not fit its type", field=tensor.name, got=dtype.name, remedy=_DAMAGED
        ) from fault
    return numbers.reshape(tensor.shape)


def _dtype(tensor: Initialiser) -> np.dtype:
    if tensor.data_type == _BFLOAT16:
        from ml_dtypes import bfloat16

        half: np.dtype = np.dtype(bfloat16)
        return half
    if tensor.data_type not in _DTYPES:
        raise CheckpointError(
            "unknown type of numbers",
            field=tensor.name,
            got=tensor.data_type,
            remedy="Export the voice with 32-bit weights.",
        )
    return np.dtype(_DTYPES[tensor.data_type])


def _read_entry(buffer: mmap.mmap | bytes, span: Span, budget: FieldBudget) -> dict[str, str]:
    parts = {1: "", 2: ""}
    for number, _, value in read_fields(buffer, span, budget):
        if number in parts and not isinstance(value, int):
            parts[number] = read_text(buffer, value)
    return {parts[1]: parts[2]}


def _read_name(buffer: mmap.mmap | bytes, span: Span, budget: FieldBudget) -> str:
    for number, _, value in read_fields(buffer, span, budget):
        if number == 1 and not isinstance(value, int):
            return read_text(buffer, value)
    return ""
