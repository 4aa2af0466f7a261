"""What is special about the graft of a family: a file for each that has anything special."""

from __future__ import annotations

from voxgraft.graft.rules.delightful import RULES as DELIGHTFUL
from voxgraft.graft.rules.fastspeech2 import RULES as FASTSPEECH2
from voxgraft.graft.rules.recognisers import WAV2VEC2, WHISPER
from voxgraft.graft.rules.rules import Rules
from voxgraft.graft.rules.vits import RULES as VITS
from voxgraft.graft.rules.vocoders import RULES as VOCODERS

__all__ = ["Rules", "rules_of"]

RULES: dict[str, Rules] = {
    "vits": VITS,
    "delightful": DELIGHTFUL,
    "fastspeech2": FASTSPEECH2,
    "wav2vec2": WAV2VEC2,
    "whisper": WHISPER,
    **dict.fromkeys(("hifigan", "univnet", "vocos"), VOCODERS),
}
NONE = Rules()


def rules_of(family: str) -> Rules:
    """The rules of that family; empty ones where it has nothing special."""
    return RULES.get(family, NONE)
