"""What to listen to: base, result and recording of each text, with their spectrograms and what was heard."""

from __future__ import annotations

from voxgraft.evaluation.compare import Comparison
from voxgraft.evaluation.instruments import Clip
from voxgraft.evaluation.judge import HeldOut
from voxgraft.evaluation.report.markup import Html, section, tag
from voxgraft.evaluation.report.scoreboard import ROLES
from voxgraft.evaluation.report.sound import audio_url, spectrogram_url
from voxgraft.evaluation.scores import ClipScore

MOST_TEXTS = 24
LONGEST_SECONDS = 30.0


def listening(comparison: Comparison, language: str) -> Html:
    """A card a text. At most 24 texts and the first half minute of each, so that the page stays small."""
    lines = [line for line in comparison.held_out if any(line.id in clips for clips in comparison.clips.values())]
    cards = [_card(line, comparison, language) for line in lines[:MOST_TEXTS]]
    left_out = len(lines) - len(cards)
    more = tag("p", f"{left_out} more texts were measured; their sound is not on this page.") if left_out else Html("")
    return section("listen", "Listen", *cards, more)


def _card(line: HeldOut, comparison: Comparison, language: str) -> Html:
    players = []
    for role in [*(r for r in ROLES if r in comparison.clips), *(r for r in comparison.clips if r not in ROLES)]:
        clip = comparison.clips[role].get(line.id)
        if clip is not None and len(clip.audio):
            scores = comparison.scores.get(role)
            row = next((row for row in scores.rows if row.id == line.id), None) if scores else None
            players.append(_player(role, line, clip, row))
    return tag(
        "article",
        tag("h3", line.text, attributes={"lang": language}),
        tag("div", *players, attributes={"class": "players"}),
        attributes={"class": "card"},
    )


def _player(role: str, line: HeldOut, clip: Clip, row: ClipScore | None) -> Html:
    name = "Recording" if role == "recordings" else ROLES.get(role, role)
    played = Clip(clip.audio[: int(LONGEST_SECONDS * clip.sample_rate)], clip.sample_rate)
    picture = tag(
        "img",
        attributes={
            "src": spectrogram_url(played),
            "alt": f"Spectrogram of the {name.lower()}, {clip.seconds:.1f} seconds",
            "loading": "lazy",
        },
    )
    sound = tag(
        "audio",
        attributes={"controls": "", "preload": "none", "src": audio_url(played), "aria-label": f"{name}: {line.text}"},
    )
    caption = tag(
        "figcaption",
        tag("span", name, attributes={"class": f"role {role}"}),
        tag("span", f"{clip.seconds:.1f} s{_likeness(row)}", attributes={"class": "quiet"}),
    )
    return tag("figure", caption, picture, sound, _heard(row), attributes={"class": "player"})


def _likeness(row: ClipScore | None) -> str:
    return f" · similarity {row.speaker_similarity:.2f}" if row and row.speaker_similarity is not None else ""


def _heard(row: ClipScore | None) -> Html:
    if row is None or row.heard is None or row.characters is None:
        return Html("")
    if not row.characters.edits:
        return tag("p", "heard without error", attributes={"class": "heard right"})
    heard = tag("q", row.heard) if row.heard else "nothing"
    return tag("p", "heard ", heard, f" · CER {100 * (row.cer or 0):.0f} %", attributes={"class": "heard"})
