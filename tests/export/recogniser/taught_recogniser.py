"""Recognisers that know two recordings of the sample corpus by heart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
SPEECH_SECONDS = 3.0
TEXTS = {
    "conf-onlyone": "there is currently one other participant in the conference",
    "confbridge-only-participant": "you are currently the only participant in the conference",
}
AUDIO = Path(voxgraft.__file__).parent / "corpus" / "sample" / "audio"
SMALL = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "fastconformer": SMALL | {"num_mel_bins": 80, "subsampling_conv_channels": 8},
    "wav2vec2": SMALL
    | {
        "conv_dim": (16,) * 7, "conv_bias": True, "feat_extract_norm": "layer", "do_stable_layer_norm": True,
        "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
    },
}  # fmt: skip
FRAME_SECONDS = {"fastconformer": 0.08, "wav2vec2": 0.02}
STEPS = 90


def recordings(silence: float = 0.3) -> list[np.ndarray]:
    """The two, float32 at 16 kHz, each with seconds of silence after it."""
    clips = (resample(*read_audio(AUDIO / f"{name}.flac"), RATE) for name in TEXTS)
    return [np.concatenate([clip, np.zeros(round(silence * RATE), np.float32)]) for clip in clips]


def taught(family: str) -> Checkpoint:
    """Learns whole words as symbols, in a few seconds."""
    words = sorted({word for text in TEXTS.values() for word in text.split()})
    ids = {f"\u2581{word}": (number,) for number, word in enumerate(words)} | {"<blank>": (len(words),)}
    symbols = SymbolTable(
        ids, len(ids), "pieces", pad=None, bos=None, eos=None, intersperse=False, blank="<blank>"
    )  # fmt: skip
    architecture = ARCHITECTURES[family] | {"symbols": len(ids)}
    network, hearing = build_network(family, architecture).train(), NETWORKS[family].features
    features = [torch.from_numpy(recogniser_features(clip, hearing)) for clip in recordings()]
    positions = round(SPEECH_SECONDS / FRAME_SECONDS[family])
    targets = [_evenly([words.index(word) for word in text.split()], positions, len(words)) for text in TEXTS.values()]
    _learn(network, [one if one.ndim == 2 else one[:, None] for one in features], targets)
    return Checkpoint(
        family=family,
        architecture=architecture,
        tensors=canonical_state(family, network, architecture),
        provenance=Provenance(Path("taught"), "voxgraft-run", ""),
        symbols=symbols,
        audio=hearing,
    )


def _evenly(labels: list[int], positions: int, blank: int) -> torch.Tensor:
    """Each label for half of its share of the speech, a blank for the other half."""
    places = torch.arange(positions) * 2 * len(labels) // positions
    return torch.where(places % 2 == 1, torch.tensor(labels)[places // 2], blank)


def _learn(network: torch.nn.Module, features: list[torch.Tensor], targets: list[torch.Tensor]) -> None:
    lengths = torch.tensor([len(one) for one in features])
    heard = torch.nn.utils.rnn.pad_sequence(features, batch_first=True)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    for _ in range(STEPS):
        logits = network(heard, lengths)
        wanted = torch.full(logits.shape[:2], logits.shape[2] - 1)
        for row, target in zip(wanted, targets, strict=True):
            row[: len(target)] = target
        loss = F.cross_entropy(logits.transpose(1, 2), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
