"""What becomes of each setting of EveryVoice 0.5.0: ours that get its value, or its default and why it is not carried over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PATHS = frozenset(
    (
        "training.finetune_checkpoint", "training.finetune_ckpt", "training.training_filelist",
        "training.validation_filelist", "training.vocoder_path", "training.logger.save_dir", "preprocessing.save_dir",
    )
)  # fmt: skip
RATES: Mapping[str, tuple[str, ...]] = {
    "acoustic": ("symbols", "encoder", "variance", "decoder", "aligner", "speakers", "style"),
    "vocoder": ("generator", "discriminator"),
}
# Default, and why it is not carried; None where it describes the network.
Left = tuple[Any, str | None]


@dataclass(frozen=True)
class Kind:
    """What one kind of configuration has of its own. `marks` are settings of the model that only this kind has."""

    task: str
    family: str
    size: str
    istft_size: str
    marks: tuple[str, ...]
    carried: Mapping[str, tuple[str, ...]]
    left: Mapping[str, Left]

    def network(self, based: bool) -> str:
        """Why settings of the network are not carried over."""
        if based:
            return "the checkpoint brings its own network"
        return f"a network from scratch is EveryVoice's own by default ({self.task}.size: {self.size})"


CARRIED: Mapping[str, tuple[str, ...]] = {
    "training.batch_size": ("training.batch",),
    "training.max_steps": ("training.steps",),
    "training.save_top_k_ckpts": ("training.keep",),
    "training.train_data_workers": ("training.workers",),
    "preprocessing.dataset_split_seed": ("seed",),
    "preprocessing.audio.min_audio_length": ("corpus.shortest",),
    "preprocessing.audio.max_audio_length": ("corpus.longest",),
}
# What is understood in another way than by a table, or says nothing that counts here.
_READ = (None, "")
_OWN_RATE = "AdamW's eps is 1e-8 here"
_PREPROCESSED = "the recordings are taken as EveryVoice preprocessed them"
_TEXTS = "texts are read as the filelist has them: write them as they are to be said"
_CHECKPOINTS = "training.checkpoint_minutes says how much work a kill may lose, and training.keep how many are kept"

# Settings of both kinds; a section's name stands for all that is in it.
LEFT: Mapping[str, Left] = {
    "VERSION": ("1.0", "it is of EveryVoice's own format"),
    "contact": (None, "state it for the card of what is exported, with corpus.consent"),
    "training.ckpt_steps": (None, _CHECKPOINTS),
    "training.ckpt_epochs": (1, _CHECKPOINTS),
    "training.max_epochs": (1000, "training.steps alone says how long"),
    "training.check_val_every_n_epoch": (None, "training.validate_every counts steps"),
    "training.val_check_interval": _READ,
    "training.val_data_workers": (0, "validation needs no processes of its own"),
    "training.training_filelist": _READ,
    "training.validation_filelist": _READ,
    "training.filelist_loader": ("everyvoice.utils.generic_psv_filelist_reader", "no code that a file names is run"),
    "training.use_weighted_sampler": (False, "clips are drawn as the corpus has them"),
    "training.logger": (None, "a run has a folder of its own in runs/, with TensorBoard's files"),
    "training.optimizer.learning_rate": _READ,
    "training.optimizer.name": ("adamw", "the optimiser is AdamW"),
    "training.optimizer.eps": (1e-8, _OWN_RATE),
    "training.optimizer.alpha": (0.99, "the optimiser is AdamW"),
    "training.finetune": _READ,
    "preprocessing.dataset": _READ,
    "preprocessing.train_split": (0.9, "the training and validation filelists are kept as they are"),
    "preprocessing.save_dir": _READ,
    "preprocessing.source_data": _READ,
    "preprocessing.audio.input_sampling_rate": _READ,
    "preprocessing.audio.output_sampling_rate": _READ,
    "preprocessing.audio.alignment_sampling_rate": (22050, "nothing is aligned at another rate"),
    "preprocessing.audio.max_wav_value": (32767.0, _PREPROCESSED),
    "preprocessing.audio.target_bit_depth": (16, _PREPROCESSED),
    "preprocessing.audio.n_fft": _READ,
    "preprocessing.audio.fft_window_size": _READ,
    "preprocessing.audio.fft_hop_size": _READ,
    "preprocessing.audio.f_min": _READ,
    "preprocessing.audio.f_max": _READ,
    "preprocessing.audio.n_mels": _READ,
    "preprocessing.audio.spec_type": _READ,
    "text.symbols": _READ,
    "text.to_replace": ({}, _TEXTS),
    "text.language_to_replace": ({}, _TEXTS),
    "text.dataset_to_replace": ({}, _TEXTS),
    "text.cleaners": (
        ["everyvoice.utils.collapse_whitespace", "everyvoice.utils.strip_text"],
        _TEXTS,
    ),
    "text.language_cleaners": ({}, _TEXTS),
    "text.dataset_cleaners": ({}, _TEXTS),
    "text.g2p_engines": ({}, "no code that a file names is run"),
    "text.split_text": (True, "sentences are split by `voxgraft say`; nothing is split under teacher forcing"),
    "text.boundaries": ({}, "sentences are split by `voxgraft say`; nothing is split under teacher forcing"),
}  # fmt: skip
_CONFORMER: Mapping[str, Any] = {
    "layers": 4, "heads": 2, "input_dim": 256, "feedforward_dim": 1024, "conv_kernel_size": 9, "dropout": 0.2,
}  # fmt: skip
_PREDICTOR: Mapping[str, Any] = {
    "loss": "mse", "n_layers": 5, "kernel_size": 3, "dropout": 0.5, "input_dim": 256, "n_bins": 256, "depthwise": True,
    "level": "phone",
}  # fmt: skip
LOSSES = ("mel", "postnet", "pitch", "energy", "duration", "attn_ctc", "attn_bin")
TEXT_TO_SPEC = Kind(
    "acoustic",
    "fastspeech2",
    "full",
    "full",
    ("encoder", "decoder", "variance_predictors"),
    {
        "training.optimizer.weight_decay": ("acoustic.weight_decay",),
        "training.optimizer.warmup_steps": ("training.warmup",),
        "training.vocoder_path": ("acoustic.vocoder",),
    },
    {f"model.{part}.{name}": (value, None) for part in ("encoder", "decoder") for name, value in _CONFORMER.items()}
    | {
        f"model.variance_predictors.{part}.{name}": (value, None)
        for part in ("energy", "duration", "pitch")
        for name, value in _PREDICTOR.items()
    }
    | {f"training.{name}_loss_weight": _READ for name in LOSSES}
    | {
        "VERSION": ("1.1", "it is of EveryVoice's own format"),
        "training.optimizer.name": ("noam", "the optimiser is AdamW, its rate as training.decay has it"),
        "training.optimizer.betas": ([0.9, 0.999], "AdamW has 0.9 and 0.999 here"),
        "training.attn_bin_loss_warmup_epochs": (100, "acoustic.ramp_steps counts steps"),
        "model.target_text_representation_level": ("characters", None),
        "model.learn_alignment": _READ,
        "model.use_global_style_token_module": (False, None),
        "model.max_length": (1000, None),
        "model.mel_loss": ("mse", None),
        "model.use_postnet": (True, None),
        "model.multilingual": (None, "languages are those that the filelists name"),
        "model.multispeaker": (None, "speakers are those that the filelists name"),
    },
)
SPEC_TO_WAV = Kind(
    "vocoder",
    "hifigan",
    "v1",
    "istft",
    ("upsample_rates", "resblock", "mpd_layers", "msd_layers"),
    {
        "training.optimizer.weight_decay": ("vocoder.weight_decay",),
        "training.optimizer.betas": ("vocoder.betas",),
        "training.generator_warmup_steps": ("vocoder.adversarial_from",),
        "preprocessing.audio.vocoder_segment_size": ("vocoder.segment",),
    },
    {
        "training.gan_type": ("original", "the adversarial loss is HiFi-GAN's own, least squares"),
        "training.wgan_clip_value": (0.01, "the adversarial loss is HiFi-GAN's own, least squares"),
        "model.resblock": ("1", None),
        "model.upsample_rates": ([8, 8, 2, 2], None),
        "model.upsample_kernel_sizes": ([16, 16, 4, 4], None),
        "model.upsample_initial_channel": (512, None),
        "model.resblock_kernel_sizes": ([3, 7, 11], None),
        "model.resblock_dilation_sizes": ([[1, 3, 5], [1, 3, 5], [1, 3, 5]], None),
        "model.activation_function": ("everyvoice.utils.original_hifigan_leaky_relu", None),
        "model.istft_layer": _READ,
        "model.msd_layers": (3, None),
        "model.mpd_layers": ([2, 3, 5, 7, 11], None),
    },
)
KINDS: Mapping[str, Kind] = {"text-to-spec": TEXT_TO_SPEC, "spec-to-wav": SPEC_TO_WAV}
