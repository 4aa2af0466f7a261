"""Bytes: the symbols are those of the text's UTF-8, each as the character of its number, as VoiceSmith's models read it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from voxgraft.text.g2p.graphemes import GraphemePhonemizer


class BytePhonemizer:
    """The bytes of each sentence, in the text's NFC form."""

    def sentences(self, text: str) -> list[list[str]]:
        """The bytes of each sentence; a text that can be spoken in one breath is one."""
        return list(self.stream(text))

    def stream(self, text: str) -> Iterator[list[str]]:
        """The same one by one."""
        for sentence in GraphemePhonemizer().stream(text):
            composed = unicodedata.normalize("NFC", "".join(sentence))
            yield [chr(byte) for byte in composed.encode()]
