"""Framing: what runtimes put around and between the symbols of a sentence, and a model was trained without.

Piper's and sherpa-onnx's loaders always put marks of their own there. The graph takes them out again, so that one file is
right in every runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voxgraft.text.symbols import SymbolTable

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Framing:
    """`ignored` is an id beyond the table that stands for what is not there; `edge` one that is taken off both ends, where a
    sentence of the model's own never has it."""

    ignored: int | None = None
    edge: int | None = None

    @staticmethod
    def of(symbols: SymbolTable) -> Framing:
        """Of a model's table."""
        if symbols.intersperse and symbols.pad is not None and symbols.bos is not None and symbols.eos is not None:
            return Framing(edge=symbols.ids[symbols.pad][0])
        return Framing(ignored=symbols.rows)

    def kept(self, ids: torch.Tensor) -> torch.Tensor:
        """ids [1, N] -> which are the model's own, bool [1, N]."""
        import torch

        if self.edge is None:
            return ids != self.ignored
        places = torch.arange(ids.shape[1]).unsqueeze(0)
        return (ids != self.edge) | ((places > 0) & (places < ids.shape[1] - 1))
