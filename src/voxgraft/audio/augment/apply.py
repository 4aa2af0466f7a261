"""Apply augmentations, domain by domain, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from voxgraft.audio.augment.kinds import DOMAINS
from voxgraft.audio.augment.noise import Noises
from voxgraft.audio.augment.parse import Augmentation
from voxgraft.audio.augment.points import POINTWISE
from voxgraft.audio.augment.sound import SOUND_EFFECTS
from voxgraft.audio.augment.spectrum import SPECTRUM_EFFECTS, Spectrum, analyse, resynthesise

Seed = int | Sequence[int] | np.random.Generator
Draws = tuple[Augmentation, np.random.Generator]


def augment_audio(
    x: np.ndarray,
    rate: int,
    augmentations: Sequence[Augmentation],
    progress: float,
    seed: Seed,
    noises: Noises | None = None,
) -> np.ndarray:
    """Float [T] in -1 to 1 at `rate`, changed in the domains sample, signal and spectrogram: float32 [T'], finite.

    `progress` is the share of the training that is done. The same `seed`, such as (run, epoch, clip), gives the same
    sound; an augmentation's draws do not depend on the others. `noises` holds the sources of overlay.
    """
    x = np.asarray(x, np.float32)
    chosen = _chosen(augmentations, seed)
    if not len(x):
        return x
    for augmentation, random in _of_domain(chosen, "sample"):
        numbers = {name: value.pick(progress, random) for name, value in augmentation.numbers.items()}
        x = SOUND_EFFECTS[augmentation.name](x, rate, numbers, augmentation.texts, random, noises)
    for augmentation, random in _of_domain(chosen, "signal"):
        x = POINTWISE[augmentation.name](x, 1 / rate, _picker(augmentation, progress, random), random)
    spectral = _of_domain(chosen, "spectrogram")
    if spectral:
        spectrum = analyse(x, rate)
        for augmentation, random in spectral:
            spectrum = _spectral(spectrum, augmentation, progress, random)
        x = resynthesise(spectrum)
    return np.asarray(x, np.float32)


def augment_features(
    features: np.ndarray, frame_seconds: float, augmentations: Sequence[Augmentation], progress: float, seed: Seed
) -> np.ndarray:
    """Features [N, C], a frame every `frame_seconds`, changed in the domain features: float32 [N, C]."""
    for augmentation, random in _of_domain(_chosen(augmentations, seed), "features"):
        pick = _picker(augmentation, progress, random)
        features = POINTWISE[augmentation.name](np.asarray(features, np.float32), frame_seconds, pick, random)
    return np.asarray(features, np.float32)


def _chosen(augmentations: Sequence[Augmentation], seed: Seed) -> list[Draws]:
    """Those whose turn it is, in the order of the domains, each with its own draws."""
    children = np.random.default_rng(seed).spawn(len(augmentations))
    kept = [(a, random) for a, random in zip(augmentations, children, strict=True) if random.random() < a.p]
    return sorted(kept, key=lambda draws: DOMAINS.index(draws[0].domain))


def _of_domain(chosen: Sequence[Draws], domain: str) -> list[Draws]:
    return [(augmentation, random) for augmentation, random in chosen if augmentation.domain == domain]


def _picker(augmentation: Augmentation, progress: float, random: np.random.Generator) -> Callable[[str], float]:
    return lambda name: augmentation.numbers[name].pick(progress, random)


def _spectral(spectrum: Spectrum, augmentation: Augmentation, progress: float, random: np.random.Generator) -> Spectrum:
    pick = _picker(augmentation, progress, random)
    effect = SPECTRUM_EFFECTS.get(augmentation.name)
    if effect is not None:
        return effect(spectrum, pick, random)
    power = POINTWISE[augmentation.name](spectrum.power, spectrum.hop / spectrum.rate, pick, random)
    return spectrum.with_power(power)
