"""Read-alongs: a text whose words light up as they are said; as a page of its own, and as the XML of ReadAlongs Studio.

Format of the XML: https://readalongs.github.io/Studio (version 1.2), as EveryVoice writes it.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np

from voxgraft.inference.acoustic.timing import Timed, Timing

_DIGITS = 3


def readalong_xml(timing: Timing, language: str | None = None) -> str:
    """A `.readalong`: one page with one sentence, each word with its time and duration in seconds."""
    words = [one for one in timing.words if one.label]
    marked = " ".join(
        f'<w time="{_time(one.begin)}" dur="{_time(one.end - one.begin)}" id="t0b0d0p0s0w{number}">{_escaped(one.label)}</w>'
        for number, one in enumerate(words)
    )
    return f"""<?xml version='1.0' encoding='utf-8'?>
<read-along version="1.2">
    <meta name="generator" content="voxgraft" id="meta0"/>
    <text xml:lang="{_escaped(language or "und")}" fallback-langs="" id="t0">
        <body id="t0b0">
            <div type="page" id="t0b0d0">
                <p id="t0b0d0p0">
                    <s id="t0b0d0p0s0">{marked}</s>
                </p>
            </div>
        </body>
    </text>
</read-along>
"""


def readalong_html(
    timing: Timing, audio: np.ndarray, sample_rate: int, *, title: str, language: str | None = None
) -> str:
    """One page with its sound in it, which needs no network: the word that is said lights up, a click on one plays from there.

    `audio` is float32 [S] in -1..1.
    """
    words = _spans([one for one in timing.words if one.label])
    sound = base64.b64encode(_wave(audio, sample_rate)).decode("ascii")
    return f"""<!DOCTYPE html>
<html lang="{_escaped(language or "und")}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_escaped(title)}</title>
<style>
body {{ font: 1.5rem/1.8 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }}
audio {{ width: 100%; }}
.word {{ cursor: pointer; border-radius: .2em; padding: .05em .1em; }}
.word.said {{ background: #ffd54d; color: #000; }}
</style>
</head>
<body>
<audio controls src="data:audio/wav;base64,{sound}"></audio>
<p>{words}</p>
<script>
const audio = document.querySelector("audio");
const words = [...document.querySelectorAll(".word")];
const show = () => words.forEach(word => word.classList.toggle(
  "said", audio.currentTime >= +word.dataset.begin && audio.currentTime < +word.dataset.end && !audio.ended));
const follow = () => {{ show(); if (!audio.paused) requestAnimationFrame(follow); }};
audio.addEventListener("play", follow);
audio.addEventListener("seeked", show);
audio.addEventListener("ended", show);
words.forEach(word => word.addEventListener("click", () => {{ audio.currentTime = +word.dataset.begin; audio.play(); }}));
</script>
</body>
</html>
"""


def _spans(words: Sequence[Timed]) -> str:
    return " ".join(
        f'<span class="word" data-begin="{_time(one.begin)}" data-end="{_time(one.end)}">{_escaped(one.label)}</span>'
        for one in words
    )


def _wave(audio: np.ndarray, sample_rate: int) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(audio, -1, 1), sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


def _time(seconds: float) -> str:
    return f"{seconds:.{_DIGITS}f}"
