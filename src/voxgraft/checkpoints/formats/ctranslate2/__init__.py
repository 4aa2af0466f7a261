"""Whisper as faster-whisper runs it."""
