"""Pairs of a text-to-spec model and a vocoder: fused into one voice, or side by side."""
