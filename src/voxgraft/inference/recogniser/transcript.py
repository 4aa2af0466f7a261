"""Transcript: what was heard, when, and how surely; and how it is written as subtitles and TextGrid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

# How much of a subtitle stands on the screen at once.
_SUBTITLE_LETTERS = 80
_SUBTITLE_SECONDS = 6.0
_SUBTITLE_PAUSE = 0.8


class Word(NamedTuple):
    """A word from `start` to `end` in seconds; `score` is the mean probability of its labels, 0 to 1."""

    text: str
    start: float
    end: float
    score: float


class Alternative(NamedTuple):
    """Another text that could have been said, and its score (a logarithm)."""

    text: str
    score: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech from `start` to `end` in seconds. `score` is the logarithm that decoding gave its text."""

    text: str
    start: float
    end: float
    score: float
    words: tuple[Word, ...]
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """A recording's text by segments, in order. `duration` is the recording's, in seconds."""

    segments: tuple[Segment, ...]
    duration: float

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(segment.text for segment in self.segments if segment.text)

    @property
    def words(self) -> tuple[Word, ...]:
        """All words, in order."""
        return tuple(word for segment in self.segments for word in segment.words)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        segments = [
            asdict(segment)
            | {"words": [word._asdict() for word in segment.words]}
            | {"alternatives": [alternative._asdict() for alternative in segment.alternatives]}
            for segment in self.segments
        ]
        return {"text": self.text, "duration": round(self.duration, 3), "segments": segments}


def to_srt(transcript: Transcript) -> str:
    """SubRip subtitles."""
    blocks = (
        f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n"
        for number, (start, end, text) in enumerate(_subtitles(transcript), 1)
    )
    return "\n".join(blocks)


def to_vtt(transcript: Transcript) -> str:
    """WebVTT subtitles, the time of each word inside (https://www.w3.org/TR/webvtt1/)."""
    blocks = ["WEBVTT\n"]
    for words in _lines(transcript):
        timed = " ".join(
            f"<{_clock(word.start, '.')}>{_escaped(word.text)}" if place else _escaped(word.text)
            for place, word in enumerate(words)
        )
        blocks.append(f"{_clock(words[0].start, '.')} --> {_clock(words[-1].end, '.')}\n{timed}\n")
    return "\n".join(blocks)


def to_textgrid(words: Sequence[Word], duration: float) -> str:
    """A Praat TextGrid with a tier of words, the pauses between them empty."""
    intervals: list[tuple[float, float, str]] = []
    at = 0.0
    for word in words:
        start, end = max(word.start, at), max(word.end, word.start, at)
        if start > at:
            intervals.append((at, start, ""))
        if end > start:
            intervals.append((start, end, word.text))
        at = max(at, end)
    duration = max(duration, at)
    if duration > at or not intervals:
        intervals.append((at, duration, ""))
    rows = "".join(
        f"        intervals [{number}]:\n            xmin = {start:.3f}\n            xmax = {end:.3f}\n"
        f'            text = "{text.replace(chr(34), chr(34) * 2)}"\n'
        for number, (start, end, text) in enumerate(intervals, 1)
    )
    return (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
        f"xmin = 0\nxmax = {duration:.3f}\ntiers? <exists>\nsize = 1\nitem []:\n    item [1]:\n"
        '        class = "IntervalTier"\n        name = "words"\n'
        f"        xmin = 0\n        xmax = {duration:.3f}\n        intervals: size = {len(intervals)}\n{rows}"
    )


def _subtitles(transcript: Transcript) -> Iterable[tuple[float, float, str]]:
    return ((words[0].start, words[-1].end, " ".join(word.text for word in words)) for words in _lines(transcript))


def _lines(transcript: Transcript) -> Iterable[list[Word]]:
    """The words that stand on the screen together."""
    for segment in transcript.segments:
        line: list[Word] = []
        for word in segment.words:
            letters = sum(len(w.text) + 1 for w in line) + len(word.text)
            full = line and (letters > _SUBTITLE_LETTERS or word.end - line[0].start > _SUBTITLE_SECONDS)
            if full or (line and word.start - line[-1].end > _SUBTITLE_PAUSE):
                yield line
                line = []
            line.append(word)
        if line:
            yield line


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(max(0.0, seconds) * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
