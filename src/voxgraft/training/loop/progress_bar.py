"""The progress bar of a run: steps, time left, and the losses worth watching."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from voxgraft.progress import progress
from voxgraft.training.loop.learner import Position

WATCHED = ("mel", "from_text", "kl", "ctc")


class Advance(Protocol):
    """One step on, with the terms that were read last."""

    def __call__(self, terms: Mapping[str, float]) -> None: ...


@contextmanager
def steps_shown(position: Position) -> Iterator[Advance]:
    """A bar on stderr, from the step that the run is at."""
    with progress("Training", position.steps - position.step) as advance:

        def step_taken(terms: Mapping[str, float]) -> None:
            note = "  ".join(f"{name} {terms[name]:.2f}" for name in WATCHED if name in terms)
            advance(1, note=note)

        yield step_taken
