"""Rows of tables that follow names: symbols, speakers, languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voxgraft.graft.plan import Row
from voxgraft.graft.speakers.mapping import sources_by_name
from voxgraft.graft.symbols.mapping import SymbolRows

Shape = tuple[int, ...]


def symbol_row(name: str, part: str, shape: Shape, source_shape: Shape, axis: int, symbols: SymbolRows) -> Row:
    """The row of an embedding, or of an output head's weight or bias: symbols keep their rows by name."""
    if shape == source_shape and symbols.identical:
        return Row("copy", name, name, shape, source_shape, part, "every symbol has the id it had")
    if _without(shape, axis) != _without(source_shape, axis):
        return _another_width(name, part, shape, source_shape, axis)
    counts = symbols.symbols
    starts = f"; {len(counts.new)} new ones start from their nearest or from the mean" if counts.new else ""
    empty = [symbol for symbol in counts.unlearned if symbol in counts.near]
    starts += f"; {len(empty)} that the base never learned start from their nearest" if empty else ""
    if symbols.in_place and not symbols.near:
        reason = (
            f"{len(counts.mapped)} symbols keep their ids, {shape[axis]} rows instead of {source_shape[axis]}{starts}"
        )
        kind = "resize"
    else:
        reason = f"rows follow {len(counts.mapped)} symbols by name{starts}"
        kind = "remap"
    return Row(kind, name, name, shape, source_shape, part, reason, symbols.kept, symbols.near, fill="mean", axis=axis)  # type: ignore[arg-type]


def name_row(
    name: str, part: str, shape: Shape, source_shape: Shape, axis: int, *,
    what: str, base: Sequence[str], target: Sequence[str], rename: Mapping[str, str], start: str | None,
) -> Row:  # fmt: skip
    """The row of a speaker or language table: names keep their vectors; several that become one start as their mean."""
    if _without(shape, axis) != _without(source_shape, axis):
        return _another_width(name, part, shape, source_shape, axis)
    places = sources_by_name(base, rename)
    found = {index: places[who] for index, who in enumerate(target) if who in places}
    kept = {index: rows[0] for index, rows in found.items() if len(rows) == 1}
    near = {index: {row: round(1 / len(rows), 4) for row in rows} for index, rows in found.items() if len(rows) > 1}
    new = [index for index in range(len(target)) if index not in found]
    if shape == source_shape and not new and not near and all(index == row for index, row in kept.items()):
        return Row("copy", name, name, shape, source_shape, part, f"the same {what} in the same order")
    begin = base.index(start) if start in base else None
    if begin is not None:
        near |= {index: {begin: 1.0} for index in new}
    reason = f"{len(kept)} {what} keep their vectors by name; {len(new)} new ones start "
    reason += f"as {start!r}" if begin is not None else "from the mean of all"
    joined = sum(len(rows) > 1 for rows in found.values())
    reason += f"; {joined} start from the mean of those that become one" if joined else ""
    return Row("remap", name, name, shape, source_shape, part, reason, kept, near, fill="mean", axis=axis)


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], *shape[axis + 1 :])


def _another_width(name: str, part: str, shape: Shape, source_shape: Shape, axis: int) -> Row:
    reason = (
        f"another width: {_without(source_shape, axis)[0] if len(source_shape) > 1 else len(source_shape)} in the base"
    )
    return Row("init", name, None, shape, None, part, reason, fill="own")
