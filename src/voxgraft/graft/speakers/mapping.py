"""One speaker's contribution folded into biases, which makes many -> one exact; and which speaker that is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.graft.plan import Fold
from voxgraft.graft.rules import Rules
from voxgraft.graft.target import Target, renamed

Shape = tuple[int, ...]
Folds = dict[str, Fold]


def is_condition(name: str, rules: Rules) -> bool:
    """Whether a tensor belongs to a layer that adds the speaker's vector."""
    layer = name.rpartition(".")[0]
    return any(re.fullmatch(pattern, layer) for pattern, _ in rules.conditions)


def fold_speaker(shapes: Mapping[str, Shape], row: int, rules: Rules) -> Folds:
    """Bias -> what the speaker with this embedding row adds to it, for every conditioning layer of the base."""
    folds: Folds = {}
    assert rules.speaker_embedding is not None
    for layer in sorted({name.rpartition(".")[0] for name in shapes if is_condition(name, rules)}):
        for pattern, template in rules.conditions:
            match = re.fullmatch(pattern, layer)
            if match is None:
                continue
            first = 0
            for index in range(len(shapes)):
                bias = template.format(layer=index, **match.groupdict())
                if bias not in shapes or bias in folds:
                    break
                folds[bias] = Fold(layer, rules.speaker_embedding, row, first)
                first += shapes[bias][0]
    return folds


def speaker_to_fold(checkpoint: Checkpoint, target: Target, rules: Rules) -> tuple[int | None, tuple[str, ...]]:
    """The base's speaker that a single-speaker target becomes, and the refusal where that is not clear."""
    # A table of one speaker conditions as one of many does.
    alone = checkpoint.shapes.get(rules.speaker_embedding or "", (0,))[0] == 1
    if not rules.conditions or target.many_speakers or not (alone or len(checkpoint.speakers) > 1):
        return None, ()
    # The deterministic predictor adds the speaker before a padded convolution, so no bias can hold it.
    if not target.architecture.get("stochastic_duration", True):
        return None, (
            "one speaker of a voice without stochastic durations can't be taken alone: keep them all with "
            "--set graft.keep_speakers=true",
        )
    if alone:
        return 0, ()
    wanted = target.from_speaker or next(iter(target.speakers), None)
    names = [target.graft.rename.get(name, name) for name in checkpoint.speakers]
    if wanted in checkpoint.speakers:
        return checkpoint.speakers.index(wanted), ()
    if wanted in names:
        return names.index(wanted), ()
    return None, (
        f"the base has {len(checkpoint.speakers)} speakers ({quoted(checkpoint.speakers)}) and the target one: "
        f"name the one to start from, as with --set graft.from_speaker={shlex.quote(checkpoint.speakers[0])}",
    )


def speaker_map(checkpoint: Checkpoint, target: Target, voice: int | None) -> dict[str, str | None]:
    """Target speaker -> the base's speaker that it is or starts as; None for a voice of its own."""
    if not target.many_speakers and (voice is not None or len(checkpoint.speakers) < 2):
        name = target.speakers[0] if target.speakers else "single"
        return {name: checkpoint.speakers[voice] if voice is not None else next(iter(checkpoint.speakers), None)}
    if len(checkpoint.speakers) < 2:
        return dict.fromkeys(target.speakers, next(iter(checkpoint.speakers), None))
    return name_map(checkpoint.speakers, target.speakers or ("single",), target.graft.rename, target.from_speaker)


def name_map(
    base: Sequence[str], target: Sequence[str], rename: Mapping[str, str], start: str | None = None
) -> dict[str, str | None]:
    """Target name -> the base's; several that become one are joined by `+`."""
    own = sources_by_name(base, rename)
    return {name: "+".join(base[row] for row in own[name]) if name in own else start for name in target}


def sources_by_name(base: Sequence[str], rename: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """New name -> the base's rows that it comes from."""
    return {
        name: tuple(row for row, old in enumerate(base) if rename.get(old, old) == name)
        for name in renamed(base, rename)
    }


def quoted(names: Sequence[str]) -> str:
    """Up to eight names, in quotes."""
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
