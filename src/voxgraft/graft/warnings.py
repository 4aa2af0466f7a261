"""Warnings: what is possible, but worth knowing before anything trains."""

from __future__ import annotations

from collections.abc import Sequence

from voxgraft.architectures.families import Family
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.graft.layers import layer_warnings
from voxgraft.graft.plan import Row, SymbolMap
from voxgraft.graft.shapes import MODULES
from voxgraft.graft.speakers.mapping import quoted
from voxgraft.graft.state import state_left
from voxgraft.graft.symbols.mapping import SymbolRows
from voxgraft.graft.target import Target
from voxgraft.project.alphabet import alphabet_problems
from voxgraft.text.symbols import SymbolTable

# Variants that other trainers stumble over, and what becomes of them here.
VARIANTS: dict[str, str] = {
    "cudnn": "CuDNN: the base was saved by the CuDNN kernel; its LSTM is read like any other and trains on any device: "
    "nothing is to be done (--load_cudnn is not needed)",
    "amp": "AMP: the base was trained in mixed precision; its loss scale is not taken over: set training.precision to "
    "choose the precision of this run",
}


def warnings_of(
    checkpoint: Checkpoint,
    target: Target,
    family: Family,
    symbols: SymbolRows | None,
    counts: SymbolMap,
    rows: Sequence[Row],
) -> tuple[str, ...]:
    """What is possible but worth knowing. `counts` is the symbol map of the plan, as the rows have it."""
    warnings = list(checkpoint.notes)
    if checkpoint.audio is None and family.task != "recogniser":
        assumed = f"{target.sample_rate} Hz is assumed" if target.sample_rate else "fit it to your recordings yourself"
        warnings.append(f"the base does not say its sample rate; {assumed}")
    if family.symbol_axis and target.symbols is not None:
        warnings += _symbol_warnings(checkpoint, target, family, symbols, counts)
    elif any(name in checkpoint.shapes for name in family.symbol_axis):
        warnings.append("the base does not say what its symbols are: ids are taken to mean the same")
    unknown = [row.source for row in rows if row.action == "drop" and row.part == "unknown"]
    if unknown:
        warnings.append(f"{len(unknown)} tensors of the base are unknown and left out, such as {unknown[0]}")
    warnings += _left_out(checkpoint, target)
    warnings += _frozen_but_new(target, rows, counts)
    warnings += layer_warnings(family, checkpoint.shapes, target, symbols)
    warnings += [told for kind, told in VARIANTS.items() if kind in (checkpoint.variant or "").lower()]
    warnings += state_left(checkpoint)
    if family.name in MODULES and any(row.part == "unknown" and row.target for row in rows):
        raise AssertionError(f"a tensor of the target belongs to no part: add its prefix to families/{family.name}.py")
    return tuple(dict.fromkeys(warnings))


def _symbol_warnings(
    checkpoint: Checkpoint, target: Target, family: Family, rows: SymbolRows | None, counts: SymbolMap
) -> list[str]:
    base, ours = checkpoint.symbols, target.symbols
    if not any(name in checkpoint.shapes for name in family.symbol_axis):
        labels = ours.rows if ours else 0
        if family.task == "recogniser":
            return [f"the base has no output layer over letters: one for {labels} labels has yet to be learned"]
        return [f"the base has no table of symbols: vectors for {labels} symbols have yet to be learned"]
    if base is None or ours is None or rows is None:
        return ["the base does not say what its symbols are: ids are taken to mean the same"]
    if family.task == "recogniser":
        return _alphabet_warnings(base, ours, counts)
    warnings = _language_warnings(base, ours)
    lost = [role for role in ("pad", "bos", "eos") if getattr(base, role) and not getattr(ours, role)]
    if lost or base.intersperse != ours.intersperse:
        warnings.append(f"sentences are framed differently (without {', '.join(lost) or 'the same padding'})")
    if counts.new:
        warnings.append(
            f"{len(counts.new)} new symbols have yet to be learned ({quoted(counts.new)}): train the text encoder too"
        )
    if counts.unlearned:
        warnings.append(
            f"{len(counts.unlearned)} symbols are in the base's table, but it never learned them ({quoted(counts.unlearned)}): "
            "those that have neighbours start from them; train the text encoder too if your texts use them"
        )
    return warnings


def _language_warnings(base: SymbolTable, ours: SymbolTable) -> list[str]:
    if base.text_kind != ours.text_kind:
        return [f"the base reads {base.text_kind}, the target {ours.text_kind}: equal names may sound different"]
    if base.voice is None and ours.text_kind == "espeak":
        return [f"the base does not say its language; texts are read as {ours.voice}: set `language` if that is wrong"]
    if base.voice != ours.voice:
        return [f"the language changes from {base.voice} to {ours.voice}: train the text encoder and durations too"]
    return []


def _alphabet_warnings(base: SymbolTable, ours: SymbolTable, counts: SymbolMap) -> list[str]:
    warnings = [f"alphabet: {problem}" for problem in alphabet_problems(ours)] if ours != base else []
    if base.text_kind == "bytes" and ours.text_kind != "bytes":
        warnings.append(
            "byte mode: the base writes bytes of UTF-8, the target letters, so only ASCII letters keep their rows: with "
            "--bytes instead any language is a matter of fine-tuning"
        )
    if base.text_kind != "bytes" and ours.text_kind == "bytes":
        warnings.append(
            "byte mode: the base writes letters, the target bytes of UTF-8: this is transfer; letters beyond ASCII take two "
            "bytes and more, which have yet to be learned: an alphabet (--alphabet) needs less data"
        )
    if counts.new:
        warnings.append(
            f"{len(counts.new)} of {len(ours)} labels have yet to be learned ({quoted(counts.new)}): let the output layer learn"
        )
    return warnings


def _left_out(checkpoint: Checkpoint, target: Target) -> list[str]:
    rename = target.graft.rename
    warnings = []
    for what, base, ours in (
        ("speakers", checkpoint.speakers, (*target.speakers, target.from_speaker)),
        ("languages", checkpoint.languages, target.languages),
    ):
        left = [name for name in base if name not in ours and rename.get(name, name) not in ours]
        if len(base) > 1 and left:
            warnings.append(f"{len(left)} {what} of the base are left out: {quoted(left)}")
    return warnings


def _frozen_but_new(target: Target, rows: Sequence[Row], symbols: SymbolMap) -> list[str]:
    warnings = []
    for part in target.frozen:
        new = [row for row in rows if row.part == part and row.target is not None and row.action == "init"]
        named = [row for row in rows if row.part == part and row.action in ("remap", "resize")]
        if new or (named and symbols.new):
            what = f"{len(new)} of its tensors are" if new else "some of its rows are"
            warnings.append(f"freeze: {part} stays as it is, though {what} new and will never be learned: let it learn")
    return warnings
