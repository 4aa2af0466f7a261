"""check.html: one self-contained page about a corpus: findings, audio of the clips concerned, histograms."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from voxgraft.audio.read import read_audio
from voxgraft.audio.resample import resample
from voxgraft.corpus.checks.check import Report
from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.manifest import Utterance
from voxgraft.errors import AudioError
from voxgraft.files import write_atomically

LARGEST_AUDIO_BYTES = 6_000_000
LONGEST_AUDIO_SECONDS = 15.0
MOST_ROWS = 5000
_AUDIO_RATE = 16000
# Under this much room, no further clip is tried.
_LEAST_AUDIO_BYTES = 120_000

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8884; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid; }
tr.blocking td:nth-child(2) { color: #c22; font-weight: 600; }
td.text { color: #888; }
audio { height: 2rem; width: 14rem; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: 1rem 0; }
figure { margin: 0; } figcaption { font-size: .85rem; }
rect { fill: #47a; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
"""

_SCRIPT = """
for (const button of document.querySelectorAll('th button')) button.addEventListener('click', () => {
  const column = button.parentNode.cellIndex, body = button.closest('table').tBodies[0];
  const up = button.dataset.up = button.dataset.up === '1' ? '0' : '1';
  const value = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
  [...body.rows].sort((a, b) => (up === '1' ? 1 : -1) * value(a).localeCompare(value(b), undefined, {numeric: true}))
    .forEach(row => body.append(row));
});
"""


def write_page(report: Report, path: Path) -> None:
    """Write the page; atomic. Audio is limited to 6 MB in all, the clips that block first."""
    write_atomically(path, "".join(_page(report)))


def _page(report: Report) -> Iterable[str]:
    count, blocked = len(report.manifest), len(report.blocked)
    yield '<!doctype html><html lang="en"><meta charset="utf-8"><title>Corpus check</title>'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    yield "script-src 'unsafe-inline'; media-src data:\">"
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>Corpus check</h1>'
    yield f"<p>{count} clips, {report.manifest.seconds / 60:.1f} minutes. {len(report.findings)} findings; "
    yield f"{blocked} clips can't be trained on as they are (red).</p>" if blocked else "nothing keeps a clip out.</p>"
    yield f'<div class="plots">{"".join(_plots(report))}</div>'
    yield from _table(report)
    yield f"<script>{_SCRIPT}</script></html>"


def _table(report: Report) -> Iterable[str]:
    findings = sorted(report.findings, key=lambda f: (not f.blocking, f.clip != "*"))
    if not findings:
        yield "<p>Nothing was found.</p>"
        return
    heads = "".join(
        f'<th><button type="button">{name}</button></th>' for name in ("Clip", "What", "Detail", "What to do")
    )
    yield f"<table><thead><tr>{heads}<th>Text</th><th>Listen</th></tr></thead><tbody>"
    utterances = {u.id: u for u in report.manifest}
    left, shown = LARGEST_AUDIO_BYTES, set()
    for finding in findings[:MOST_ROWS]:
        utterance = utterances.get(finding.clip)
        audio = _audio(utterance, left) if utterance is not None and utterance.id not in shown else b""
        shown.add(finding.clip)
        left -= len(audio)
        yield _row(finding, utterance, audio)
    yield "</tbody></table>"
    if len(findings) > MOST_ROWS:
        yield f"<p>{len(findings) - MOST_ROWS} more findings are in the JSON.</p>"


def _row(finding: Finding, utterance: Utterance | None, audio: bytes) -> str:
    kind = ' class="blocking"' if finding.blocking else ""
    line = f" (line {finding.line})" if finding.line else ""
    cells = (finding.clip + line, finding.kind, finding.detail, finding.remedy)
    text = escape(utterance.text[:300]) if utterance is not None else ""
    player = f'<audio controls src="data:audio/mpeg;base64,{audio.decode()}"></audio>' if audio else ""
    return (
        f'<tr{kind}>{"".join(f"<td>{escape(c)}</td>" for c in cells)}<td class="text">{text}</td><td>{player}</td></tr>'
    )


def _audio(utterance: Utterance, most: int) -> bytes:
    """The beginning of a clip as base64 of an MP3; nothing where it can't be read or there is no room left."""
    import soundfile

    if most < _LEAST_AUDIO_BYTES:
        return b""
    try:
        x, rate = read_audio(utterance.audio)
    except AudioError:
        # The table already says why this one can't be heard.
        return b""
    x = resample(x[: int(LONGEST_AUDIO_SECONDS * rate)], rate, _AUDIO_RATE)
    buffer = io.BytesIO()
    soundfile.write(buffer, x, _AUDIO_RATE, format="MP3")
    encoded = base64.b64encode(buffer.getvalue())
    return encoded if len(encoded) <= most else b""


def _plots(report: Report) -> Iterable[str]:
    heard = [m for m in report.measures.values() if m is not None]
    yield _histogram("Length in seconds", [m.duration for m in heard])
    yield _histogram("Level of the loud parts in dB", [m.level for m in heard])
    yield _histogram("Distance of speech to noise in dB", [m.snr for m in heard])
    yield _histogram("Letters of the text", [float(len(u.text)) for u in report.manifest])


def _histogram(title: str, values: Sequence[float], bins: int = 24) -> str:
    if not values:
        return ""
    counts, edges = np.histogram(values, bins=bins)
    width, height = 10, 90
    bars = "".join(
        f'<rect x="{i * width}" y="{height - bar:.1f}" width="{width - 1}" height="{bar:.1f}">'
        f"<title>{edges[i]:.1f} to {edges[i + 1]:.1f}: {count}</title></rect>"
        for i, count in enumerate(counts)
        if (bar := height * count / counts.max())
    )
    labels = (
        f'<text x="0" y="{height + 14}">{edges[0]:.1f}</text>'
        f'<text x="{bins * width}" y="{height + 14}" text-anchor="end">{edges[-1]:.1f}</text>'
    )
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg width="{bins * width}" height="{height + 18}" role="img" '
        f'aria-label="{escape(title)}">{bars}{labels}</svg></figure>'
    )
