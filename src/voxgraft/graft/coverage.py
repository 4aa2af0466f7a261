"""How much of a network comes from its base: of what speaks, of what is recovered, of the discriminators."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from voxgraft.architectures.families import Family
from voxgraft.graft.plan import Row
from voxgraft.graft.rules import rules_of
from voxgraft.graft.target import Target

# A plan that carries less stops and asks.
LEAST_CARRIED = 0.5


def parameters_carried(rows: Iterable[Row], target: Target, family: Family) -> float:
    """Share (0-1) of the parameters used at inference that come from the base."""
    total = carried = 0
    statistics = rules_of(family.name).of_the_corpus
    for row in rows:
        if row.target is None or row.target_shape is None or row.part not in family.speaking_parts:
            continue
        if row.target in statistics:
            continue
        size = math.prod(row.target_shape)
        if row.action in ("remap", "resize") and row.rows is not None:
            width = size // row.target_shape[row.axis]
            named = target.symbols.ids.values() if target.symbols and row.target in family.symbol_axis else None
            count = len({i for ids in named for i in ids}) if named is not None else row.target_shape[row.axis]
            size = width * count
            carried += width * len(row.rows)
        elif row.action != "init":
            carried += size
        total += size
    return carried / total if total else 0.0


def recovered_sizes(rows: Iterable[Row], parts: Iterable[str]) -> dict[str, int]:
    """Parameters of each part that self-distillation finds again."""
    sizes: Counter[str] = Counter()
    for row in rows:
        if row.target is not None and row.target_shape is not None and row.part in parts:
            sizes[row.part] += math.prod(row.target_shape)
    return dict(sizes)


def discriminator_sizes(rows: Iterable[Row]) -> dict[str, int]:
    """Parameters of discriminators: `carried` from the base, `new`, and the base's own that are `dropped`."""
    sizes = {"carried": 0, "new": 0, "dropped": 0}
    for row in rows:
        if "discriminator" in row.part:
            kind = {"init": "new", "drop": "dropped"}.get(row.action, "carried")
            sizes[kind] += math.prod(row.target_shape or row.source_shape or ())
    return sizes


def counts_by_part(rows: Sequence[Row], family: Family) -> dict[str, dict[str, int]]:
    """Part -> action -> rows, in the family's order of parts."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row.part, Counter())[row.action] += 1
    order = [part.name for part in family.parts]
    return {part: dict(counts[part]) for part in sorted(counts, key=lambda p: order.index(p) if p in order else 99)}
