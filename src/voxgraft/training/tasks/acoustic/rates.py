"""Which parameters of a text-to-spec model learn, in which group, and at which rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from voxgraft.architectures.families import family_of
from voxgraft.config.run import RunConfig
from voxgraft.config.tasks.acoustic import AcousticRates
from voxgraft.errors import ConfigError
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.rules import rules_of
from voxgraft.progress import notice
from voxgraft.training.tasks.acoustic.families.family import AcousticFamily

# EveryVoice's from scratch; what a base knows is changed more gently, what it lacks is learned in between.
FROM_SCRATCH = 1e-3
OF_A_BASE = 2e-4
NEW = 5e-4


def with_rates(config: RunConfig, family: AcousticFamily, plan: GraftPlan) -> RunConfig:
    """The settings with a learning rate for each group that the family has, so that a resume decides nothing anew."""
    asked, new = config.acoustic.learning_rates, new_parts(plan)
    rates: dict[str, float] = {}
    for group, parts in family.groups.items():
        usual = FROM_SCRATCH if plan.base_sha256 is None else NEW if new & set(parts) else OF_A_BASE
        named = getattr(asked, group)
        rates[group] = usual if named is None else named
    told = ", ".join(f"{group} at {rate:g}" for group, rate in rates.items() if rate)
    frozen = f"; frozen: {', '.join(config.training.freeze)}" if config.training.freeze else ""
    notice(f"learning rates: {told}{frozen}")
    settled = AcousticRates.model_validate(asked.model_dump() | rates)
    return config.model_copy(update={"acoustic": config.acoustic.model_copy(update={"learning_rates": settled})})


def new_parts(plan: GraftPlan) -> set[str]:
    """Parts with a tensor, or a row of a symbol, speaker or language, that the base does not give."""
    given = rules_of(plan.family).of_the_corpus
    rows = {row.part for row in plan.rows if row.action == "init" and row.fill == "own" and row.target not in given}
    symbols = {"symbol_embedding"} if plan.symbols.new or plan.symbols.unlearned else set()
    speakers = {"speaker_embedding"} if any(origin is None for origin in plan.speakers.values()) else set()
    languages = {"language_embedding"} if any(origin is None for origin in plan.languages.values()) else set()
    return rows | symbols | speakers | languages


def parameter_groups(network: nn.Module, family: AcousticFamily, config: RunConfig) -> Iterator[dict[str, Any]]:
    """A group of the optimiser for each group of parts that learns; all other parameters are frozen."""
    known, rates, frozen = family_of(family.name), config.acoustic.learning_rates, set(config.training.freeze)
    group_of = {part: group for group, parts in family.groups.items() for part in parts}
    learning: dict[str, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        part = known.part_of(name)
        group = group_of[part]
        if part in frozen or not getattr(rates, group):
            parameter.requires_grad_(False)
        elif parameter.requires_grad:
            learning.setdefault(group, []).append(parameter)
    for group, parameters in learning.items():
        yield {"params": parameters, "rate": getattr(rates, group), "part": group}


def loss_weights(config: RunConfig, family: AcousticFamily) -> Mapping[str, float]:
    """The weight of each loss. ConfigError: the settings name one that the family does not have, or a negative weight."""
    asked = config.acoustic.weights
    wrong = next((name for name, value in asked.items() if name not in family.weights or value < 0), None)
    if wrong is not None:
        known = wrong in family.weights
        raise ConfigError(
            "a weight is 0 or more" if known else f"{family.name} has no such loss",
            field=f"acoustic.weights.{wrong}",
            expected="0 or more" if known else ", ".join(family.weights),
            got=asked[wrong] if known else wrong,
            remedy="Correct it, or leave it out.",
        )
    return {**family.weights, **asked}
