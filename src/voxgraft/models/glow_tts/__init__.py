"""Glow-TTS (Kim et al. 2020): from symbols to a mel spectrogram, through a normalising flow."""

from voxgraft.models.glow_tts.glow_tts import GlowTts
from voxgraft.models.glow_tts.losses import WEIGHTS, glow_losses

__all__ = ["WEIGHTS", "GlowTts", "glow_losses"]
