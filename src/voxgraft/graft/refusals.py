"""Whether a base fits a target at all: refusals, each with its name and what would fit."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from voxgraft.architectures.families import Family
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.config.presets import network_differences, quality_of, quality_of_network
from voxgraft.graft.coverage import LEAST_CARRIED
from voxgraft.graft.layers import layers_refusal
from voxgraft.graft.rules import rules_of
from voxgraft.graft.shapes import MODULES
from voxgraft.graft.speakers.mapping import quoted
from voxgraft.graft.target import Target
from voxgraft.graft.vocoder import hop_mismatch

Check = Callable[[Checkpoint, Target, Family], str | None]


def refusals_of(checkpoint: Checkpoint, target: Target, family: Family) -> tuple[str, ...]:
    """Why this base can't become this target, as `name: why: what to do`; empty where it can."""
    if checkpoint.family != target.family:
        return (
            f"family: the base is a {checkpoint.family} model, {target.family} is wanted: take a {target.family} base",
        )
    found = {name: check(checkpoint, target, family) for name, check in CHECKS.items()}
    return tuple(f"{name}: {why}" for name, why in found.items() if why is not None)


def partial_refusal(share: float, target: Target) -> tuple[str, ...]:
    """The refusal of a plan that carries too little, where nobody asked for that."""
    if share >= LEAST_CARRIED or target.graft.allow_partial:
        return ()
    return (
        f"partial: only {share:.1%} of the network that is used at inference would come from the base: take a base that "
        "fits, or say --allow-partial (graft.allow_partial) if that is what you want",
    )


def _quality(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    differences = network_differences(checkpoint.architecture, target.architecture) if _ours(family) else {}
    if not differences:
        return None
    rate = checkpoint.audio.sample_rate if checkpoint.audio is not None else None
    fits = (
        checkpoint.quality or quality_of(checkpoint.architecture, rate) or quality_of_network(checkpoint.architecture)
    )
    said = [f"{name} {_plain(ours)} instead of {_plain(theirs)}" for name, (ours, theirs) in differences.items()]
    facts = "; ".join(said[:2]) + (f"; and {len(said) - 2} more" if len(said) > 2 else "")
    remedy = f"Quality {fits} fits." if fits else "Leave the quality to the base."
    return f"the base's network is not that of quality {target.quality or 'wanted'} ({facts}): {remedy}"


def _sample_rate(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    rate = checkpoint.audio.sample_rate if checkpoint.audio is not None else None
    if rate is None or target.sample_rate is None or rate == target.sample_rate:
        return None
    fits = quality_of(checkpoint.architecture, rate)
    remedy = f"Quality {fits} fits this base." if fits else f"Train at {rate} Hz."
    return (
        f"the base speaks at {rate} Hz, the target at {target.sample_rate} Hz, and every weight depends on the "
        f"rate: {remedy}, or take a base of {target.sample_rate} Hz"
    )


def _hop(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    return hop_mismatch(checkpoint)


def _symbols(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    if checkpoint.symbols is not None or target.symbols is None:
        return None
    if not any(name in checkpoint.shapes for name in family.symbol_axis):
        return None
    if checkpoint.architecture.get("symbols") == target.symbols.rows and _ours(family):
        return None
    if family.task != "recogniser":
        return "the base does not say what its symbols are: give its .onnx.json or its vocabulary beside it"
    if target.graft.drop_source_layers:
        return None
    outputs = checkpoint.architecture.get("symbols")
    anew = "start its output layer anew (--drop_source_layers 1)"
    if target.graft.alphabet is None:
        return (
            f"the base does not say what its {outputs} outputs mean: put its alphabet.txt beside it, name it "
            f"(--alphabet_config_path, graft.alphabet), or {anew}"
        )
    return (
        f"the base does not say what its {outputs} outputs mean, and the alphabet that is named has {target.symbols.rows} "
        f"labels with the blank: {anew}, or put its own alphabet.txt beside it"
    )


def _conditioning(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    found = checkpoint.network_obstacle if _ours(family) else None
    return f"{found.why}: {found.remedy}" if found is not None else None


def _speaker_vectors(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    widths = [a.get("gin_channels", 0) for a in (checkpoint.architecture, target.architecture)]
    if _ours(family) and all(widths) and widths[0] != widths[1]:
        return f"the base's speaker vectors have {widths[0]} channels, the target's {widths[1]}: leave the width to the base"
    if (
        not _ours(family)
        and target.many_speakers
        and not any(name in checkpoint.shapes for name in family.speaker_axis)
    ):
        if family.kind in ("recogniser", "spec-to-wav") or rules_of(family.name).zeroed & set(family.speaker_axis):
            return None
        return (
            f"this {family.title} base has no vectors for speakers, and {len(target.speakers)} are wanted: take a base with "
            "several speakers, or train a voice for each"
        )
    return None


def _from_speaker(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    wanted = target.from_speaker
    known = (*checkpoint.speakers, *(target.graft.rename.get(name, name) for name in checkpoint.speakers))
    if wanted is None or wanted in known:
        return None
    if not checkpoint.speakers:
        return f"the base names no speakers, and {wanted!r} is asked for: leave graft.from_speaker out"
    return (
        f"the base has no speaker {wanted!r}; it has {quoted(checkpoint.speakers)}: name one of these, as with "
        f"--set graft.from_speaker={shlex.quote(checkpoint.speakers[0])}"
    )


def _rename(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    known = (*checkpoint.speakers, *checkpoint.languages)
    strange = [name for name in target.graft.rename if name not in known]
    if not strange:
        return None
    return f"the base has no speaker or language {strange[0]!r}; it has {quoted(known) or 'none by name'}: rename one of these"


def _languages(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    asked = target.graft.languages
    if not asked or target.languages or any(name in checkpoint.shapes for name in family.language_axis):
        return None
    return f"this {family.title} base has no vectors for languages, and {quoted(asked)} are asked for: leave graft.languages out"


def _layers(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    return layers_refusal(family, checkpoint.shapes, target.graft.drop_source_layers)


def _frozen(checkpoint: Checkpoint, target: Target, family: Family) -> str | None:
    known = [part.name for part in family.parts]
    strange = [part for part in target.frozen if part not in known]
    if not strange:
        return None
    return f"{family.title} has no part {strange[0]!r} to freeze; its parts are {', '.join(known)}: name one of these"


CHECKS: dict[str, Check] = {
    "quality": _quality,
    "sample rate": _sample_rate,
    "hop": _hop,
    "symbols": _symbols,
    "conditioning": _conditioning,
    "speakers": _speaker_vectors,
    "from_speaker": _from_speaker,
    "rename": _rename,
    "languages": _languages,
    "layers": _layers,
    "freeze": _frozen,
}


def _ours(family: Family) -> bool:
    return family.name in MODULES


def _plain(value: object) -> str:
    return str(value).replace(" ", "")
