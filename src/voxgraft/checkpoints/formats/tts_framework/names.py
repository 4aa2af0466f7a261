"""Tensor names of tts-framework and VoiceSmith -> canonical: DelightfulTTS as tts-framework's last version names it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from voxgraft.architectures.names import univnet as univnet_names
from voxgraft.architectures.names.rules import NameRules, canonical_name

_PARTS = (
    "src_word_emb|speaker_embed|lang_embed|encoder|decoder|to_mel|aligner|u_bottle_out|p_bottle_out|length_regulator|"
    "(?:utterance|phoneme)_prosody_(?:encoder|predictor)|pitch_adaptor|pitch_adaptor_conv|energy_adaptor"
)

# VoiceSmith's and tts-framework's own, older or not: later ones wrap each half of a separable convolution once more.
ACOUSTIC: NameRules = (
    # The root of 0.5, a constant, and a mask of the row that is padding.
    (r".+\.conditioning\.sqrt|src_word_emb\.padding_mult", None),
    (r"src_word_emb\.embeddings", "src_word_emb"),
    (r"(.+\.conditioning)\.conv\.(pointwise|depthwise)\.(weight|bias)", r"\1.bsconv1d.\2.conv.\3"),
    (r"(.+\.conv)\.(pointwise|depthwise)\.(weight|bias)", r"\1.\2.conv.\3"),
    (rf"((?:{_PARTS})(?:\..+)?)", r"\1"),
)

HIFIGAN: NameRules = (
    (r"(generator\.(?:conv_pre|conv_post|ups|resblocks)\..+)", r"\1"),
    (r"((?:mpd|msd)\..+)", r"discriminator.\1"),
    (r"tacotronSTFT\..+", None),
)

UNIVNET: dict[str, NameRules] = {
    "tts-framework": univnet_names.TTS_FRAMEWORK,
    "voicesmith": univnet_names.VOICESMITH,
    "maum-ai": univnet_names.VOICESMITH,
}

# Where in a Lightning file the acoustic model lies: by itself, or in a module that also holds a vocoder.
_WRAPPED = re.compile(r"(?:\w+\.)?acoustic_model\.(.+)")
_VOCODER = re.compile(
    r"(?:(?:vocoder_module|vocoder|hifi_gan|univnet)\.)?((?:univnet|generator|discriminator|mpd|msd)\..+)"
)
_RESBLOCK = re.compile(r"(.*generator\.resblocks)\.(\d+)\.(\d+)\.(.+)")


def names_of(family: str, variant: str, found: Iterable[str]) -> dict[str, str | None]:
    """Name in the file -> canonical name; None for what is no part of the model."""
    if family == "univnet":
        named = {name: canonical_name(name, UNIVNET[variant]) for name in found}
    elif family == "hifigan":
        named = {name: canonical_name(name, HIFIGAN) for name in found}
    else:
        named = {name: _acoustic_name(name, variant) for name in found}
    return _numbered_through(named)


def _acoustic_name(name: str, variant: str) -> str | None:
    if variant == "voicesmith":
        return canonical_name(name, ACOUSTIC)
    if wrapped := _WRAPPED.fullmatch(name):
        return canonical_name(wrapped[1], ACOUSTIC)
    inside = _VOCODER.fullmatch(name)
    if inside is None:
        return None
    plain = canonical_name(inside[1], univnet_names.TTS_FRAMEWORK) or canonical_name(inside[1], HIFIGAN)
    return plain and f"vocoder.{plain}"


def _numbered_through(named: dict[str, str | None]) -> dict[str, str | None]:
    """Residual blocks `STAGE.KERNEL` under one number, as HiFi-GAN's authors have them."""
    blocks = [fit for name in named.values() if name and (fit := _RESBLOCK.fullmatch(name))]
    kernels = max((int(fit[3]) for fit in blocks), default=0) + 1

    def flat(fit: re.Match[str]) -> str:
        return f"{fit[1]}.{int(fit[2]) * kernels + int(fit[3])}.{fit[4]}"

    return {original: name and _RESBLOCK.sub(flat, name) for original, name in named.items()}
