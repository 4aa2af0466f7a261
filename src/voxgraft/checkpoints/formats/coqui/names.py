"""Coqui TTS' tensor names -> canonical, and by which tensors each of its models is known.

GAN vocoders have `model_g.` and `model_d.` before their names; releases before 0.0.15 kept the two apart without them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from voxgraft.architectures.names.rules import NameRules
from voxgraft.architectures.names.univnet import COQUI as UNIVNET

GENERATOR, DISCRIMINATOR = "model_g.", "model_d."

_SPEAKER_ENCODER = (r"speaker_encoder.*", None)

# Coqui numbers the flows without the reversals between them; the authors count those too.
_VITS: NameRules = (
    _SPEAKER_ENCODER,
    (r"text_encoder\.(.+)", r"enc_p.\1"),
    (r"posterior_encoder\.(.+)", r"enc_q.\1"),
    *((rf"flow\.flows\.{flow}\.(.+)", rf"flow.flows.{2 * flow}.\1") for flow in range(16)),
    *(
        (rf"duration_predictor\.{half}flows\.0\.{theirs}", f"dp.{half}flows.0.{ours}")
        for half in ("", "post_")
        for theirs, ours in (("translation", "m"), ("log_scale", "logs"))
    ),
    *(
        (rf"duration_predictor\.{half}flows\.{flow}\.(.+)", rf"dp.{half}flows.{2 * flow - 1}.\1")
        for half in ("", "post_")
        for flow in range(1, 16)
    ),
    (r"duration_predictor\.(.+)", r"dp.\1"),
    (r"waveform_decoder\.cond_layer\.(.+)", r"dec.cond.\1"),
    (r"waveform_decoder\.(.+)", r"dec.\1"),
    (r"disc\.nets\.(.+)", r"discriminator.discriminators.\1"),
    (r"(emb_[gl]\..+)", r"\1"),
)
_OWN: NameRules = (_SPEAKER_ENCODER, (r"(.+)", r"\1"))
_GAN: NameRules = ((r"model_g\.(.+)", r"generator.\1"), (r"model_d\.(.+)", r"discriminator.\1"))

RULES: Mapping[str, NameRules] = {
    "vits": _VITS,
    # Inverses that it keeps when it only speaks.
    "glow_tts": ((r"decoder\.flows\.\d+\.weight_inv", None), *_OWN),
    "fastspeech2": _OWN,
    "fast_pitch": _OWN,
    "tacotron2": _OWN,
    "hifigan": _GAN,
    "univnet": UNIVNET,
    "multiband_melgan": _GAN,
}

# Family -> how some tensor's name begins; all must be met, the first family that fits counts.
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "vits": ("text_encoder.emb.", "waveform_decoder.", "flow.flows."),
    "glow_tts": ("encoder.emb.", "encoder.duration_predictor.", "decoder.flows."),
    "fastspeech2": ("emb.", "encoder.encoder.", "decoder.decoder.", "duration_predictor.", "energy_predictor."),
    "fast_pitch": ("emb.", "encoder.encoder.", "decoder.decoder.", "duration_predictor.", "pitch_predictor."),
    "tacotron2": ("embedding.", "encoder.convolutions.", "decoder.attention_rnn.", "postnet.convolutions."),
    "hifigan": ("model_g.conv_pre.", "model_g.ups.", "model_g.resblocks.", "model_g.conv_post."),
    "univnet": ("model_g.first_conv.", "model_g.lvc_blocks."),
    "multiband_melgan": ("model_g.layers.", "model_g.pqmf_layer."),
}


def family_of_names(names: Collection[Any]) -> str | None:
    """The family that a state of Coqui TTS with these names belongs to; None where it is none that is read here."""
    texts = [name for name in names if isinstance(name, str)]
    for family, signs in _SIGNS.items():
        if all(any(text.startswith(sign) for text in texts) for sign in signs):
            return family
    return None


def whole_state(content: Mapping[Any, Any]) -> dict[str, Any]:
    """The state of a checkpoint, of both halves where a GAN was saved in two; empty where there is none."""
    state = content.get("model")
    if not isinstance(state, dict):
        return {}
    judges = content.get("model_disc")
    named = {name: tensor for name, tensor in state.items() if isinstance(name, str)}
    alone = {f"{GENERATOR}{name}": tensor for name, tensor in named.items()}
    bare_vocoder = not any(name.startswith(GENERATOR) for name in named) and family_of_names(alone) is not None
    if not isinstance(judges, dict) and not bare_vocoder:
        return named
    judged = judges if isinstance(judges, dict) else {}
    return alone | {f"{DISCRIMINATOR}{name}": tensor for name, tensor in judged.items() if isinstance(name, str)}
