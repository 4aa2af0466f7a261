"""Whether one model can read the spectrograms that another writes: their AudioSpecs, field by field."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from voxgraft.audio.spec import AudioSpec

# Differences that are heard as a little noise at most: everything else makes speech that nobody understands, too quick,
# too slow, or in another register.
SLIGHT = frozenset({"centre", "magnitude_floor", "log_floor"})
# Fields that mean nothing unless levels are laid out over a range.
OF_THE_RANGE = frozenset({"level_low", "level_high", "range_low", "range_high", "clipped"})
# Differences that a sentence names.
MOST_TOLD = 3

Differences = dict[str, tuple[object, object]]


@dataclass(frozen=True)
class SpecFit:
    """Field -> (what is written, what is read): `grave` where nothing intelligible comes out, `slight` where fine-tuning mends it."""

    grave: Differences
    slight: Differences

    @property
    def differences(self) -> Differences:
        """All of them."""
        return self.grave | self.slight


def spec_fit(writes: AudioSpec, reads: AudioSpec) -> SpecFit:
    """Compare the spectrograms that a text-to-spec model writes with those that a vocoder reads."""
    found = _plain(writes).differences(_plain(reads))
    if "range" not in (writes.normalisation, reads.normalisation):
        found = {name: pair for name, pair in found.items() if name not in OF_THE_RANGE}
    grave = {name: pair for name, pair in found.items() if name not in SLIGHT}
    return SpecFit(grave, {name: pair for name, pair in found.items() if name in SLIGHT})


def told(differences: Differences) -> str:
    """Some of the differences in a sentence."""
    some = [f"{name} {ours} against {theirs}" for name, (ours, theirs) in list(differences.items())[:MOST_TOLD]]
    more = f", and {len(differences) - MOST_TOLD} more" if len(differences) > MOST_TOLD else ""
    return f"{', '.join(some)}{more}"


def _plain(spec: AudioSpec) -> AudioSpec:
    """The same with the default spelt out: no upper limit is half the sample rate."""
    values = asdict(spec)
    return AudioSpec(**{**values, "fmax": spec.sample_rate / 2 if spec.fmax is None else float(spec.fmax)})
