"""UnivNet's tensor names as Coqui TTS, tts-framework, VoiceSmith and maum-ai write them -> canonical.

Coqui's generator is another network under some of the same shapes (one residual around all six convolutions of a kernel
predictor, zero padding at both ends, no weight norm on the upsampling): `models/vocoders/univnet.py` has keywords for each.
"""

from __future__ import annotations

from voxgraft.architectures.names.rules import NameRules

# Index of a convolution in Coqui's one `residual_conv` -> (residual block, index in it) of the authors.
_RESIDUALS = {1: (0, 1), 3: (0, 3), 6: (1, 1), 8: (1, 3), 11: (2, 1), 13: (2, 3)}

# Coqui's names, `model_g.` and `model_d.` as GAN models have them; older files keep the two apart, without prefixes.
# Its multi-resolution discriminator has spectral norm: a window's name lands where `use_spectral_norm` stands.
COQUI: NameRules = (
    (r"model_g\.first_conv\.(.+)", r"generator.conv_pre.\1"),
    *(
        (
            rf"model_g\.lvc_blocks\.(\d+)\.kernel_predictor\.residual_conv\.{index}\.(.+)",
            rf"generator.res_stack.\1.kernel_predictor.residual_convs.{block}.{inner}.\2",
        )
        for index, (block, inner) in _RESIDUALS.items()
    ),
    (
        r"model_g\.lvc_blocks\.(\d+)\.kernel_predictor\.(input_conv\.0|kernel_conv|bias_conv)\.(.+)",
        r"generator.res_stack.\1.kernel_predictor.\2.\3",
    ),
    (r"model_g\.lvc_blocks\.(\d+)\.upsample\.(.+)", r"generator.res_stack.\1.convt_pre.1.\2"),
    (r"model_g\.lvc_blocks\.(\d+)\.convs\.(\d+)\.(.+)", r"generator.res_stack.\1.conv_blocks.\2.1.\3"),
    (r"model_g\.last_conv_layers\.0\.(.+)", r"generator.conv_post.1.\1"),
    (r"model_d\.msd\.discriminators\.(\d+)\.stft\..+", None),
    (r"model_d\.msd\.discriminators\.(\d+)\.discriminators\.(.+)", r"discriminator.mrd.discriminators.\1.convs.\2"),
    (r"model_d\.msd\.discriminators\.(\d+)\.out\.(.+)", r"discriminator.mrd.discriminators.\1.conv_post.\2"),
    (r"model_d\.mpd\.(.+)", r"discriminator.mpd.\1"),
)

_GENERATOR = r"(conv_pre\..+|conv_post\.1\..+|res_stack\.\d+\..+)"

# Lightning files of tts-framework. Its averaged copies (`swa_averaged_…`) are no part of the network that speaks.
TTS_FRAMEWORK: NameRules = (
    (rf"univnet\.{_GENERATOR}", r"generator.\1"),
    (r"discriminator\.MRD\.(.+)", r"discriminator.mrd.\1"),
    (r"discriminator\.MPD\.(.+)", r"discriminator.mpd.\1"),
    (r"swa_averaged_.+", None),
)

# VoiceSmith and the older tts-framework: states under `generator` and `discriminator`; maum-ai: `model_g`, `model_d`.
# The key of a state stands before its names here.
VOICESMITH: NameRules = (
    (rf"(?:generator|model_g)\.{_GENERATOR}", r"generator.\1"),
    (r"(?:discriminator|model_d)\.MRD\.(.+)", r"discriminator.mrd.\1"),
    (r"(?:discriminator|model_d)\.MPD\.(.+)", r"discriminator.mpd.\1"),
)
