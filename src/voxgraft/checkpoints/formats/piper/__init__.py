"""Piper's training checkpoints and exported voices."""
