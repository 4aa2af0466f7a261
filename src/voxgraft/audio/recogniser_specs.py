"""What the families of recognisers hear, where a checkpoint states no more than the sizes."""

from __future__ import annotations

from voxgraft.audio.spec import AudioSpec

# wav2vec 2.0's window and hop.
WAV2VEC2 = AudioSpec(16000, n_fft=400, win=400, hop=320, n_mels=0, log_base="none", normalisation="utterance")


def fastconformer_spec(
    mels: int,
    sample_rate: int = 16000,
    n_fft: int = 512,
    win: int = 400,
    hop: int = 160,
    preemphasis: float = 0.97,
) -> AudioSpec:
    """NVIDIA's log mel spectrogram: each band of a recording is brought to mean 0 and deviation 1."""
    return AudioSpec(
        sample_rate=sample_rate,
        n_fft=n_fft,
        win=win,
        hop=hop,
        n_mels=mels,
        power=2.0,
        magnitude_floor=0.0,
        log_floor=2.0**-24,
        log_floor_added=True,
        window="symmetric",
        normalisation="bands",
        centre=True,
        preemphasis=preemphasis,
    )


def whisper_spec(mels: int, sample_rate: int = 16000, n_fft: int = 400, hop: int = 160) -> AudioSpec:
    """Whisper's log mel spectrogram."""
    return AudioSpec(
        sample_rate=sample_rate,
        n_fft=n_fft,
        win=n_fft,
        hop=hop,
        n_mels=mels,
        fmax=8000.0,
        power=2.0,
        magnitude_floor=0.0,
        log_base="10",
        log_floor=1e-10,
        normalisation="whisper",
        centre=True,
    )
