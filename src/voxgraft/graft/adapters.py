"""Adapters: narrow detours in the layers of an encoder that a language has for itself, as MMS has them.

Pratap et al. 2023, https://arxiv.org/abs/2305.13516, section 5.2.
"""

from __future__ import annotations

from dataclasses import replace

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.graft.symbols.mapping import map_symbols
from voxgraft.graft.target import Target

PART = "adapters"
# MMS's, where a base of its kind has none yet.
WIDTH = 16


def require_adapters(base: Checkpoint | None, config: RunConfig) -> None:
    """GraftError where adapters are to learn and the base's layers have no place for them."""
    if config.recogniser.learns != PART:
        return
    if base is not None and base.family == "wav2vec2" and base.architecture.get("do_stable_layer_norm"):
        return
    raise GraftError(
        f"{family_of(base.family).title if base is not None else 'a recogniser from scratch'} has no adapters",
        file=base.provenance.path if base is not None else None,
        field="recogniser.learns",
        expected="wav2vec 2.0 whose layers normalise first: MMS, XLS-R and the like",
        got="adapters",
        remedy="Take such a base; or let the output layer learn alone (recogniser.learns=head), or layer after layer "
        "(recogniser.thaw_every=200).",
    )


def with_adapters(target: Target, base: Checkpoint, config: RunConfig) -> Target:
    """The target with adapters where they are to learn; those of a base for another alphabet start anew."""
    if config.recogniser.learns != PART:
        return target
    if not base.architecture.get("adapter_attn_dim"):
        return replace(target, architecture=dict(target.architecture) | {"adapter_attn_dim": WIDTH})
    wanted = config.recogniser.fresh_adapters
    same = (
        base.symbols is not None and target.symbols is not None and map_symbols(base.symbols, target.symbols).identical
    )
    return replace(target, anew=frozenset({PART})) if wanted == "always" or (wanted == "auto" and not same) else target
