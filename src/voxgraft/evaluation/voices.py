"""SeededVoice: an exported voice that speaks the same again for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voxgraft.evaluation.compare import Candidate


class SeededVoice:
    """A voice on onnxruntime, which seeds a session's noise once, when it is made: so one session a seed.

    Equal calls in equal order give equal audio. Go through the texts inside, through the seeds outside.
    """

    def __init__(self, path: str | Path, *, speaker: str | int | None = None) -> None:
        """`path`: an .onnx file, its folder, or an installed voice package."""
        self._path = path
        self._speaker = speaker
        self._open(0)
        self.sample_rate: int = self._voice.sample_rate

    def _open(self, seed: int) -> None:
        import onnxruntime

        from voxgraft.inference.voice import Voice

        onnxruntime.set_seed(seed)
        self._voice = Voice.load(self._path)
        self._seed: int | None = seed

    def speak(self, text: str, seed: int) -> np.ndarray:
        """Float32 [T]: the sentences of the text one after another."""
        if seed != self._seed:
            self._open(seed)
        pieces = list(self._voice.speak(text, speaker=self._speaker))
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def candidate(path: str | Path, *, speaker: str | int | None = None) -> Candidate:
    """An exported voice, ready to be compared."""
    voice = SeededVoice(path, speaker=speaker)
    return Candidate(voice.speak, voice.sample_rate, Path(path).stem)
