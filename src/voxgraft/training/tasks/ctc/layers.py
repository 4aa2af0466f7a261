"""Which parameters of a recogniser learn, in which group, at which rate and from which step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from voxgraft.architectures.families import Family, family_of
from voxgraft.config.run import RunConfig
from voxgraft.config.tasks.ctc import RecogniserConfig
from voxgraft.graft.plan import GraftPlan
from voxgraft.models.ctc.networks import NETWORKS

# What layers of a base learn at where the settings leave it to us; docs/recognisers.md says where each is from.
OF_A_BASE: Mapping[str, float] = {"deepspeech": 3e-4, "wav2vec2": 3e-4, "whisper": 3e-4, "fastconformer": 1e-4}
OF_ANY_BASE = 3e-4
# The same where most labels are new. A DeepSpeech then has as much to learn anew in every layer.
UNDER_NEW_LABELS: Mapping[str, float] = {"deepspeech": 3e-3}
ADAPTERS = "adapters"
# What hears samples: the part that `learning_rates.features` is for.
FEATURES = {"wav2vec2": "features"}

Place = tuple[str, int | None]


@dataclass(frozen=True)
class LayerRate:
    """What of a layer belongs to one part of the network, its learning rate and the step from which it learns.

    `layer` counts from the input; None is what belongs to no layer, such as a last normalisation. A rate of 0 freezes.
    """

    part: str
    layer: int | None
    rate: float
    from_step: int = 0


def layer_rates(config: RunConfig, plan: GraftPlan) -> tuple[LayerRate, ...]:
    """A rate for each part of each layer, from input to output: as the settings say, and higher where something is new."""
    family, settings = family_of(plan.family), config.recogniser
    new, places = new_places(plan, family), places_in_order(plan, family)
    output, carried = output_parts(family), rate_of_a_base(plan)
    rates = {place: _rate(settings, family, place, place in new, place[0] in output, carried) for place in places}
    for place in places:
        if place[0] in config.training.freeze or not _learns(settings.learns, place[0], place in new, output):
            rates[place] = 0.0
    starts = _starts(settings.thaw_every, [p for p in places if rates[p] > 0 and p not in new and p[0] not in output])
    return tuple(LayerRate(*place, rates[place], starts.get(place, 0)) for place in places)


def rate_of_a_base(plan: GraftPlan) -> float:
    """What layers of the base learn at where the settings leave it to us."""
    usual = OF_A_BASE.get(plan.family, OF_ANY_BASE)
    symbols = plan.symbols
    known = {*symbols.mapped, *symbols.dropped}
    strange = [symbol for symbol in symbols.new if symbol not in known]
    return (
        UNDER_NEW_LABELS.get(plan.family, usual) if 2 * len(strange) > len(symbols.new) + len(symbols.mapped) else usual
    )


def new_places(plan: GraftPlan, family: Family) -> frozenset[Place]:
    """Where something starts anew: a tensor, or the rows of new labels."""
    place_of = places_of(family, _targets(plan))
    found = {place_of(str(row.target)) for row in plan.rows if row.action == "init"}
    if plan.symbols.new:
        found |= {place_of(name) for name in _targets(plan) if name in family.symbol_axis}
    return frozenset(found)


def output_parts(family: Family) -> set[str]:
    """Parts with a row for each label."""
    return {family.part_of(name) for name in family.symbol_axis}


def places_in_order(plan: GraftPlan, family: Family) -> tuple[Place, ...]:
    """The places of the target's tensors, from input to output."""
    place_of = places_of(family, _targets(plan))
    parts = [part.name for part in family.parts]
    last = len(family.layers)
    found = {place_of(name) for name in _targets(plan)}
    return tuple(sorted(found, key=lambda p: (last if p[1] is None else p[1], parts.index(p[0]))))


def places_of(family: Family, names: Iterable[str]) -> Callable[[str], Place]:
    """The part and the layer that a canonical name belongs to, in a model of these names."""
    layers = family.layers_of(names)

    def place_of(name: str) -> Place:
        return family.part_of(name), next((i for i, prefixes in enumerate(layers) if name.startswith(prefixes)), None)

    return place_of


def parameter_groups(
    module: nn.Module, family: str, architecture: dict[str, Any], rates: tuple[LayerRate, ...]
) -> Iterator[dict[str, Any]]:
    """A group of the optimiser for each part of each layer that learns; all other parameters are frozen."""
    sources = NETWORKS[family].sources(architecture)
    place_of = places_of(family_of(family), sources.values())
    by_place = {(layer.part, layer.layer): layer.rate for layer in rates}
    own: dict[Place, list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        place = place_of(sources[name])
        if by_place.get(place, 0.0) == 0:
            parameter.requires_grad_(False)
        elif parameter.requires_grad:
            own.setdefault(place, []).append(parameter)
    for layer in rates:
        parameters = own.get((layer.part, layer.layer))
        if parameters:
            settled = {"rate": layer.rate, "from_step": layer.from_step, "part": layer.part, "layer": layer.layer}
            yield {"params": parameters, "lr": 0.0} | settled


def told_learning(module: nn.Module, groups: Iterable[Mapping[str, Any]], family: str) -> str:
    """How much of a network learns, and where, in words."""
    groups = list(groups)
    learning = sum(p.numel() for group in groups for p in group["params"])
    total = sum(p.numel() for p in module.parameters())
    known = family_of(family)
    rates: dict[str, set[float]] = {}
    for group in groups:
        rates.setdefault(known.title_of(group["part"]), set()).add(group["rate"])
    parts = ", ".join(
        f"{part} at {' and '.join(f'{rate:g}' for rate in sorted(found))}" for part, found in rates.items()
    )
    later = sorted({group["from_step"] for group in groups} - {0})
    thawing = f"; layers thaw from step {later[0]} to {later[-1]}" if later else ""
    return f"{learning:,} of {total:,} parameters learn: {parts}{thawing}"


def _targets(plan: GraftPlan) -> list[str]:
    return [row.target for row in plan.rows if row.target is not None]


def _starts(every: int, waiting: list[Place]) -> dict[Place, int]:
    """The steps at which layers thaw, the one next to the output first; what is in no layer thaws with it."""
    if not every:
        return {}
    layers = sorted({layer for _, layer in waiting if layer is not None}, reverse=True)
    turns = {layer: turn for turn, layer in enumerate(layers, 1)}
    return {place: every * (1 if place[1] is None else turns[place[1]]) for place in waiting}


def _learns(learns: str, part: str, new: bool, output: set[str]) -> bool:
    if learns == "all" or part in output:
        return True
    return new if learns == "new" else learns == ADAPTERS and part == ADAPTERS


def _rate(settings: RecogniserConfig, family: Family, place: Place, new: bool, output: bool, carried: float) -> float:
    rates = settings.learning_rates
    part = place[0]
    if part == ADAPTERS and (new or settings.learns == ADAPTERS):
        return rates.adapters
    if new:
        return rates.new
    if part == FEATURES.get(family.name):
        return rates.features
    encoder = carried if rates.encoder is None else rates.encoder
    return encoder if not output or rates.head is None else rates.head
