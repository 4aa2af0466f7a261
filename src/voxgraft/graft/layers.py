"""Layers of a recogniser that start anew: the last N of the family's, and what becomes of the output layer."""

from __future__ import annotations

from collections.abc import Iterable

from voxgraft.architectures.families import Family
from voxgraft.graft.symbols.mapping import SymbolRows
from voxgraft.graft.target import Target


def layers_of(family: Family, names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The family's layers of which a base has any tensor: families name as many as their largest model has."""
    known = tuple(names)
    return tuple(layer for layer in family.layers if any(name.startswith(layer) for name in known))


def layers_refusal(family: Family, names: Iterable[str], asked: int) -> str | None:
    """Why so many layers can't be dropped; None where they can. The first layer always stays."""
    most = len(layers_of(family, names)) - 1
    if not asked or 0 < asked <= most:
        return None
    if most < 1:
        return (
            f"{family.title} has no order of layers to drop from (graft.drop_source_layers is {asked}): "
            "leave it at 0; parts that should not learn are named with --freeze"
        )
    return f"{asked} layers can't be dropped: --drop-source-layers takes 1 to {most} for this {family.title} base"


def dropped_prefixes(family: Family, names: Iterable[str], asked: int) -> tuple[str, ...]:
    """How the names of the tensors begin that start anew as asked, the output layer among them."""
    known = tuple(names)
    if not asked or layers_refusal(family, known, asked) is not None:
        return ()
    return tuple(prefix for layer in layers_of(family, known)[-asked:] for prefix in layer)


def keeps_letters(target: Target, symbols: SymbolRows | None) -> bool:
    """Whether letters keep their output rows: as the settings say, else where the alphabet differs or no layer goes."""
    if target.graft.map_letters != "auto":
        return target.graft.map_letters == "always"
    return not target.graft.drop_source_layers or (symbols is not None and not symbols.identical)


def layer_warnings(family: Family, names: Iterable[str], target: Target, symbols: SymbolRows | None) -> tuple[str, ...]:
    """What dropping layers and another alphabet do to the layers of a recogniser, in words."""
    if family.task != "recogniser" or symbols is None:
        return ()
    layers, letters = layers_of(family, names), len(symbols.symbols.mapped)
    asked = target.graft.drop_source_layers if target.graft.drop_source_layers < len(layers) else 0
    kept = keeps_letters(target, symbols)
    if not kept:
        if asked:
            return (f"{_dropped(family, layers, asked)} anew, as asked",)
        return () if symbols.identical else ("the alphabet differs: the output layer starts anew, as asked",)
    exception = f"{letters} labels that both alphabets have keep their output rows (--no-map-letters: none does)"
    if not asked:
        return () if symbols.identical else (exception,)
    if asked == 1:
        return (f"the output layer starts anew, as asked, but for {exception}",)
    before = "; since the layers before start anew, what these rows stand for is learned again"
    return (f"{_dropped(family, layers, asked)} anew, as asked, but {exception}{before}",)


def _dropped(family: Family, layers: tuple[tuple[str, ...], ...], asked: int) -> str:
    titles = ", ".join(dict.fromkeys(_title(family, layer) for layer in layers[-asked:]))
    if asked == 1:
        return f"the last layer ({titles}) starts"
    return f"the last {asked} of {len(layers)} layers ({titles}) start"


def _title(family: Family, layer: tuple[str, ...]) -> str:
    return " and ".join(dict.fromkeys(family.title_of(family.part_of(prefix)) for prefix in layer))
