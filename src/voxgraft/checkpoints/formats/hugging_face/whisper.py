"""Whisper: WhisperForConditionalGeneration and WhisperModel; also what a converter to other formats kept of them.

Facts: https://github.com/huggingface/transformers/tree/main/src/transformers/models/whisper
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from voxgraft.architectures.families.whisper import FAMILY
from voxgraft.audio.recogniser_specs import whisper_spec
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.formats.hugging_face.model_folder import CONFIG, ModelFolder
from voxgraft.checkpoints.formats.hugging_face.tensors import Shapes, contradictions, numbered, renamed, shape_of
from voxgraft.errors import CheckpointError
from voxgraft.validated import Settings, validated

_REMEDY = "Get the folder again from where the model came from."
# Rows of the vocabulary of the models that know English alone.
_ENGLISH_ONLY = 51864

RULES = (
    (r"(model\.(?:encoder|decoder)\..+|proj_out\.weight)", r"\1"),
    # WhisperModel alone.
    (r"((?:encoder|decoder)\..+)", r"model.\1"),
)

Count = Annotated[int, Field(ge=1, le=2**20)]


class _Config(Settings):
    """What the shapes can't tell."""

    encoder_attention_heads: Count = 6
    decoder_attention_heads: Count = 6
    activation_function: str = "gelu"
    scale_embedding: bool = False


class _Features(Settings):
    sampling_rate: int = Field(16000, ge=4000, le=192_000)
    n_fft: int = Field(400, ge=16, le=2**16)
    hop_length: int = Field(160, ge=1, le=2**16)


def read(folder: ModelFolder) -> Checkpoint:
    """An encoder, and the decoder where it is there. Raises CheckpointError where the encoder isn't."""
    config = validated(_Config, folder.config, folder.files[CONFIG], _REMEDY)
    name = "preprocessor_config.json"
    features = validated(_Features, folder.document(name), folder.files.get(name, folder.path), _REMEDY)
    path = folder.weights.files[0]
    tensors, odd = renamed(folder.weights.tensors, RULES, path)
    store = folder.store(tensors)
    found = architecture(store.shapes, config.encoder_attention_heads, config.decoder_attention_heads, path)
    known = folder.document("generation_config.json").get("lang_to_id")
    stated = tuple(str(token).strip("<|>")[:40] for token in known) if isinstance(known, dict) else ()
    settings = config.model_dump(include={"activation_function", "scale_embedding"})
    return Checkpoint(
        family=FAMILY.name,
        architecture=found | settings,
        tensors=store,
        provenance=folder.provenance(),
        audio=whisper_spec(found["num_mel_bins"], features.sampling_rate, features.n_fft, features.hop_length),
        languages=languages(found) or stated or folder.card.languages,
        missing=FAMILY.missing(tensors),
        notes=(*folder.notes, *contradictions(found, folder.config), *odd),
        config=dict(folder.config) | {"features": features.model_dump()},
        **folder.training(),
    )


def architecture(shapes: Shapes, heads: int, decoder_heads: int, path: Path) -> dict[str, Any]:
    """Keywords as in config.json, read off the tensors. Raises CheckpointError where the encoder is incomplete."""
    width, mels, _ = shape_of(shapes, "model.encoder.conv1.weight", 3, path)
    if width % heads or width % decoder_heads:
        raise CheckpointError(
            "the number of attention heads does not divide the width", file=path, field="encoder_attention_heads",
            expected=f"a divisor of {width}", got=heads, remedy=_REMEDY,
        )  # fmt: skip
    found = {
        "num_mel_bins": mels,
        "d_model": width,
        "max_source_positions": shape_of(shapes, "model.encoder.embed_positions.weight", 2, path)[0],
        "encoder_layers": numbered(shapes, r"model\.encoder\.layers\.(\d+)\."),
        "encoder_attention_heads": heads,
        "encoder_ffn_dim": shape_of(shapes, "model.encoder.layers.0.fc1.weight", 2, path)[0],
    }
    if "model.decoder.embed_tokens.weight" in shapes:
        found |= {
            "vocab_size": shape_of(shapes, "model.decoder.embed_tokens.weight", 2, path)[0],
            "max_target_positions": shape_of(shapes, "model.decoder.embed_positions.weight", 2, path)[0],
            "decoder_layers": numbered(shapes, r"model\.decoder\.layers\.(\d+)\."),
            "decoder_attention_heads": decoder_heads,
            "decoder_ffn_dim": shape_of(shapes, "model.decoder.layers.0.fc1.weight", 2, path)[0],
        }
    return found


def languages(found: dict[str, Any]) -> tuple[str, ...]:
    """English where the vocabulary is that of the English models; nothing where it isn't."""
    return ("en",) if found.get("vocab_size") == _ENGLISH_ONLY else ()
