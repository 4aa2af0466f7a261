"""Augmentation: recordings changed at random while a recogniser learns, in Coqui STT's words.

Ours, on numpy, soxr and libsndfile, which are there anyway. audiomentations (MIT) has most of the effects, but draws from
the interpreter's one random state, so that a resume or another number of workers changes every clip; knows no schedule
over the training, no stretching of the spectrogram and no Opus without ffmpeg; and brings librosa, scikit-learn and
numba with it.
"""

from voxgraft.audio.augment.apply import Seed, augment_audio, augment_features
from voxgraft.audio.augment.kinds import KINDS
from voxgraft.audio.augment.noise import Noises, recordings_in
from voxgraft.audio.augment.parse import Augmentation, parse_augmentation, parse_augmentations
from voxgraft.audio.augment.schedule import Schedule

__all__ = [
    "KINDS",
    "Augmentation",
    "Noises",
    "Schedule",
    "Seed",
    "augment_audio",
    "augment_features",
    "parse_augmentation",
    "parse_augmentations",
    "recordings_in",
]
