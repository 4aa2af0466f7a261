"""How good a vocoder is at a validation: how near the sound that it makes comes to recordings that it never saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.audio.spec import AudioSpec
from voxgraft.models.spectral import mel_spectrogram
from voxgraft.models.stft_loss import stft_loss
from voxgraft.models.vocoders.speak import speak
from voxgraft.training.loop.validation import Sample, Verdict
from voxgraft.training.tasks.vocoder.examples import Example

# Samples below which a clip is lengthened by silence: the longest transform of the STFT distance.
_SHORTEST = 2048


def revocode(generator: nn.Module, examples: Sequence[Example], *, generated: bool) -> list[np.ndarray]:
    """What the vocoder makes of each clip's spectrogram, float32 [T * hop] each; the network stays in the mode that it has."""
    was_training = generator.training
    generator.eval()
    device = next(generator.parameters()).device
    found = []
    for example in examples:
        mel = torch.from_numpy(np.array(example.input_between(0, example.frames, generated=generated)))
        found.append(speak(generator, mel.unsqueeze(0).to(device))[0, 0].float().cpu().numpy())
    generator.train(was_training)
    return found


def distances(audio: np.ndarray, target: np.ndarray, spec: AudioSpec) -> tuple[float, float]:
    """Mel distance (L1 of log mels, in nats) and multi-resolution STFT distance of two sounds, float [T]."""
    short = max(0, _SHORTEST - len(target))
    ours, theirs = (F.pad(torch.from_numpy(np.ascontiguousarray(x)), (0, short)).unsqueeze(0) for x in (audio, target))
    mel = F.l1_loss(mel_spectrogram(ours, spec), mel_spectrogram(theirs, spec))
    return float(mel), float(stft_loss(ours, theirs))


def assess(generator: nn.Module, examples: Sequence[Example], spec: AudioSpec) -> tuple[Verdict, list[Sample]]:
    """The less a clip's mel distance and a third of its STFT distance, the better; the mean of all clips.

    On generated spectrograms where the run has some, on the recordings' own otherwise.
    """
    sounds = revocode(generator, examples, generated=True)
    pairs = [
        distances(sound, example.audio_between(0, example.frames), spec)
        for sound, example in zip(sounds, examples, strict=True)
    ]
    mel, stft = (float(np.mean(column)) for column in zip(*pairs, strict=True))
    # Either alone can be deceived: a mel does not hear phases, an STFT hears little but loud tones.
    verdict = Verdict(-(mel + stft / 3), mel_distance=mel, stft_distance=stft)
    return verdict, [Sample(sound, spec.sample_rate) for sound in sounds]
