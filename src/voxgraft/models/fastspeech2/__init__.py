"""FastSpeech 2 as EveryVoice has it: text to mel spectrogram."""

from voxgraft.models.fastspeech2.fastspeech2 import FastSpeech2, FastSpeech2Output

__all__ = ["FastSpeech2", "FastSpeech2Output"]
