"""What the columns of a metadata file mean: delimiter, header and layout, told from its first rows."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence

from voxgraft.corpus.split import text_key

NAMES = ("id", "speaker", "text", "normalised", "language", "skip")

# Other toolkits' headings -> ours.
HEADINGS = {
    "id": "id", "file": "id", "filename": "id", "file_name": "id", "audio": "id", "audio_file": "id", "path": "id",
    "wav": "id", "wav_filename": "id", "basename": "id", "clip": "id",
    "text": "text", "sentence": "text", "transcript": "text", "transcription": "text", "characters": "text",
    "raw_text": "text", "normalised": "normalised", "normalized": "normalised", "normalized_text": "normalised",
    "normalized_transcription": "normalised",
    "speaker": "speaker", "speaker_id": "speaker", "speaker_name": "speaker", "client_id": "speaker",
    "language": "language", "lang": "language", "locale": "language",
}  # fmt: skip

DELIMITERS = ("|", "\t", ";", ",")


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


def split_line(line: str, delimiter: str, count: int | None = None) -> list[str]:
    """Cells of one line. `|` is never quoted (LJSpeech has stray quotes); surplus commas belong to the last cell."""
    if delimiter == "|":
        return [cell.strip() for cell in line.split("|")]
    if '"' in line:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    cells = line.split(delimiter)
    if count is not None and len(cells) > count:
        cells = line.split(delimiter, count - 1)
    return [cell.strip() for cell in cells]


def header_columns(cells: Sequence[str]) -> tuple[str, ...] | None:
    """Our names of a heading's columns; None where the line is no heading."""
    names = [HEADINGS.get(cell.strip().lower().lstrip("#").strip()) for cell in cells]
    return (
        tuple(name or "skip" for name in names)
        if {"id"} <= set(names) and set(names) & {"text", "normalised"}
        else None
    )


def guess_columns(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[str, ...] | None:
    """Columns of a file without a heading: (id, text), (id, speaker, text) or LJSpeech's (id, text, normalised)."""
    widths = Counter(len(row) for row in rows)
    if not widths or max(widths) < 2:
        return None
    width = widths.most_common(1)[0][0]
    if width == 3 and (delimiter == "|" or len(widths) == 1):
        return _three_columns([row for row in rows if len(row) == 3])
    if width == 4 and delimiter == "|":
        return ("id", "speaker", "text", "normalised")
    return ("id", "text")


def _three_columns(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """LJSpeech where the last two say the same; speakers where the second has single words or few values."""
    same = sum(text_key(second) == text_key(third) for _, second, third in rows)
    if 2 * same >= len(rows):
        return ("id", "text", "normalised")
    single_words = sum(" " not in second for _, second, _ in rows)
    few_values = len(rows) >= 4 and 2 * len({second for _, second, _ in rows}) <= len(rows)
    if few_values or single_words >= 0.9 * len(rows):
        return ("id", "speaker", "text")
    return ("id", "text", "normalised")
