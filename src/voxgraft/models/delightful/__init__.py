"""DelightfulTTS as tts-framework and VoiceSmith have it: from symbols to a mel spectrogram."""

from voxgraft.models.delightful.delightful import Delightful, DelightfulOutput, DelightfulPass
from voxgraft.models.delightful.losses import WEIGHTS, delightful_losses

__all__ = ["WEIGHTS", "Delightful", "DelightfulOutput", "DelightfulPass", "delightful_losses"]
