"""check_complete: a model's tensors against those that its architecture has."""

from __future__ import annotations

from collections.abc import Mapping

from voxgraft.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]
_DAMAGED = "The file is damaged, cut down or of another kind than it looks: copy or download it again."


def check_complete(shapes: Shapes, wanted: Shapes) -> None:
    """Raise CheckpointError, naming the first tensor, where one of `wanted` is absent or of another shape.

    A pair of weight norm, `X.weight_v` and `X.weight_g`, counts as `X.weight`.
    """
    found = {name: _found(shapes, name) for name in wanted}
    absent = [name for name in wanted if found[name] is None]
    if absent:
        raise CheckpointError(f"{len(absent)} of the model's tensors are absent", field=absent[0], remedy=_DAMAGED)
    for name, shape in wanted.items():
        if found[name] != shape:
            raise CheckpointError(
                "a tensor doesn't fit the others",
                field=name,
                expected=list(shape),
                got=list(found[name] or ()),
                remedy=_DAMAGED,
            )


def _found(shapes: Shapes, name: str) -> tuple[int, ...] | None:
    if name in shapes or not name.endswith(".weight"):
        return shapes.get(name)
    direction, gain = shapes.get(f"{name}_v"), shapes.get(f"{name}_g")
    if direction is None or gain is None:
        return None
    return direction if gain == (*direction[:1], *[1] * (len(direction) - 1)) else gain
