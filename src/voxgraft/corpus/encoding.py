"""In which encoding a table of transcripts is written: UTF-8, UTF-16, or an older one where that can be told."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WESTERN = "cp1252"
# What each language writes besides ASCII. A text in Windows-1250 (Polish, Czech, Hungarian), -1251 (Russian), -1254 (Turkish)
# or in an encoding of DOS or the Macintosh, read as Windows-1252, has letters of none of them alone.
_LETTERS = tuple(
    frozenset(letters + letters.upper().replace("SS", ""))
    for letters in (
        "àâæçéèêëîïôœùûü",
        "äöüß",
        "áéíóúüñ¿¡",
        "ãáâàçéêíóôõú",
        "àèéìíîòóùú",
        "éèêëïöüáóí",
        "æøåéèêóôò",
        "åäöéü",
        "áéíóúýþæöð",
        "àçèéíïóòúü·",
    )
)
_SIGNS = frozenset("“”„‘’‚«»‹›–—…°€£§©®™×½¼¾ºª\u00a0")
_SIGN_IN_WORD = re.compile(r"(?<=[^\W\d_])[“”„‘‚«»‹›…°€£§©®™×½¼¾ºª¿¡](?=[^\W\d_])")


@dataclass
class Evidence:
    """What lines of bytes show about their encoding."""

    lines: int = 0
    unicode: int = 0
    other: int = 0
    letters: set[str] = field(default_factory=set)
    western: bool = True

    def add(self, line: bytes) -> None:
        """One more line, in bytes that may be anything."""
        self.lines += bool(line.strip())
        if line.isascii():
            return
        try:
            line.decode("utf-8")
            self.unicode += 1
            return
        except UnicodeDecodeError:
            self.other += 1
        try:
            text = line.decode(WESTERN)
        except UnicodeDecodeError:
            self.western = False
            return
        self.letters |= {c for c in text if not c.isascii()}
        self.western = self.western and not _SIGN_IN_WORD.search(text)

    @property
    def encoding(self) -> str | None:
        """`utf-8` (with faults in single lines, perhaps), `cp1252`, or None where it is another that can't be told."""
        if not self.other or self.unicode:
            return "utf-8"
        letters = self.letters - _SIGNS
        if self.western and any(letters <= known for known in _LETTERS):
            return WESTERN
        return "utf-8" if 2 * self.other < self.lines else None


def marked_encoding(head: bytes) -> str | None:
    """The encoding that the first bytes of a file tell: by its mark, or as text in UTF-16 without one does by its zeros."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" not in head or len(head) < 8:
        return None
    fitting = [name for name in ("utf-16-le", "utf-16-be") if _is_text(head[: len(head) // 2 * 2], name)]
    return fitting[0] if len(fitting) == 1 else None


def encoding_of(lines: Iterable[bytes]) -> str | None:
    """The encoding of lines in bytes; see `Evidence`."""
    evidence = Evidence()
    for line in lines:
        evidence.add(line)
    return evidence.encoding


def lines_of(blocks: Iterable[bytes], longest: int) -> Iterator[bytes]:
    """Lines of blocks of bytes, in pieces where they are longer than `longest`."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
        if len(rest) > longest:
            yield rest
            rest = b""
    yield rest


def _is_text(head: bytes, encoding: str) -> bool:
    """Whether bytes are text in this form of UTF-16: with columns or lines, and without what no text has."""
    text = head.decode(encoding, "replace").rstrip("\ufffd")
    if not set(text) & set("|\t;,\n\r "):
        return False
    return all(c in "\t\r\n" or unicodedata.category(c) not in ("Cc", "Cn", "Co", "Cs") for c in text)
