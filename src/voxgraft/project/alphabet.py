"""The alphabet that a recogniser is to write, framed as its base frames its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

import voxgraft.text.alphabet as alphabets
from voxgraft.corpus.checks.alphabet_file import UNUSABLE, alphabet_findings
from voxgraft.errors import GraftError
from voxgraft.project.symbol_file import read_text
from voxgraft.text.marks import NAMED_ROLES, ROLES, space_among
from voxgraft.text.symbols import SymbolTable

# More than any script has; an output layer of this width is a mistake.
MOST_LABELS = 20_000


def read_alphabet(path: Path, base: SymbolTable | None) -> SymbolTable:
    """The table of an alphabet file, a label a line, `#` for comments, framed as the base frames its own.

    Raises:
        GraftError: the file can't be read or holds no labels, the same label twice, or a blank.
    """
    text = read_text(path)
    labels = alphabets.parse_alphabet(text)
    if not labels:
        raise _error("holds no labels", path)
    if len(labels) > MOST_LABELS:
        raise _error(f"holds more than {MOST_LABELS} labels", path)
    findings = alphabet_findings(text, str(path), base.blank if base is not None else None)
    wrong = [f for f in findings if f.kind == UNUSABLE]
    if wrong:
        more = f"; {len(wrong) - 1} more lines are wrong" if len(wrong) > 1 else ""
        raise GraftError(wrong[0].detail + more, file=path, field=f"line {wrong[0].line}", remedy=wrong[0].remedy)
    return framed_alphabet(labels, base)


def framed_alphabet(labels: Sequence[str], base: SymbolTable | None) -> SymbolTable:
    """The table of a recogniser that writes these labels, in NFC as transcripts are.

    Where the base's blank comes last, so does this one's. Otherwise the base's marks (blank, unknown and the like) keep
    their places before the letters, and its sign between words stands for the space.
    """
    known = base.ids if base is not None else {}
    written = tuple(label if label in known else normalize("NFC", label) for label in labels)
    if base is None or base.text_kind == "bytes" or base.blank is None or base.ids[base.blank] == (base.rows - 1,):
        return alphabets.alphabet_table(written)
    return _after_the_marks(written, base)


def _after_the_marks(labels: tuple[str, ...], base: SymbolTable) -> SymbolTable:
    named = {name for group in NAMED_ROLES for name in group} | {getattr(base, role) for role in ROLES}
    marks = [symbol for symbol in base.symbols if symbol in named and symbol not in labels]
    between = space_among(base.ids, ctc=True) or " "
    letters = [between if label == " " and between not in labels else label for label in labels]
    ids = {symbol: (number,) for number, symbol in enumerate([*marks, *letters])}
    return replace(base, ids=ids, rows=len(ids))


def byte_table(base: SymbolTable | None) -> SymbolTable:
    """The table of byte output: the base's own where it writes bytes already."""
    return base if base is not None and base.text_kind == "bytes" else alphabets.byte_table()


def alphabet_problems(table: SymbolTable) -> tuple[str, ...]:
    """What of an alphabet can't work as it was meant, in words; its marks aside."""
    marks = {name for group in NAMED_ROLES for name in group} | {getattr(table, role) for role in ROLES}
    return alphabets.label_problems([symbol for symbol in table.symbols if symbol not in marks])


def _error(problem: str, path: Path) -> GraftError:
    return GraftError(
        problem, file=path, remedy="Give a text file with a label a line; a line of one space is the space."
    )
