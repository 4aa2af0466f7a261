"""What the numbers in `scales` of a voice mean: three in any Piper voice, more in one of a text-to-spec model and a vocoder."""

from __future__ import annotations

# Name and usual value, in their order in `scales`. The third means nothing to models whose durations have no noise.
FUSED: tuple[tuple[str, float], ...] = (
    ("noise_scale", 0.667),
    ("length_scale", 1.0),
    ("noise_w", 0.8),
    ("pitch_scale", 1.0),
    ("energy_scale", 1.0),
    ("language", 0.0),
)
NAMES = tuple(name for name, _ in FUSED)
PIPERS = NAMES[:3]
