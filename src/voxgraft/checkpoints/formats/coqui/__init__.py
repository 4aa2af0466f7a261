"""Coqui TTS' checkpoints."""
