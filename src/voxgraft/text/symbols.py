"""SymbolTable: the ordered symbols that a model's ids mean. Frozen at import, never re-derived."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType


@dataclass(frozen=True)
class Encoding:
    """Ids of one sentence and the symbols that the table does not hold, with how often each was met."""

    ids: tuple[int, ...]
    unknown: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class SymbolTable:
    """Symbol -> ids, and how a sentence is framed.

    `rows` is the number of embedding rows, which may exceed the symbols. `text_kind` says what goes in: `espeak` is
    espeak-ng's IPA split into code points, `text` plain characters (NFD), `bytes` UTF-8 (byte b is written chr(b)), `ctc`
    the characters of a recogniser's transcripts as they are, `pieces` pieces of words, `coqui` what one of Coqui's own
    phonemizers writes, `g2p` the phones of EveryVoice's g2p; any other is a kind that its maker named, such as `pinyin`.
    `voice` is the espeak-ng voice. A sentence becomes `bos, pad, s1, pad, … sn, pad, eos` where `intersperse` is true, `bos, s1 … sn, eos` otherwise; without
    `bos`, `leading_pad` puts a pad before s1. `blank` is the blank of CTC, which no text contains.
    `clusters` are runs of symbols that count as one, such as diphthongs: the longest match from the left is taken.
    So do a letter and its marks where the table has the two only as one character (é). `pauses`: those that espeak-ng
    makes without a mark get one; a voice made elsewhere learned and is read without.
    """

    ids: Mapping[str, tuple[int, ...]]
    rows: int
    text_kind: str
    voice: str | None = None
    pad: str | None = "_"
    bos: str | None = "^"
    eos: str | None = "$"
    intersperse: bool = True
    clusters: tuple[str, ...] = ()
    leading_pad: bool = False
    blank: str | None = None
    # Not of the table's identity: it tells how a text is prepared, not what the ids mean.
    pauses: bool = field(default=True, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", MappingProxyType({s: tuple(i) for s, i in self.ids.items()}))
        for symbol, ids in self.ids.items():
            for number in ids:
                if not 0 <= number < self.rows:
                    raise ValueError(
                        f"symbol {symbol!r} has id {number}, outside the {self.rows} rows of the embedding"
                    )
        for name in ("pad", "bos", "eos", "blank"):
            symbol = getattr(self, name)
            if symbol is not None and symbol not in self.ids:
                object.__setattr__(self, name, None)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, by their first id."""
        return tuple(sorted(self.ids, key=lambda s: (self.ids[s], s)))

    def encode(self, sentence: Iterable[str]) -> Encoding:
        """Frame and encode one sentence; unknown symbols are counted and left out, never dropped silently."""
        pad = self.ids[self.pad] if self.pad is not None and self.intersperse else ()
        ids: list[int] = []
        unknown: Counter[str] = Counter()
        if self.bos is not None:
            ids += self.ids[self.bos] + pad
        elif self.leading_pad:
            ids += pad
        for symbol in self._clustered(sentence):
            known = self.ids.get(symbol)
            if known is None:
                unknown[symbol] += 1
            else:
                ids += known + pad
        if self.eos is not None:
            ids += self.ids[self.eos]
        return Encoding(tuple(ids), unknown)

    @cached_property
    def _runs(self) -> dict[str, str]:
        """Run of symbols -> the one that it counts as."""
        composed = {unicodedata.normalize("NFD", symbol): symbol for symbol in self.ids}
        runs = {run: symbol for run, symbol in composed.items() if run != symbol and run not in self.ids}
        return runs | {cluster: cluster for cluster in self.clusters if len(cluster) > 1}

    def _clustered(self, sentence: Iterable[str]) -> list[str]:
        """Runs of symbols that count as one, joined."""
        symbols = list(sentence)
        if not self._runs:
            return symbols
        lengths = sorted({len(run) for run in self._runs}, reverse=True)
        joined: list[str] = []
        at = 0
        while at < len(symbols):
            runs = ("".join(symbols[at : at + length]) for length in lengths)
            run = next((run for run in runs if run in self._runs), None)
            joined.append(symbols[at] if run is None else self._runs[run])
            at += 1 if run is None else len(run)
        return joined

    def normalised(self) -> dict[str, str]:
        """NFC form -> the symbol as it is written here, for matching across tables."""
        return {unicodedata.normalize("NFC", s): s for s in self.ids}

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "ids": {s: list(i) for s, i in self.ids.items()},
            "rows": self.rows,
            "text_kind": self.text_kind,
            "voice": self.voice,
            "pad": self.pad,
            "bos": self.bos,
            "eos": self.eos,
            "intersperse": self.intersperse,
            "clusters": list(self.clusters),
            "leading_pad": self.leading_pad,
            "blank": self.blank,
            "pauses": self.pauses,
        }
