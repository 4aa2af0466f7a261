"""SeededVoice: an exported voice that speaks the same again for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voxgraft.evaluation.compare import Candidate


class SeededVoice:
    """A voice on onnxruntime, which seeds a session's noise once, when it is made: so one session a seed.

    Equal calls in equal order give equal audio. Go through the texts inside, through the seeds outside.
    """

    def __init__(self, voice: str | Path, *, speaker: str | int | None = None, seed: int = 0) -> None:
        """`voice`: an .onnx file, its folder, or an installed voice package. Raises CheckpointError, TextError."""
        from voxgraft.inference.voice.voice import Voice

        self._voice = Voice.load(voice, seed=seed)
        self._voice.speaker_id(speaker)
        self._speaker = speaker
        self._seed = seed
        self.name = self._voice.path.stem
        self.language = self._voice.symbols.voice
        self.sample_rate = self._voice.sample_rate

    def speak(self, text: str, seed: int) -> np.ndarray:
        """Float32 [T]: the sentences of the text one after another."""
        if seed != self._seed:
            self._voice, self._seed = self._voice.reseeded(seed), seed
        pieces = list(self._voice.speak(text, speaker=self._speaker))
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def candidate(self) -> Candidate:
        """Ready to be compared."""
        return Candidate(self.speak, self.sample_rate, self.name)
