"""Which parameters of a recogniser learn, in which group, at which rate and from which step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from voxgraft.checkpoints.families import Family, family_of
from voxgraft.config.run import RunConfig
from voxgraft.graft.plan import GraftPlan
from voxgraft.models.ctc.networks import part_of_parameter

# What layers of a base learn at where the settings leave it to us.
OF_A_BASE = 3e-4


@dataclass(frozen=True)
class LayerRate:
    """A part of the network, its learning rate and the step from which it learns. A rate of 0 freezes it."""

    part: str
    rate: float
    from_step: int = 0


def layer_rates(config: RunConfig, plan: GraftPlan) -> tuple[LayerRate, ...]:
    """A rate for each part of the network, from input to output: as the settings say, and higher where something is new."""
    family, settings = family_of(plan.family), config.recogniser
    new = new_parts(plan, family)
    parts = parts_in_order(plan, family)
    output = output_parts(family)
    frozen = {*config.training.freeze, *_not_learning(parts, new, output, settings.learns)}
    rates = {part: 0.0 if part in frozen else _rate(config, part, new, output) for part in parts}
    learning = [part for part in reversed(parts) if rates[part] > 0]
    # What is new learns from the beginning, however deep it lies.
    waiting = [part for part in learning if part not in new and part not in output] if settings.thaw_every else []
    starts = {part: settings.thaw_every * place for place, part in enumerate(waiting, 1)}
    return tuple(LayerRate(part, rates[part], starts.get(part, 0)) for part in parts)


def new_parts(plan: GraftPlan, family: Family) -> frozenset[str]:
    """Parts of which something starts anew: a tensor, or the rows of new labels."""
    found = {row.part for row in plan.rows if row.action == "init"}
    return frozenset(found | (output_parts(family) if plan.symbols.new else set()))


def output_parts(family: Family) -> set[str]:
    """Parts with a row for each label."""
    return {family.part_of(name) for name in family.symbol_axis}


def parts_in_order(plan: GraftPlan, family: Family) -> tuple[str, ...]:
    """The parts of the target, from input to output."""
    present = {row.part for row in plan.rows if row.target is not None}
    return tuple(part.name for part in family.parts if part.name in present)


def parameter_groups(
    module: nn.Module, family: str, architecture: dict[str, Any], rates: tuple[LayerRate, ...]
) -> Iterator[dict[str, Any]]:
    """A group of the optimiser for each part that learns; all other parameters are frozen."""
    parts = part_of_parameter(family, architecture)
    for name, parameter in module.named_parameters():
        if next((layer.rate for layer in rates if layer.part == parts[name]), 0) == 0:
            parameter.requires_grad_(False)
    for layer in rates:
        own = [p for name, p in module.named_parameters() if parts[name] == layer.part and p.requires_grad]
        if own:
            yield {"params": own, "lr": 0.0, "rate": layer.rate, "from_step": layer.from_step, "part": layer.part}


def _not_learning(parts: tuple[str, ...], new: frozenset[str], output: set[str], learns: str) -> set[str]:
    if learns == "all":
        return set()
    return set(parts) - (output | new if learns == "new" else output)


def _rate(config: RunConfig, part: str, new: frozenset[str], output: set[str]) -> float:
    rates = config.recogniser.learning_rates
    if part in new:
        return rates.new
    encoder = OF_A_BASE if rates.encoder is None else rates.encoder
    return encoder if part not in output or rates.head is None else rates.head
