"""The spectrogram that a configuration of Coqui TTS describes, as an AudioSpec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxgraft.audio.spec import AudioSpec

# What Coqui takes where the configuration is silent.
_DEFAULTS: Mapping[str, Any] = {
    "fft_size": 1024,
    "win_length": 1024,
    "hop_length": 256,
    "sample_rate": 22050,
    "preemphasis": 0.0,
    "ref_level_db": 20,
    "log_func": "np.log10",
    "num_mels": 80,
    "mel_fmin": 0.0,
    "mel_fmax": None,
    "spec_gain": 20,
    "do_amp_to_db_mel": True,
    "signal_norm": True,
    "min_level_db": -100,
    "symmetric_norm": True,
    "max_norm": 4.0,
    "clip_norm": True,
    "stats_path": None,
    "frame_shift_ms": None,
    "frame_length_ms": None,
}
_COUNTS = {"fft_size": 2**20, "win_length": 2**20, "hop_length": 2**20, "sample_rate": 192_000, "num_mels": 2**12}
_FLOOR = 1e-8


def audio_spec(section: object, notes: list[str], *, waveform_model: bool = False) -> AudioSpec | None:
    """The spec of a configuration's `audio`; None where there is none, or none that can be right, which is noted.

    A model that speaks waveforms from text (VITS) has spectrograms of its own and takes only the sizes from here.
    """
    if not isinstance(section, dict):
        return None
    audio = {name: section.get(name, default) for name, default in _DEFAULTS.items()}
    _frames_from_time(audio)
    wrong = [name for name, most in _COUNTS.items() if not _is_count(audio[name], most)]
    wrong += [name for name in ("mel_fmin", "spec_gain", "preemphasis") if not _is_number(audio[name])]
    if wrong:
        notes.append(f"the audio settings can't be right and are not used: {wrong[0]}={str(audio[wrong[0]])[:40]}")
        return None
    sizes: dict[str, Any] = {
        "sample_rate": audio["sample_rate"],
        "n_fft": audio["fft_size"],
        "hop": audio["hop_length"],
        "win": audio["win_length"],
        "n_mels": audio["num_mels"],
        "fmin": float(audio["mel_fmin"]),
        "fmax": float(audio["mel_fmax"]) if _is_number(audio["mel_fmax"]) else None,
    }
    if waveform_model:
        return AudioSpec(**sizes)
    return AudioSpec(
        **sizes,
        magnitude_floor=0.0,
        centre=True,
        preemphasis=float(audio["preemphasis"]),
        log_base=_log_base(audio),
        log_floor=_FLOOR,
        log_gain=float(audio["spec_gain"]) if audio["do_amp_to_db_mel"] else 1.0,
        **_normalisation(audio, notes),
    )


def _log_base(audio: Mapping[str, Any]) -> Any:
    if not audio["do_amp_to_db_mel"]:
        return "none"
    return "e" if audio["log_func"] == "np.log" else "10"


def _normalisation(audio: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """Levels from reference plus minimum to reference become 0..max_norm, or -max_norm..max_norm where symmetric."""
    if not audio["signal_norm"]:
        return {}
    if audio["stats_path"]:
        name = str(audio["stats_path"]).replace("\\", "/").rpartition("/")[2][:80]
        notes.append(f"its spectrograms are normalised by the means and variances in {name}, which is not read")
        return {"normalisation": "mean-variance"}
    low, high, top = audio["min_level_db"], audio["ref_level_db"], audio["max_norm"]
    if not all(map(_is_number, (low, high, top))) or not low:
        notes.append("the levels of its spectrograms are not recorded: their normalisation is unknown")
        return {"normalisation": "mean-variance"}
    return {
        "normalisation": "range",
        "level_low": float(high + low),
        "level_high": float(high),
        "range_low": -float(top) if audio["symmetric_norm"] else 0.0,
        "range_high": float(top),
        "clipped": bool(audio["clip_norm"]),
    }


def _frames_from_time(audio: dict[str, Any]) -> None:
    """Old configurations give hop and window in milliseconds, and the hop as null."""
    rate, shift, length = audio["sample_rate"], audio["frame_shift_ms"], audio["frame_length_ms"]
    if audio["hop_length"] is None and all(map(_is_number, (rate, shift, length))) and shift:
        audio["win_length"] = int(length / 1000 * rate)
        audio["hop_length"] = int(audio["win_length"] / (length / shift)) if length else None


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e6  # type: ignore[arg-type]


def _is_count(value: object, most: int) -> bool:
    return type(value) is int and 0 < value <= most
