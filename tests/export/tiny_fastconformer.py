"""A FastConformer that knows two recordings of the sample corpus by heart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import voxgraft
from voxgraft.audio.read import read_audio
from voxgraft.audio.recogniser_features import recogniser_features
from voxgraft.audio.resample import resample
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.models.ctc.networks import NETWORKS, build_network, canonical_state
from voxgraft.text.symbols import SymbolTable

RATE = 16000
TEXTS = {
    "conf-onlyone": "there is currently one other participant in the conference",
    "confbridge-only-participant": "you are currently the only participant in the conference",
}
AUDIO = Path(voxgraft.__file__).parent / "corpus" / "sample" / "audio"
ARCHITECTURE = {
    "num_mel_bins": 80, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
    "subsampling_conv_channels": 8,
}  # fmt: skip
STEPS = 100


def recordings(silence: float = 0.3) -> list[np.ndarray]:
    """The two, float32 at 16 kHz, each with seconds of silence after it."""
    clips = (resample(*read_audio(AUDIO / f"{name}.flac"), RATE) for name in TEXTS)
    return [np.concatenate([clip, np.zeros(round(silence * RATE), np.float32)]) for clip in clips]


def taught() -> Checkpoint:
    """Learns whole words as symbols, in a few seconds."""
    words = sorted({word for text in TEXTS.values() for word in text.split()})
    ids = {f"\u2581{word}": (number,) for number, word in enumerate(words)} | {"<blank>": (len(words),)}
    symbols = SymbolTable(
        ids, len(ids), "pieces", pad=None, bos=None, eos=None, intersperse=False, blank="<blank>"
    )  # fmt: skip
    architecture = ARCHITECTURE | {"symbols": len(ids)}
    network, hearing = build_network("fastconformer", architecture).train(), NETWORKS["fastconformer"].features
    features = [torch.from_numpy(recogniser_features(clip, hearing)) for clip in recordings()]
    targets = [_evenly([words.index(word) for word in text.split()], len(words)) for text in TEXTS.values()]
    _learn(network, features, targets)
    return Checkpoint(
        family="fastconformer",
        architecture=architecture,
        tensors=canonical_state("fastconformer", network, architecture),
        provenance=Provenance(Path("taught"), "voxgraft-run", ""),
        symbols=symbols,
        audio=hearing,
    )


def _evenly(labels: list[int], blank: int) -> torch.Tensor:
    """Each label at its place in three seconds, blanks elsewhere."""
    positions = torch.full((37,), blank)
    positions[torch.linspace(2, 35, len(labels)).long()] = torch.tensor(labels)
    return positions


def _learn(network: torch.nn.Module, features: list[torch.Tensor], targets: list[torch.Tensor]) -> None:
    lengths = torch.tensor([len(one) for one in features])
    heard = torch.nn.utils.rnn.pad_sequence(features, batch_first=True)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    for _ in range(STEPS):
        logits = network(heard, lengths)
        blank = logits.shape[2] - 1
        wanted = torch.full(logits.shape[:2], blank)
        for row, target in zip(wanted, targets, strict=True):
            row[: len(target)] = target
        loss = F.cross_entropy(logits.transpose(1, 2), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
