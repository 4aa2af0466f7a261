"""Which embedding row a symbol keeps: rows follow their symbol's name, never its index."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from voxgraft.graft.plan import SymbolMap
from voxgraft.graft.symbols.neighbours import Neighbourhood, features_of
from voxgraft.graft.symbols.sounds import SPELLED
from voxgraft.text.marks import NAMED_ROLES, ROLES, SPACES, WORD_DELIMITER, space_among
from voxgraft.text.symbols import SymbolTable

# One sound or sign in several spellings: what Unicode's own forms do not know to be the same.
EQUIVALENTS: tuple[tuple[str, ...], ...] = (
    ("ɡ", "g"), ("ʦ", "t͡s", "ts"), ("ʣ", "d͡z", "dz"), ("ʧ", "t͡ʃ", "tʃ"), ("ʤ", "d͡ʒ", "dʒ"), ("ʨ", "t͡ɕ", "tɕ"),
    ("ʥ", "d͡ʑ", "dʑ"), ("ɚ", "ə˞"), ("ɝ", "ɜ˞"), ("ɫ", "l̴"), ("µ", "μ"), ("'", "’"), ("-", "‐", "‑"), ("…", "..."),
    ("ᵻ", "ɪ̈"), ("ᵿ", "ʊ̈"),
)  # fmt: skip

# So many signs that no alphabet has make a table one of sounds.
FEWEST_OF_IPA = 4


@dataclass(frozen=True)
class SymbolRows:
    """A symbol map and the rows that follow from it: kept, target row -> source row; near, -> weighted source rows."""

    symbols: SymbolMap
    kept: dict[int, int]
    near: dict[int, dict[int, float]]

    @property
    def in_place(self) -> bool:
        """Whether every symbol that is kept keeps its own row number."""
        return all(target == source for target, source in self.kept.items())

    @property
    def identical(self) -> bool:
        """Whether every symbol keeps its own row."""
        return not self.symbols.new and not self.near and self.in_place


def map_symbols(source: SymbolTable, target: SymbolTable, unlearned: frozenset[str] = frozenset()) -> SymbolRows:
    """Match two tables by name: roles, exact, NFC, other spellings of the same, other case where one has but one.

    A symbol with several ids keeps as many as the source has; the rest repeat its last. New symbols start near those
    that the source knows; so do those that it has `unlearned` rows for, which hold nothing.
    """
    same = same_symbols(source, target)
    framing = {getattr(source, role) for role in ROLES}
    known = [symbol for symbol in source.symbols if symbol not in framing and symbol not in unlearned]
    around = Neighbourhood(known, spelled=is_spelled(source))
    started = [symbol for symbol in target.symbols if symbol not in same]
    # A mark that frames sentences starts from its own row, however little that holds.
    empty = [symbol for symbol, match in same.items() if match in unlearned and match not in framing]
    near = {}
    # What stands for no sound has no neighbours.
    silent = {getattr(target, role) for role in ROLES} | {space_of(target)}
    bytes_meet_letters = (source.text_kind == "bytes") != (target.text_kind == "bytes")
    for symbol in (*started, *empty):
        if bytes_meet_letters and (not symbol.isascii() or not symbol.isprintable()):
            continue
        found = around.nearest(symbol, spelled=is_spelled(target)) if symbol not in silent else {}
        if found:
            near[symbol] = found
    holding = {symbol: match for symbol, match in same.items() if symbol not in near}
    taken = set(same.values())
    symbols = SymbolMap(
        mapped=tuple(symbol for symbol in target.symbols if symbol in same),
        new=tuple(started),
        dropped=tuple(symbol for symbol in source.symbols if symbol not in taken),
        near=near,
        unlearned=tuple(symbol for symbol in target.symbols if symbol in empty),
    )
    kept = _rows(holding, source, target)
    rows = {row: found for row, found in _near_rows(near, source, target).items() if row not in kept}
    return SymbolRows(symbols, kept, rows)


def same_symbols(source: SymbolTable, target: SymbolTable) -> dict[str, str]:
    """Target symbol -> the source's symbol that means the same."""
    roles = {
        getattr(target, role): getattr(source, role)
        for role in ROLES
        if getattr(target, role) is not None and getattr(source, role) is not None
    }
    framing = set(roles.values())
    find = _finder(source, target)
    same = dict(roles)
    ours, theirs = space_of(target), space_of(source)
    if ours is not None and theirs is not None:
        same.setdefault(ours, theirs)
    for symbol in target.symbols:
        if symbol not in same:
            match = find(symbol)
            # A bar is the space of one table and a sign in another.
            if WORD_DELIMITER in (symbol, match) and (symbol == ours) != (match == theirs):
                continue
            # A mark that frames sentences in the base means nothing else, even where its name returns as a letter.
            if match is not None and match not in framing:
                same[symbol] = match
    return {symbol: same[symbol] for symbol in target.symbols if symbol in same}


def _finder(source: SymbolTable, target: SymbolTable) -> Callable[[str], str | None]:
    by_nfc = source.normalised()
    # Bytes and characters share their names only as far as ASCII: a byte above is a part of a letter.
    ascii_only = (source.text_kind == "bytes") != (target.text_kind == "bytes")
    spellings = _spellings()
    cases = _by_case(source) if _one_case(source) or _one_case(target) else {}

    def find(symbol: str) -> str | None:
        written = unicodedata.normalize("NFC", symbol)
        if ascii_only and not written.isascii():
            return None
        if symbol in source.ids:
            return symbol
        for other in (written, *spellings.get(written, ())):
            if other in by_nfc:
                return by_nfc[other]
        folded = cases.get(written.casefold()) if is_spelled(source) and is_spelled(target) else None
        return folded if folded is not None and len(written) == 1 and folded not in target.ids else None

    return find


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    groups = (*EQUIVALENTS, *NAMED_ROLES, SPACES)
    written = [tuple(unicodedata.normalize("NFC", symbol) for symbol in group) for group in groups]
    return {symbol: tuple(other for other in group if other != symbol) for group in written for symbol in group}


def _one_case(table: SymbolTable) -> bool:
    letters = [symbol for symbol in table.ids if len(symbol) == 1 and symbol.lower() != symbol.upper()]
    return not (any(s.islower() for s in letters) and any(s.isupper() for s in letters))


def _by_case(table: SymbolTable) -> dict[str, str]:
    return {unicodedata.normalize("NFC", symbol).casefold(): symbol for symbol in table.ids}


def is_spelled(table: SymbolTable) -> bool:
    """Whether a table holds letters, not the IPA."""
    if table.text_kind == "espeak":
        return False
    ipa = [symbol for symbol in table.ids if not symbol.isascii() and symbol not in SPELLED and features_of(symbol)]
    return len(ipa) < FEWEST_OF_IPA


def space_of(table: SymbolTable) -> str | None:
    """The symbol of a table that stands between words; None where it has none."""
    return space_among(table.ids, ctc=table.blank is not None)


def _rows(matches: Mapping[str, str], source: SymbolTable, target: SymbolTable) -> dict[int, int]:
    rows: dict[int, int] = {}
    for symbol, match in matches.items():
        from_rows = source.ids[match]
        for position, row in enumerate(target.ids[symbol]):
            rows.setdefault(row, from_rows[min(position, len(from_rows) - 1)])
    return rows


def _near_rows(
    near: Mapping[str, Mapping[str, float]], source: SymbolTable, target: SymbolTable
) -> dict[int, dict[int, float]]:
    rows: dict[int, dict[int, float]] = {}
    for symbol, neighbours in near.items():
        for position, row in enumerate(target.ids[symbol]):
            weights: dict[int, float] = {}
            for neighbour, weight in neighbours.items():
                from_rows = source.ids[neighbour]
                at = from_rows[min(position, len(from_rows) - 1)]
                weights[at] = round(weights.get(at, 0.0) + weight, 4)
            rows.setdefault(row, weights)
    return rows
