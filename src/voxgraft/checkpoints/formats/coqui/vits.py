"""What is particular about VITS as Coqui TTS has it: its hyper-parameters' names, and what the authors' network lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxgraft.architectures.dimensions.upsampler import Shapes, count_of, kernel_name
from voxgraft.architectures.dimensions.vits import vits_architecture
from voxgraft.architectures.names.vits import FLOW_LAYERS, FLOWS, inference_names
from voxgraft.checkpoints.containers.tensor_store import LazyTensor
from voxgraft.checkpoints.formats.coqui.config import Config
from voxgraft.checkpoints.formats.vits_tensors import folded_names
from voxgraft.errors import CheckpointError

# Piper's name of a hyper-parameter -> Coqui's.
_RECORDED = {
    "num_symbols": "num_chars",
    "hidden_channels": "hidden_channels",
    "filter_channels": "hidden_channels_ffn_text_encoder",
    "n_heads": "num_heads_text_encoder",
    "n_layers": "num_layers_text_encoder",
    "kernel_size": "kernel_size_text_encoder",
    "p_dropout": "dropout_p_text_encoder",
    "resblock": "resblock_type_decoder",
    "resblock_kernel_sizes": "resblock_kernel_sizes_decoder",
    "resblock_dilation_sizes": "resblock_dilation_sizes_decoder",
    "upsample_rates": "upsample_rates_decoder",
    "upsample_kernel_sizes": "upsample_kernel_sizes_decoder",
    "upsample_initial_channel": "upsample_initial_channel_decoder",
}
_SCALES = {
    "noise_scale": "inference_noise_scale",
    "length_scale": "length_scale",
    "noise_w": "inference_noise_scale_dp",
}
_KERNEL = 5
_POSTERIOR_LAYERS = 16
_DAMAGED = "The file is damaged or incomplete: copy or download it again."


def vits_keywords(shapes: Shapes, config: Config) -> tuple[dict[str, Any], list[str]]:
    """Keyword arguments of the model, and notes on what was contradicted, assumed, or is beyond our network.

    Raises CheckpointError where a part is absent.
    """
    recorded = {ours: value for ours, theirs in _RECORDED.items() if (value := config.get(theirs)) is not None}
    architecture, notes = vits_architecture(shapes, recorded)
    absent = sorted(inference_names(architecture) - folded_names(shapes) - {"dp.cond.weight", "dp.cond.bias"})
    if absent:
        raise CheckpointError(f"{len(absent)} of the voice's tensors are absent", field=absent[0], remedy=_DAMAGED)
    return architecture, notes + _beyond(shapes, architecture, config)


def inference_scales(config: Config) -> dict[str, float]:
    """What the voice is spoken with, under our names."""
    stated = {ours: config.get(theirs) for ours, theirs in _SCALES.items()}
    return {name: float(value) for name, value in stated.items() if type(value) in (int, float)}


def as_canonical(name: str, tensor: LazyTensor) -> LazyTensor:
    """Coqui's plain duration predictor keeps its norms' parameters as [1, C, 1]; the authors' as [C]."""
    if not name.startswith("dp.norm_") or len(tensor.shape) != 3:
        return tensor

    def load() -> np.ndarray:
        return tensor.load().reshape(-1)

    return LazyTensor((tensor.shape[0] * tensor.shape[1] * tensor.shape[2],), load)


def _beyond(shapes: Shapes, architecture: dict[str, Any], config: Config) -> list[str]:
    """What the network has or does that voxgraft's VITS does not."""
    return [*_conditions(shapes, architecture), *_sizes(shapes, architecture), *_rates(config)]


def _conditions(shapes: Shapes, architecture: dict[str, Any]) -> list[str]:
    notes = []
    languages = shapes.get("emb_l.weight")
    if languages is not None:
        notes.append(
            f"{languages[0]} languages are embedded (emb_l, dp.cond_lang, {languages[-1]} more channels in the text "
            "encoder): voxgraft's VITS has one language and would take none of it"
        )
    conditioned = shapes.get("dec.cond.weight")
    if conditioned is not None and "emb_g.weight" not in shapes:
        notes.append(
            f"it speaks with voice vectors of {conditioned[1]} numbers from a speaker encoder, not with a table of "
            "speakers: voxgraft's VITS has no place for them"
        )
    elif conditioned is not None and architecture["speakers"] == 1:
        notes.append("its only speaker is embedded: voxgraft's VITS of one speaker leaves that constant out")
    if architecture["speakers"] > 1 and "dp.cond.weight" not in shapes:
        notes.append("its durations do not depend on the speaker; voxgraft's VITS has that connection (dp.cond)")
    return notes


def _sizes(shapes: Shapes, architecture: dict[str, Any]) -> list[str]:
    """Sizes that are fixed in the authors' network."""
    expected = {
        "layers of the posterior encoder": (
            count_of(shapes, r"enc_q\.enc\.in_layers\.(\d+)\."),
            (0, _POSTERIOR_LAYERS),
        ),
        "flows": (count_of(shapes, r"flow\.flows\.(\d+)\.pre\."), (len(FLOWS),)),
        "layers of a flow": (count_of(shapes, r"flow\.flows\.0\.enc\.in_layers\.(\d+)\."), (FLOW_LAYERS,)),
    }
    for part in ("enc_q.enc.in_layers.0", "flow.flows.0.enc.in_layers.0"):
        shape = shapes.get(kernel_name(shapes, part))
        if shape is not None and len(shape) == 3:
            expected[f"the kernel of {part}"] = (shape[2], (_KERNEL,))
    durations = shapes.get("dp.pre.weight")
    if durations is not None:
        # 192 in Coqui whatever the other parts have; as wide as those in the authors' network.
        expected["channels of the duration predictor"] = (durations[0], (architecture["hidden_channels"],))
    return [
        f"{found} for {what}, where voxgraft's VITS has {usual[-1]}"
        for what, (found, usual) in expected.items()
        if found not in usual
    ]


def _rates(config: Config) -> list[str]:
    notes = [
        f"{name}={value}: voxgraft's VITS does not dilate there"
        for name in ("dilation_rate_posterior_encoder", "dilation_rate_flow")
        if type(value := config.get(name)) is int and value != 1
    ]
    if rate := config.get("encoder_sample_rate"):
        notes.append(
            f"its encoders hear {rate} Hz and its decoder speaks another rate: voxgraft's VITS has one for both"
        )
    return notes
