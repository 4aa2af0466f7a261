"""A Praat TextGrid, long format, of when words and symbols are said. Format: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html"""

from __future__ import annotations

from collections.abc import Sequence

from voxgraft.inference.acoustic.timing import Timed, Timing

_DIGITS = 6


def textgrid(timing: Timing) -> str:
    """Two tiers, `words` and `symbols`, from 0 to the end."""
    tiers = {"words": timing.words, "symbols": timing.symbols}
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_time(timing.seconds)}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, (name, intervals) in enumerate(tiers.items(), 1):
        lines += _tier(number, name, _without_gaps(intervals, timing.seconds), timing.seconds)
    return "\n".join(lines) + "\n"


def _tier(number: int, name: str, intervals: Sequence[Timed], seconds: float) -> list[str]:
    lines = [
        f"    item [{number}]:",
        '        class = "IntervalTier"',
        f'        name = "{name}"',
        "        xmin = 0",
        f"        xmax = {_time(seconds)}",
        f"        intervals: size = {len(intervals)}",
    ]
    for place, one in enumerate(intervals, 1):
        label = one.label.replace('"', '""')
        lines += [
            f"        intervals [{place}]:",
            f"            xmin = {_time(one.begin)}",
            f"            xmax = {_time(one.end)}",
            f'            text = "{label}"',
        ]
    return lines


def _without_gaps(intervals: Sequence[Timed], seconds: float) -> list[Timed]:
    """Praat wants every moment in an interval."""
    filled: list[Timed] = []
    at = 0.0
    for one in intervals:
        if one.begin > at + 10**-_DIGITS:
            filled.append(Timed("", at, one.begin))
        filled.append(one)
        at = one.end
    if seconds > at + 10**-_DIGITS:
        filled.append(Timed("", at, seconds))
    return filled


def _time(seconds: float) -> str:
    return f"{seconds:.{_DIGITS}f}".rstrip("0").rstrip(".") or "0"
