"""Recovery: the parts that an exported voice lacks are found again by self-distillation, before fine-tuning.

A voice that was published as .onnx alone has no posterior encoder and only half of its duration predictor. But it
generates pairs of latent and audio without limit: the posterior encoder learns to find the latent in the spectrogram,
the posterior half of the duration predictor to explain the durations that the voice itself draws.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.config.tasks.voice import RecoveryConfig
from voxgraft.errors import CheckpointError
from voxgraft.library.resolve import library_folder
from voxgraft.models.spectral import linear_spectrogram, mel_spectrogram, spectrogram_to_mel
from voxgraft.models.vits import Vits
from voxgraft.models.vits.masks import path_from_durations, sequence_mask
from voxgraft.progress import notice, progress
from voxgraft.training.loop.draws import generator

# Bump when what recovery makes would change: older entries are made again.
VERSION = 1
BANK_SECONDS = 150.0
# The predictor's other half is there already: its likelihood is flat after these.
DURATION_STEPS = 40
BETTER_BY = 0.02


@dataclass(frozen=True)
class Pair:
    """What the voice said and how: spectrogram [F, T], latent [D, T], and text [N] with durations [N]."""

    spectrogram: torch.Tensor
    latent: torch.Tensor
    ids: torch.Tensor
    durations: torch.Tensor
    speaker: int


@dataclass(frozen=True)
class Recovered:
    """The base with the parts it lacked; `mel_distance` is how far decoding the real clips is from them, in nats."""

    checkpoint: Checkpoint
    seconds: float
    mel_distance: float | None


def needs_recovery(base: Checkpoint) -> bool:
    """Whether a base lacks parts that training needs and that recovery can make."""
    return not any(name.startswith("enc_q.") for name in base.tensors)


def cache_file(base: Checkpoint, settings: RecoveryConfig) -> Path:
    """Where the recovered base is kept: by the source's hash, its spectrogram, the settings and the method's version."""
    spec = base.audio.to_dict() if base.audio else None
    key = json.dumps([base.provenance.sha256, spec, settings.model_dump(), VERSION], sort_keys=True)
    return library_folder().parent / "recovered" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"


def open_recovered(base: Checkpoint, settings: RecoveryConfig) -> Checkpoint | None:
    """The recovered base from the cache; None where it isn't there, or was damaged: then it is made again."""
    path = cache_file(base, settings)
    if not path.exists():
        return None
    try:
        return _as_the_base(open_checkpoint(path), base)
    except CheckpointError as fault:
        notice(f"warning: {fault.summary}")
        return None


def recover(
    base: Checkpoint,
    model: Vits,
    texts: Sequence[np.ndarray],
    recordings: Sequence[np.ndarray],
    settings: RecoveryConfig,
    seed: int,
) -> Recovered:
    """Find the parts that `base` lacks and keep the result in the cache.

    `model` holds the base's weights; texts are ids [N]; recordings are some real clips [T], by which the plateau is seen.
    """
    began = time.monotonic()
    spec = base.audio
    assert spec is not None, "the plan refuses a base without a sample rate"
    bank = make_bank(model, texts, spec, seed)
    distance = _recover_posterior(model, bank, recordings, spec, settings, seed)
    _recover_durations(model, bank, settings, seed)
    path = cache_file(base, settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}
    write_safetensors(path, replace(base, tensors=tensors, missing=()))
    notice(f"recovered base kept in {path}")
    return Recovered(_as_the_base(open_checkpoint(path), base), time.monotonic() - began, distance)


def _as_the_base(recovered: Checkpoint, base: Checkpoint) -> Checkpoint:
    """The recovered weights under the name of what they came from."""
    return replace(recovered, provenance=base.provenance, config=base.config, epoch=base.epoch, step=base.step)


@torch.inference_mode()
def make_bank(model: Vits, texts: Sequence[np.ndarray], spec: AudioSpec, seed: int) -> list[Pair]:
    """Let the voice speak, at several liveliness settings, until there are BANK_SECONDS of it."""
    draw = generator(seed, "bank")
    model.eval()
    bank: list[Pair] = []
    seconds = 0.0
    with progress("Recovery: the base speaks", BANK_SECONDS) as advance, torch.random.fork_rng():
        torch.manual_seed(int(draw.integers(2**31)))
        while seconds < BANK_SECONDS:
            ids = torch.from_numpy(texts[int(draw.integers(len(texts)))])[None]
            speaker = int(draw.integers(model.speakers))
            pair = _speak(model, ids, speaker, float(draw.uniform(0.6, 1.0)), spec)
            bank.append(pair)
            length = pair.latent.shape[-1] * spec.hop / spec.sample_rate
            seconds += length
            advance(length)
    return bank


def _speak(model: Vits, ids: torch.Tensor, speaker: int, noise_scale: float, spec: AudioSpec) -> Pair:
    speakers = torch.tensor([speaker]) if model.speakers > 1 else None
    lengths = torch.tensor([ids.shape[1]])
    g = model.embed_speaker(speakers)
    text = model.encode_text(ids, lengths)
    durations = torch.ceil(torch.exp(model.dp(text.hidden, text.mask, g, 0.8)) * text.mask).clamp(max=200)
    mask = sequence_mask(durations.sum((1, 2)), durations.sum().long())
    mean, log_deviation = model.expand_prior(text, path_from_durations(durations, text.mask, mask))
    drawn = mean + noise_scale * torch.randn_like(mean) * torch.exp(log_deviation)
    z = model.flow(drawn, mask, g, reverse=True)
    audio = model.decode(z, g)
    return Pair(linear_spectrogram(audio[:, 0], spec)[0], z[0], ids[0], durations[0, 0], speaker)


def _recover_posterior(
    model: Vits,
    bank: Sequence[Pair],
    recordings: Sequence[np.ndarray],
    spec: AudioSpec,
    settings: RecoveryConfig,
    seed: int,
) -> float | None:
    """Least negative log-likelihood of the latent given the spectrogram; stops when real clips decode no better."""
    crop = min(settings.crop, max(pair.latent.shape[-1] for pair in bank))
    usable = [pair for pair in bank if pair.latent.shape[-1] >= crop]
    model.requires_grad_(False)
    model.enc_q.requires_grad_(True).train()
    optimiser = torch.optim.AdamW(model.enc_q.parameters(), lr=settings.learning_rate, betas=(0.9, 0.99), fused=True)
    plateau = Plateau(settings.patience)
    distance = None
    with progress("Recovery: posterior encoder", settings.steps) as advance:
        for step in range(settings.steps):
            spectrogram, latent, speaker = _crops(usable, settings.batch, crop, generator(seed, "recovery", step))
            g = model.embed_speaker(speaker) if model.speakers > 1 else None
            mean, log_deviation = model.enc_q(spectrogram, torch.ones_like(latent[:, :1]), g)
            loss = (log_deviation + 0.5 * (latent - mean).square() * torch.exp(-2 * log_deviation)).mean()
            optimiser.param_groups[0]["lr"] = settings.learning_rate * min(1.0, (step + 1) / 20)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.enc_q.parameters(), 10.0)
            optimiser.step()
            advance(1, note=f"likelihood {-loss.item():.2f}")
            if (step + 1) % settings.check_every == 0 and recordings:
                distance = mel_distance(model, recordings, spec)
                if plateau.reached(distance):
                    break
    model.enc_q.eval()
    return distance


def _crops(
    bank: Sequence[Pair], batch: int, crop: int, draw: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chosen = [bank[int(i)] for i in draw.integers(len(bank), size=batch)]
    starts = [int(draw.integers(pair.latent.shape[-1] - crop + 1)) for pair in chosen]
    ends = [start + crop for start in starts]
    spectrogram = torch.stack([p.spectrogram[:, a:b] for p, a, b in zip(chosen, starts, ends, strict=True)])
    latent = torch.stack([p.latent[:, a:b] for p, a, b in zip(chosen, starts, ends, strict=True)])
    return spectrogram, latent, torch.tensor([p.speaker for p in chosen])


def _recover_durations(model: Vits, bank: Sequence[Pair], settings: RecoveryConfig, seed: int) -> None:
    """Teach the posterior half of a stochastic duration predictor the durations that its other half draws."""
    lacking = [p for name, p in model.dp.named_parameters() if name.startswith(("post_", "flows.1."))]
    if not lacking:
        return
    for parameter in lacking:
        parameter.requires_grad_(True)
    optimiser = torch.optim.AdamW(lacking, lr=settings.learning_rate, betas=(0.9, 0.99), fused=True)
    steps = min(settings.steps, DURATION_STEPS)
    with progress("Recovery: durations", steps) as advance, torch.random.fork_rng():
        torch.manual_seed(seed)
        for step in range(steps):
            draw = generator(seed, "durations", step)
            chosen = [bank[int(i)] for i in draw.integers(len(bank), size=settings.batch)]
            ids = torch.nn.utils.rnn.pad_sequence([pair.ids for pair in chosen], batch_first=True)
            durations = torch.nn.utils.rnn.pad_sequence([pair.durations for pair in chosen], batch_first=True)
            speaker = torch.tensor([pair.speaker for pair in chosen])
            text = model.encode_text(ids, torch.tensor([len(pair.ids) for pair in chosen]))
            g = model.embed_speaker(speaker) if model.speakers > 1 else None
            loss = model.duration_loss(text, durations, g)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(lacking, 10.0)
            optimiser.step()
            advance(1, note=f"loss {loss.item():.2f}")
    model.requires_grad_(True)


@torch.inference_mode()
def mel_distance(model: Vits, recordings: Sequence[np.ndarray], spec: AudioSpec) -> float:
    """Mean L1 between log mels of real clips and of what the decoder makes of their posterior's mean, in nats."""
    device = next(model.parameters()).device
    distances = []
    for recording in recordings:
        spectrogram = linear_spectrogram(torch.from_numpy(recording)[None].to(device), spec)
        g = model.embed_speaker(torch.zeros(1, dtype=torch.long, device=device))
        mean, _ = model.enc_q(spectrogram, torch.ones_like(spectrogram[:, :1]), g)
        made = mel_spectrogram(model.decode(mean, g)[:, 0], spec)
        wanted = spectrogram_to_mel(spectrogram, spec)
        length = min(made.shape[-1], wanted.shape[-1])
        distances.append(float(F.l1_loss(made[..., :length], wanted[..., :length])))
    return float(np.mean(distances))


class Plateau:
    """Whether a distance has stopped falling: no gain of BETTER_BY (relative) in `patience` checks."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._least = float("inf")
        self._waited = 0

    def reached(self, distance: float) -> bool:
        """Take in the next distance."""
        better = distance < self._least * (1 - BETTER_BY)
        self._waited = 0 if better else self._waited + 1
        self._least = min(self._least, distance)
        return self._waited >= self._patience
