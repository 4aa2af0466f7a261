"""VitsModel, as MMS-TTS has it: the authors' network under other names.

Facts: https://github.com/huggingface/transformers/tree/main/src/transformers/models/vits
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from voxgraft.architectures.dimensions.vits import Obstacle, missing_parts, vits_architecture
from voxgraft.architectures.names.vits import inference_names
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.formats.hugging_face.model_folder import CONFIG, ModelFolder
from voxgraft.checkpoints.formats.hugging_face.tensors import renamed
from voxgraft.checkpoints.formats.hugging_face.vits_names import POINTWISE, RULES
from voxgraft.checkpoints.formats.hugging_face.vocabulary import beyond_rows, read_ids, told_beyond
from voxgraft.checkpoints.formats.vits_spectrogram import spectrogram_of
from voxgraft.checkpoints.formats.vits_tensors import folded_names
from voxgraft.config.presets import quality_of
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.text.symbols import SymbolTable
from voxgraft.validated import Settings, validated

VARIANT = "mms"
_DAMAGED = "The folder is damaged or incomplete: download it again."

# Settings of the peer's network that ours has built in.
_BUILT_IN = {
    "window_size": 4,
    "hidden_act": "relu",
    "layer_norm_eps": 1e-5,
    "leaky_relu_slope": 0.1,
    "depth_separable_channels": 2,
    "depth_separable_num_layers": 3,
    "duration_predictor_flow_bins": 10,
    "duration_predictor_tail_bound": 5.0,
    "duration_predictor_kernel_size": 3,
    "duration_predictor_num_flows": 4,
    "duration_predictor_filter_channels": 256,
}

# Names of hyper-parameters as Piper records them -> in config.json.
_RECORDED = {
    "spec_channels": "spectrogram_bins",
    "num_symbols": "vocab_size",
    "hidden_channels": "hidden_size",
    "inter_channels": "flow_size",
    "filter_channels": "ffn_dim",
    "kernel_size": "ffn_kernel_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "p_dropout": "hidden_dropout",
    "num_speakers": "num_speakers",
    "upsample_rates": "upsample_rates",
    "upsample_initial_channel": "upsample_initial_channel",
    "upsample_kernel_sizes": "upsample_kernel_sizes",
    "resblock_kernel_sizes": "resblock_kernel_sizes",
    "resblock_dilation_sizes": "resblock_dilation_sizes",
    "flows": "prior_encoder_num_flows",
    "flow_layers": "prior_encoder_num_wavenet_layers",
    "flow_kernel": "wavenet_kernel_size",
    "flow_dilation": "wavenet_dilation_rate",
    "posterior_layers": "posterior_encoder_num_wavenet_layers",
    "posterior_kernel": "wavenet_kernel_size",
    "posterior_dilation": "wavenet_dilation_rate",
}


class _Config(Settings):
    sampling_rate: int = Field(16000, ge=4000, le=192_000)
    spectrogram_bins: int = Field(513, ge=2, le=2**16)
    noise_scale: float = Field(0.667, ge=0, le=10)
    noise_scale_duration: float = Field(0.8, ge=0, le=10)
    speaking_rate: float = Field(1.0, gt=0, le=100)


class _Tokenizer(Settings):
    language: str | None = Field(None, max_length=200)
    add_blank: bool = True
    normalize: bool = True
    phonemize: bool = True
    is_uroman: bool = False


def read(folder: ModelFolder) -> Checkpoint:
    """An MMS-TTS or other VitsModel. Raises CheckpointError where parts of the voice are absent."""
    config = validated(_Config, folder.config, folder.files[CONFIG], _DAMAGED)
    tokenizer = _tokenizer(folder)
    tensors, left_out = _canonical(folder)
    architecture, notes = _architecture(folder, tensors)
    symbols = _symbols(folder, tokenizer, architecture["symbols"])
    return Checkpoint(
        family="vits",
        architecture=architecture,
        tensors=tensors,
        provenance=folder.provenance(),
        symbols=symbols,
        audio=spectrogram_of(architecture, config.sampling_rate),
        variant=VARIANT,
        quality=quality_of(architecture, config.sampling_rate),
        speakers=_speakers(architecture["speakers"], tokenizer),
        languages=(tokenizer.language,) if tokenizer.language else folder.card.languages,
        inference={
            "noise_scale": config.noise_scale,
            "length_scale": 1.0 / config.speaking_rate,
            "noise_w": config.noise_scale_duration,
        },
        missing=missing_parts(tensors.shapes),
        obstacle=_obstacle(folder),
        notes=(
            *folder.notes,
            *notes,
            *left_out,
            *_remarks(folder, tokenizer),
            *_beyond(folder, architecture["symbols"]),
        ),
        config=dict(folder.config) | {"tokenizer": tokenizer.model_dump()},
        **folder.training(),
    )


def _tokenizer(folder: ModelFolder) -> _Tokenizer:
    name = "tokenizer_config.json"
    return validated(_Tokenizer, folder.document(name), folder.files.get(name, folder.path), _DAMAGED)


def _canonical(folder: ModelFolder) -> tuple[TensorStore, tuple[str, ...]]:
    """Tensors under the authors' names, and a note on what is no part of the voice."""
    tensors, odd = renamed(folder.weights.tensors, RULES, folder.weights.files[0])
    widened = {name: _widened(tensors[name]) for name in tensors if re.fullmatch(POINTWISE, name)}
    return folder.store(tensors | widened), odd


def _widened(tensor: LazyTensor) -> LazyTensor:
    """The weight of a linear layer as that of a convolution of one position."""
    return LazyTensor((*tensor.shape, 1), lambda: tensor.load()[..., None])


def _architecture(folder: ModelFolder, tensors: TensorStore) -> tuple[dict[str, Any], list[str]]:
    recorded = {ours: folder.config[theirs] for ours, theirs in _RECORDED.items() if theirs in folder.config}
    with naming_file(tensors.path):
        architecture, notes = vits_architecture(tensors.shapes, recorded)
    absent = sorted(inference_names(architecture) - folded_names(tensors.shapes))
    if absent:
        raise CheckpointError(
            f"{len(absent)} of the voice's tensors are absent", file=tensors.path, field=absent[0], remedy=_DAMAGED
        )
    return architecture, notes


def _obstacle(folder: ModelFolder) -> Obstacle | None:
    """Settings of the peer's network that ours has built in otherwise."""
    other = {name: folder.config[name] for name, value in _BUILT_IN.items() if folder.config.get(name, value) != value}
    if not other:
        return None
    said = ", ".join(f"{name} {str(value)[:40]} instead of {_BUILT_IN[name]}" for name, value in other.items())
    return Obstacle(
        next(iter(other)),
        f"voxgraft's VITS can't be built like this one: {said}",
        "Take a base with the usual network.",
    )


def _vocabulary(folder: ModelFolder) -> dict[str, int]:
    return read_ids(folder.document("vocab.json"), folder.files["vocab.json"]) if "vocab.json" in folder.files else {}


def _beyond(folder: ModelFolder, rows: int) -> list[str]:
    return told_beyond(beyond_rows(_vocabulary(folder), rows), rows)


def _symbols(folder: ModelFolder, tokenizer: _Tokenizer, rows: int) -> SymbolTable | None:
    """The vocabulary; id 0, whatever symbol it is, goes between all others, as in MMS's training.

    (Where that symbol is the tokenizer's pad token too, `transformers` leaves it out beside itself.)
    """
    ids = {symbol: number for symbol, number in _vocabulary(folder).items() if number < rows}
    if not ids:
        return None
    return SymbolTable(
        ids={symbol: (number,) for symbol, number in ids.items()},
        rows=rows,
        text_kind="espeak" if tokenizer.phonemize else "text",
        voice="en-us" if tokenizer.phonemize else None,
        pad=next((symbol for symbol, number in ids.items() if number == 0), None),
        bos=None,
        eos=None,
        intersperse=tokenizer.add_blank,
        leading_pad=tokenizer.add_blank,
    )


def _speakers(count: int, tokenizer: _Tokenizer) -> tuple[str, ...]:
    return (tokenizer.language or "default",) if count == 1 else tuple(map(str, range(count)))


def _remarks(folder: ModelFolder, tokenizer: _Tokenizer) -> list[str]:
    """What a user must know before giving it a text."""
    if "vocab.json" not in folder.files:
        return ["which symbols its ids mean isn't recorded: put vocab.json beside it"]
    if tokenizer.is_uroman:
        return ["it reads romanised text: put texts through uroman first"]
    return []
