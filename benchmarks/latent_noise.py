"""How clean a voice's decoder is from latents with more or less of their noise, and from text: where roughness comes from.

    python -m benchmarks.latent_noise CHECKPOINT ...

DNSMOS of the bundled recordings that are trained on: as they are, and decoded again from the posterior with so much of its
deviation, and from the prior of their texts, aligned to them, with so much of its own.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from voxgraft.audio.read import read_audio
from voxgraft.audio.resample import resample
from voxgraft.audio.spectrogram import linear_spectrogram
from voxgraft.checkpoints import open_checkpoint
from voxgraft.cli.output import print_table
from voxgraft.corpus import sample
from voxgraft.evaluation.metrics.dnsmos import Dnsmos
from voxgraft.export.piper.load import load_vits
from voxgraft.text.encode import encode_text

CLIPS = 10
SPREADS = (0.0, 0.333, 1.0)
PEAK = 0.9


@torch.no_grad()
def row(path: str, cleanness: Dnsmos) -> tuple[str, ...]:
    """Mean DNSMOS of each way to the sound."""
    torch.manual_seed(0)
    checkpoint = open_checkpoint(path)
    model, spec = load_vits(checkpoint).model.eval(), checkpoint.audio
    assert spec is not None
    assert checkpoint.symbols is not None
    held_out, scores = set(sample.held_out_ids()), defaultdict(list)
    for utterance in [u for u in sample.bundled() if u.id not in held_out][:CLIPS]:
        audio = resample(*read_audio(utterance.audio), spec.sample_rate)
        audio = PEAK * audio / np.abs(audio).max()
        scores["recordings"].append(cleanness.score(audio, spec.sample_rate))
        spectrogram = torch.from_numpy(linear_spectrogram(audio, spec))[None]
        mask = torch.ones_like(spectrogram[:, :1])
        mean, log_deviation = model.enc_q(spectrogram, mask)
        ids = torch.tensor([[i for part in encode_text(utterance.text, checkpoint.symbols) for i in part.ids]])
        text = model.encode_text(ids, torch.tensor([ids.shape[1]]))
        path_of_text = model.align(text, model.flow(mean, mask, None), mask)
        prior, prior_log_deviation = model.expand_prior(text, path_of_text)
        for spread in SPREADS:
            posterior = mean + spread * torch.randn_like(mean) * log_deviation.exp()
            drawn = prior + spread * torch.randn_like(prior) * prior_log_deviation.exp()
            from_text = model.flow(drawn, mask, None, reverse=True)
            for way, latent in (("posterior", posterior), ("text", from_text)):
                scores[f"{way} {spread:g}"].append(
                    cleanness.score(model.decode(latent)[0, 0].numpy(), spec.sample_rate)
                )
    ways = ["recordings", *(f"{way} {spread:g}" for way in ("posterior", "text") for spread in SPREADS)]
    return Path(path).stem, *(f"{np.mean(scores[way]):.2f}" for way in ways)


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checkpoints", nargs="+")
    chosen = arguments.parse_args()
    cleanness = Dnsmos()
    titles = ["recordings", *(f"{way}, {spread:g}" for way in ("posterior", "text") for spread in SPREADS)]
    print_table("DNSMOS", ["checkpoint", *titles], [row(path, cleanness) for path in chosen.checkpoints])


if __name__ == "__main__":
    main()
