"""Glow-TTS (Kim et al. 2020): from symbols to a mel spectrogram, through a normalising flow."""

from voxgraft.models.glow_tts.glow_tts import GlowTts
from voxgraft.models.glow_tts.losses import glow_losses

__all__ = ["GlowTts", "glow_losses"]
