"""Labels as festival and the Edinburgh Speech Tools write them (.lab): a line a label, `END NUMBER NAME`, in seconds."""

from __future__ import annotations

import math
from pathlib import Path

from voxgraft.corpus.durations.label import Label, Tier
from voxgraft.corpus.lines import numbered_lines
from voxgraft.errors import CorpusError


def read_labels(path: Path) -> Tier:
    """The labels of a file; what stands before a line `#` is its heading. CorpusError names a line that is no label."""
    lines = [(number, line.strip()) for number, line in numbered_lines(path)]
    headings = [place for place, (_, line) in enumerate(lines) if line == "#"]
    labels: list[Label] = []
    for number, line in lines[headings[0] + 1 if headings else 0 :]:
        if not line:
            continue
        cells = line.split(maxsplit=2)
        try:
            end = float(cells[0])
            float(cells[1])
        except (ValueError, IndexError):
            end = math.nan
        if not math.isfinite(end) or len(cells) < 2:
            raise CorpusError(
                "is no label",
                file=path,
                field=f"line {number}",
                expected="its end in seconds, a number and its name",
                got=repr(line[:40]),
                remedy="Write labels as festival does: `0.342 125 pau`.",
            )
        labels.append(Label(cells[2] if len(cells) > 2 else "", labels[-1].end if labels else 0.0, end))
    return Tier("labels", tuple(labels), str(path))
