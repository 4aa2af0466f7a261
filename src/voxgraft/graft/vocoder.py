"""Whether a vocoder can read what an acoustic model writes: their AudioSpecs, field by field."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from voxgraft.architectures.families import family_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint

# Differences that are heard as a little noise at most: everything else makes speech that nobody understands, too quick,
# too slow, or in another register.
SLIGHT = frozenset({"centre", "magnitude_floor", "log_floor"})
# Differences that a sentence names.
MOST_TOLD = 3
# Fields that mean nothing unless levels are laid out over a range.
OF_THE_RANGE = frozenset({"level_low", "level_high", "range_low", "range_high", "clipped"})


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
        differences = _plain(acoustic.audio).differences(_plain(vocoder.audio))
        if "range" not in (acoustic.audio.normalisation, vocoder.audio.normalisation):
            differences = {name: pair for name, pair in differences.items() if name not in OF_THE_RANGE}
        slight = {name: pair for name, pair in differences.items() if name in SLIGHT}
        grave = {name: pair for name, pair in differences.items() if name not in SLIGHT}
        if grave:
            refusals.append(
                f"vocoder: {_compared(grave)}: take a vocoder for such spectrograms, or an acoustic model that writes this "
                "vocoder's"
            )
        elif slight:
            warnings.append(
                f"vocoder: {_compared(slight)}: close enough to begin with; fine-tune the vocoder on the model's spectrograms"
            )
    refusals += _hop_refusal(vocoder)
    return VocoderFit(str(vocoder.provenance.path), vocoder.family, differences, tuple(refusals), tuple(warnings))


def _compared(differences: dict[str, tuple[object, object]]) -> str:
    """Some of the differences in one sentence; all are in the table."""
    told = [f"{name} {ours} against {theirs}" for name, (ours, theirs) in list(differences.items())[:MOST_TOLD]]
    more = f", and {len(differences) - MOST_TOLD} more" if len(differences) > MOST_TOLD else ""
    return f"the model's spectrograms and the vocoder's differ: {', '.join(told)}{more}"


def _plain(spec: AudioSpec) -> AudioSpec:
    """The same with the default spelt out: no upper limit is half the sample rate."""
    values = asdict(spec)
    return AudioSpec(**{**values, "fmax": spec.sample_rate / 2 if spec.fmax is None else float(spec.fmax)})


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
