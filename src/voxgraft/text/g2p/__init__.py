"""Text to symbols: one small interface, an implementation for each kind of text that a voice reads.

Third parties add a kind with an entry point in the group `voxgraft.phonemizers`: its name is the kind, its object a
function `voice -> Phonemizer`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from voxgraft.errors import TextError

GROUP = "voxgraft.phonemizers"
DEFAULT_VOICE = "en-us"
_BUILT_IN = ("espeak", "text", "bytes")
# Kinds of text whose names say too little.
_IN_WORDS = {
    "coqui": "the phonemes of the phonemizer that this model was trained with",
    "g2p": "the phones of EveryVoice's g2p",
    "pieces": "pieces of words",
    "ctc": "a recogniser's labels",
}


class Phonemizer(Protocol):
    """Turns text into the symbols of its sentences."""

    def sentences(self, text: str) -> list[list[str]]:
        """The symbols of each sentence."""
        ...

    def stream(self, text: str) -> Iterator[list[str]]:
        """The same one by one: memory stays flat however long the text."""
        ...


def phonemizer(kind: str = "espeak", voice: str | None = None) -> Phonemizer:
    """The phonemizer for a kind of text (`espeak`, `text`, `bytes`, or what a plug-in adds) and an espeak-ng voice.

    Raises TextError for an unknown kind or voice, MissingExtra where espeak-ng isn't installed.
    """
    if kind == "espeak":
        from voxgraft.text.g2p.espeak import EspeakPhonemizer

        return EspeakPhonemizer(voice or DEFAULT_VOICE)
    if kind == "text":
        from voxgraft.text.g2p.graphemes import GraphemePhonemizer

        return GraphemePhonemizer()
    if kind == "bytes":
        from voxgraft.text.g2p.utf8 import BytePhonemizer

        return BytePhonemizer()
    plugins = _plugins()
    if kind in plugins:
        made: Phonemizer = plugins[kind].load()(voice)
        return made
    raise TextError(
        unreadable(kind) or "unknown kind of text",
        field="phoneme_type",
        expected=" or ".join((*_BUILT_IN, *sorted(plugins))),
        got=kind,
        remedy=f"Install a package that registers {kind!r} under the entry point {GROUP}.",
    )


def unreadable(kind: str) -> str | None:
    """Why no text can be read for a voice that takes this kind of symbols; None where it can."""
    if kind in _BUILT_IN or kind in _plugins():
        return None
    return f"nothing here turns text into {_IN_WORDS.get(kind, kind)}"


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
