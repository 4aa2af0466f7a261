"""Whether a base fits a target at all: refusals that say what would fit, and warnings."""

from __future__ import annotations

from collections.abc import Sequence

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.config.presets import QUALITIES, network_differences, preset, quality_of
from voxgraft.graft.plan import Row, SymbolMap
from voxgraft.graft.target import Target


def refusals_of(checkpoint: Checkpoint, target: Target) -> tuple[str, ...]:
    """Why this base can't become this target, each with what would fit; empty where it can."""
    if checkpoint.family != target.family:
        return (f"the base is a {checkpoint.family} model, {target.family} is wanted",)
    refusals = []
    rate = checkpoint.audio.sample_rate if checkpoint.audio is not None else None
    differences = network_differences(checkpoint.architecture, target.architecture)
    if differences:
        fits = checkpoint.quality or quality_of(checkpoint.architecture, rate) or _quality_of_network(checkpoint)
        said = [f"{name} {_plain(ours)} instead of {_plain(theirs)}" for name, (ours, theirs) in differences.items()]
        facts = "; ".join(said[:2]) + (f"; and {len(said) - 2} more" if len(said) > 2 else "")
        remedy = f"quality {fits} fits" if fits else "leave the quality to the base"
        refusals.append(f"the base's network is not that of quality {target.quality or 'wanted'} ({facts}): {remedy}")
    if rate is not None and rate != target.sample_rate:
        fits = quality_of(checkpoint.architecture, rate)
        remedy = f"quality {fits} fits this base" if fits else f"train at {rate} Hz"
        refusals.append(
            f"the base speaks at {rate} Hz, the target at {target.sample_rate} Hz, and every weight depends on the "
            f"rate: {remedy}, or take a base of {target.sample_rate} Hz"
        )
    if checkpoint.symbols is None and checkpoint.architecture.get("symbols") != target.symbols.rows:
        refusals.append("the base does not say what its symbols are: give its .onnx.json beside it")
    widths = [a.get("gin_channels", 0) for a in (checkpoint.architecture, target.architecture)]
    if all(widths) and widths[0] != widths[1]:
        refusals.append(f"the base's speaker vectors have {widths[0]} channels, the target's {widths[1]}")
    if target.from_speaker is not None and target.from_speaker not in checkpoint.speakers:
        refusals.append(f"the base has no speaker {target.from_speaker!r}; it has {_names(checkpoint.speakers)}")
    return tuple(refusals)


def speaker_to_fold(checkpoint: Checkpoint, target: Target) -> tuple[int | None, tuple[str, ...]]:
    """The base's speaker that a single-speaker target becomes, and the refusal where it can't be told."""
    if len(checkpoint.speakers) < 2 or target.many_speakers:
        return None, ()
    # The deterministic predictor adds the speaker before a padded convolution, so no bias can hold it.
    if not target.architecture.get("stochastic_duration", True):
        return None, ("speakers of a voice without stochastic durations can't be folded: keep its speakers",)
    wanted = target.from_speaker or next(iter(target.speakers), None)
    if wanted in checkpoint.speakers:
        return checkpoint.speakers.index(wanted), ()
    return None, (
        f"the base has {len(checkpoint.speakers)} speakers ({_names(checkpoint.speakers)}) and the target one: "
        "name the one to start from with graft.from_speaker",
    )


def warnings_of(
    checkpoint: Checkpoint, target: Target, symbols: SymbolMap | None, rows: Sequence[Row]
) -> tuple[str, ...]:
    """What is possible but worth knowing."""
    warnings = list(checkpoint.notes)
    if checkpoint.audio is None:
        warnings.append(f"the base does not say its sample rate; {target.sample_rate} Hz is assumed")
    if symbols is None:
        warnings.append("the base does not say what its symbols are: ids are taken to mean the same")
    elif checkpoint.symbols is not None:
        warnings += _symbol_warnings(checkpoint, target, symbols)
    unknown = [row.source for row in rows if row.action == "drop" and row.part == "unknown"]
    if unknown:
        warnings.append(f"{len(unknown)} tensors of the base are unknown and left out, such as {unknown[0]}")
    left = [s for s in checkpoint.speakers if s not in (*target.speakers, target.from_speaker)]
    if len(checkpoint.speakers) > 1 and left:
        warnings.append(f"{len(left)} speakers of the base are left out: {_names(left)}")
    if any(row.part == "unknown" and row.target for row in rows):
        raise AssertionError("a tensor of the target belongs to no part: add its prefix to graft/rules/vits.py")
    return tuple(warnings)


def _symbol_warnings(checkpoint: Checkpoint, target: Target, symbols: SymbolMap) -> list[str]:
    base, ours = checkpoint.symbols, target.symbols
    warnings: list[str] = []
    if base is None:
        return warnings
    if base.text_kind != ours.text_kind:
        warnings.append(
            f"the base reads {base.text_kind}, the target {ours.text_kind}: equal names may sound different"
        )
    elif base.voice is None and ours.text_kind == "espeak":
        warnings.append(
            f"the base does not say its language; texts are read as {ours.voice}: set `language` if that is wrong"
        )
    elif base.voice != ours.voice:
        warnings.append(
            f"the language changes from {base.voice} to {ours.voice}: train the text encoder and durations too"
        )
    lost = [role for role in ("pad", "bos", "eos") if getattr(base, role) and not getattr(ours, role)]
    if lost or base.intersperse != ours.intersperse:
        warnings.append(f"sentences are framed differently (without {', '.join(lost) or 'the same padding'})")
    if symbols.new:
        warnings.append(
            f"{len(symbols.new)} new symbols have yet to be learned ({_names(symbols.new)}): train the text encoder too"
        )
    return warnings


def _quality_of_network(checkpoint: Checkpoint) -> str | None:
    rates = [(quality, preset(quality)["sample_rate"]) for quality in QUALITIES]
    return next((q for q, rate in rates if quality_of(checkpoint.architecture, rate) == q), None)


def _plain(value: object) -> str:
    return str(value).replace(" ", "")


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
