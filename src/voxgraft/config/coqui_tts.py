"""The flags of Coqui TTS's trainer as settings of ours: `--restore_path`, `--config_path` and `--coqpit.NAME VALUE`.

A config.json is read for what its user edits to fine-tune (run_name, output_path, datasets, lr, …); the network and the
spectrogram are those of the checkpoint. Source: https://docs.coqui.ai/en/latest/finetuning.html
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxgraft.config.document import parse_value
from voxgraft.errors import CheckpointError, ConfigError, shown
from voxgraft.json_file import read_object

PREFIX = "--coqpit."
FLAGS = ("--restore_path", "--config_path", "--continue_path", "--best_path")
# The architectures that are trained, by the names that their configurations have -> where each learning rate goes.
_ALL = ("symbols", "encoder", "variance", "decoder", "aligner", "speakers", "style")
_GENERATOR = ("text_encoder", "duration", "flow", "posterior", "decoder", "speaker_embedding")
_VOCODER = {"lr": ("generator", "discriminator"), "lr_gen": ("generator",), "lr_disc": ("discriminator",)}
RATES: Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]] = {
    "glow_tts": ("acoustic", {"lr": _ALL}),
    "vits": ("voice", {"lr_gen": _GENERATOR, "lr_disc": ("discriminator",)}),
    "hifigan": ("vocoder", _VOCODER),
    "univnet": ("vocoder", _VOCODER),
}
SETTINGS: Mapping[str, str] = {
    "run_name": "name",
    "output_path": "output",
    "batch_size": "training.batch",
    "grad_clip": "training.gradient_clip",
    "training_seed": "seed",
    "save_n_checkpoints": "training.keep",
    "num_loader_workers": "training.workers",
}
_DATA = "datasets.0."
DATASET = ("path", "meta_file_train")
# Of a config.json, without being asked for one by one.
FROM_FILE = ("run_name", "output_path", "batch_size")
# Fields whose work another setting does.
REPLACED: Mapping[str, str] = {
    "epochs": "training.steps counts steps: --set training.steps=2000",
    "save_step": "training.checkpoint_minutes says how much work a kill may lose",
    "run_eval_steps": "--set training.validate_every=200",
    "eval_split_size": "--set corpus.validation=8",
    "eval_split_max_size": "--set corpus.validation=8",
    "optimizer": "the optimiser is AdamW",
    "optimizer_params": "the optimiser is AdamW",
    "lr_scheduler": "--set training.decay=cosine, --set training.warmup=20",
    "lr_scheduler_params": "--set training.decay=cosine, --set training.warmup=20",
    "phoneme_language": "--set language=LANGUAGE",
    "characters": "--set graft.symbols=FILE",
    "audio": "the spectrogram is the checkpoint's, and recordings of any rate are brought to it",
    "model_args": "the network is the checkpoint's",
    "speakers_file": "speakers are those that the recordings name",
    "test_sentences": "--set voice.sentences=[…]",
}


@dataclass(frozen=True)
class Asked:
    """What was asked for: `settings` of ours by their names, and what is worth telling."""

    settings: Mapping[str, Any]
    told: tuple[str, ...] = ()


def is_coqui(argument: str) -> bool:
    """Whether an argument is a flag of Coqui TTS's trainer."""
    return argument.startswith(PREFIX) or argument.split("=", 1)[0] in FLAGS


def read_coqui(pairs: Sequence[tuple[str, str]]) -> Asked:
    """Settings from flags and their values, in their order.

    Raises:
        ConfigError: a flag or field is unknown or another's work, lacks its value, or names what is not there.
    """
    flags = {name: value for name, value in pairs if name in FLAGS}
    fields = {name.removeprefix(PREFIX): _typed(name, text) for name, text in pairs if name.startswith(PREFIX)}
    if "--continue_path" in flags or "--best_path" in flags:
        raise ConfigError(
            "goes on with a run of Coqui's own trainer",
            field="--continue_path",
            remedy="Start from its checkpoint with --restore_path; a run of voxgraft goes on with --resume.",
        )
    base = _existing("--restore_path", flags)
    path = _existing("--config_path", flags) or (base.parent / "config.json" if base is not None else None)
    told: list[str] = []
    config = _config(path, "--config_path" in flags)
    if "--config_path" in flags:
        told.append(
            f"of {path} are read {', '.join((*FROM_FILE, 'datasets and the learning rate'))}; the network is the base's"
        )
    settings = _settings({**_edited(config, told), **fields}, config, base, told)
    return Asked(settings | ({"base": str(base)} if base is not None else {}), tuple(told))


def _settings(
    fields: Mapping[str, Any], config: Mapping[str, Any], base: Path | None, told: list[str]
) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    model = str(fields.get("model", config.get("generator_model") or config.get("model") or "")).removesuffix(
        "_generator"
    )
    task, rates = RATES.get(model, ("", {}))
    for name, value in fields.items():
        if name in SETTINGS:
            settings[SETTINGS[name]] = _absolute(value) if name == "output_path" else value
        elif name in rates:
            settings |= {f"{task}.learning_rates.{part}": value for part in rates[name]}
        elif name == "mixed_precision":
            settings["training.precision"] = "bf16" if value else "fp32"
        elif name != "model" and not name.startswith(_DATA):
            raise _refused(name, model, base)
    data = [str(fields[_DATA + part]) for part in DATASET if fields.get(_DATA + part)]
    if data:
        settings["corpus.path"] = _absolute(os.path.join(*data))
        unread = sorted(name for name in fields if name.startswith(_DATA) and name.removeprefix(_DATA) not in DATASET)
        told += [f"{name} has nothing to do here: the layout is told from the table" for name in unread]
    return settings


def _edited(config: Mapping[str, Any], told: list[str]) -> dict[str, Any]:
    """The fields of a config.json that count: those that its user edits."""
    rates = {name for _, by_name in RATES.values() for name in by_name}
    model = str(config.get("generator_model") or config.get("model") or "").removesuffix("_generator")
    own = RATES.get(model, ("", {}))[1]
    found = {name: config[name] for name in (*FROM_FILE, *sorted(rates & set(own))) if config.get(name) is not None}
    output = found.get("output_path")
    if isinstance(output, str) and not Path(output).parent.is_dir():
        told.append(f"output_path is a place of another machine ({output}): runs/ is made where the project is")
        del found["output_path"]
    datasets = config.get("datasets")
    first = datasets[0] if isinstance(datasets, list) and datasets and isinstance(datasets[0], dict) else {}
    for name in DATASET:
        if first.get(name):
            found[f"{_DATA}{name}"] = first[name]
    if isinstance(datasets, list) and len(datasets) > 1:
        told.append(f"the first of {len(datasets)} datasets is taken: name more with --set corpus.path=A,B")
    return found


def _config(path: Path | None, named: bool) -> dict[str, Any]:
    """A config.json; that beside a checkpoint only says what the checkpoint is."""
    if path is None or not path.is_file():
        return {}
    try:
        found = read_object(path)
    except CheckpointError as fault:
        raise ConfigError(
            fault.problem, file=path, field=fault.field, got=fault.got, remedy="Correct the file, or leave it out."
        ) from fault
    return found if named else {name: found[name] for name in ("model", "generator_model") if name in found}


def _existing(name: str, flags: Mapping[str, str]) -> Path | None:
    if name not in flags:
        return None
    path = Path(os.path.expanduser(flags[name]))
    if not path.is_file():
        raise ConfigError("no such file", file=path, field=name, remedy="Check the path; nothing was trained.")
    return path.absolute()


def _typed(name: str, text: str) -> Any:
    try:
        return parse_value(text)
    except ConfigError as fault:
        raise ConfigError(fault.problem, field=name, got=shown(text), remedy="Correct this value.") from fault


def _absolute(path: Any) -> str:
    return os.path.abspath(os.path.expanduser(str(path)))


def _refused(name: str, model: str, base: Path | None) -> ConfigError:
    top = name.split(".")[0]
    if top in REPLACED:
        return ConfigError(
            "this field of Coqui TTS is not one of voxgraft train",
            field=PREFIX + name,
            remedy=f"Leave it out: {REPLACED[top]}.",
        )
    if name in {rate for _, by_name in RATES.values() for rate in by_name}:
        return ConfigError(
            f"is no learning rate of {model}" if model in RATES else "for which kind of model this is, is not known",
            field=PREFIX + name,
            got=shown(model) if model and model not in RATES else None,
            remedy="Name the model's configuration with --config_path, or set ours: --set acoustic.learning_rates.decoder=1e-5."
            if model not in RATES
            else f"It has {' and '.join(RATES[model][1])}.",
        )
    near = difflib.get_close_matches(name, [*SETTINGS, *REPLACED, "lr", "mixed_precision", f"{_DATA}path"], 2, 0.6)
    remedy = (
        f"Did you mean {' or '.join(PREFIX + n for n in near)}?" if near else "Leave it out, or use --set NAME=VALUE."
    )
    return ConfigError("no such field, neither here nor in Coqui TTS", field=PREFIX + name, remedy=remedy)
