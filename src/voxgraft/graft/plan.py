"""GraftPlan: one row for every tensor of the target. Pure data: same inputs, same plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Action = Literal["copy", "rename", "remap", "resize", "init", "drop"]


@dataclass(frozen=True)
class Row:
    """What becomes of one tensor. `source` is None for `init`; `target` is None for `drop`.

    `rows` maps target rows to source rows for `remap`. `part` names the part of the model that it belongs to.
    """

    action: Action
    target: str | None
    source: str | None
    target_shape: tuple[int, ...] | None
    source_shape: tuple[int, ...] | None
    part: str
    reason: str
    rows: Mapping[int, int] | None = None


@dataclass(frozen=True)
class SymbolMap:
    """Symbols that keep their rows, symbols without one in the base, symbols of the base that go."""

    mapped: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class GraftPlan:
    """Every row, the symbol, speaker and language maps, refusals and warnings."""

    rows: tuple[Row, ...]
    symbols: SymbolMap
    speakers: Mapping[str, str | None]
    languages: Mapping[str, str | None]
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    parameters_carried: float
    by_part: Mapping[str, Mapping[str, int]]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each action."""
        return dict(Counter(row.action for row in self.rows))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for plan.json and --json."""
        return {"counts": self.counts} | asdict(self)
