"""How one tensor of the target gets its values from the base: as it is, or through weight norm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voxgraft.graft.plan import Row

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


def row_of_same(name: str, shape: Shape, shapes: Shapes, part: str) -> Row | None:
    """The row of a tensor that the base has too, as it is or through weight norm; None where it has none that fits."""
    if shapes.get(name) == shape:
        return Row("copy", name, name, shape, shape, part, "the same in the base")
    stem, _, kind = name.rpartition(".")
    plain = f"{stem}.weight"
    if kind == "weight_v" and shapes.get(plain) == shape:
        return Row("decompose", name, plain, shape, shape, part, "weight norm: direction of the base's folded weight")
    if kind == "weight_g" and plain in shapes and shape == (shapes[plain][0],) + (1,) * (len(shapes[plain]) - 1):
        reason = "weight norm: magnitude of the base's folded weight"
        return Row("decompose", name, plain, shape, shapes[plain], part, reason)
    direction = f"{stem}.weight_v"
    if kind == "weight" and shapes.get(direction) == shape and f"{stem}.weight_g" in shapes:
        return Row("compose", name, direction, shape, shape, part, "weight norm: folded into one weight")
    return None


def sources_of(row: Row, shapes: Iterable[str]) -> set[str]:
    """Every tensor of the base that a row reads."""
    if row.source is None or row.action == "drop":
        return set()
    read = {row.source}
    if row.action == "compose":
        read.add(row.source.removesuffix("_v") + "_g")
    if row.fold is not None:
        layer = {f"{row.fold.layer}.{kind}" for kind in ("weight", "weight_g", "weight_v", "bias")}
        read |= (layer | {row.fold.embedding}) & set(shapes)
    return read
