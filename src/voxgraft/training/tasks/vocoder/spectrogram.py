"""Whether a spectrogram and a network belong together: one error before training, naming the field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import check_normalisation
from voxgraft.errors import TrainingError
from voxgraft.progress import notice

# The inverse Fourier transform of iSTFTNet takes a hop of a quarter of its points.
_OVERLAP = 4


def samples_of_frame(architecture: Mapping[str, Any]) -> int:
    """How many samples a vocoder of this architecture makes of a frame."""
    if "n_fft" in architecture:
        return int(architecture["hop"])
    rates = architecture.get("upsample_rates") or architecture["strides"]
    return math.prod(rates) * (int(architecture.get("istft_points") or 0) // _OVERLAP or 1)


def require_fitting(spec: AudioSpec | None, architecture: Mapping[str, Any], file: Path | None) -> AudioSpec:
    """The same spec. TrainingError where there is none, or where it is not what the network reads; AudioError where its
    normalisation needs what is not there. `file` is the base's."""
    if spec is None:
        raise TrainingError(
            "the base does not say how its spectrograms are made",
            file=file,
            field="audio",
            remedy="Put its configuration beside it, or take another base.",
        )
    check_normalisation(spec)
    wanted = {"hop": (samples_of_frame(architecture), spec.hop), "n_mels": (architecture["mels"], spec.n_mels)}
    for field, (expected, got) in wanted.items():
        if expected != got:
            raise TrainingError(
                "the spectrogram does not fit the network",
                file=file,
                field=f"vocoder.spectrogram.{field}" if file is None else f"audio.{field}",
                expected=expected,
                got=got,
                remedy="Choose another size or family, or a spectrogram with this value."
                if file is None
                else "Correct the audio settings beside the base's weights, or take another base.",
            )
    return spec


def segment_frames(segment: int, spec: AudioSpec) -> int:
    """Frames of a segment of at least so many samples that its spectrogram can be made."""
    frames = max(1, segment // spec.hop)
    least = -(-spec.n_fft // spec.hop)
    if frames < least:
        notice(f"segments have {least} frames, as many as a window of the spectrogram needs, and not {frames}")
    return max(frames, least)
