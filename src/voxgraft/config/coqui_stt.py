"""The flags of Coqui STT's trainer as settings of ours: a table of what each becomes, or of what takes its place.

Source: https://github.com/coqui-ai/STT/blob/main/training/coqui_stt_training/util/config.py
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxgraft.errors import ConfigError

Settings = dict[str, Any]


@dataclass(frozen=True)
class Flag:
    """A flag's values: `read` makes a setting's value of each; `settings` are the settings that get it."""

    read: Callable[[str], Any]
    settings: tuple[str, ...] = ()
    switch: bool = False
    many: bool = False


@dataclass(frozen=True)
class Asked:
    """What was asked for: `settings` by their names, `folders` of checkpoints by their flags, and what is worth telling."""

    settings: Mapping[str, Any]
    folders: Mapping[str, Path]
    told: tuple[str, ...] = ()


def _paths(text: str) -> tuple[str, ...]:
    return tuple(os.path.abspath(os.path.expanduser(part.strip())) for part in text.split(",") if part.strip())


def _path(text: str) -> str:
    return os.path.abspath(os.path.expanduser(text))


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise ValueError("true or false")
    return text.lower() in ("true", "1", "yes")


def _number(text: str) -> float:
    return float(text)


def _minutes(text: str) -> float:
    return int(text) / 60


FOLDERS = ("checkpoint_dir", "load_checkpoint_dir", "save_checkpoint_dir")
FLAGS: Mapping[str, Flag] = {
    "train_files": Flag(_paths, ("recogniser.train",), many=True),
    "dev_files": Flag(_paths, ("recogniser.dev",), many=True),
    "test_files": Flag(_paths, ("recogniser.test",), many=True),
    "source_test_files": Flag(_paths, ("recogniser.source_test",), many=True),
    "alphabet_config_path": Flag(_path, ("graft.alphabet",)),
    "bytes_output_mode": Flag(_switch, ("graft.bytes",), switch=True),
    "drop_source_layers": Flag(int, ("graft.drop_source_layers",)),
    "n_hidden": Flag(int, ("recogniser.n_hidden",)),
    "layer_norm": Flag(_switch, ("recogniser.layer_norm",), switch=True),
    "epochs": Flag(int, ("recogniser.epochs",)),
    "learning_rate": Flag(_number, ("recogniser.learning_rates.encoder", "recogniser.learning_rates.new")),
    "dropout_rate": Flag(_number, ("recogniser.dropout",)),
    "train_batch_size": Flag(int, ("training.batch",)),
    "augment": Flag(str, ("recogniser.augment",), many=True),
    "es_epochs": Flag(int, ("training.patience",)),
    "plateau_epochs": Flag(int, ("training.plateau",)),
    "plateau_reduction": Flag(_number, ("training.plateau_factor",)),
    "checkpoint_secs": Flag(_minutes, ("training.checkpoint_minutes",)),
    "max_to_keep": Flag(int, ("training.keep",)),
    "random_seed": Flag(int, ("seed",)),
}
SWITCHES = ("load_cudnn", "train_cudnn", "automatic_mixed_precision", "early_stop", "reduce_lr_on_plateau")
# Flags that have nothing to do here, and why.
NEEDLESS: Mapping[str, str] = {
    "dev_batch_size": "batches of dev and test are as large as memory allows",
    "test_batch_size": "batches of dev and test are as large as memory allows",
    "load_cudnn": "what CuDNN saved is read like any other save",
    "train_cudnn": "torch chooses the kernels, and its checkpoints fit every device",
    "force_initialize_learning_rate": "the learning rates of the settings always count, never those of a checkpoint",
    "skip_batch_test": "batches that are too large for memory are split automatically",
    "feature_cache": "features are cached by content, and augmentation is drawn anew each time",
    "cache_for_epochs": "features are cached by content, and augmentation is drawn anew each time",
    "use_allow_growth": "torch takes memory as it needs it",
    "show_progressbar": "progress is shown on a terminal, and by lines elsewhere",
    "log_level": "all that is said goes to stderr",
    "audio_sample_rate": "recordings of any rate are brought to the model's",
    "load_train": "the newest best is loaded; name another checkpoint by its own path as --load_checkpoint_dir",
    "load_evaluate": "the best of the run is what is tested",
}
# Flags whose work another command does.
REPLACED: Mapping[str, str] = {
    "scorer_path": "tests take the most likely letters: build a language model with `voxgraft lm` and give it to `voxgraft transcribe`",
    "scorer": "tests take the most likely letters: build a language model with `voxgraft lm` and give it to `voxgraft transcribe`",
    "lm_alpha": "see `voxgraft transcribe --help`",
    "lm_beta": "see `voxgraft transcribe --help`",
    "beam_width": "see `voxgraft transcribe --help`",
    "export_dir": "the result is exported by itself; `voxgraft export RUN --out DIR` writes it elsewhere",
    "export_beam_width": "see `voxgraft transcribe --help`",
    "one_shot_infer": "`voxgraft transcribe MODEL AUDIO`",
    "metrics_files": "recordings of --test_files are what is measured",
    "test_output_file": "test.json in the run's folder holds what was heard",
    "summary_dir": "TensorBoard's files are in the run's folder",
    "save_checkpoint_interval": "use --checkpoint_secs",
    "limit_train": "name fewer files", "limit_dev": "name fewer files", "limit_test": "name fewer files",
    "reverse_train": "clips come in random order", "reverse_dev": "clips come in random order",
    "es_min_delta": "anything better counts as better",
    "export_tflite": "models are exported as ONNX", "export_quantize": "models are exported as ONNX, in full precision",
    "beta1": "AdamW has 0.9 here", "beta2": "AdamW has 0.98 here", "epsilon": "AdamW has 1e-8 here",
    "relu_clip": "a base has its own", "dropout_rate2": "use --dropout_rate", "dropout_rate3": "use --dropout_rate",
    "dropout_rate4": "use --dropout_rate", "dropout_rate5": "use --dropout_rate", "dropout_rate6": "use --dropout_rate",
    "feature_win_len": "a base has its own", "feature_win_step": "a base has its own",
}  # fmt: skip


def read_flags(arguments: Sequence[str]) -> Asked:
    """Settings from the arguments of Coqui STT's trainer; names may have dashes or underscores, values stand after `=` or alone.

    Raises:
        ConfigError: a flag is unknown, is another command's work, lacks its value or has one that it can't have.
    """
    settings: Settings = {}
    folders: dict[str, Path] = {}
    told: list[str] = []
    switches: set[str] = set()
    for name, values in _pairs(arguments):
        if name in FOLDERS:
            folders[name] = Path(_path(_only(name, values)))
        elif name in FLAGS:
            value = _value(name, FLAGS[name], values)
            for setting in FLAGS[name].settings:
                settings[setting] = (*settings.get(setting, ()), *value) if FLAGS[name].many else value
        elif name in SWITCHES and (not values or _read(name, _switch, values[0])):
            switches.add(name)
        elif name in REPLACED:
            raise ConfigError(
                "this flag of Coqui STT is not one of voxgraft train-stt",
                field=f"--{name}",
                remedy=f"Leave it out: {REPLACED[name]}.",
            )
        elif name not in NEEDLESS and name not in SWITCHES:
            raise _unknown(name)
        if name in NEEDLESS:
            told.append(f"--{name} has nothing to do here: {NEEDLESS[name]}")
    _apply_switches(switches, settings, told)
    return Asked(settings, folders, tuple(told))


def _apply_switches(switches: set[str], settings: Settings, told: list[str]) -> None:
    if "automatic_mixed_precision" in switches:
        settings["training.precision"] = "bf16"
        told.append("--automatic_mixed_precision: bf16, which needs no loss scale; any base can be loaded into it")
    if "early_stop" not in switches:
        settings["training.patience"] = 10**6
    else:
        settings.setdefault("training.patience", 25)
    if "reduce_lr_on_plateau" in switches:
        settings.setdefault("training.plateau", 10)
    else:
        settings.pop("training.plateau", None)


def _pairs(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Flags with the values that follow them."""
    pairs: list[tuple[str, list[str]]] = []
    for argument in arguments:
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            pairs.append((name.replace("-", "_"), [value] if equals else []))
        elif pairs:
            pairs[-1][1].append(argument)
        else:
            raise ConfigError(
                "is not a flag",
                field=argument[:60],
                remedy="Write flags as Coqui STT has them: --train_files train.csv.",
            )
    return pairs


def _value(name: str, flag: Flag, values: list[str]) -> Any:
    if flag.many and values:
        read = [_read(name, flag.read, value) for value in values]
        return tuple(part for one in read for part in (one if isinstance(one, tuple) else (one,)))
    if flag.switch and not values:
        return True
    return _read(name, flag.read, _only(name, values))


def _only(name: str, values: list[str]) -> str:
    if len(values) == 1 and values[0]:
        return values[0]
    raise ConfigError(
        "needs one value", field=f"--{name}", got=" ".join(values) or "nothing", remedy=f"Write --{name} VALUE."
    )


def _read(name: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError as fault:
        kinds: dict[Any, str] = {
            int: "a whole number",
            _number: "a number",
            _switch: "true or false",
            _minutes: "seconds",
        }
        raise ConfigError(
            "can't be read", field=f"--{name}", expected=kinds.get(read), got=text[:60], remedy="Correct this value."
        ) from fault


def _unknown(name: str) -> ConfigError:
    known = (*FLAGS, *FOLDERS, *SWITCHES, *NEEDLESS)
    near = difflib.get_close_matches(name, known, 2, 0.6)
    remedy = (
        f"Did you mean {' or '.join(f'--{other}' for other in near)}?" if near else "See `voxgraft train-stt --help`."
    )
    return ConfigError("no such flag, neither here nor in Coqui STT", field=f"--{name}", remedy=remedy)
