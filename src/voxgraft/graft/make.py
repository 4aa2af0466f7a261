"""make_plan: what becomes of every tensor when a base is grafted onto a target. Decides; touches no weight."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from voxgraft.architectures.families import Family, family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.graft.coverage import counts_by_part, discriminator_sizes, parameters_carried, recovered_sizes
from voxgraft.graft.layers import dropped_prefixes, keeps_letters
from voxgraft.graft.plan import Fold, GraftPlan, Row, SymbolMap
from voxgraft.graft.refusals import partial_refusal, refusals_of
from voxgraft.graft.rules import Rules, rules_of
from voxgraft.graft.rules.rules import WHY_ANEW, WHY_DROPPED, WHY_NEW, WHY_OTHER_SHAPE, WHY_STATISTICS, WHY_ZERO
from voxgraft.graft.speakers.mapping import fold_speaker, is_condition, name_map, speaker_map, speaker_to_fold
from voxgraft.graft.speakers.named_rows import name_row, symbol_row
from voxgraft.graft.state import state_policy
from voxgraft.graft.symbols.learned import unlearned_symbols
from voxgraft.graft.symbols.mapping import SymbolRows, map_symbols
from voxgraft.graft.target import Target
from voxgraft.graft.tensor_rows import row_of_same, sources_of
from voxgraft.graft.warnings import warnings_of

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class Joint:
    """A base and a target, and what of both decides about every row."""

    base: Checkpoint
    target: Target
    family: Family
    rules: Rules
    shapes: Shapes
    symbols: SymbolRows | None
    voice: int | None
    folds: Mapping[str, Fold]
    dropped: tuple[str, ...]
    foreign: frozenset[str]


def make_plan(checkpoint: Checkpoint, target: Target, recovered: Collection[str] = ()) -> GraftPlan:
    """The graft plan: exactly one row for each tensor of the target, one `drop` for each unused tensor of the base.

    `recovered` names parts of the base that self-distillation has found again. A plan with refusals can be printed but
    not applied.
    """
    family, rules = family_of(target.family), rules_of(target.family)
    voice, ambiguity = speaker_to_fold(checkpoint, target, rules)
    joint = _joint(checkpoint, target, family, rules, voice)
    rows = [_row(joint, name, shape, recovered) for name, shape in target.shapes.items()]
    rows += _unused(joint, rows)
    # Silent layers take nothing away from a base that is carried whole.
    used = parameters_carried([row for row in rows if row.reason != rules.why_silent], target, family)
    symbols = _symbol_map(joint)
    refusals = refusals_of(checkpoint, target, family) + ambiguity
    return GraftPlan(
        rows=tuple(rows),
        symbols=symbols,
        speakers=speaker_map(checkpoint, target, voice) if rules.conditions or family.speaker_axis else {},
        languages=_languages(checkpoint, target),
        refusals=refusals or partial_refusal(used, target),
        warnings=warnings_of(checkpoint, target, family, joint.symbols, symbols, rows),
        parameters_carried=parameters_carried(rows, target, family),
        by_part=counts_by_part(rows, family),
        base_sha256=checkpoint.provenance.sha256,
        family=family.name,
        state=state_policy("graft"),
        frozen=target.frozen,
        recovered=recovered_sizes(rows, recovered or _to_recover(joint)),
        discriminators=discriminator_sizes(rows),
    )


_FROM_SCRATCH = {
    False: "from scratch: good speech needs hours of recordings and days of training",
    True: "from scratch: few errors need hundreds of hours of recordings; from a base, even of another language, fewer",
}


def scratch_plan(target: Target) -> GraftPlan:
    """The plan without a base: every tensor starts from its module's own initialisation."""
    family = family_of(target.family)
    rows = tuple(
        Row("init", name, None, shape, None, family.part_of(name), "from scratch, as asked", fill="own")
        for name, shape in target.shapes.items()
    )
    symbols = target.symbols
    return GraftPlan(
        rows=rows,
        symbols=SymbolMap(new=symbols.symbols) if symbols is not None else SymbolMap(),
        speakers=dict.fromkeys(target.speakers),
        languages={symbols.voice or "any": None} if symbols is not None else {},
        refusals=(),
        warnings=(_FROM_SCRATCH[family.task == "recogniser"],),
        parameters_carried=0.0,
        by_part=counts_by_part(rows, family),
        family=family.name,
        state=state_policy("scratch"),
        frozen=target.frozen,
        discriminators=discriminator_sizes(rows),
    )


def _symbol_map(joint: Joint) -> SymbolMap:
    """The symbol map as the rows have it: where the output layer starts anew, no symbol keeps anything."""
    wanted, base = joint.target.symbols, joint.base.symbols
    if wanted is None or not joint.family.symbol_axis:
        return SymbolMap()
    anew = joint.symbols is None and base is None
    if joint.family.task == "recogniser" and not anew and not keeps_letters(joint.target, joint.symbols):
        anew = bool(joint.dropped) or not (joint.symbols and joint.symbols.identical)
    if anew:
        return SymbolMap(new=wanted.symbols, dropped=base.symbols if base is not None else ())
    return joint.symbols.symbols if joint.symbols is not None else SymbolMap()


def _to_recover(joint: Joint) -> set[str]:
    """Parts that self-distillation will find: those that the base lacks, where it lacks the first of them."""
    present = {joint.family.part_of(name) for name in joint.shapes}
    parts = joint.rules.recovered
    return {part for part in parts if part not in present} if parts and parts[0] not in present else set()


def _joint(checkpoint: Checkpoint, target: Target, family: Family, rules: Rules, voice: int | None) -> Joint:
    shapes = checkpoint.shapes
    return Joint(
        base=checkpoint,
        target=target,
        family=family,
        rules=rules,
        shapes=shapes,
        symbols=_symbol_rows(checkpoint, target, family),
        voice=voice,
        folds=fold_speaker(shapes, voice, rules) if voice is not None else {},
        dropped=dropped_prefixes(family, shapes, target.graft.drop_source_layers),
        foreign=_foreign_parts(family, shapes, target.shapes),
    )


def _symbol_rows(checkpoint: Checkpoint, target: Target, family: Family) -> SymbolRows | None:
    source, wanted = checkpoint.symbols, target.symbols
    if source is None or wanted is None:
        return None
    found = map_symbols(source, wanted)
    changed = not found.identical or (source.voice is not None and source.voice != wanted.voice)
    if changed and target.graft.relearn_unused and family.task != "recogniser":
        return map_symbols(source, wanted, unlearned_symbols(checkpoint, family))
    return found


def _foreign_parts(family: Family, source: Shapes, target: Shapes) -> frozenset[str]:
    """Parts that are carried whole or not at all, and whose source is of another make."""

    def tensors(shapes: Shapes, part: str) -> dict[str, Shape]:
        return {name: shape for name, shape in shapes.items() if family.part_of(name) == part}

    return frozenset(part for part in family.whole if tensors(source, part) != tensors(target, part))


def _row(joint: Joint, name: str, shape: Shape, recovered: Collection[str]) -> Row:
    """What becomes of one tensor of the target."""
    family, shapes = joint.family, joint.shapes
    part = family.part_of(name)
    if part in joint.foreign:
        return _new(joint, name, shape, part)
    if part in joint.target.anew and name in shapes:
        return Row("init", name, None, shape, None, part, WHY_ANEW, fill="own")
    if name in joint.rules.of_the_corpus:
        return Row("init", name, None, shape, None, part, WHY_STATISTICS, fill="own")
    if name in family.symbol_axis and joint.symbols is not None and name in shapes:
        return _symbols(joint, name, shape, part)
    if name.startswith(joint.dropped) and joint.dropped:
        return Row("init", name, None, shape, None, part, "this layer starts anew, as asked", fill="own")
    if name in family.speaker_axis and name in shapes:
        return _speakers(joint, name, shape, part)
    if name in family.language_axis and name in shapes and joint.target.languages:
        return _language_rows(joint, name, shape, part)
    if name in joint.folds:
        fold = joint.folds[name]
        reason = f"what {joint.base.speakers[fold.row]!r} adds through {fold.layer} is added once and for all: exact"
        return Row("fold", name, name, shape, shapes[name], part, reason, fold=fold)
    row = row_of_same(name, shape, shapes, part)
    if row is not None and part in recovered:
        return replace(row, reason="recovered by self-distillation")
    return row or _new(joint, name, shape, part, shapes.get(name))


def _symbols(joint: Joint, name: str, shape: Shape, part: str) -> Row:
    assert joint.symbols is not None
    axis = joint.family.symbol_axis[name]
    if joint.family.task == "recogniser" and not keeps_letters(joint.target, joint.symbols):
        anew = name.startswith(joint.dropped) if joint.dropped else False
        if anew or not joint.symbols.identical:
            reason = "the output layer starts anew, as asked" if anew else "the alphabet differs: starts anew, as asked"
            return Row("init", name, None, shape, None, part, reason, fill="own")
    return symbol_row(name, part, shape, joint.shapes[name], axis, joint.symbols)


def _speakers(joint: Joint, name: str, shape: Shape, part: str) -> Row:
    base, target = joint.base, joint.target
    alone = base.speakers[0] if len(base.speakers) == 1 else None
    return name_row(
        name, part, shape, joint.shapes[name], joint.family.speaker_axis[name], what="speakers", base=base.speakers,
        target=target.speakers or base.speakers[:1], rename=target.graft.rename, start=target.from_speaker or alone,
    )  # fmt: skip


def _language_rows(joint: Joint, name: str, shape: Shape, part: str) -> Row:
    base, target = joint.base, joint.target
    return name_row(
        name, part, shape, joint.shapes[name], joint.family.language_axis[name], what="languages", base=base.languages,
        target=target.languages, rename=target.graft.rename, start=None,
    )  # fmt: skip


def _new(joint: Joint, name: str, shape: Shape, part: str, other: Shape | None = None) -> Row:
    """A tensor that the base lacks, or has in the shape `other`."""
    if other is not None:
        reason = f"{WHY_OTHER_SHAPE}: {list(other)} in the base"
        return Row("init", name, None, shape, None, part, reason, fill="own")
    if is_condition(name, joint.rules):
        # Magnitude or weight and bias at zero silence the layer; a direction of zero would have no gradient.
        fill = "own" if name.endswith(".weight_v") else "zero"
        return Row("init", name, None, shape, None, part, joint.rules.why_silent, fill=fill)  # type: ignore[arg-type]
    if name in joint.rules.zeroed:
        return Row("init", name, None, shape, None, part, WHY_ZERO, fill="zero")
    return Row("init", name, None, shape, None, part, joint.rules.why_new.get(part, WHY_NEW), fill="own")


def _unused(joint: Joint, rows: list[Row]) -> list[Row]:
    used: set[str] = set().union(*(sources_of(row, joint.shapes) for row in rows))
    dropped = []
    for name, shape in joint.shapes.items():
        if name not in used:
            part = joint.family.part_of(name)
            dropped.append(Row("drop", None, name, None, shape, part, _why_unused(joint, name, shape, part)))
    return dropped


def _why_unused(joint: Joint, name: str, shape: Shape, part: str) -> str:
    wanted = joint.target.shapes
    if name in wanted and part in joint.family.whole:
        return joint.rules.why_dropped.get(part, "of another make than the target's")
    if name in wanted and part in joint.target.anew:
        return WHY_ANEW
    if name in joint.rules.of_the_corpus:
        return WHY_STATISTICS
    if name in wanted and shape == wanted[name]:
        return "this layer starts anew, as asked"
    if name in wanted and name in joint.family.symbol_axis:
        return "the output layer starts anew"
    if name in wanted:
        return f"{WHY_OTHER_SHAPE}: {list(shape)} in the base, {list(wanted[name])} here"
    if is_condition(name, joint.rules) or part == "speaker_embedding":
        return "the target has one speaker"
    return joint.rules.why_dropped.get(part, WHY_DROPPED)


def _languages(checkpoint: Checkpoint, target: Target) -> dict[str, str | None]:
    """Target language -> the base's: by the language table where there is one, else those of the texts."""
    if target.languages:
        return name_map(checkpoint.languages, target.languages, target.graft.rename)
    if target.symbols is None or checkpoint.symbols is None or target.symbols.text_kind not in ("espeak", "text"):
        return {}
    language = target.symbols.voice
    return {language or "any": checkpoint.symbols.voice}
