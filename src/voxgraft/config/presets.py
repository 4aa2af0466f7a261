"""Quality presets: the architecture keywords of each Piper quality, and which quality an architecture is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, get_args

import yaml

from voxgraft.architectures.dimensions.vits import USUAL_WAVENETS
from voxgraft.config.tasks.voice import Quality
from voxgraft.errors import ConfigError
from voxgraft.text.symbols import SymbolTable

QUALITIES: tuple[Quality, ...] = get_args(Quality)

# What may differ between two models of one quality: it depends on the corpus, or is not in the weights.
FREE_KEYWORDS = frozenset({"symbols", "speakers", "gin_channels", "dropout", "sample_rate"})


# An architecture without these says too little to be matched.
DECISIVE_KEYWORDS = frozenset({"hidden_channels", "resblock", "upsample_rates", "upsample_initial_channel"})


def preset(quality: str) -> dict[str, Any]:
    """Architecture keywords of a quality and its `sample_rate` in Hz; sequences are tuples."""
    if quality not in QUALITIES:
        raise ConfigError(
            "unknown quality",
            field="quality",
            expected=", ".join(QUALITIES),
            got=quality,
            remedy="Choose one of these.",
        )
    return dict(_read(quality))


def quality_of(architecture: Mapping[str, Any], sample_rate: int | None) -> Quality | None:
    """The quality whose network and sample rate these are; None where no preset has both."""
    if not set(architecture) >= DECISIVE_KEYWORDS:
        return None
    for quality in QUALITIES:
        keywords = _read(quality)
        if keywords["sample_rate"] == sample_rate and not network_differences(architecture, keywords):
            return quality
    return None


def quality_of_network(architecture: Mapping[str, Any]) -> Quality | None:
    """The first quality whose network this is, whatever the sample rate; None where no preset has it."""
    return next((q for q in QUALITIES if quality_of(architecture, _read(q)["sample_rate"]) == q), None)


def quality_name(quality: str | None) -> str:
    """What a quality is called wherever it is told: a network that is none of the presets is `custom`."""
    return quality or "custom"


def network_differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Keywords of the network that differ, symbols and speakers aside: name -> (ours, theirs).

    A keyword that either side lacks is not compared, but for those that are only stated where they are unusual.
    """
    if set(ours) >= DECISIVE_KEYWORDS <= set(theirs):
        ours, theirs = USUAL_WAVENETS | dict(ours), USUAL_WAVENETS | dict(theirs)
    shared = sorted((set(ours) & set(theirs)) - FREE_KEYWORDS)
    return {name: (ours[name], theirs[name]) for name in shared if as_tuples(ours[name]) != as_tuples(theirs[name])}


def as_tuples(value: Any) -> Any:
    """Lists, however nested, as tuples: YAML and JSON have no tuples, and keywords must compare equal."""
    if isinstance(value, list | tuple):
        return tuple(as_tuples(item) for item in value)
    return value


@cache
def _read(quality: str) -> Mapping[str, Any]:
    text = resources.files("voxgraft.config").joinpath("presets", f"{quality}.yaml").read_text("utf-8")
    return {name: as_tuples(value) for name, value in yaml.safe_load(text).items()}


def default_symbols(voice: str | None = None) -> SymbolTable:
    """The symbols of a model from scratch: espeak-ng's IPA with the ids of today's Piper voices."""
    text = resources.files("voxgraft.config").joinpath("presets", "espeak_symbols.json").read_text("utf-8")
    ids = {symbol: (number,) for number, symbol in enumerate(json.loads(text))}
    return SymbolTable(ids=ids, rows=_read("medium")["symbols"], text_kind="espeak", voice=voice)
