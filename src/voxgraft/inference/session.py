"""Opening an ONNX model in onnxruntime, quickly, with one clear error where it isn't what it should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voxgraft.errors import CheckpointError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Signature = dict[str, str]


def open_session(path: Path, *, threads: int | None = None, seed: int | None = None) -> InferenceSession:
    """A session on the CPU. `threads=None` lets onnxruntime choose; `seed` makes the model's noise repeatable.

    Planning how a VITS graph could share buffers takes onnxruntime most of the time that loading takes, and gains
    nothing where each sentence has another length: it is off. Raises CheckpointError.
    """
    import onnxruntime

    if path.stat().st_size == 0:
        raise _broken(path, "the file is empty")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.enable_mem_reuse = False
    options.enable_mem_pattern = False
    if threads is not None:
        options.intra_op_num_threads = threads
    if seed is not None:
        onnxruntime.set_seed(seed)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as fault:
        raise _broken(path, str(fault)) from fault


def check_inputs(session: InferenceSession, path: Path, required: Signature, optional: Signature) -> frozenset[str]:
    """Compare the model's inputs with names and types wanted; returns those that it has. Raises CheckpointError."""
    found = {node.name: node.type for node in session.get_inputs()}
    wanted = required | {name: kind for name, kind in optional.items() if name in found}
    if found == wanted and session.get_outputs():
        return frozenset(found)
    raise CheckpointError(
        "this model is not a Piper voice",
        file=path,
        field="inputs",
        expected=", ".join(f"{name} {kind}" for name, kind in required.items()),
        got=", ".join(f"{name} {kind}" for name, kind in found.items())[:200] or "none",
        remedy="Take the .onnx of a Piper voice, or export one with voxgraft export.",
    )


def _broken(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"onnxruntime can't open this model: {' '.join(reason.split())[:200]}",
        file=path,
        remedy="The file may be damaged or half downloaded: fetch it again.",
    )
