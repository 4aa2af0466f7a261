"""Speakers: rows by name, and one speaker's contribution folded into biases, which makes many -> one exact."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.graft.plan import Fold, Row
from voxgraft.graft.rules import vits
from voxgraft.graft.target import Target

Shape = tuple[int, ...]
Folds = dict[str, Fold]


def is_condition(name: str) -> bool:
    """Whether a tensor belongs to a layer that adds the speaker's vector."""
    layer = name.rpartition(".")[0]
    return any(re.fullmatch(pattern, layer) for pattern, _ in vits.CONDITIONS)


def fold_speaker(shapes: Mapping[str, Shape], row: int) -> Folds:
    """Bias -> what the speaker with this embedding row adds to it, for every conditioning layer of the base."""
    folds: Folds = {}
    for layer in sorted({name.rpartition(".")[0] for name in shapes if is_condition(name)}):
        for pattern, template in vits.CONDITIONS:
            match = re.fullmatch(pattern, layer)
            if match is None:
                continue
            first = 0
            for index in range(len(shapes)):
                bias = template.format(layer=index, **match.groupdict())
                if bias not in shapes or bias in folds:
                    break
                folds[bias] = Fold(layer, vits.SPEAKER_EMBEDDING, row, first)
                first += shapes[bias][0]
    return folds


def speaker_rows(checkpoint: Checkpoint, target: Target, shape: Shape, source_shape: Shape) -> Row:
    """Speakers of the base keep their vectors by name; new ones start from `from_speaker` or from the mean."""
    name = vits.SPEAKER_EMBEDDING
    if shape[1:] != source_shape[1:]:
        reason = f"another width: {source_shape[1]} in the base"
        return Row("init", name, None, shape, None, "speaker_embedding", reason, fill="own")
    places = {speaker: index for index, speaker in enumerate(checkpoint.speakers)}
    kept = {index: places[speaker] for index, speaker in enumerate(target.speakers) if speaker in places}
    new = [index for index in range(len(target.speakers)) if index not in kept]
    if shape == source_shape and not new and all(index == row for index, row in kept.items()):
        return Row("copy", name, name, shape, source_shape, "speaker_embedding", "the same speakers in the same order")
    start = places.get(target.from_speaker or "")
    near = dict.fromkeys(new, start) if start is not None else {}
    begin = f"start as {target.from_speaker!r}" if start is not None else "start from the mean of all"
    reason = f"{len(kept)} speakers keep their vectors by name; {len(new)} new ones {begin}"
    return Row("remap", name, name, shape, source_shape, "speaker_embedding", reason, kept, near, fill="mean")
