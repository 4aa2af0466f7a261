"""Checkpoints of tts-framework, VoiceSmith and maum-ai."""
