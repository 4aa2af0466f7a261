"""CheckpointSource: a file or folder that may be a checkpoint, looked at once for all readers."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from voxgraft.checkpoints.containers.onnx import OnnxGraph, read_onnx
from voxgraft.checkpoints.containers.safetensors import is_safetensors
from voxgraft.checkpoints.containers.torch.unpickle import TorchFile, is_torch_file, read_torch_file
from voxgraft.files import open_regular, sha256_of

_HEAD = 4096

# How files begin that people take for checkpoints: (first bytes, what it is).
_LIKENESSES = (
    (b"version https://git-lfs", "a Git LFS pointer: the file itself was never downloaded"),
    (b"<!DOCTYPE", "a web page: the download failed"),
    (b"<html", "a web page: the download failed"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"BZh", "a bzip2 archive: unpack it"),
    (b"\xfd7zXZ", "an xz archive: unpack it"),
    (b"GGUF", "a GGUF language model"),
    (b"\x00\x00\x06\x08\x01\x1a", "the index of a TensorFlow checkpoint, of no model that is known here"),
    (b"RIFF", "a recording"),
    (b"fLaC", "a recording"),
    (b"\x89HDF", "an HDF5 file"),
    (b"{", "a JSON document: give the .onnx or .ckpt that it belongs to"),
    (b"[", "a JSON document: give the .onnx or .ckpt that it belongs to"),
)


class CheckpointSource:
    """A file or folder and what was found out about it; each fact is found at most once, when asked for.

    A reader of single files asks `head` and `torch`, which a folder answers with nothing; one of folders asks `files`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files in a folder, sorted by name, links that leave it left out; none for a file."""
        if not self.path.is_dir():
            return ()
        homes = _homes(self.path.resolve())
        inside = (p for p in self.path.iterdir() if p.is_file() and any(map(p.resolve().is_relative_to, homes)))
        return tuple(sorted(inside))

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the files in a folder."""
        return frozenset(path.name for path in self.files)

    @cached_property
    def members(self) -> tuple[CheckpointSource, ...]:
        """The files in a folder, each looked at once for all readers too."""
        return tuple(CheckpointSource(path) for path in self.files)

    @cached_property
    def folders(self) -> tuple[CheckpointSource, ...]:
        """The folders in a folder, links that leave it left out."""
        if not self.path.is_dir():
            return ()
        root = self.path.resolve()
        inner = (path for path in self.path.iterdir() if path.is_dir() and path.resolve().is_relative_to(root))
        return tuple(CheckpointSource(path) for path in sorted(inner))

    @cached_property
    def head(self) -> bytes:
        """The first bytes."""
        if self.path.is_dir():
            return b""
        with open_regular(self.path) as file:
            return file.read(_HEAD)

    @cached_property
    def torch(self) -> TorchFile | None:
        """The content, if torch.save wrote the file. Raises CheckpointError where such a file is damaged."""
        # The length that safetensors begins with may look like a pickle's first opcodes.
        if self.path.is_dir() or is_safetensors(self.head):
            return None
        return read_torch_file(self.path) if is_torch_file(self.path) else None

    @cached_property
    def onnx(self) -> OnnxGraph:
        """The graph of an ONNX file. Raises CheckpointError where it is damaged or none."""
        return read_onnx(self.path)

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the content."""
        return sha256_of(self.path)

    @property
    def likeness(self) -> str:
        """What it looks like, in words."""
        if self.path.is_dir():
            return f"a folder with {', '.join(sorted(self.names)[:8]) or 'no files'}"
        beginning = self.head.lstrip()
        for signature, words in _LIKENESSES:
            if beginning.startswith(signature) or beginning.lower().startswith(signature.lower()):
                return words
        if self.head[257:262] == b"ustar":
            return "a tar archive: unpack it"
        if self.torch is not None and isinstance(self.torch.content, dict):
            keys = ", ".join(str(key)[:40] for key in list(self.torch.content)[:8])
            return f"a file of torch.save with {keys or 'nothing in it'}"
        return "text" if self.head.isascii() else "binary data of no known kind"


def _homes(folder: Path) -> tuple[Path, ...]:
    """Where a folder's files may lie: in it, or for a snapshot in Hugging Face's cache in the blobs that it links to."""
    repository = folder.parent.parent
    if folder.parent.name == "snapshots" and repository.name.startswith("models--"):
        return folder, repository / "blobs"
    return (folder,)
