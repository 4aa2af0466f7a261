"""DelightfulTTS as tts-framework and VoiceSmith have it: from symbols to a mel spectrogram, the parts that speak."""

from voxgraft.models.delightful.delightful import Delightful, DelightfulOutput

__all__ = ["Delightful", "DelightfulOutput"]
