"""SpeakerEncoder: how alike two voices are, whatever they say."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from voxgraft.audio.resample import resample
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import mel_filterbank
from voxgraft.errors import EvaluationError, MissingExtra

RATE = 16_000
WINDOW, HOP, MELS = 400, 160, 40
BANK = AudioSpec(sample_rate=RATE, n_fft=WINDOW, hop=HOP, win=WINDOW, n_mels=MELS, power=2.0)
VAD_WINDOW = 480
LOUDNESS = -30.0
SILENCE = 1e-5


class SpeakerEncoder:
    """Resemblyzer's encoder (GE2E, Wan et al. 2018), loaded once, on one CPU thread.

    Its network and weights are used as they are. Its preparation (level, pauses, mels) is done here, because
    Resemblyzer's goes through librosa, which compiles for half a minute on the first call on a machine.
    """

    def __init__(self) -> None:
        try:
            import webrtcvad
            from resemblyzer.voice_encoder import VoiceEncoder
        except ImportError as fault:
            raise MissingExtra(
                "Resemblyzer (pip install --no-deps Resemblyzer)", "eval", "measuring speaker similarity"
            ) from fault
        self._new_detector = webrtcvad.Vad
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._encoder: Any = VoiceEncoder("cpu", verbose=False)

    def embed(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        """Embedding [256] of one clip [T], of length 1. All zeros where no speech is heard: like nobody."""
        speech = self._speech(resample(audio, sample_rate, RATE))
        if not len(speech):
            return np.zeros(256, np.float32)
        with _one_thread():
            return self._embed_speech(speech)

    def _embed_speech(self, speech: np.ndarray) -> np.ndarray:
        import torch

        windows, mel_windows = self._encoder.compute_partial_slices(len(speech), 1.3, 0.75)
        padded = np.pad(speech, (0, max(0, windows[-1].stop - len(speech))))
        mel = power_mel(padded)
        with torch.inference_mode():
            partial = self._encoder(torch.from_numpy(np.stack([mel[window] for window in mel_windows])))
        return unit(partial.numpy().mean(axis=0))

    def _speech(self, audio: np.ndarray) -> np.ndarray:
        """Raised to -30 dBFS if it is under that; pauses longer than 0.2 s cut."""
        audio = audio[: len(audio) // VAD_WINDOW * VAD_WINDOW]
        level = np.sqrt(np.mean(np.square(audio))) if len(audio) else 0.0
        if level < SILENCE:
            return audio[:0]
        louder = max(1.0, 10 ** (LOUDNESS / 20) / level)
        audio = np.clip(audio * np.float32(louder), -1, 1)
        pcm = np.round(audio * 32767).astype("<i2").tobytes()
        detector = self._new_detector(3)  # one a clip: it remembers what it has heard
        voiced = np.array(
            [
                detector.is_speech(pcm[start : start + 2 * VAD_WINDOW], RATE)
                for start in range(0, len(pcm), 2 * VAD_WINDOW)
            ],
            dtype=float,
        )
        padded = np.concatenate([np.zeros(3), voiced, np.zeros(4)])
        smooth = np.round(np.convolve(padded, np.ones(8) / 8, mode="valid")) > 0
        near = np.convolve(smooth, np.ones(7), mode="same") > 0
        return audio[np.repeat(near, VAD_WINDOW)]


def power_mel(audio: np.ndarray) -> np.ndarray:
    """Mel energies [frames, 40] of 16 kHz audio [T], as the encoder was trained on: no logarithm, zeros beyond the ends."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(audio, WINDOW // 2), WINDOW)[::HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    energy = np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2
    return np.asarray(energy @ mel_filterbank(BANK).T, dtype=np.float32)


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length 1; zeros stay zeros."""
    length = np.linalg.norm(vector)
    return (vector / length if length else vector).astype(np.float32)


def target_of(embeddings: Sequence[np.ndarray]) -> np.ndarray:
    """The target voice [256]: the normalised mean of its recordings' embeddings."""
    if not len(embeddings):
        raise EvaluationError("no recording of the target voice", remedy="Give at least one recording to compare with.")
    return unit(np.mean(embeddings, axis=0))


def similarity(embedding: np.ndarray, target: np.ndarray) -> float:
    """Cosine of two embeddings [256] of length 1: 1 is the same."""
    return float(embedding @ target)


def leave_one_out(embeddings: Sequence[np.ndarray]) -> list[float]:
    """Similarity of each recording to the target made of all the others."""
    return [
        similarity(embedding, target_of([*embeddings[:place], *embeddings[place + 1 :]]))
        for place, embedding in enumerate(embeddings)
    ]


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    # A small LSTM on several threads spends its time waiting: with another process busy, 8 s instead of 0.1 s.
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
