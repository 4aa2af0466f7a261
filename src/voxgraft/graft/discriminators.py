"""Which discriminators a vocoder is trained with: those that are asked for, or that its base brings."""

from __future__ import annotations

from collections.abc import Mapping

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.config.tasks.vocoder import VocoderConfig

AUTO = "auto"
WITHOUT_A_BASE = "light"
# Kind -> some of its tensors and their shapes, which tell it from the others.
SIGNS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "hifigan": {
        "discriminator.mpd.discriminators.0.convs.4.weight_v": (1024, 1024, 5, 1),
        "discriminator.msd.discriminators.0.convs.6.weight_orig": (1024, 1024, 5),
    },
    "univnet": {
        "discriminator.mrd.discriminators.0.convs.0.weight_v": (32, 1, 3, 9),
        "discriminator.mpd.discriminators.0.convs.0.weight_v": (64, 1, 5, 1),
    },
    "vocos": {
        "discriminator.mpd.discriminators.0.convs.0.weight_v": (32, 1, 5, 1),
        "discriminator.mrd.discriminators.0.convs.0.weight_v": (32, 1, 3, 9),
    },
    "light": {"discriminator.discriminators.0.convs.0.weight_v": (16, 1, 5, 1)},
}
# Coqui TTS' UnivNet: period discriminators as HiFi-GAN has them, others by spectrogram than are known here.
_COQUI_UNIVNET = "discriminator.mpd.discriminators.0.convs.0.weight_v", (32, 1, 5, 1)


def discriminator_kind(settings: VocoderConfig, base: Checkpoint | None) -> str:
    """A kind of `models.discriminators`, or `none`."""
    if settings.discriminator != AUTO:
        return settings.discriminator
    shapes = base.shapes if base is not None else {}
    for kind, signs in SIGNS.items():
        if all(shapes.get(name) == shape for name, shape in signs.items()):
            return kind
    name, shape = _COQUI_UNIVNET
    return "vocos" if base is not None and base.family == "univnet" and shapes.get(name) == shape else WITHOUT_A_BASE
