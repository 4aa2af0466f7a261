"""The spectrogram of an EveryVoice model, as its `preprocessing.audio` describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.formats.everyvoice.settings import number, section, whole

# By spec_type: librosa's mel of magnitudes, torchaudio's of powers on the HTK scale. EveryVoice supports no other.
_MEL = {
    "mel-librosa": {"power": 1.0, "magnitude_floor": 1e-9, "mel_scale": "slaney"},
    "mel": {"power": 2.0, "magnitude_floor": 0.0, "mel_scale": "htk"},
}


def audio_spec(config: Mapping[str, Any], mels: int, notes: list[str]) -> AudioSpec | None:
    """The mel spectrogram that a model of `mels` bands reads or writes; None, and noted, where it isn't recorded.

    Its frames are centred, and the one that goes beyond the last whole hop is left out.
    """
    audio = section(config, "preprocessing", "audio")
    rate = audio.get("input_sampling_rate")
    if type(rate) is not int or not 4000 <= rate <= 192_000:
        notes.append(f"preprocessing.audio records no possible sample rate: {str(rate)[:40]}")
        return None
    kind = audio.get("spec_type", "mel-librosa")
    if kind not in _MEL:
        notes.append(
            f"its spectrogram is of the kind {str(kind)[:40]!r} ({rate} Hz), which EveryVoice itself can't train"
        )
        return None
    if audio.get("n_mels", mels) != mels:
        notes.append(f"configuration says n_mels={audio['n_mels']}, the tensors say {mels}: the tensors win")
    output = audio.get("output_sampling_rate", rate)
    if output != rate:
        notes.append(f"its vocoder reads spectrograms of {rate} Hz and speaks at {str(output)[:20]} Hz")
    highest = number(audio, "f_max", 8000.0)
    return AudioSpec(
        sample_rate=rate,
        n_fft=whole(audio, "n_fft", 1024),
        hop=whole(audio, "fft_hop_size", 256),
        win=whole(audio, "fft_window_size", 1024),
        n_mels=mels,
        fmin=number(audio, "f_min", 0.0),
        fmax=highest or None,
        centre=True,
        **_MEL[kind],  # type: ignore[arg-type]
    )
