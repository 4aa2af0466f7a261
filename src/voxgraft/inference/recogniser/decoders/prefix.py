"""Prefix: a label sequence that a beam search with a language model knows, as a node of a tree; equal sequences are one
node, so that what belongs to a sequence is found out once."""

from __future__ import annotations

from collections.abc import Hashable


class Prefix:
    """`parent` and one `label` more. `alive`: it is a beam; others are kept for what goes on from them.

    `blank` and `ends` are what its paths that end in a blank and in its label weigh, with all that it gained, on a scale
    that all beams share; `next_blank` and `next_ends` are those after the frame at hand. `gain` is the factor that its
    last label brought, `states` its state in each automaton. `word` is the beginning of a word that it ends with,
    `going_on` what each label makes of that, `context` what the language model remembers of the words before; `whole`,
    once asked, is the factor of the word that ends here and the context after it.
    """

    __slots__ = (
        "alive", "blank", "children", "context", "ends", "gain", "going_on", "label", "next_blank", "next_ends", "parent",
        "states", "whole", "word",
    )  # fmt: skip

    def __init__(
        self,
        parent: Prefix | None,
        label: int,
        gain: float,
        states: tuple[int, ...],
        word: int,
        going_on: dict[int, int],
        context: Hashable,
    ) -> None:
        self.parent = parent
        self.label = label
        self.alive = False
        self.blank = self.ends = 0.0
        self.children: dict[int, Prefix] = {}
        self.gain = gain
        self.states = states
        self.word = word
        self.going_on = going_on
        self.context = context
        self.whole: tuple[float, Hashable] | None = None

    def labels(self) -> tuple[int, ...]:
        """Its labels, without those of the first node."""
        found: list[int] = []
        node = self
        while node.parent is not None:
            found.append(node.label)
            node = node.parent
        return tuple(found[-2::-1])

    def bury(self) -> None:
        """Forget a node that is no beam and that nothing goes on from, and so its parents."""
        node = self
        while not node.alive and not node.children and node.parent is not None:
            node.parent.children.pop(node.label, None)
            node = node.parent
