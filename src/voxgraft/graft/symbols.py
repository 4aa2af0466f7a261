"""Which embedding row a symbol keeps: rows follow their symbol's name, never its index."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from voxgraft.graft.plan import SymbolMap
from voxgraft.text.symbols import SymbolTable

# Sounds and letters that a new symbol may start from, the nearest first, where its own base letter is unknown.
NEIGHBOURS: dict[str, str] = {
    "g": "ɡ", "ɡ": "g", "ʁ": "ʀrɹ", "ʀ": "ʁr", "r": "ɹɾʁ", "ɹ": "rɾ", "ɾ": "rɹ", "ɻ": "ɹr", "ʋ": "vw", "β": "bv",
    "ɣ": "ɡg", "x": "χhk", "χ": "xh", "ħ": "hx", "ɦ": "h", "ç": "ʃx", "ɸ": "f", "θ": "sf", "ð": "zd", "ʂ": "ʃs",
    "ʐ": "ʒz", "ɕ": "ʃ", "ʑ": "ʒ", "ʦ": "ts", "ɲ": "n", "ŋ": "n", "ɳ": "n", "ɱ": "m", "ʎ": "lj", "ɭ": "l", "ɫ": "l",
    "ɬ": "l", "ʈ": "t", "ɖ": "d", "c": "k", "ɟ": "j", "q": "k", "ɢ": "ɡg", "ʔ": "t", "y": "iu", "ø": "oe", "œ": "ɛø",
    "ɶ": "œa", "ɯ": "u", "ɨ": "iɪ", "ʉ": "uʊ", "ɘ": "ə", "ɵ": "oə", "ɤ": "oʌ", "ɜ": "əɛ", "ɝ": "ɚɜ", "ɚ": "əɜ",
    "ɐ": "əa", "ɞ": "ɜ", "ʌ": "əɑ", "æ": "aɛ", "ɒ": "ɔɑ", "ɑ": "a", "ɔ": "o", "ɛ": "e", "ɪ": "i", "ʊ": "u", "ə": "ɐe",
    "…": ".", "–": "-", "—": "-", "«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "¿": "?",
    "¡": "!", ";": ",", ":": ",", "!": ".", "?": ".", "ß": "s", "ı": "i", "ł": "l", "đ": "d", "þ": "θt",
}  # fmt: skip


@dataclass(frozen=True)
class SymbolRows:
    """A symbol map and the rows that follow from it: target row -> source row, kept or started from."""

    symbols: SymbolMap
    kept: dict[int, int]
    near: dict[int, int]

    @property
    def identical(self) -> bool:
        """Whether every symbol keeps its own row."""
        return not self.symbols.new and all(target == source for target, source in self.kept.items())


def map_symbols(source: SymbolTable, target: SymbolTable) -> SymbolRows:
    """Match two tables by name (exact, then NFC; pad, bos and eos by their role).

    A symbol with several ids keeps as many as the source has; the rest repeat its last.
    """
    same = _same(source, target)
    kept = _rows({symbol: same[symbol] for symbol in same}, source, target)
    near = {
        symbol: neighbour
        for symbol in target.symbols
        if symbol not in same and (neighbour := _nearest(symbol, source)) is not None
    }
    started = {row: from_row for row, from_row in _rows(near, source, target).items() if row not in kept}
    taken = set(same.values())
    symbols = SymbolMap(
        mapped=tuple(symbol for symbol in target.symbols if symbol in same),
        new=tuple(symbol for symbol in target.symbols if symbol not in same),
        dropped=tuple(symbol for symbol in source.symbols if symbol not in taken),
        near=near,
    )
    return SymbolRows(symbols, kept, started)


def _same(source: SymbolTable, target: SymbolTable) -> dict[str, str]:
    roles = {
        getattr(target, role): getattr(source, role)
        for role in ("pad", "bos", "eos")
        if getattr(target, role) is not None and getattr(source, role) is not None
    }
    framing = set(roles.values())
    by_nfc = source.normalised()
    same = {}
    for symbol in target.symbols:
        if symbol in roles:
            same[symbol] = roles[symbol]
            continue
        match = symbol if symbol in source.ids else by_nfc.get(unicodedata.normalize("NFC", symbol))
        # A mark that frames sentences in the base means nothing else, even where its name returns as a letter.
        if match is not None and match not in framing:
            same[symbol] = match
    return same


def _nearest(symbol: str, source: SymbolTable) -> str | None:
    framing = {source.pad, source.bos, source.eos}
    plain = "".join(c for c in unicodedata.normalize("NFD", symbol) if not unicodedata.combining(c))
    candidates = [plain, symbol.lower(), plain.lower(), symbol.upper(), *NEIGHBOURS.get(symbol, "")]
    candidates += [*NEIGHBOURS.get(plain.lower(), ""), plain[:1], plain[:1].lower()]
    by_nfc = source.normalised()
    for candidate in candidates:
        match = by_nfc.get(unicodedata.normalize("NFC", candidate))
        if match is not None and match not in framing:
            return match
    return None


def _rows(matches: dict[str, str], source: SymbolTable, target: SymbolTable) -> dict[int, int]:
    rows: dict[int, int] = {}
    for symbol, match in matches.items():
        from_rows = source.ids[match]
        for position, row in enumerate(target.ids[symbol]):
            rows.setdefault(row, from_rows[min(position, len(from_rows) - 1)])
    return rows
