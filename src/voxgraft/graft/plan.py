"""GraftPlan: one row for every tensor of the target. Pure data: same inputs, same plan."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from voxgraft.errors import GraftError
from voxgraft.files import write_atomically
from voxgraft.json_file import read_object

Action = Literal["copy", "rename", "remap", "resize", "fold", "decompose", "compose", "init", "drop"]
Fill = Literal["own", "zero", "mean"]


@dataclass(frozen=True)
class Fold:
    """What one speaker adds to a bias: `(layer.weight @ embedding[row] + layer.bias)[first : first + bias length]`."""

    layer: str
    embedding: str
    row: int
    first: int


@dataclass(frozen=True)
class Row:
    """What becomes of one tensor. `source` is None for `init`; `target` is None for `drop`.

    `part` names the part of the model that it belongs to. `remap`: along `axis`, `rows` maps target rows to the source
    rows that mean the same; `near` maps new target rows to the source rows whose weighted mean they start from (the
    weights of each add up to 1); others start as `fill` says. `resize` is a remap in which every row that is kept stays
    where it was. `init`: `fill` is `own` (the module's own initialisation) or `zero`. `fold` adds what a speaker adds.
    `decompose` makes weight norm's magnitude (`weight_g`) or direction (`weight_v`) of a weight, `compose` the weight.
    """

    action: Action
    target: str | None
    source: str | None
    target_shape: tuple[int, ...] | None
    source_shape: tuple[int, ...] | None
    part: str
    reason: str
    rows: Mapping[int, int] | None = None
    near: Mapping[int, Mapping[int, float]] | None = None
    fill: Fill | None = None
    fold: Fold | None = None
    axis: int = 0


@dataclass(frozen=True)
class SymbolMap:
    """Symbols that keep their rows, symbols without one in the base, symbols of the base that go.

    `near` names the symbols of the base from whose weighted mean a new symbol starts; the other new ones start from
    the mean of all. `unlearned` are those of `mapped` whose rows in the base were never trained.
    """

    mapped: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    near: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    unlearned: tuple[str, ...] = ()


@dataclass(frozen=True)
class GraftPlan:
    """Every row, the symbol, speaker and language maps (target -> base), refusals and warnings.

    `parameters_carried` is the share (0-1) of the parameters used at inference that come from the base; apart from it,
    `recovered` counts the parameters of each part that self-distillation finds again, and `discriminators` those that
    are `carried`, `new` and `dropped`. `base_sha256` names the base that the plan is for; None is from scratch.
    `state` says what of the base's state is taken and what is reset. `frozen` names the parts that will not learn.
    """

    rows: tuple[Row, ...]
    symbols: SymbolMap
    speakers: Mapping[str, str | None]
    languages: Mapping[str, str | None]
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    parameters_carried: float
    by_part: Mapping[str, Mapping[str, int]]
    base_sha256: str | None = None
    family: str = "vits"
    state: Mapping[str, str] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    recovered: Mapping[str, int] = field(default_factory=dict)
    discriminators: Mapping[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each action."""
        return dict(Counter(row.action for row in self.rows))

    def require_accepted(self) -> None:
        """Raise GraftError with what the plan is refused for."""
        if self.refusals:
            raise GraftError(
                f"this graft is refused: {'; '.join(self.refusals)}",
                remedy="See the whole plan with `voxgraft plan`.",
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for plan.json and --json."""
        return {"counts": self.counts} | asdict(self)

    def write(self, path: Path) -> None:
        """Save as JSON: temporary file, fsync, rename."""
        write_atomically(path, json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n")


def read_plan(path: Path) -> GraftPlan:
    """A plan as `GraftPlan.write` saved it. CheckpointError where the file was cut short."""
    data = read_object(path, remedy="Restore the file from a copy, or begin the run again under another name (--name).")
    data.pop("counts")
    rows = tuple(_row(row) for row in data.pop("rows"))
    near = data["symbols"].pop("near")
    symbols = SymbolMap(**{name: tuple(found) for name, found in data.pop("symbols").items()}, near=near)
    data |= {name: tuple(data[name]) for name in ("refusals", "warnings", "frozen")}
    return GraftPlan(rows=rows, symbols=symbols, **data)


def _row(data: dict[str, Any]) -> Row:
    # JSON has no tuples and no number keys.
    shapes = {name: None if data[name] is None else tuple(data[name]) for name in ("target_shape", "source_shape")}
    rows = data["rows"] and {int(row): source for row, source in data["rows"].items()}
    near = data["near"] and {
        int(row): {int(source): weight for source, weight in found.items()} for row, found in data["near"].items()
    }
    return Row(**data | shapes | {"rows": rows, "near": near, "fold": data["fold"] and Fold(**data["fold"])})
