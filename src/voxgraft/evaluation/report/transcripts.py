"""The worst utterances: their sound, what was said, and what base and result heard of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from voxgraft.errors import VoxgraftError
from voxgraft.evaluation.hearing import Hearing, Transcribed
from voxgraft.evaluation.instruments import Clip
from voxgraft.evaluation.report.differences import marked
from voxgraft.evaluation.report.markup import Html, join, section, tag
from voxgraft.evaluation.report.scoreboard import ROLES
from voxgraft.evaluation.report.sound import audio_url

MOST_UTTERANCES = 20
LONGEST_SECONDS = 20.0
LONGEST_TEXT = 600


@dataclass(frozen=True)
class HeardSet:
    """Recordings that recognisers were tested on: what the `result` and, if any, the `base` heard, and the sound by id.

    `name` is a word for links, `title` and `about` say what the set is for.
    """

    name: str
    title: str
    about: str
    hearings: Mapping[str, Hearing]
    sound: Callable[[str], Clip]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def judged(self) -> Hearing:
        """What the result heard."""
        return self.hearings["result"]


def worst_utterances(heard: HeardSet, most: int = MOST_UTTERANCES) -> Html:
    """A card for each of the worst that has errors; a third of a minute of sound each at most, so that the page stays small."""
    wrong = [row for row in heard.judged.worst if row.characters.edits]
    others = {role: {row.id: row for row in hearing.rows} for role, hearing in heard.hearings.items()}
    cards = [_card(row, heard, {role: rows[row.id] for role, rows in others.items()}) for row in wrong[:most]]
    right = len(heard.judged.rows) - len(wrong)
    told = f"{right} of {len(heard.judged.rows)} utterances were heard without error"
    told += f"; the worst {most} of the other {len(wrong)} are shown." if len(wrong) > most else "."
    legend = tag(
        "p",
        told,
        *(
            [" Marked: ", tag("mark", "wrong"), " ", tag("del", "missing"), " ", tag("ins", "too much")]
            if cards
            else []
        ),
        attributes={"class": "quiet"},
    )
    return section(f"worst-{heard.name}", f"Worst utterances: {heard.title}", legend, *cards)


def _card(row: Transcribed, heard: HeardSet, roles: Mapping[str, Transcribed]) -> Html:
    lines = [_line(ROLES.get(role, role), role, roles[role]) for role in ROLES if role in roles]
    return tag(
        "article",
        tag("h3", _shortened(row.said) or "(nothing)"),
        _player(row, heard.sound),
        *lines,
        tag("p", row.id, attributes={"class": "quiet"}),
        attributes={"class": "card transcript"},
    )


def _line(name: str, role: str, row: Transcribed) -> Html:
    heard = marked(_shortened(row.said), _shortened(row.heard)) if row.heard else Html("nothing")
    return tag(
        "p",
        tag("span", name, attributes={"class": f"role {role}"}),
        tag("small", f"CER {100 * row.cer:.0f} %"),
        tag("span", heard, attributes={"class": "words"}),
    )


def _player(row: Transcribed, sound: Callable[[str], Clip]) -> Html:
    try:
        clip = sound(row.id)
    except VoxgraftError as fault:
        return tag("p", f"its sound can't be read: {fault.problem}", attributes={"class": "quiet"})
    played = Clip(clip.audio[: int(LONGEST_SECONDS * clip.sample_rate)], clip.sample_rate)
    if not len(played.audio):
        return tag("p", "a recording without sound", attributes={"class": "quiet"})
    cut = f"the first {LONGEST_SECONDS:.0f} of {clip.seconds:.0f} s" if clip.seconds > LONGEST_SECONDS else ""
    label = {"controls": "", "preload": "none", "src": audio_url(played), "aria-label": f"Recording: {row.said[:80]}"}
    return join([tag("audio", attributes=label), tag("small", cut) if cut else ""])


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " …"
