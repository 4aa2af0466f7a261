"""Whether a vocoder can read what an acoustic model writes: their AudioSpecs, field by field."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from voxgraft.architectures.families import family_of
from voxgraft.audio.fit import Differences, spec_fit, told
from voxgraft.checkpoints.checkpoint import Checkpoint


@dataclass(frozen=True)
class VocoderFit:
    """`differences`: field -> (the acoustic model's, the vocoder's)."""

    vocoder: str
    family: str
    differences: dict[str, tuple[object, object]]
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for --json."""
        return {"fits": not self.refusals} | asdict(self)


def vocoder_fit(acoustic: Checkpoint, vocoder: Checkpoint) -> VocoderFit:
    """Compare what one writes with what the other reads."""
    tasks = {"acoustic model": (acoustic, "text-to-spec"), "vocoder": (vocoder, "spec-to-wav")}
    refusals = [
        f"vocoder: {found.provenance.path.name} is a {family_of(found.family).title} ({family_of(found.family).kind}), "
        f"which is no {name}: give a {task} model"
        for name, (found, task) in tasks.items()
        if family_of(found.family).kind != task
    ]
    differences: dict[str, tuple[object, object]] = {}
    warnings: list[str] = []
    if acoustic.audio is None or vocoder.audio is None:
        silent = acoustic if acoustic.audio is None else vocoder
        warnings.append(
            f"vocoder: {silent.provenance.path.name} does not say how its spectrograms are made, so that they can't be "
            "compared: give its configuration beside it, or listen before you train"
        )
    else:
        fit = spec_fit(acoustic.audio, vocoder.audio)
        differences = fit.differences
        if fit.grave:
            refusals.append(
                f"vocoder: {_compared(fit.grave)}: take a vocoder for such spectrograms, or an acoustic model that writes this "
                "vocoder's"
            )
        elif fit.slight:
            warnings.append(
                f"vocoder: {_compared(fit.slight)}: close enough to begin with; fine-tune the vocoder on the model's spectrograms"
            )
    refusals += _hop_refusal(vocoder)
    return VocoderFit(str(vocoder.provenance.path), vocoder.family, differences, tuple(refusals), tuple(warnings))


def _compared(differences: Differences) -> str:
    """Some of the differences in one sentence; all are in the table."""
    return f"the model's spectrograms and the vocoder's differ: {told(differences)}"


def _hop_refusal(vocoder: Checkpoint) -> tuple[str, ...]:
    told = hop_mismatch(vocoder)
    return (f"hop: {told}",) if told is not None else ()


def hop_mismatch(checkpoint: Checkpoint) -> str | None:
    """Why a network makes another number of samples of a frame than lie between two frames; None where it does not."""
    rates = checkpoint.architecture.get("upsample_rates") or checkpoint.architecture.get("strides")
    if checkpoint.audio is None or not rates:
        return None
    made = math.prod(rates) * (int(checkpoint.architecture.get("istft_points") or 0) // 4 or 1)
    if made == checkpoint.audio.hop:
        return None
    return (
        f"{checkpoint.provenance.path.name} makes {made} samples of a frame, its spectrograms have one every "
        f"{checkpoint.audio.hop}: speech would come out at the wrong speed: take one whose hop is the product of its upsampling"
    )
