"""wav2vec 2.0, XLS-R and MMS: Wav2Vec2ForCTC, Wav2Vec2ForPreTraining, Wav2Vec2Model.

Facts: https://github.com/huggingface/transformers/tree/main/src/transformers/models/wav2vec2
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from voxgraft.architectures.families.wav2vec2 import FAMILY
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.containers.weight_files import open_weights, overlaid, weights_of_folder
from voxgraft.checkpoints.formats.hugging_face.model_folder import CONFIG, ModelFolder
from voxgraft.checkpoints.formats.hugging_face.tensors import Shapes, contradictions, numbered, renamed, shape_of
from voxgraft.checkpoints.formats.hugging_face.vocabulary import beyond_rows, is_nested, read_ids, told_beyond
from voxgraft.errors import CheckpointError
from voxgraft.text.symbols import SymbolTable
from voxgraft.validated import Settings, validated

_REMEDY = "Get the folder again from where the model came from."
_ADAPTER = re.compile(r"adapter\.([\w-]{1,60})\.(?:safetensors|bin)")
_STEM = "wav2vec2.feature_extractor.conv_layers"

RULES = (
    (r"wav2vec2\.(.+)", r"wav2vec2.\1"),
    (r"((?:lm_head|quantizer|project_q|project_hid)\..+)", r"\1"),
    # Wav2Vec2Model alone.
    (r"((?:feature_extractor|feature_projection|encoder|adapter)\..+|masked_spec_embed)", r"wav2vec2.\1"),
)

Count = Annotated[int, Field(ge=1, le=2**20)]


class _Config(Settings):
    """What the shapes can't tell."""

    conv_stride: tuple[Count, ...] = (5, 2, 2, 2, 2, 2, 2)
    num_attention_heads: Count = 12
    do_stable_layer_norm: bool = False
    hidden_act: str = "gelu"
    feat_extract_activation: str = "gelu"
    layer_norm_eps: float = Field(1e-5, gt=0, le=1)
    adapter_stride: Count = 2


class _Tokenizer(Settings):
    word_delimiter_token: Any = "|"
    do_lower_case: bool = False
    target_lang: str | None = Field(None, max_length=60)


class _Features(Settings):
    sampling_rate: int = Field(16000, ge=4000, le=192_000)
    do_normalize: bool = True
    return_attention_mask: bool = False


def read(folder: ModelFolder) -> Checkpoint:
    """An encoder with the head and the adapters that there are; a file of adapters goes over the weights beside it."""
    config = validated(_Config, folder.config, folder.files[CONFIG], _REMEDY)
    tokenizer = validated(
        _Tokenizer, folder.document("tokenizer_config.json"), _place(folder, "tokenizer_config.json"), _REMEDY
    )
    features = validated(
        _Features, folder.document("preprocessor_config.json"), _place(folder, "preprocessor_config.json"), _REMEDY
    )
    languages = _adapters(folder)
    folder, language = _with_adapter(folder, languages, tokenizer.target_lang)
    path = folder.weights.files[0]
    tensors, odd = renamed(folder.weights.tensors, RULES, path)
    store = folder.store(tensors)
    architecture = _architecture(store.shapes, config, path)
    vocabulary = _vocabulary(folder, language)
    rows = architecture.get("symbols")
    symbols = _symbols(folder, tokenizer, vocabulary, rows)
    return Checkpoint(
        family=FAMILY.name,
        architecture=architecture,
        tensors=store,
        provenance=folder.provenance(),
        symbols=symbols,
        audio=_audio(architecture, features),
        languages=(language,) if language else folder.card.languages,
        missing=FAMILY.missing(tensors),
        notes=(
            *folder.notes,
            *contradictions({k: v for k, v in architecture.items() if k != "symbols"}, folder.config),
            *contradictions(
                {"vocab_size": architecture["symbols"]} if "symbols" in architecture else {}, folder.config
            ),
            *odd,
            *_remarks(languages, language, symbols, architecture),
            *(told_beyond(beyond_rows(vocabulary, rows), rows) if rows is not None else ()),
        ),
        config=dict(folder.config)
        | {"tokenizer": tokenizer.model_dump(), "features": features.model_dump(), "adapters": list(languages)},
        **folder.training(),
    )


def _place(folder: ModelFolder, name: str) -> Path:
    return folder.files.get(name, folder.path)


def _adapters(folder: ModelFolder) -> dict[str, str]:
    """Language -> the file with its adapters."""
    found = {match[1]: name for name in sorted(folder.files) if (match := _ADAPTER.fullmatch(name))}
    return found


def _with_adapter(
    folder: ModelFolder, languages: Mapping[str, str], target: str | None
) -> tuple[ModelFolder, str | None]:
    """The folder with one language's adapters in place, and that language."""
    given = next((lang for lang, name in languages.items() if folder.path.is_file() and name == folder.path.name), None)
    weights = folder.weights
    if given is not None:
        under = weights_of_folder(folder.files)
        if under is None:
            raise CheckpointError(
                "adapters without the model that they belong to", file=folder.path, expected="model.safetensors beside it",
                remedy=_REMEDY,
            )  # fmt: skip
        return folder.with_weights(overlaid(under, weights)), given
    if target is not None and target in languages and folder.path.is_dir():
        return folder.with_weights(overlaid(weights, open_weights(folder.files[languages[target]]))), target
    return folder, target


def _architecture(shapes: Shapes, config: _Config, path: Path) -> dict[str, Any]:
    """Keywords as in config.json, read off the tensors where they can be; `symbols` are the rows of the head."""
    depth = numbered(shapes, re.escape(_STEM) + r"\.(\d+)\.conv\.weight")
    kernels = [shape_of(shapes, f"{_STEM}.{i}.conv.weight", 3, path) for i in range(max(depth, 1))]
    hidden = shape_of(shapes, "wav2vec2.feature_projection.projection.weight", 2, path)[0]
    layers = numbered(shapes, r"wav2vec2\.encoder\.layers\.(\d+)\.")
    inner = shape_of(shapes, "wav2vec2.encoder.layers.0.feed_forward.intermediate_dense.weight", 2, path)[0]
    conv = "wav2vec2.encoder.pos_conv_embed.conv"
    positions = shape_of(shapes, f"{conv}.weight_v" if f"{conv}.weight_v" in shapes else f"{conv}.weight", 3, path)
    if len(config.conv_stride) != depth or hidden % config.num_attention_heads or hidden % positions[1]:
        raise CheckpointError(
            "config.json belongs to other weights", file=path, field="conv_stride, num_attention_heads",
            expected=f"{depth} strides, heads that divide {hidden}", remedy=_REMEDY,
        )  # fmt: skip
    adapters = shapes.get("wav2vec2.encoder.layers.0.adapter_layer.linear_1.weight")
    architecture: dict[str, Any] = {
        "conv_dim": tuple(shape[0] for shape in kernels),
        "conv_kernel": tuple(shape[2] for shape in kernels),
        "conv_stride": config.conv_stride,
        "conv_bias": f"{_STEM}.0.conv.bias" in shapes,
        "feat_extract_norm": "layer" if f"{_STEM}.1.layer_norm.weight" in shapes else "group",
        "feat_extract_activation": config.feat_extract_activation,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": config.num_attention_heads,
        "intermediate_size": inner,
        "hidden_act": config.hidden_act,
        "do_stable_layer_norm": config.do_stable_layer_norm,
        "layer_norm_eps": config.layer_norm_eps,
        "num_conv_pos_embeddings": positions[2],
        "num_conv_pos_embedding_groups": hidden // positions[1],
        "adapter_attn_dim": adapters[0] if adapters else None,
    }
    downsampling = numbered(shapes, r"wav2vec2\.adapter\.layers\.(\d+)\.")
    if downsampling:
        architecture |= {"num_adapter_layers": downsampling, "adapter_stride": config.adapter_stride}
    if "lm_head.weight" in shapes:
        architecture["symbols"] = shape_of(shapes, "lm_head.weight", 2, path)[0]
    return architecture


def _audio(architecture: Mapping[str, Any], features: _Features) -> AudioSpec:
    """No spectrogram: a window and a hop of samples a frame."""
    hop, window = 1, 1
    for kernel, stride in zip(architecture["conv_kernel"], architecture["conv_stride"], strict=True):
        window += (kernel - 1) * hop
        hop *= stride
    hop *= math.prod([architecture.get("adapter_stride", 1)] * architecture.get("num_adapter_layers", 0))
    return AudioSpec(
        sample_rate=features.sampling_rate,
        n_fft=window,
        win=window,
        hop=hop,
        n_mels=0,
        log_base="none",
        normalisation="utterance" if features.do_normalize else "none",
    )


def _vocabulary(folder: ModelFolder, language: str | None) -> dict[str, int]:
    """Symbol -> id, of the language where each has its own, with what was added to the tokenizer; empty where unknown."""
    if "vocab.json" not in folder.files:
        return {}
    vocabulary, added = folder.document("vocab.json"), folder.document("added_tokens.json")
    if is_nested(vocabulary):
        vocabulary = vocabulary.get(language or "", {})
    if not vocabulary:
        return {}
    own = read_ids(vocabulary, folder.files["vocab.json"])
    more = read_ids(added, folder.files["added_tokens.json"]) if added else {}
    return own | {symbol: number for symbol, number in more.items() if symbol not in own and number not in own.values()}


def _blank(folder: ModelFolder, ids: dict[str, int], rows: int) -> str:
    """What stands for the blank: the pad token, as the tokenizer, its map of tokens or config.json name it, else `<pad>`.

    Where config.json names a row without a symbol, `ids` gets one for it.
    """
    for document in ("tokenizer_config.json", "special_tokens_map.json"):
        stated = _token(folder.document(document).get("pad_token"))
        if stated in ids:
            return stated
    row = folder.config.get("pad_token_id")
    if type(row) is int and 0 <= row < rows:
        named = next((symbol for symbol, number in ids.items() if number == row), None)
        if named is None and "<pad>" not in ids:
            ids["<pad>"] = row
        return named or "<pad>"
    return "<pad>"


def _symbols(
    folder: ModelFolder, tokenizer: _Tokenizer, vocabulary: Mapping[str, int], rows: int | None
) -> SymbolTable | None:
    """The alphabet of the head: the pad token is the blank, the word delimiter the space."""
    if rows is None:
        return None
    ids = {symbol: number for symbol, number in vocabulary.items() if number < rows}
    if not ids:
        return None
    delimiter, blank = _token(tokenizer.word_delimiter_token), _blank(folder, ids, rows)
    if delimiter in ids and " " not in ids:
        ids = {" " if symbol == delimiter else symbol: number for symbol, number in ids.items()}
    return SymbolTable(
        ids={symbol: (number,) for symbol, number in ids.items()},
        rows=rows,
        text_kind="ctc",
        pad=None,
        bos=None,
        eos=None,
        intersperse=False,
        blank=blank,
    )


def _token(value: Any) -> str:
    """A token that is written bare, or with its settings."""
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else ""


def _remarks(
    languages: Mapping[str, str],
    language: str | None,
    symbols: SymbolTable | None,
    architecture: Mapping[str, Any],
) -> list[str]:
    remarks = []
    if languages and language in languages:
        remarks.append(
            f"with the adapters of {language}; the folder has {len(languages)} languages: give an adapter file for another"
        )
    elif languages:
        remarks.append(
            f"it has adapters of {len(languages)} languages: give one of the files, such as {next(iter(languages.values()))}"
        )
    if symbols is None and "symbols" in architecture:
        remarks.append("which symbols its output means isn't recorded: put vocab.json beside it")
    elif symbols is not None and symbols.blank is None:
        remarks.append("its vocabulary has no pad token, so the blank of CTC isn't known")
    return remarks
