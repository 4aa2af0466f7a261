"""Names of VitsModel's tensors -> the authors' names, as data."""

from __future__ import annotations

# More couplings than any model has; ours has four.
_COUPLINGS = range(16)

_WAVENET = r"wavenet\.(in_layers|res_skip_layers|cond_layer)(.*)"

_TEXT = (
    (r"text_encoder\.embed_tokens\.weight", "enc_p.emb.weight"),
    (r"text_encoder\.project\.(.+)", r"enc_p.proj.\1"),
    (r"text_encoder\.encoder\.layers\.(\d+)\.attention\.(emb_rel_[kv])", r"enc_p.encoder.attn_layers.\1.\2"),
    (r"text_encoder\.encoder\.layers\.(\d+)\.attention\.([qkv])_proj\.(.+)", r"enc_p.encoder.attn_layers.\1.conv_\2.\3"),
    (r"text_encoder\.encoder\.layers\.(\d+)\.attention\.out_proj\.(.+)", r"enc_p.encoder.attn_layers.\1.conv_o.\2"),
    (r"text_encoder\.encoder\.layers\.(\d+)\.layer_norm\.weight", r"enc_p.encoder.norm_layers_1.\1.gamma"),
    (r"text_encoder\.encoder\.layers\.(\d+)\.layer_norm\.bias", r"enc_p.encoder.norm_layers_1.\1.beta"),
    (r"text_encoder\.encoder\.layers\.(\d+)\.final_layer_norm\.weight", r"enc_p.encoder.norm_layers_2.\1.gamma"),
    (r"text_encoder\.encoder\.layers\.(\d+)\.final_layer_norm\.bias", r"enc_p.encoder.norm_layers_2.\1.beta"),
    (r"text_encoder\.encoder\.layers\.(\d+)\.feed_forward\.(conv_[12]\..+)", r"enc_p.encoder.ffn_layers.\1.\2"),
)  # fmt: skip

_FLOW = tuple(
    rule
    for i in _COUPLINGS
    for rule in (
        (rf"flow\.flows\.{i}\.conv_(pre|post)\.(.+)", rf"flow.flows.{2 * i}.\1.\2"),
        (rf"flow\.flows\.{i}\.{_WAVENET}", rf"flow.flows.{2 * i}.enc.\1\2"),
    )
)

_POSTERIOR = (
    (r"posterior_encoder\.conv_(pre|proj)\.(.+)", r"enc_q.\1.\2"),
    (rf"posterior_encoder\.{_WAVENET}", r"enc_q.enc.\1\2"),
)

_DECODER = (
    (r"decoder\.upsampler\.(.+)", r"dec.ups.\1"),
    (r"decoder\.((?:conv_pre|conv_post|cond|resblocks)\..+)", r"dec.\1"),
)


def _separable(peer: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Dilated depth-separable convolutions."""
    return (
        (rf"{peer}\.convs_dilated\.(.+)", rf"{ours}.convs_sep.\1"),
        (rf"{peer}\.convs_pointwise\.(.+)", rf"{ours}.convs_1x1.\1"),
        (rf"{peer}\.(norms_[12]\.\d+)\.weight", rf"{ours}.\1.gamma"),
        (rf"{peer}\.(norms_[12]\.\d+)\.bias", rf"{ours}.\1.beta"),
    )


_DURATION_FLOWS = tuple(
    rule
    for half in ("", "post_")
    for i in _COUPLINGS[1:]
    for rule in (
        (rf"duration_predictor\.{half}flows\.{i}\.conv_(pre|proj)\.(.+)", rf"dp.{half}flows.{2 * i - 1}.\1.\2"),
        *_separable(rf"duration_predictor\.{half}flows\.{i}\.conv_dds", f"dp.{half}flows.{2 * i - 1}.convs"),
    )
)

_DURATION = (
    (r"duration_predictor\.(post_)?flows\.0\.translate", r"dp.\1flows.0.m"),
    (r"duration_predictor\.(post_)?flows\.0\.log_scale", r"dp.\1flows.0.logs"),
    *_DURATION_FLOWS,
    (r"duration_predictor\.(post_)?conv_(pre|proj)\.(.+)", r"dp.\1\2.\3"),
    *_separable(r"duration_predictor\.conv_dds", "dp.convs"),
    *_separable(r"duration_predictor\.post_conv_dds", "dp.post_convs"),
    # The deterministic predictor's.
    (r"duration_predictor\.((?:conv_[12]|proj|cond)\..+)", r"dp.\1"),
    (r"duration_predictor\.(norm_[12])\.weight", r"dp.\1.gamma"),
    (r"duration_predictor\.(norm_[12])\.bias", r"dp.\1.beta"),
)

RULES = (
    *_TEXT,
    *_FLOW,
    *_POSTERIOR,
    *_DECODER,
    *_DURATION,
    (r"embed_speaker\.weight", "emb_g.weight"),
    # As finetune-hf-vits saves them.
    (r"discriminator\.discriminators\.(\d+)\.final_conv\.(.+)", r"discriminator.discriminators.\1.conv_post.\2"),
    (r"discriminator\.(discriminators\.\d+\.convs\..+)", r"discriminator.\1"),
)

# Linear layers there, convolutions of one position here.
POINTWISE = r"enc_p\.encoder\.attn_layers\.\d+\.conv_[qkvo]\.weight"
