"""What becomes of a base's training state: a graft takes the weights and nothing else, a resume takes everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from voxgraft.checkpoints.checkpoint import Checkpoint

# What a training state consists of, in words.
PIECES: dict[str, str] = {
    "weights": "weights",
    "optimiser": "optimiser moments",
    "counters": "epoch and step",
    "learning_rate": "learning rate",
    "loss_schedule": "phase of the loss schedule",
}
# A graft trains something else than the base's run did: its moments point elsewhere, its rates have decayed, and what its
# losses were ramped up by has to be ramped up again.
TAKEN: dict[str, frozenset[str]] = {
    "graft": frozenset({"weights"}),
    "resume": frozenset(PIECES),
    "scratch": frozenset(),
}


def state_policy(kind: Literal["graft", "resume", "scratch"]) -> dict[str, str]:
    """Piece of the state -> `taken` or `reset`."""
    return {piece: "taken" if piece in TAKEN[kind] else "reset" for piece in PIECES}


def told_state(state: Mapping[str, str]) -> str:
    """The policy in one line."""
    taken = [PIECES[piece] for piece, fate in state.items() if fate == "taken"]
    reset = [PIECES[piece] for piece, fate in state.items() if fate == "reset"]
    told = [f"{', '.join(pieces)} {word}" for pieces, word in ((taken, "taken"), (reset, "reset")) if pieces]
    rate = "; the learning rates of the settings are used" if state.get("learning_rate") == "reset" else ""
    return f"state: {'; '.join(told)}{rate}"


def state_left(checkpoint: Checkpoint) -> tuple[str, ...]:
    """A warning where the base records a learning rate that a naive start would go on with; else nothing."""
    rate = checkpoint.learning_rate
    if rate is None:
        return ()
    at = f" at step {checkpoint.step}" if checkpoint.step is not None else ""
    return (f"the base's own learning rate, {rate:g}{at}, is not taken over: the settings' is used",)
