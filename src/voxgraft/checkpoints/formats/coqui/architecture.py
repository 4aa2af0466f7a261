"""The hyper-parameters of Coqui TTS' models: from the shapes of their tensors, and from the configuration what no shape tells.

Tables, a model each; keywords are Coqui's own, but for `symbols`, `mels` and `speakers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voxgraft.architectures.dimensions.glow_tts import STATED as GLOW_TTS_STATED
from voxgraft.architectures.dimensions.glow_tts import glow_tts_architecture
from voxgraft.architectures.dimensions.upsampler import Shapes, count_of, incomplete, kernel_name
from voxgraft.checkpoints.formats.coqui.config import Config


@dataclass(frozen=True)
class Facts:
    """`axes`: keyword -> (tensor, axis). `counts`: keyword -> pattern whose first group is counted. `stated`: what only
    the configuration knows. `called`: keyword -> the configuration's name for it, where that is another."""

    axes: Mapping[str, tuple[str, int]]
    counts: Mapping[str, str] = field(default_factory=dict)
    stated: tuple[str, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)


_CALLED = {"symbols": "num_chars", "mels": "out_channels"}

_FORWARD = Facts(
    axes={
        "symbols": ("emb.weight", 0),
        "hidden_channels": ("emb.weight", 1),
        "mels": ("decoder.decoder.postnet.weight", 0),
        "duration_predictor_hidden_channels": ("duration_predictor.conv_1.weight", 0),
        "duration_predictor_kernel_size": ("duration_predictor.conv_1.weight", 2),
        "pitch_predictor_hidden_channels": ("pitch_predictor.conv_1.weight", 0),
        "pitch_predictor_kernel_size": ("pitch_predictor.conv_1.weight", 2),
        "pitch_embedding_kernel_size": ("pitch_emb.weight", 2),
    },
    counts={
        "encoder_layers": r"encoder\.encoder\.\w+\.(\d+)\.",
        "decoder_layers": r"decoder\.decoder\.\w+\.(?:fft_layers\.)?(\d+)\.",
    },
    stated=("encoder_type", "encoder_params", "decoder_type", "decoder_params", "max_duration"),
    called=_CALLED,
)

FACTS: Mapping[str, Facts] = {
    "fast_pitch": _FORWARD,
    "fastspeech2": Facts(
        axes={
            **_FORWARD.axes,
            "energy_predictor_hidden_channels": ("energy_predictor.conv_1.weight", 0),
            "energy_predictor_kernel_size": ("energy_predictor.conv_1.weight", 2),
            "energy_embedding_kernel_size": ("energy_emb.weight", 2),
        },
        counts=_FORWARD.counts,
        stated=_FORWARD.stated,
        called=_CALLED,
    ),
    "tacotron2": Facts(
        axes={
            "symbols": ("embedding.weight", 0),
            "embedding_channels": ("embedding.weight", 1),
            "mels": ("postnet.convolutions.0.convolution1d.weight", 1),
            "attention_channels": ("decoder.attention.query_layer.linear_layer.weight", 0),
        },
        counts={
            "encoder_layers": r"encoder\.convolutions\.(\d+)\.",
            "postnet_layers": r"postnet\.convolutions\.(\d+)\.",
        },
        stated=(
            "attention_type",
            "attention_norm",
            "prenet_type",
            "location_attn",
            "separate_stopnet",
            "use_gst",
            "r",
            "ddc_r",
        ),
        called=_CALLED,
    ),
    "multiband_melgan": Facts(
        axes={
            "mels": ("generator.layers.1.weight_v", 1),
            "base_channels": ("generator.layers.1.weight_v", 0),
            "bands": ("generator.pqmf_layer.H", 0),
            "taps": ("generator.pqmf_layer.H", 2),
            "kernel_size": ("generator.layers.4.blocks.0.2.weight_v", 2),
        },
        counts={"num_res_blocks": r"generator\.layers\.4\.blocks\.(\d+)\."},
    ),
}
_MOST_STAGES = 64
SPEAKERS = ("emb_g.weight", "speaker_embedding.weight")


def stated_architecture(family: str, shapes: Shapes, config: Config) -> tuple[dict[str, Any], list[str]]:
    """Hyper-parameters of a family in FACTS, and notes where the configuration contradicts the tensors.

    Raises CheckpointError where a tensor is absent or of too few dimensions.
    """
    facts = FACTS[family]
    found: dict[str, Any] = {name: _size(shapes, *place) for name, place in facts.axes.items()}
    found |= {name: count_of(shapes, pattern) for name, pattern in facts.counts.items()}
    notes = contradictions(found, config, facts.called)
    if family == "multiband_melgan":
        found["upsample_factors"] = melgan_factors(shapes)
    if "symbols" in found:
        found["speakers"] = speaker_rows(shapes) or 1
    return found | {name: value for name in facts.stated if (value := config.get(name)) is not None}, notes


def glow_tts_keywords(shapes: Shapes, config: Config) -> tuple[dict[str, Any], list[str]]:
    """Keyword arguments of Glow-TTS, and notes where the configuration contradicts the tensors, or where our tasks stop.

    Raises CheckpointError where a part is absent.
    """
    stated = {name: config.get(name) for name in GLOW_TTS_STATED}
    found = glow_tts_architecture(shapes, stated)
    notes = contradictions({name: value for name, value in found.items() if name != "num_squeeze"}, config, _CALLED)
    if found["speaker_channels"] and not found["multispeaker"]:
        notes.append(
            f"it speaks with voice vectors of {found['speaker_channels']} numbers from a speaker encoder, not with a table "
            "of speakers"
        )
    return found, notes


def contradictions(found: Mapping[str, Any], config: Config, called: Mapping[str, str]) -> list[str]:
    """What the configuration says otherwise than the tensors, whose sizes are `found`; `called` are its names for them."""
    notes = []
    for name, size in found.items():
        stated = config.get(called.get(name, name))
        if type(stated) is int and type(size) is int and stated not in (0, size):
            notes.append(
                f"the configuration says {called.get(name, name)}={stated}, the tensors say {size}: the tensors win"
            )
    return notes


def melgan_factors(shapes: Shapes) -> tuple[int, ...]:
    """How much each stage of a MelGAN lengthens: its kernels are twice that."""
    layers = [f"generator.layers.{layer}" for layer in range(3, 3 * _MOST_STAGES, 3)]
    kernels = [shapes.get(kernel_name(shapes, layer), ()) for layer in layers]
    residual = [f"generator.layers.{layer + 1}.blocks.0.2.bias" in shapes for layer in range(3, 3 * _MOST_STAGES, 3)]
    return tuple(
        shape[2] // 2 for shape, is_stage in zip(kernels, residual, strict=True) if is_stage and len(shape) == 3
    )


def speaker_rows(shapes: Shapes) -> int:
    """Rows of the speaker embedding; 0 where there is none."""
    return next((shapes[name][0] for name in SPEAKERS if len(shapes.get(name, ())) == 2), 0)


def _size(shapes: Shapes, name: str, axis: int) -> int:
    folded = name.removesuffix("_v")
    shape = shapes.get(name, shapes.get(folded, ()))
    if len(shape) <= axis or not all(shape):
        raise incomplete(name, expected=f"a tensor of more than {axis} dimensions", got=list(shape) or "nothing")
    return shape[axis]
