"""The allow-list: every global that a training checkpoint may name, and what stands for it here.

Data, not imports: nothing of what is named here is ever loaded. Anything else that a pickle names stays a name.
"""

from __future__ import annotations

import struct
from typing import Any

from voxgraft.checkpoints.containers.torch.pickle_machine import Handler
from voxgraft.checkpoints.containers.torch.pickled import Namespace, Opaque
from voxgraft.checkpoints.containers.torch.tensor import STORAGE_DTYPES, TORCH_DTYPES, TorchTensor, make_tensor
from voxgraft.errors import CheckpointError

_DAMAGED = "The file is damaged or hostile: copy or download it again from its maker."


def _tensor(arguments: tuple[Any, ...]) -> TorchTensor:
    """`_rebuild_tensor(storage, offset, shape, strides, …)` and its second version."""
    storage, offset, shape, strides = _first(arguments, 4)
    return make_tensor(storage, offset, shape, strides)


def _tensor_v3(arguments: tuple[Any, ...]) -> TorchTensor:
    """`_rebuild_tensor_v3(storage, offset, shape, strides, requires_grad, hooks, dtype, …)`: over an untyped storage."""
    storage, offset, shape, strides, _, _, dtype = _first(arguments, 7)
    code = TORCH_DTYPES.get(dtype.removeprefix("torch.")) if isinstance(dtype, str) else None
    if code is None:
        raise CheckpointError("a tensor of unknown type", got=str(dtype)[:60], remedy=_DAMAGED)
    return make_tensor(storage, offset, shape, strides, code)


def _parameter(arguments: tuple[Any, ...]) -> Any:
    return _first(arguments, 1)[0]


def _path(arguments: tuple[Any, ...]) -> str:
    parts = [part for part in arguments if isinstance(part, str)]
    root = "/" if parts and parts[0] == "/" else ""
    return root + "/".join(parts[1:] if root else parts)


def _dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """OrderedDict() or OrderedDict([[key, value], …]); the factory of a defaultdict is left out."""
    for argument in arguments:
        if isinstance(argument, list | tuple):
            return {_plain_key(pair[0]): pair[1] for pair in argument if isinstance(pair, list | tuple)}
        if isinstance(argument, dict):
            return dict(argument)
    return {}


def _sequence(arguments: tuple[Any, ...]) -> list[Any]:
    items = arguments[0] if arguments else []
    return list(items) if isinstance(items, list | tuple | set | frozenset) else []


def _set(arguments: tuple[Any, ...]) -> set[Any]:
    return {_plain_key(item) for item in _sequence(arguments)}


def _size(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_sequence(arguments))


def _device(arguments: tuple[Any, ...]) -> str:
    return ":".join(str(part) for part in arguments if isinstance(part, str | int))


def _namespace(arguments: tuple[Any, ...]) -> Namespace:
    return Namespace()


def _attribute_dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    return _dict(arguments)


def _encode(arguments: tuple[Any, ...]) -> bytes:
    """`_codecs.encode(text, "latin1")`: how protocol 2 spells bytes."""
    (text,), encoding = _first(arguments, 1), arguments[1:]
    if not isinstance(text, str) or (encoding and encoding[0] not in ("latin1", "latin-1")):
        raise CheckpointError("bytes in an unknown encoding", remedy=_DAMAGED)
    return text.encode("latin-1")


def _no_bytes(arguments: tuple[Any, ...]) -> bytes:
    """`bytes()`: how protocol 2 spells the empty ones."""
    if arguments:
        raise CheckpointError("bytes made of something else", remedy=_DAMAGED)
    return b""


def _numpy_dtype(arguments: tuple[Any, ...]) -> Opaque:
    return Opaque("numpy.dtype", arguments)


def _numpy_scalar(arguments: tuple[Any, ...]) -> Any:
    """A numpy number as a Python number, where it is one of the common types."""
    (dtype,), raw = _first(arguments, 1), arguments[1:]
    code = dtype.arguments[0] if isinstance(dtype, Opaque) and dtype.arguments else None
    layout = {"f8": "<d", "f4": "<f", "i8": "<q", "i4": "<i", "b1": "<?"}.get(code) if isinstance(code, str) else None
    if layout and raw and isinstance(raw[0], bytes) and len(raw[0]) == struct.calcsize(layout):
        return struct.unpack(layout, raw[0])[0]
    return Opaque("numpy scalar", arguments)


def _inert(name: str) -> Handler:
    return lambda arguments: Opaque(name, arguments)


def _first(arguments: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    if len(arguments) < count:
        raise CheckpointError("a tensor is described in too few words", remedy=_DAMAGED)
    return arguments[:count]


def _plain_key(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    raise CheckpointError("a key of an unusual type", got=type(value).__name__, remedy=_DAMAGED)


HANDLERS: dict[tuple[str, str], Handler] = {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_v3,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): lambda arguments: _tensor(_first(arguments, 3)[2]),
    **dict.fromkeys([(module, "bytes") for module in ("builtins", "__builtin__")], _no_bytes),
    ("torch", "Size"): _size,
    ("torch", "device"): _device,
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _numpy_dtype,
    ("argparse", "Namespace"): _namespace,
    ("types", "SimpleNamespace"): _namespace,
    ("collections", "OrderedDict"): _dict,
    ("collections", "defaultdict"): _dict,
    ("collections", "Counter"): _dict,
    **dict.fromkeys([(module, name) for module in ("builtins", "__builtin__") for name in ("set", "frozenset")], _set),
    **dict.fromkeys([(module, "list") for module in ("builtins", "__builtin__")], _sequence),
    **dict.fromkeys([(module, "dict") for module in ("builtins", "__builtin__")], _dict),
    **dict.fromkeys(
        [
            (module, f"{flavour}{system}Path")
            for module in ("pathlib", "pathlib._local")
            for flavour in ("", "Pure")
            for system in ("", "Posix", "Windows")
            if flavour or system
        ],
        _path,
    ),
    ("pathlib", "Path"): _path,
    **dict.fromkeys(
        [
            ("lightning.fabric.utilities.data", "AttributeDict"),
            ("lightning_fabric.utilities.data", "AttributeDict"),
            ("pytorch_lightning.utilities.parsing", "AttributeDict"),
            ("lightning.pytorch.utilities.parsing", "AttributeDict"),
        ],
        _attribute_dict,
    ),
    **{(f"numpy.{core}.multiarray", "scalar"): _numpy_scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _inert("numpy array") for core in ("core", "_core")},
}

# Globals that are values themselves; a storage class stands for its dtype's code.
NAMES: dict[tuple[str, str], Any] = {
    **{("torch", name): f"torch.{name}" for name in TORCH_DTYPES},
    **{("torch", name): f"storage {code}" for name, code in STORAGE_DTYPES.items()},
    ("torch.storage", "UntypedStorage"): "storage u1",
    ("numpy", "ndarray"): "numpy.ndarray",
    **{(module, name): name for module in ("builtins", "__builtin__") for name in ("int", "float", "str", "bool")},
}
