"""What a new symbol should start from: noise, the mean of all, or its articulatory neighbours.

    python -m benchmarks.new_symbols CORPUS [--seeds 3] [--hidden 8] [--adapt 150] [--steps 60] [--threads 2]

The text encoder of the real voice en_US-joe-medium first learns the speaker of real recordings with their transcripts
(CORPUS: a folder with metadata.csv and wavs/). Then it forgets some sounds: their rows are taken away, as if their language
had been new to it, and it goes on learning from the same recordings, once from each start. What is measured is how far the
prior that the text gives lies from the latents of recordings that were not trained on (VITS' KL term, nats a frame), on
the frames of the hidden sounds alone, along the alignment of the encoder that has forgotten nothing. A seed draws the sounds
that are hidden, the noise and the order of the clips. `steps to` counts until a start is as good as noise in the end.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from voxgraft.architectures.families import family_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.tasks.voice import RecoveryConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.prepare import Prepared, prepare
from voxgraft.graft.apply import apply_plan, build
from voxgraft.graft.make import make_plan
from voxgraft.graft.symbols.learned import unlearned_symbols
from voxgraft.graft.symbols.mapping import SymbolRows, map_symbols
from voxgraft.graft.symbols.neighbours import features_of
from voxgraft.graft.target import target_like
from voxgraft.library.folder import library_folder
from voxgraft.library.resolve import resolve
from voxgraft.models.vits import Vits
from voxgraft.text.encode import encode_text
from voxgraft.text.symbols import SymbolTable
from voxgraft.training.tasks.vits.recover import open_recovered, recover

STARTS = ("own rows, nothing hidden", "noise", "mean", "neighbours")
BATCH = 6
RECOVERY_STEPS = 200
LEARNING_RATE = 2e-4
CHECK_EVERY = 5


@dataclass(frozen=True)
class Clip:
    """ids [N] of a text and what the recording is in the flow's space: z_p [D, T], log deviations of the posterior [D, T]."""

    ids: torch.Tensor
    z_p: torch.Tensor
    logs_q: torch.Tensor

    @property
    def frames(self) -> int:
        """T."""
        return self.z_p.shape[1]


def whole_base(base: Checkpoint, texts: Sequence[np.ndarray], recordings: Sequence[np.ndarray]) -> Checkpoint:
    """The voice with its posterior encoder recovered, from the cache where it is there."""
    settings = RecoveryConfig(steps=RECOVERY_STEPS)
    kept = open_recovered(base, settings)
    if kept is not None:
        return kept
    own = target_like(base)
    model = build(own, 0)
    assert isinstance(model, Vits)
    apply_plan(make_plan(base, own), base, model)
    return recover(base, model, texts, recordings, settings, 0).checkpoint


def model_of(base: Checkpoint) -> Vits:
    """The voice itself."""
    own = target_like(base)
    model = build(own, 0)
    assert isinstance(model, Vits)
    apply_plan(make_plan(base, own), base, model)
    return model.eval()


def recordings_of(corpus: Path, spec: AudioSpec, most: int) -> list[Prepared]:
    """Recordings of 1.5 to 4 s, prepared as for training."""
    fitting = [u for u in import_corpus(corpus, skip_bad=True) if 1.5 <= u.duration <= 4][:most]
    return prepare(Manifest(tuple(fitting)), spec, cache_dir=library_folder().parent / "benchmarks")


@torch.no_grad()
def clips_of(model: Vits, recordings: Sequence[Prepared], symbols: SymbolTable) -> list[Clip]:
    """Recordings as latents."""
    clips = []
    for item in recordings:
        ids = torch.tensor([i for part in encode_text(item.utterance.text, symbols) for i in part.ids])
        spectrogram = torch.from_numpy(item.spectrogram)[None]
        posterior = model.encode_posterior(spectrogram, torch.tensor([spectrogram.shape[-1]]))
        z_p = model.flow(posterior.m_q, posterior.mask, None)
        if len(ids) < z_p.shape[-1]:
            clips.append(Clip(ids, z_p[0], posterior.logs_q[0]))
    return clips


def kl_of(model: Vits, clips: Sequence[Clip]) -> torch.Tensor:
    """VITS' KL term over some clips, nats a frame: the mean of the posterior stands for a draw of it."""
    pad = torch.nn.utils.rnn.pad_sequence
    ids = pad([clip.ids for clip in clips], batch_first=True)
    lengths = torch.tensor([len(clip.ids) for clip in clips])
    z_p = pad([clip.z_p.T for clip in clips], batch_first=True).transpose(1, 2)
    logs_q = pad([clip.logs_q.T for clip in clips], batch_first=True).transpose(1, 2)
    mask = (torch.arange(z_p.shape[-1])[None] < torch.tensor([clip.frames for clip in clips])[:, None])[:, None].float()
    text = model.encode_text(ids, lengths)
    with torch.no_grad():
        path = model.align(text, z_p, mask)
    m_p, logs_p = model.expand_prior(text, path)
    return (divergence(z_p, logs_q, m_p, logs_p) * mask).sum() / mask.sum()


def divergence(z_p: torch.Tensor, logs_q: torch.Tensor, m_p: torch.Tensor, logs_p: torch.Tensor) -> torch.Tensor:
    """KL of a posterior around z_p from a prior, element by element."""
    return logs_p - logs_q - 0.5 + 0.5 * ((z_p - m_p) ** 2 + torch.exp(2 * logs_q)) * torch.exp(-2 * logs_p)


@torch.no_grad()
def alignment(model: Vits, clip: Clip) -> torch.Tensor:
    """The symbol of each frame [T]."""
    text = model.encode_text(clip.ids[None], torch.tensor([len(clip.ids)]))
    path = model.align(text, clip.z_p[None], torch.ones(1, 1, clip.frames))
    return path[0].argmax(0)


@torch.no_grad()
def kl_of_hidden(model: Vits, clips: Sequence[Clip], symbols: Sequence[torch.Tensor], hidden: Sequence[int]) -> float:
    """KL on the frames of hidden symbols, nats a frame; `symbols` says which symbol each frame of a clip is."""
    total, count = 0.0, 0
    for clip, where in zip(clips, symbols, strict=True):
        text = model.encode_text(clip.ids[None], torch.tensor([len(clip.ids)]))
        frames = torch.isin(clip.ids[where], torch.tensor(hidden))
        m_p, logs_p = text.m_p[0][:, where], text.logs_p[0][:, where]
        total += float(divergence(clip.z_p, clip.logs_q, m_p, logs_p)[:, frames].sum())
        count += int(frames.sum())
    return total / count


def hidden_map(base: Checkpoint, hidden: Sequence[str]) -> SymbolRows:
    """How the base's table maps onto itself where it has never known some symbols."""
    assert base.symbols is not None
    own = base.symbols
    known = {symbol: ids for symbol, ids in own.ids.items() if symbol not in hidden}
    unlearned = unlearned_symbols(base, family_of("vits")) - set(hidden)
    return map_symbols(replace(own, ids=known), own, unlearned)


def start_rows(weight: torch.Tensor, rows: SymbolRows, hidden: Sequence[int], start: str, seed: int) -> torch.Tensor:
    """The embedding with the hidden rows as this start has them."""
    value = weight.clone()
    if start == STARTS[0]:
        return value
    learned = [row for row in rows.kept.values() if row not in hidden]
    for row in hidden:
        if start == "noise":
            generator = torch.Generator().manual_seed(seed * 1000 + row)
            value[row] = torch.randn(weight.shape[1], generator=generator) * weight.shape[1] ** -0.5
        elif start == "mean" or row not in rows.near:
            value[row] = weight[learned].mean(0)
        else:
            value[row] = sum(share * weight[source] for source, share in rows.near[row].items())
    return value


def learn(model: Vits, train: Sequence[Clip], steps: int, seed: int) -> Iterator[int]:
    """Train the text encoder alone; yields the steps done, from 0."""
    parameters = list(model.enc_p.parameters())
    optimiser = torch.optim.AdamW(parameters, LEARNING_RATE, betas=(0.8, 0.99), eps=1e-9)
    order = np.random.default_rng(seed)
    yield 0
    for step in range(steps):
        batch = [train[i] for i in order.choice(len(train), BATCH, replace=False)]
        optimiser.zero_grad(set_to_none=True)
        kl_of(model, batch).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 10.0)
        optimiser.step()
        yield step + 1


def steps_to(values: Sequence[float], goal: float) -> int | None:
    """The first step measured at which the goal is met."""
    return next((index * CHECK_EVERY for index, value in enumerate(values) if value <= goal), None)


def draw_hidden(base: Checkpoint, clips: Sequence[Clip], count: int, seed: int) -> list[str]:
    """Sounds that the base has learned and the corpus uses often enough."""
    assert base.symbols is not None
    used = torch.cat([clip.ids for clip in clips]).bincount(minlength=base.symbols.rows)
    names = {ids[0]: symbol for symbol, ids in base.symbols.ids.items()}
    unlearned = unlearned_symbols(base, family_of("vits"))
    sounds = [
        names[row]
        for row in range(len(used))
        if row in names and int(used[row]) >= 15 and features_of(names[row]) is not None and names[row] not in unlearned
    ]
    return sorted(np.random.default_rng(seed).choice(sounds, min(count, len(sounds)), replace=False).tolist())


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--adapt", type=int, default=150, help="steps in which the voice learns the speaker first")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    began = time.monotonic()
    base = open_checkpoint(resolve("en_US-joe-medium"))
    assert base.symbols is not None
    assert base.audio is not None
    texts = [u.text for u in import_corpus(options.corpus, skip_bad=True)][:200]
    ids = [np.array([i for part in encode_text(text, base.symbols) for i in part.ids]) for text in texts]
    recordings = recordings_of(options.corpus, base.audio, options.clips)
    whole = whole_base(base, [one for one in ids if len(one) > 20], [item.audio for item in recordings[:4]])
    model = model_of(whole)
    clips = clips_of(model, recordings, base.symbols)
    test, train = clips[::4], [clip for index, clip in enumerate(clips) if index % 4]
    for _ in learn(model, train, options.adapt, 0):
        pass
    adapted = {name: tensor.clone() for name, tensor in model.enc_p.state_dict().items()}
    where = [alignment(model, clip) for clip in test]
    print(f"{len(clips)} clips; ready after {time.monotonic() - began:.0f} s\n", flush=True)
    shown = [step for step in (0, 10, 20, 40, 60, 80, 120) if step <= options.steps]
    heads = ("seed", "hidden", "start", *(f"KL, step {step}" for step in shown), "steps to")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for seed in range(options.seeds):
        hidden = draw_hidden(base, test, options.hidden, seed)
        rows = hidden_map(base, hidden)
        places = [base.symbols.ids[symbol][0] for symbol in hidden]
        curves: dict[str, list[float]] = {}
        for start in STARTS:
            model.enc_p.load_state_dict(adapted)
            with torch.no_grad():
                model.enc_p.emb.weight.copy_(start_rows(adapted["emb.weight"], rows, places, start, seed))
            curves[start] = [
                kl_of_hidden(model, test, where, places)
                for step in learn(model, train, options.steps, seed)
                if step % CHECK_EVERY == 0
            ]
        for start, found in curves.items():
            values = [f"{found[step // CHECK_EVERY]:.1f}" for step in shown]
            reached = steps_to(found, curves["noise"][-1])
            told = "not in time" if reached is None else str(reached)
            print("| " + " | ".join([str(seed), " ".join(hidden), start, *values, told]) + " |", flush=True)


if __name__ == "__main__":
    main()
