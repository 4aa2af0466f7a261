"""Rules: what a family's graft knows beyond its Family data, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WHY_NEW = "the base has no such tensor"
WHY_ANEW = "starts anew for the new language"
WHY_DROPPED = "unknown to this model"
WHY_OTHER_SHAPE = "shape differs"
WHY_STATISTICS = "follows the new corpus' statistics"
WHY_ZERO = "the base has no such table: zero, so that all start as the base is"
WHY_FOLDED = "what the speaker adds through the conditioning layers is added once and for all: exact"


@dataclass(frozen=True)
class Rules:
    """`conditions`: layers that add a speaker's vector (pattern of the layer, the biases to which its output is added;
    `{layer}` counts the layers of a stack whose condition is one wide vector cut into equal pieces). With them, one
    speaker of many folds into a model without speakers, and one speaker grows into many that all begin as it.

    `why_new` and `why_dropped`: by part, why a tensor may be new or unused. `recovered`: parts that self-distillation
    finds again where the base lacks the first of them. `zeroed` names tables that are added to something, and begin as zeros
    where the base lacks them; `of_the_corpus` tensors that are no weights but follow the statistics of what is learned from.
    `head`: the output layer that an encoder without one gets for an
    alphabet, and the tensor of the base that is as long as the layer is wide; `headless` parts then go.
    """

    conditions: tuple[tuple[str, str], ...] = ()
    speaker_embedding: str | None = None
    why_new: Mapping[str, str] = field(default_factory=dict)
    why_dropped: Mapping[str, str] = field(default_factory=dict)
    why_silent: str = "zero: every speaker starts as the base's voice"
    recovered: tuple[str, ...] = ()
    zeroed: frozenset[str] = frozenset()
    of_the_corpus: frozenset[str] = frozenset()
    head: tuple[str, str] | None = None
    headless: frozenset[str] = frozenset()
