"""Parakeet CTC: ParakeetForCTC and ParakeetEncoder, a FastConformer.

Facts: https://github.com/huggingface/transformers/tree/main/src/transformers/models/parakeet
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from voxgraft.architectures.families.fastconformer import FAMILY
from voxgraft.audio.recogniser_specs import fastconformer_spec
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.formats.hugging_face.model_folder import CONFIG, ModelFolder
from voxgraft.checkpoints.formats.hugging_face.tensors import Shapes, contradictions, numbered, renamed, shape_of
from voxgraft.checkpoints.formats.hugging_face.vocabulary import read_ids
from voxgraft.errors import CheckpointError
from voxgraft.text.symbols import SymbolTable
from voxgraft.validated import Settings, validated

_REMEDY = "Get the folder again from where the model came from."

RULES = (
    (r"(encoder\.(?:subsampling|layers)\..+|ctc_head\..+)", r"\1"),
    # ParakeetEncoder alone.
    (r"((?:subsampling|layers)\..+)", r"encoder.\1"),
)

Count = Annotated[int, Field(ge=1, le=2**20)]


class EncoderSettings(Settings):
    """What the shapes can't tell."""

    num_mel_bins: Count = 80
    subsampling_conv_stride: Count = 2
    hidden_act: str = "silu"
    scale_input: bool = True
    max_position_embeddings: Count = 5000
    layerdrop: float = Field(0.0, ge=0, le=1)


class _Config(Settings):
    pad_token_id: int | None = None
    encoder_config: EncoderSettings = EncoderSettings()


class Features(Settings):
    """The spectrogram, as its extractor is set."""

    sampling_rate: int = Field(16000, ge=4000, le=192_000)
    n_fft: int = Field(512, ge=16, le=2**16)
    win_length: int = Field(400, ge=1, le=2**16)
    hop_length: int = Field(160, ge=1, le=2**16)
    preemphasis: float | None = Field(0.97, ge=0, le=1)


def read(folder: ModelFolder) -> Checkpoint:
    """An encoder, with its head where that is there. Raises CheckpointError where the encoder isn't whole."""
    stated = folder.config if "encoder_config" in folder.config else {"encoder_config": folder.config}
    config = validated(_Config, stated, folder.files[CONFIG], _REMEDY)
    name = "preprocessor_config.json"
    features = validated(Features, folder.document(name), folder.files.get(name, folder.path), _REMEDY)
    path = folder.weights.files[0]
    tensors, odd = renamed(folder.weights.tensors, RULES, path)
    store = folder.store(tensors)
    found = architecture(store.shapes, config.encoder_config, path)
    dimensions = {name: value for name, value in found.items() if name != "symbols"}
    encoder = stated["encoder_config"]
    symbols = _symbols(folder, config.pad_token_id, found.get("symbols"))
    return Checkpoint(
        family=FAMILY.name,
        architecture=found,
        tensors=store,
        provenance=folder.provenance(),
        symbols=symbols,
        audio=audio_spec(found["num_mel_bins"], features),
        languages=folder.card.languages,
        missing=FAMILY.missing(tensors),
        notes=(
            *folder.notes,
            *contradictions(dimensions, encoder if isinstance(encoder, dict) else {}),
            *contradictions({"vocab_size": found.get("symbols")}, folder.config if "symbols" in found else {}),
            *odd,
            *_remarks(config.encoder_config),
        ),
        config=dict(folder.config) | {"features": features.model_dump()},
        **folder.training(),
    )


def architecture(shapes: Shapes, settings: EncoderSettings, path: Path) -> dict[str, Any]:
    """Keywords as in config.json, read off the tensors; `symbols` are the rows of the head, the blank among them."""
    sub, layer = "encoder.subsampling", "encoder.layers.0"
    channels, _, kernel, _ = shape_of(shapes, f"{sub}.layers.0.weight", 4, path)
    strided = sum(name.startswith(f"{sub}.layers.") and shape[2:] == (kernel, kernel) for name, shape in shapes.items())
    factor = settings.subsampling_conv_stride**strided
    hidden, flat = shape_of(shapes, f"{sub}.linear.weight", 2, path)
    heads, width = shape_of(shapes, f"{layer}.self_attn.bias_u", 2, path)
    if flat % channels or heads * width != hidden or strided > 8:
        raise CheckpointError(
            "config.json belongs to other weights", file=path, field=f"{sub}.linear.weight", got=[hidden, flat],
            remedy=_REMEDY,
        )  # fmt: skip
    found: dict[str, Any] = {
        "num_mel_bins": _bands(flat // channels, factor, settings.num_mel_bins),
        "hidden_size": hidden,
        "num_hidden_layers": numbered(shapes, r"encoder\.layers\.(\d+)\."),
        "num_attention_heads": heads,
        "intermediate_size": shape_of(shapes, f"{layer}.feed_forward1.linear1.weight", 2, path)[0],
        "conv_kernel_size": shape_of(shapes, f"{layer}.conv.depthwise_conv.weight", 3, path)[2],
        "subsampling_factor": factor,
        "subsampling_conv_channels": channels,
        "subsampling_conv_kernel_size": kernel,
        "subsampling_conv_stride": settings.subsampling_conv_stride,
        "attention_bias": f"{layer}.self_attn.q_proj.bias" in shapes,
        "convolution_bias": f"{layer}.conv.depthwise_conv.bias" in shapes,
        "hidden_act": settings.hidden_act,
        "scale_input": settings.scale_input,
        "max_position_embeddings": settings.max_position_embeddings,
    }
    if "ctc_head.weight" in shapes:
        found["symbols"] = shape_of(shapes, "ctc_head.weight", 3, path)[0]
    return found


def _bands(left: int, factor: int, stated: int) -> int:
    """Bands that subsampling leaves so many of: the stated number if it does."""
    return stated if stated // factor == left else left * factor


def audio_spec(mels: int, features: Features) -> AudioSpec:
    """NVIDIA's spectrogram in the sizes of its extractor."""
    return fastconformer_spec(
        mels,
        features.sampling_rate,
        features.n_fft,
        features.win_length,
        features.hop_length,
        features.preemphasis or 0.0,
    )


def table_of(pieces: Mapping[str, int], blank: int, rows: int) -> SymbolTable:
    """Pieces of words, and the blank of CTC."""
    ids = dict(pieces)
    if blank not in ids.values():
        ids["<blank>"] = blank
    return SymbolTable(
        ids={piece: (number,) for piece, number in ids.items()},
        rows=rows,
        text_kind="pieces",
        pad=None,
        bos=None,
        eos=None,
        intersperse=False,
        blank=next(piece for piece, number in ids.items() if number == blank),
    )


def _symbols(folder: ModelFolder, blank: int | None, rows: int | None) -> SymbolTable | None:
    if rows is None or "tokenizer.json" not in folder.files:
        return None
    path, document = folder.files["tokenizer.json"], folder.document("tokenizer.json")
    pieces = _pieces(document.get("model"))
    added = document.get("added_tokens")
    for token in added if isinstance(added, list) else []:
        if isinstance(token, dict) and isinstance(token.get("content"), str):
            pieces.setdefault(token["content"], token.get("id"))
    known = {piece: number for piece, number in read_ids(pieces, path).items() if number < rows}
    return table_of(known, rows - 1 if blank is None or not 0 <= blank < rows else blank, rows)


def _pieces(model: Any) -> dict[str, Any]:
    """piece -> id of a tokenizer of either make: a mapping, or a list of pieces and their scores."""
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, dict):
        return dict(vocabulary)
    if isinstance(vocabulary, list):
        rows = (row[0] if isinstance(row, list) and row else None for row in vocabulary)
        return {piece: number for number, piece in enumerate(rows) if isinstance(piece, str)}
    return {}


def _remarks(settings: EncoderSettings) -> list[str]:
    if not settings.layerdrop:
        return []
    return [f"config.json says layerdrop {settings.layerdrop}, which its maker did not train with: fine-tune with 0"]
