"""Symbol tables as Piper's `phoneme_id_map` writes them: pad, bos and eos are always called `_`, `^` and `$`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from voxgraft.text.symbols import SymbolTable

PAD, BOS, EOS = MARKS = ("_", "^", "$")
# `espeak`, `PhonemeType.ESPEAK` and `<PhonemeType.ESPEAK: 'espeak'>` have all been published.
_KIND = re.compile(r"<?(?:\w+\.)?([\w-]+)(?::.*)?")
_SPELLINGS = {"espeak-ng": "espeak", "espeak_ng": "espeak", "espeakng": "espeak", "": "espeak"}


def text_kind_of(phoneme_type: str | None) -> str:
    """The kind of text that a voice's `phoneme_type` names, however it is spelt; `espeak` where it names none."""
    stated = (phoneme_type or "").strip()
    match = _KIND.fullmatch(stated)
    kind = (match[1] if match else stated).lower()
    return _SPELLINGS.get(kind, kind)[:40]


def to_id_map(table: SymbolTable) -> dict[str, list[int]]:
    """Symbol -> ids, so that Piper's runtime frames a sentence as the table does.

    Piper always frames with all three. A mark that the table does without has no ids; one that goes by another name
    there takes Piper's, and a symbol that only happened to have that name is left out.
    """
    marks = {
        PAD: table.pad if table.intersperse else None,
        BOS: table.bos,
        EOS: table.eos,
    }
    own = {role for role in (table.pad, table.bos, table.eos) if role is not None}
    ids = {name: list(table.ids[symbol]) if symbol is not None else [] for name, symbol in marks.items()}
    ids |= {symbol: list(table.ids[symbol]) for symbol in table.symbols if symbol not in own and symbol not in marks}
    return dict(sorted(ids.items(), key=lambda entry: (entry[1] or [-1], entry[0])))


def from_id_map(
    id_map: Mapping[str, Sequence[int]],
    rows: int,
    text_kind: str,
    voice: str | None,
    clusters: Sequence[str] = (),
    *,
    pauses: bool = False,
) -> SymbolTable:
    """The table behind a `phoneme_id_map`, read as Piper reads it unless the voice learned to make `pauses`.

    Raises ValueError where an id lies outside `rows`.
    """
    without = {mark for mark in MARKS if mark in id_map and not id_map[mark]}
    return SymbolTable(
        ids={symbol: tuple(ids) for symbol, ids in id_map.items() if ids},
        rows=rows,
        text_kind=text_kind,
        voice=voice,
        intersperse=PAD not in without,
        # Piper puts a pad after bos even where bos itself has no ids.
        leading_pad=BOS in without and PAD not in without,
        clusters=tuple(clusters),
        pauses=pauses,
    )
