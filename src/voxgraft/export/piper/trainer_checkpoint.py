"""Checkpoints that Piper's own trainer resumes, and slim ones that hold nothing but the weights.

Layout of piper1-gpl 1.3 to 1.8 (`python -m piper.train fit --ckpt_path`), a Lightning 2 checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.architectures.dimensions.vits import USUAL_WAVENETS
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, as_recorded
from voxgraft.errors import ExportError
from voxgraft.export.piper.metadata import VoiceMetadata
from voxgraft.files import replacing

if TYPE_CHECKING:
    import torch

GENERATOR = "model_g."
DISCRIMINATOR = "model_d."
FRESH = (
    "Piper's discriminators in this checkpoint are fresh, not trained: "
    "listen to early epochs before you trust later ones"
)
# What Piper's trainer records besides the network: its own defaults.
TRAINER: Mapping[str, Any] = {
    "batch_size": 32,
    "n_layers_q": 3,
    "use_spectral_norm": False,
    "segment_size": 8192,
    "use_mrd": False,
    "learning_rate": 2e-4,
    "learning_rate_d": 1e-4,
    "betas": (0.8, 0.99),
    "betas_d": (0.5, 0.9),
    "eps": 1e-9,
    "lr_decay": 0.999875,
    "lr_decay_d": 0.9999,
    "init_lr_ratio": 1.0,
    "warmup_epochs": 0,
    "c_mel": 45,
    "c_kl": 1.0,
    "grad_clip": None,
    "vocoder_warmstart_ckpt": None,
    "warmstart_ckpt": None,
    "mos_metric": None,
}

Tensors = Mapping[str, "torch.Tensor"]


def write_piper_checkpoint(
    path: str | Path,
    generator: Tensors,
    discriminator: Tensors | None,
    metadata: VoiceMetadata,
    architecture: Mapping[str, Any],
    *,
    epoch: int = 0,
    step: int = 0,
    seed: int = 0,
) -> tuple[str, ...]:
    """Write a .ckpt for `python -m piper.train fit --ckpt_path`; returns what the user should know about it.

    `generator` is a whole `Vits.state_dict()`, `discriminator` that of a PiperDiscriminator; where it is None or of
    another kind, Piper's discriminators start fresh from `seed`. The optimisers' moments start at zero.
    Raises ExportError where a part is missing, for Piper loads strictly.
    """
    from voxgraft.graft.apply import build_discriminator

    _check_whole(generator, architecture)
    fresh = build_discriminator("piper", seed).state_dict()
    trained = discriminator is not None and _shapes(discriminator) == _shapes(fresh)
    judge = discriminator if trained and discriminator is not None else fresh
    content = _weights(generator, metadata, architecture, epoch, step)
    content["state_dict"] |= _prefixed(judge, DISCRIMINATOR)
    optimisers = [
        _optimiser(len(generator), TRAINER["learning_rate"], TRAINER["betas"]),
        _optimiser(len(judge), TRAINER["learning_rate_d"], TRAINER["betas_d"]),
    ]
    content |= {
        "loops": _loops(epoch, step),
        "callbacks": {},
        "optimizer_states": optimisers,
        "lr_schedulers": [
            _scheduler(TRAINER["learning_rate"], TRAINER["lr_decay"]),
            _scheduler(TRAINER["learning_rate_d"], TRAINER["lr_decay_d"]),
        ],
    }
    _save(Path(path), content)
    return () if trained else (FRESH,)


def write_slim_checkpoint(
    path: str | Path,
    generator: Tensors,
    metadata: VoiceMetadata,
    architecture: Mapping[str, Any],
    *,
    epoch: int = 0,
    step: int = 0,
) -> None:
    """Write the generator's weights alone, under Piper's names; `torch.load(weights_only=True)` opens it."""
    _save(Path(path), _weights(generator, metadata, architecture, epoch, step))


def _weights(
    generator: Tensors, metadata: VoiceMetadata, architecture: Mapping[str, Any], epoch: int, step: int
) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "global_step": step,
        "pytorch-lightning_version": _lightning_version(),
        "state_dict": _prefixed(generator, GENERATOR),
        "hparams_name": "kwargs",
        "hyper_parameters": hyper_parameters(metadata, architecture),
        KEY: metadata.for_weights(architecture),
    }


def hyper_parameters(metadata: VoiceMetadata, architecture: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of Piper's VitsModel."""
    network = as_recorded(architecture)
    del network["spec_channels"]
    stochastic = network.pop("stochastic_duration", True)
    return (
        dict(TRAINER)
        | network
        | {
            "use_sdp": stochastic,
            "filter_length": metadata.audio.n_fft,
            "hop_length": metadata.audio.hop,
            "win_length": metadata.audio.win,
            "mel_channels": metadata.audio.n_mels,
            "mel_fmin": metadata.audio.fmin,
            "mel_fmax": metadata.audio.fmax,
            "sample_rate": metadata.audio.sample_rate,
        }
    )


def _check_whole(generator: Tensors, architecture: Mapping[str, Any]) -> None:
    from voxgraft.graft.shapes import target_shapes

    unusual = next(
        (name for name in USUAL_WAVENETS if architecture.get(name, USUAL_WAVENETS[name]) != USUAL_WAVENETS[name]), None
    )
    if unusual is not None:
        raise ExportError(
            "Piper's trainer can't build this network",
            field=unusual,
            expected=USUAL_WAVENETS[unusual],
            got=architecture[unusual],
            remedy="Go on with it in voxgraft, or export it to speak with (--to piper).",
        )
    wanted, found = target_shapes(architecture, "none"), _shapes(generator)
    odd = sorted(name for name in set(wanted) | set(found) if wanted.get(name) != found.get(name))
    if odd:
        raise ExportError(
            f"{len(odd)} tensors are not what Piper's trainer expects",
            field=odd[0],
            expected=wanted.get(odd[0], "none"),
            got=found.get(odd[0], "none"),
            remedy="An exported voice lacks what only training uses: train it first, which recovers that.",
        )


def _shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _prefixed(tensors: Tensors, prefix: str) -> dict[str, Any]:
    import torch

    return {prefix + name: tensor.detach().to("cpu", torch.float32).contiguous() for name, tensor in tensors.items()}


def _optimiser(parameters: int, rate: float, betas: tuple[float, float]) -> dict[str, Any]:
    """State of a torch AdamW that has not stepped yet."""
    group = {
        "lr": rate,
        "initial_lr": rate,
        "betas": betas,
        "eps": TRAINER["eps"],
        "weight_decay": 0.01,
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
        "decoupled_weight_decay": True,
        "params": list(range(parameters)),
    }
    return {"state": {}, "param_groups": [group]}


def _scheduler(rate: float, gamma: float) -> dict[str, Any]:
    return {
        "gamma": gamma,
        "base_lrs": [rate],
        "last_epoch": 0,
        "_step_count": 1,
        "_is_initial": False,
        "_get_lr_called_within_step": False,
        "_last_lr": [rate],
    }


def _loops(epoch: int, step: int) -> dict[str, Any]:
    """Lightning's counters at the end of `epoch` epochs: it reads the epoch and the steps from here alone."""

    def count(amount: int, *more: str) -> dict[str, dict[str, int]]:
        words = ("ready", "completed", *more)
        return {"total": dict.fromkeys(words, amount), "current": dict.fromkeys(words, amount)}

    def batches() -> dict[str, Any]:
        return count(0, "started", "processed") | {"is_last_batch": False}

    fit = {
        "state_dict": {},
        "epoch_loop.state_dict": {"_batches_that_stepped": step},
        "epoch_loop.batch_progress": batches(),
        "epoch_loop.scheduler_progress": count(0),
        "epoch_loop.automatic_optimization.state_dict": {},
        "epoch_loop.automatic_optimization.optim_progress": {
            "optimizer": {"step": count(0), "zero_grad": count(0, "started")}
        },
        "epoch_loop.manual_optimization.state_dict": {},
        "epoch_loop.manual_optimization.optim_step_progress": count(step),
        "epoch_loop.val_loop.state_dict": {},
        "epoch_loop.val_loop.batch_progress": batches(),
        "epoch_progress": count(epoch, "started", "processed"),
    }
    others = {name: {"state_dict": {}, "batch_progress": batches()} for name in ("validate_loop", "test_loop")}
    predict = {"state_dict": {}, "batch_progress": count(0, "started", "processed")}
    return {"fit_loop": fit, **others, "predict_loop": predict}


def _lightning_version() -> str:
    try:
        return version("lightning")
    except PackageNotFoundError:
        return "2.5.0"


def _save(path: Path, content: Mapping[str, Any]) -> None:
    import torch

    try:
        with replacing(path) as temporary:
            torch.save(dict(content), temporary)
    except (OSError, RuntimeError) as fault:
        # torch's own writer reports a full disk as a RuntimeError.
        raise ExportError(
            f"can't be written: {str(fault).splitlines()[0][:200]}",
            file=path,
            remedy="Choose a folder that you may write to, on a disk with a gigabyte free.",
        ) from fault
