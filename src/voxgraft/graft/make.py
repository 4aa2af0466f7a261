"""make_plan: what becomes of every tensor when a base is grafted onto a target. Decides; touches no weight."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.families.vits import FAMILY as VITS
from voxgraft.errors import GraftError
from voxgraft.graft.fit import refusals_of, speaker_to_fold, warnings_of
from voxgraft.graft.plan import Fold, GraftPlan, Row, SymbolMap
from voxgraft.graft.rules import vits
from voxgraft.graft.speakers import Folds, fold_speaker, is_condition, speaker_rows
from voxgraft.graft.symbols import SymbolRows, map_symbols
from voxgraft.graft.target import Target

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


def make_plan(checkpoint: Checkpoint, target: Target) -> GraftPlan:
    """The graft plan: exactly one row for each tensor of the target, one `drop` for each unused tensor of the base.

    A plan with refusals can be printed but not applied.
    """
    if target.family != "vits":
        raise GraftError(
            "no rules for this family", field="family", got=target.family, remedy="only vits can be grafted"
        )
    shapes = {name: tuple(checkpoint.tensors[name].shape) for name in checkpoint.tensors}
    symbols = _symbol_rows(checkpoint, target)
    voice, doubt = speaker_to_fold(checkpoint, target)
    folds = fold_speaker(shapes, voice) if voice is not None else {}
    rows = _target_rows(checkpoint, target, shapes, symbols, folds)
    rows += _unused(rows, shapes, checkpoint, target, voice)
    refusals = refusals_of(checkpoint, target) + doubt
    language = target.symbols.voice or "any"
    base_language = checkpoint.symbols.voice if checkpoint.symbols is not None else None
    return GraftPlan(
        rows=tuple(rows),
        symbols=symbols.symbols if symbols is not None else SymbolMap(),
        speakers=_speaker_map(checkpoint, target, voice),
        languages={language: base_language},
        refusals=refusals,
        warnings=warnings_of(checkpoint, target, symbols.symbols if symbols is not None else None, rows),
        parameters_carried=_carried(rows, target),
        by_part=_by_part(rows),
        base_sha256=checkpoint.provenance.sha256,
    )


def scratch_plan(target: Target) -> GraftPlan:
    """The plan without a base: every tensor starts from its module's own initialisation."""
    rows = tuple(
        Row("init", name, None, shape, None, part_of(name), "from scratch, as asked", fill="own")
        for name, shape in target.shapes.items()
    )
    return GraftPlan(
        rows=rows,
        symbols=SymbolMap(new=target.symbols.symbols),
        speakers=dict.fromkeys(target.speakers),
        languages={target.symbols.voice or "any": None},
        refusals=(),
        warnings=("from scratch: good speech needs hours of recordings and days of training",),
        parameters_carried=0.0,
        by_part=_by_part(rows),
    )


def part_of(name: str) -> str:
    """The part of the model that a tensor belongs to; `unknown` where no rule fits."""
    return VITS.part_of(name)


def _symbol_rows(checkpoint: Checkpoint, target: Target) -> SymbolRows | None:
    return map_symbols(checkpoint.symbols, target.symbols) if checkpoint.symbols is not None else None


def _target_rows(
    checkpoint: Checkpoint, target: Target, shapes: Shapes, symbols: SymbolRows | None, folds: Folds
) -> list[Row]:
    foreign = _foreign_parts(shapes, target.shapes)
    rows = []
    for name, shape in target.shapes.items():
        part = part_of(name)
        if part in foreign:
            row = _new(name, shape, part)
        elif name == vits.SYMBOL_EMBEDDING and symbols is not None and name in shapes:
            row = _symbol_row(name, shape, shapes[name], symbols)
        elif name == vits.SPEAKER_EMBEDDING and name in shapes:
            row = speaker_rows(checkpoint, target, shape, shapes[name])
        elif name in folds:
            row = _folded(name, shape, shapes, folds[name], checkpoint)
        else:
            row = _carry(name, shape, shapes, part) or _new(name, shape, part, shapes.get(name))
        rows.append(row)
    return rows


def _foreign_parts(source: Shapes, target: Shapes) -> set[str]:
    """Parts that are carried whole or not at all, and whose source is of another make."""

    def tensors(shapes: Shapes, part: str) -> dict[str, Shape]:
        return {name: shape for name, shape in shapes.items() if part_of(name) == part}

    return {part for part in VITS.whole if tensors(source, part) != tensors(target, part)}


def _carry(name: str, shape: Shape, shapes: Shapes, part: str) -> Row | None:
    """The row that carries a tensor over as it is or through weight norm; None where the base has none that fits."""
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


def _new(name: str, shape: Shape, part: str, other: Shape | None = None) -> Row:
    """A tensor that the base lacks, or has in the shape `other`."""
    if other is not None:
        reason = f"{vits.WHY_OTHER_SHAPE}: {list(other)} in the base"
        return Row("init", name, None, shape, None, part, reason, fill="own")
    if is_condition(name):
        # Magnitude or weight and bias at zero silence the layer; a direction of zero would have no gradient.
        fill = "own" if name.endswith(".weight_v") else "zero"
        return Row("init", name, None, shape, None, part, vits.WHY_ZERO, fill=fill)  # type: ignore[arg-type]
    reason = vits.WHY_NEW.get(part, vits.WHY_NEW_OTHERWISE)
    return Row("init", name, None, shape, None, part, reason, fill="own")


def _symbol_row(name: str, shape: Shape, source_shape: Shape, symbols: SymbolRows) -> Row:
    if shape == source_shape and symbols.identical:
        return Row("copy", name, name, shape, source_shape, "text_encoder", "every symbol has the id it had")
    if shape[1:] != source_shape[1:]:
        reason = f"another width: {source_shape[1]} in the base"
        return Row("init", name, None, shape, None, "text_encoder", reason, fill="own")
    counts = symbols.symbols
    starts = f"; {len(counts.new)} new ones start from their nearest or from the mean" if counts.new else ""
    reason = f"rows follow {len(counts.mapped)} symbols by name{starts}"
    return Row(
        "remap", name, name, shape, source_shape, "text_encoder", reason, symbols.kept, symbols.near, fill="mean"
    )


def _folded(name: str, shape: Shape, shapes: Shapes, fold: Fold, checkpoint: Checkpoint) -> Row:
    speaker = checkpoint.speakers[fold.row]
    reason = f"what {speaker!r} adds through {fold.layer} is added once and for all: exact"
    return Row("fold", name, name, shape, shapes[name], part_of(name), reason, fold=fold)


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


def _unused(rows: list[Row], shapes: Shapes, checkpoint: Checkpoint, target: Target, voice: int | None) -> list[Row]:
    used: set[str] = set().union(*(sources_of(row, shapes) for row in rows))
    dropped = []
    for name, shape in shapes.items():
        if name not in used:
            part = part_of(name)
            reason = vits.WHY_DROPPED.get(part, vits.WHY_DROPPED_OTHERWISE)
            if name in target.shapes:
                reason = f"{vits.WHY_OTHER_SHAPE}: {list(shape)} in the base, {list(target.shapes[name])} here"
            elif is_condition(name) or part == "speaker_embedding":
                reason = "the target has one speaker"
            if name in target.shapes and part in VITS.whole:
                reason = vits.WHY_DROPPED[part]
            dropped.append(Row("drop", None, name, None, shape, part, reason))
    return dropped


def _speaker_map(checkpoint: Checkpoint, target: Target, voice: int | None) -> dict[str, str | None]:
    """Target speaker -> the base's speaker that it is or starts as; None for a voice of its own."""
    many = len(checkpoint.speakers) > 1
    if not target.many_speakers:
        name = target.speakers[0] if target.speakers else "single"
        start = checkpoint.speakers[voice] if voice is not None else next(iter(checkpoint.speakers), None)
        return {name: start}
    if not many:
        return dict.fromkeys(target.speakers, next(iter(checkpoint.speakers), None))
    return {name: name if name in checkpoint.speakers else target.from_speaker for name in target.speakers}


def _carried(rows: list[Row], target: Target) -> float:
    """Share of the parameters used at inference that come from the base."""
    total = carried = 0
    for row in rows:
        if row.target is None or row.target_shape is None or row.part not in VITS.speaking_parts:
            continue
        size = math.prod(row.target_shape)
        if row.action == "remap" and row.rows is not None:
            width = size // row.target_shape[0]
            named = target.symbols.ids.values() if row.target == vits.SYMBOL_EMBEDDING else None
            size = width * (len({i for ids in named for i in ids}) if named is not None else row.target_shape[0])
            carried += width * len(row.rows)
        elif row.action != "init":
            carried += size
        total += size
    return carried / total if total else 0.0


def _by_part(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row.part, Counter())[row.action] += 1
    order = [part.name for part in VITS.parts]
    return {part: dict(counts[part]) for part in sorted(counts, key=lambda p: order.index(p) if p in order else 99)}
