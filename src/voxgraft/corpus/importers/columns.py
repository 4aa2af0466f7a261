"""What the columns of a metadata file mean: delimiter, header and layout, told from its first rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from voxgraft.audio.kinds import names_sound
from voxgraft.corpus.split import text_key

NAMES = ("id", "speaker", "text", "normalised", "language", "skip")

# Other toolkits' headings -> ours.
HEADINGS = {
    "id": "id", "file": "id", "filename": "id", "file_name": "id", "audio": "id", "audio_file": "id", "path": "id",
    "wav": "id", "wav_filename": "id", "basename": "id", "clip": "id", "audio_path": "id", "wav_path": "id",
    "file_path": "id", "filepath": "id", "audio_filepath": "id", "wav_file": "id", "recording": "id",
    "text": "text", "sentence": "text", "transcript": "text", "transcription": "text", "characters": "text",
    "raw_text": "text", "utterance": "text", "normalised": "normalised", "normalized": "normalised", "normalized_text": "normalised",
    "normalized_transcription": "normalised",
    "speaker": "speaker", "speaker_id": "speaker", "speaker_name": "speaker", "client_id": "speaker",
    "language": "language", "lang": "language", "locale": "language",
}  # fmt: skip

DELIMITERS = ("|", "\t", ";", ",")
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔", "።")
_HEADING = re.compile(r"[^\W\d][^\W\d_]*([ _-][^\W\d_]+){0,2}")
_HEADING_WORDS = frozenset(
    [
        "audio",
        "archivo",
        "clip",
        "clips",
        "datei",
        "dateiname",
        "duration",
        "emotion",
        "fichier",
        "file",
        "filename",
        "frase",
        "gender",
        "hablante",
        "id",
        "lang",
        "language",
        "locuteur",
        "path",
        "phrase",
        "phonemes",
        "recording",
        "satz",
        "sentence",
        "speaker",
        "sprecher",
        "text",
        "texte",
        "texto",
        "transcript",
        "transcription",
        "utterance",
        "wav",
        "wave",
    ]
)
_DECIMAL = re.compile(r"[+-]?\d+[.,]\d+")
# Chinese, Japanese, Thai, Lao, Burmese, Khmer.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_LONG_WITHOUT_SPACES = 5
_FEWEST_ROWS, _MANY_ROWS = 4, 10
# Words of a person's name, or a speaker's.
_LONGEST_NAME = 3


def find_delimiter(lines: Sequence[str]) -> str | None:
    """The first of `| tab ; ,` that nearly every line has."""
    for delimiter in DELIMITERS:
        if lines and sum(delimiter in line for line in lines) >= 0.9 * len(lines):
            return delimiter
    return (
        max(DELIMITERS, key=lambda d: sum(d in line for line in lines))
        if any(d in line for line in lines for d in DELIMITERS)
        else None
    )


def header_columns(cells: Sequence[str]) -> tuple[str, ...] | None:
    """Our names of a heading's columns; None where the line is no heading."""
    names = [HEADINGS.get(cell.strip().lower().lstrip("#").strip()) for cell in cells]
    return (
        tuple(name or "skip" for name in names)
        if {"id"} <= set(names) and set(names) & {"text", "normalised"}
        else None
    )


def looks_like_heading(cells: Sequence[str]) -> bool:
    """Whether cells are words for columns rather than a recording and what it says; some may be words that are not known."""
    words = [cell.strip().strip('"').strip().lower().lstrip("#").strip() for cell in cells]
    return len(set(words)) == len(words) and all(_HEADING.fullmatch(word) for word in words)


def knows_heading(cells: Sequence[str]) -> bool:
    """Whether a word in one of the cells is a usual one for a column."""
    return any(part in _HEADING_WORDS for cell in cells for part in re.split(r"[\W_]+", cell.lower()))


def guess_columns(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[str, ...] | None:
    """Columns of a file without a heading: (id, text), and others where what they hold tells which is what; else None."""
    widths = Counter(len(row) for row in rows)
    if not widths or max(widths) < 2:
        return None
    width = widths.most_common(1)[0][0]
    if width == 1:
        return None
    if delimiter != "|" and len(widths) > 1:
        width = 2  # separators are part of the texts
    if width == 2:
        return _two_columns([row for row in rows if len(row) == 2])
    return _told([row for row in rows if len(row) == width])


def _two_columns(rows: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    first, second = ([row[place] for row in rows] for place in (0, 1))
    return ("text", "id") if rows and _named(second) and not _named(first) else ("id", "text")


def _told(rows: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """Of three and more columns: what is said, said once more in other spelling, who says it; None where two could be each."""
    columns = [[row[place] for row in rows] for place in range(len(rows[0]))]
    files = [place for place, column in enumerate(columns) if _named(column)]
    roles = dict.fromkeys(range(len(columns)), "skip")
    roles[files[0] if files else 0] = "id"
    kinds = {place: _kind(column) for place, column in enumerate(columns) if roles[place] != "id"}
    texts = [place for place, kind in kinds.items() if kind == "text"]
    filled = [place for place, kind in kinds.items() if kind != "empty"]
    if len(columns) == 3 and len(filled) == 2:
        alike = all(kinds[place] == "names" for place in filled)
        same = _say_the_same(*(columns[place] for place in filled), share=0.75 if alike else 0.5)
        texts = filled if same else texts
    if len(texts) == 2 and _say_the_same(*(columns[place] for place in texts)):
        roles[texts[1]] = "normalised"
    elif len(texts) != 1:
        return None
    roles[texts[0]] = "text"
    names = [place for place, kind in kinds.items() if kind == "names" and place not in texts]
    if len(names) > 1:
        return None
    roles |= dict.fromkeys(names, "speaker")
    return tuple(roles[place] for place in range(len(columns)))


def _named(column: Sequence[str]) -> bool:
    """Whether most cells are names of sound files."""
    return 2 * sum(names_sound(cell.strip('"')) for cell in column) > len(column)


def _kind(column: Sequence[str]) -> str:
    """What a column holds: `text`, `names` (of few people, or in single words), `other` (numbers with a point, a word of its own
    each), or nothing."""
    cells = [cell for cell in column if cell]
    if not cells:
        return "empty"
    count = len(cells)
    distinct = len(set(cells)) / count
    words = sum(len(cell.split()) for cell in cells) / count
    spaced = sum(_has_words(cell) for cell in cells) / count
    ended = sum(cell.endswith(_SENTENCE_ENDS) for cell in cells) / count
    few = count >= _FEWEST_ROWS and distinct <= 0.5
    if ended < 0.5 and few and words <= _LONGEST_NAME:
        return "names"
    if spaced >= 0.5 or ended >= 0.5 or (spaced >= 0.2 and distinct > 0.5):
        return "text"
    if all(_DECIMAL.fullmatch(cell) for cell in cells) or (count >= _MANY_ROWS and distinct == 1):
        return "other"
    return "names"


def _has_words(cell: str) -> bool:
    """Whether a cell has several words, or is a sentence in a script that has no spaces."""
    return len(cell.split()) > 1 or (len(cell) >= _LONG_WITHOUT_SPACES and bool(_UNSPACED.search(cell)))


def _say_the_same(first: Sequence[str], second: Sequence[str], share: float = 0.5) -> bool:
    """Whether two columns share more than half of their words, as a text and its normalised form do, in so many of the rows."""
    pairs = [(text_key(a).split(), text_key(b).split()) for a, b in zip(first, second, strict=True) if a and b]
    same = sum(2 * sum((Counter(a) & Counter(b)).values()) >= max(len(a), len(b), 1) for a, b in pairs)
    return bool(pairs) and same >= share * len(pairs)
