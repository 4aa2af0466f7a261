"""Coqui STT's and DeepSpeech's training folders."""
