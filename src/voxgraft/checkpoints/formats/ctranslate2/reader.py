"""Whisper as faster-whisper runs it: CTranslate2's model.bin with config.json and the vocabulary beside it.

Names and fused layers: https://github.com/OpenNMT/CTranslate2/blob/master/python/ctranslate2/converters/transformers.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.architectures.families.whisper import FAMILY
from voxgraft.audio.recogniser_specs import whisper_spec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.ctranslate2 import open_ctranslate2, spec_of
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.formats.hugging_face.tensors import renamed
from voxgraft.checkpoints.formats.hugging_face.whisper import architecture, languages
from voxgraft.checkpoints.model_card import card_beside
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular, sha256_of
from voxgraft.json_file import read_object

FORMAT = "ctranslate2"
_MODEL = "model.bin"
_SPEC = "WhisperSpec"
_REMEDY = "Download the folder again, whole, or convert the model again."

_SPLIT = ("weight", "bias")
_MAX_VOCABULARY = 64 * 2**20
_NORMS = {"gamma": "weight", "beta": "bias"}
_LAYER = r"(encoder|decoder)/layer_(\d+)"

# A variable with several projections in it -> those, in order. Whisper's keys have no bias: theirs is left out.
FUSED = {
    rf"{_LAYER}/self_attention/linear_0": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    rf"{_LAYER}/attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
}

RULES = (
    (r"encoder/(conv[12])/(weight|bias)", r"model.encoder.\1.\2"),
    (r"(encoder|decoder)/position_encodings/encodings", r"model.\1.embed_positions.weight"),
    (r"decoder/embeddings/weight", "model.decoder.embed_tokens.weight"),
    (r"decoder/projection/weight", "proj_out.weight"),
    (rf"{_LAYER}/self_attention/linear_1/(weight|bias)", r"model.\1.layers.\2.self_attn.out_proj.\3"),
    (rf"{_LAYER}/attention/linear_0/(weight|bias)", r"model.\1.layers.\2.encoder_attn.q_proj.\3"),
    (rf"{_LAYER}/attention/linear_2/(weight|bias)", r"model.\1.layers.\2.encoder_attn.out_proj.\3"),
    (rf"{_LAYER}/ffn/linear_0/(weight|bias)", r"model.\1.layers.\2.fc1.\3"),
    (rf"{_LAYER}/ffn/linear_1/(weight|bias)", r"model.\1.layers.\2.fc2.\3"),
    *(
        rule
        for theirs, ours in _NORMS.items()
        for rule in (
            (rf"(encoder|decoder)/layer_norm/{theirs}", rf"model.\1.layer_norm.{ours}"),
            (rf"{_LAYER}/self_attention/layer_norm/{theirs}", rf"model.\1.layers.\2.self_attn_layer_norm.{ours}"),
            (rf"{_LAYER}/attention/layer_norm/{theirs}", rf"model.\1.layers.\2.encoder_attn_layer_norm.{ours}"),
            (rf"{_LAYER}/ffn/layer_norm/{theirs}", rf"model.\1.layers.\2.final_layer_norm.{ours}"),
        )
    ),
    # Already under our names: the parts of fused layers.
    (r"(model\..+)", r"\1"),
)


def recognises(candidate: CheckpointSource) -> bool:
    """True for a model.bin of CTranslate2's, and for the folder that one stands in."""
    return spec_of(_model(candidate).head) is not None


def _model(candidate: CheckpointSource) -> CheckpointSource:
    return CheckpointSource(candidate.path / _MODEL) if _MODEL in candidate.names else candidate


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read a Whisper model under `transformers`' names. Raises CheckpointError for damage and for other models."""
    path = _model(candidate).path
    file = open_ctranslate2(path)
    if file.spec != _SPEC:
        raise CheckpointError(
            "a CTranslate2 model of a kind that can't be read here", file=path, expected=_SPEC, got=file.spec,
            remedy="Give a Whisper model.",
        )  # fmt: skip
    scalars = {name: tensor for name, tensor in file.tensors.items() if not tensor.shape}
    weights = {name: tensor for name, tensor in file.tensors.items() if tensor.shape}
    tensors, odd = renamed(_unfused(weights, path), RULES, path)
    store = TensorStore(tensors, path)
    heads, decoder_heads = _scalar(scalars, "encoder/num_heads", path), _scalar(scalars, "decoder/num_heads", path)
    found = architecture(store.shapes, heads, decoder_heads, path)
    card = card_beside(path)
    files = {beside.name: beside for beside in CheckpointSource(path.absolute().parent).files}
    rounded = len(file.quantised)
    return Checkpoint(
        family=FAMILY.name,
        architecture=found | {"activation_function": "gelu", "scale_embedding": False},
        tensors=store,
        provenance=Provenance(candidate.path, FORMAT, sha256_of(path), card.licence, card.source),
        audio=whisper_spec(found["num_mel_bins"]),
        languages=languages(found) or card.languages,
        missing=FAMILY.missing(tensors),
        notes=(
            *card.notes,
            *([f"{rounded} of its weights were rounded to whole numbers when it was converted"] if rounded else []),
            *_vocabulary_notes(files, found),
            *odd,
        ),
        config=read_object(files["config.json"]) if "config.json" in files else {},
    )


def _unfused(weights: Mapping[str, LazyTensor], path: Path) -> dict[str, LazyTensor]:
    """Fused projections apart, under our names; everything else as it is."""
    apart: dict[str, LazyTensor] = {}
    for name, tensor in weights.items():
        stem, _, kind = name.rpartition("/")
        match, parts = next(
            ((m, parts) for pattern, parts in FUSED.items() if (m := re.fullmatch(pattern, stem))), (None, ())
        )
        if match is None or kind not in _SPLIT:
            apart[name] = tensor
            continue
        rows, odd = divmod(tensor.shape[0], len(parts))
        if odd:
            raise CheckpointError(
                "a fused layer that can't be taken apart", file=path, field=name, got=list(tensor.shape), remedy=_REMEDY
            )
        for index, part in enumerate(parts):
            if kind == "weight" or not part.endswith("k_proj"):
                own = f"model.{match[1]}.layers.{match[2]}.{part}.{kind}"
                apart[own] = _rows(tensor, index * rows, rows)
    return apart


def _rows(tensor: LazyTensor, first: int, count: int) -> LazyTensor:
    return LazyTensor((count, *tensor.shape[1:]), lambda: tensor.load()[first : first + count])


def _scalar(scalars: Mapping[str, LazyTensor], name: str, path: Path) -> int:
    if name not in scalars:
        raise CheckpointError("a setting is absent", file=path, field=name, remedy=_REMEDY)
    number = int(scalars[name].load())
    if not 0 < number < 2**16:
        raise CheckpointError("not a number of heads", file=path, field=name, got=number, remedy=_REMEDY)
    return number


def _vocabulary_notes(files: Mapping[str, Path], found: Mapping[str, Any]) -> list[str]:
    """Whether the vocabulary is that of the decoder."""
    listed = next((files[name] for name in ("vocabulary.txt", "vocabulary.json") if name in files), None)
    if listed is None or "vocab_size" not in found:
        return []
    with open_regular(listed) as file:
        raw = file.read(_MAX_VOCABULARY)
    words = raw.count(b"\n") + (not raw.endswith(b"\n")) if listed.suffix == ".txt" else _entries(raw)
    if words == found["vocab_size"]:
        return []
    return [f"{listed.name} has {words} words, the decoder {found['vocab_size']} rows: the tensors win"]


def _entries(raw: bytes) -> int:
    try:
        words = json.loads(raw)
    except (ValueError, RecursionError):
        return 0
    return len(words) if isinstance(words, list | dict) else 0
