"""What is wrong with an alphabet file, line by line, before a recogniser is given it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from voxgraft.corpus.checks.finding import WHOLE, Finding
from voxgraft.corpus.checks.preflight import shown
from voxgraft.text.alphabet import BLANK, label_problems, parse_alphabet

# What is wrong with a file so that no recogniser can be made of it.
UNUSABLE = "unusable alphabet"
# What other systems call CTC's blank, or a mark that no text contains.
_BLANKS = frozenset({BLANK, "<blk>", "<BLNK>", "<BLANK>", "[BLANK]"})
_MARKS = frozenset(
    {
        "<pad>",
        "<PAD>",
        "[PAD]",
        "<unk>",
        "<UNK>",
        "[UNK]",
        "<s>",
        "</s>",
    }
)
_LINE_END = re.compile(r"\r\n|\r|\n")


def alphabet_findings(text: str, name: str, blank: str | None = None) -> list[Finding]:
    """Findings of the content of an alphabet file called `name`; `blank` is the base's own."""
    lines = _LINE_END.split(text)
    labels = parse_alphabet(text)
    findings = [Finding(WHOLE, *found, file=name) for found in _of_lines(lines, _BLANKS | {blank})]
    if labels and " " not in labels:
        findings.append(
            Finding(
                WHOLE,
                "alphabet",
                "has no space",
                "Add a line of one space (editors often cut it off): without it there are no words.",
                file=name,
            )
        )
    remedy = "Spell every letter of the alphabet in one way, best in NFC (`voxgraft corpus alphabet` does)."
    single = [label for label in dict.fromkeys(labels) if len(label) == 1]
    findings += [Finding(WHOLE, "alphabet", problem, remedy, file=name) for problem in label_problems(single)]
    return findings


def _of_lines(lines: list[str], blanks: frozenset[str | None]) -> Iterator[tuple[str, str, str, int]]:
    """Kind, detail, remedy and line of what single lines have wrong."""
    first: dict[str, int] = {}
    forms: dict[str, tuple[str, int]] = {}
    last = max((number for number, line in enumerate(lines, 1) if line), default=0)
    for number, line in enumerate(lines, 1):
        if number == 1 and line.startswith("\ufeff"):
            line = line[1:]
        label = "#" if line == "\\#" else line
        if not line and number < last:
            remedy = "For the space, write a line of one space."
            yield "alphabet", "is an empty line, which counts for nothing", remedy, number
        if not line or line.startswith("#"):
            continue
        form = unicodedata.normalize("NFC", label)
        if label in first:
            yield UNUSABLE, f"{shown(label)} stands in line {first[label]} already", "Take it out.", number
        elif form in forms:
            other, at = forms[form]
            detail = f"{shown(label)} is {shown(other)} of line {at}, spelt otherwise"
            yield UNUSABLE, detail, "Keep the NFC spelling only.", number
        elif label in blanks:
            remedy = "Take it out: the blank is added by itself, as the last label."
            yield UNUSABLE, f"{label} is the blank, not a letter", remedy, number
        elif label in _MARKS:
            yield "alphabet", f"{label} is a mark, not a letter", "Take it out: no text holds it.", number
        elif label != form and len(form) == 1:
            detail = f"{shown(label)} is decomposed (NFD); it is read as one character (NFC), {shown(form)}"
            yield "alphabet", detail, "Nothing is needed here; other tools may take it for two.", number
        elif len(form) > 1:
            yield "alphabet", f"{shown(label)} is several characters", "Write one character a line.", number
        first.setdefault(label, number)
        forms.setdefault(form, (label, number))
