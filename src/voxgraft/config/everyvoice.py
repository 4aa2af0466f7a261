"""EveryVoice's configurations of text-to-spec and spec-to-wav as settings of ours, with what is not carried over and why.

A configuration is YAML or JSON and may leave parts to other files (`path_to_text_config_file` and its like, relative to the
file that names them); what stands in the configuration itself goes first. Names and defaults: EveryVoice 0.5.0.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voxgraft.config.document import parse_value, read_document
from voxgraft.config.everyvoice_settings import CARRIED, KINDS, LEFT, LOSSES, PATHS, RATES, Kind
from voxgraft.errors import ConfigError, shown

Values = dict[str, Any]
_REFERENCE = re.compile(r"path_to_(model|training|preprocessing|text|audio)_config_file")
CHECKPOINT, OLD_CHECKPOINT = "training.finetune_checkpoint", "training.finetune_ckpt"
_RATE, _SAVE = "training.optimizer.learning_rate", "preprocessing.save_dir"
_LISTS = ("training.training_filelist", "training.validation_filelist")


@dataclass(frozen=True)
class Asked:
    """What a configuration asks for: `settings` of ours by their names, `symbols` that a model from scratch reads, in words
    what is worth telling, and the `folder` of the project."""

    settings: Mapping[str, Any]
    folder: Path
    symbols: Mapping[str, Any] | None = None
    told: tuple[str, ...] = field(default=())


def read_everyvoice(path: Path, kind: str, changes: Sequence[str] = ()) -> Asked:
    """The settings of a configuration of `kind`, text-to-spec or spec-to-wav; `changes` are its own, as in
    `training.finetune=True`, and go before all files.

    Raises:
        ConfigError: a file is missing or no configuration of this kind, a setting is unknown, can't be followed here, or names
        a checkpoint or filelist that is not there.
    """
    values = _whole(path)
    for change in changes:
        _change(values, change)
    _require_kind(values, kind, path)
    leaves = dict(_leaves(values))
    told: list[str] = []
    base = _checkpoint(leaves, path, told)
    rules = KINDS[kind]
    settings = _carried(leaves, rules, base is not None, path, told)
    settings |= _of_corpus(leaves, path) | _of_kind(leaves, rules, base, path, told)
    symbols = leaves_under(values, "text", "symbols") if kind == "text-to-spec" and base is None else None
    folder = path.absolute().parent
    return Asked(settings, folder.parent if folder.name == "config" else folder, symbols, tuple(told))


def leaves_under(values: Mapping[str, Any], *names: str) -> Values:
    """The mapping under a path of names; empty where there is none."""
    found: Any = values
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def _whole(path: Path) -> Values:
    """A configuration with the files that it refers to, every path absolute."""
    if not path.is_file():
        raise ConfigError("no such configuration", file=path, remedy="Give the path of an EveryVoice configuration.")
    values = dict(read_document(path).values)
    _anchor(values, path.parent)
    values = _joined(values, path)
    if isinstance(values.get("preprocessing"), dict):
        values["preprocessing"] = _joined(values["preprocessing"], path)
    return values


def _joined(values: Values, path: Path) -> Values:
    """Settings with those of the files that they refer to, which give way to what stands here."""
    joined = {name: value for name, value in values.items() if not _REFERENCE.fullmatch(name)}
    for name, reference in values.items():
        part = _REFERENCE.fullmatch(name)
        if part is None or reference is None:
            continue
        other = path.parent / str(reference)
        if not other.is_file():
            raise ConfigError(
                "refers to a file that is not there",
                file=path,
                field=name,
                got=shown(reference),
                remedy="Correct the path, which starts at the folder of this file, or copy the file there.",
            )
        own = values.get(part[1])
        joined[part[1]] = _whole(other) | (own if isinstance(own, dict) else {})
    return joined


def _anchor(values: Values, folder: Path) -> None:
    """Make the paths of one file absolute; a shared file holds those of `preprocessing` at its top."""
    for place in PATHS:
        *sections, last = place.split(".")
        for names in (sections, sections[1:]):
            holder: Any = values
            for name in names:
                holder = holder.get(name) if isinstance(holder, dict) else None
            if isinstance(holder, dict) and isinstance(holder.get(last), str):
                holder[last] = os.path.abspath(folder / holder[last])


def _change(values: Values, change: str) -> None:
    name, equals, text = change.partition("=")
    names = name.strip().split(".")
    if not equals or not all(names):
        raise ConfigError(
            "is no setting with a value", file="-c", got=repr(change), remedy="Write -c training.finetune=True."
        )
    place = values
    for step in names[:-1]:
        inner = place.get(step)
        place[step] = place = dict(inner) if isinstance(inner, dict) else {}
    value = parse_value(text)
    place[names[-1]] = os.path.abspath(value) if isinstance(value, str) and name.strip() in PATHS else value


def _require_kind(values: Values, kind: str, path: Path) -> None:
    model = leaves_under(values, "model")
    found = next((other for other, rules in KINDS.items() if other != kind and set(model) & set(rules.marks)), None)
    if found is not None or ("source_data" in values and "preprocessing" not in values):
        raise ConfigError(
            f"configures {found or 'the data of a project'}, not {kind}",
            file=path,
            remedy=f"Run `voxgraft train {found} {path}`." if found else f"Name everyvoice-{kind}.yaml beside it.",
        )


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        place = f"{prefix}{name}"
        if isinstance(value, Mapping) and value and place not in LEFT:
            yield from _leaves(value, f"{place}.")
        elif value not in (None, {}):
            yield place, value


def _checkpoint(leaves: Values, path: Path, told: list[str]) -> Path | None:
    """What training starts from, by its name of today or that of older guides; it never silently starts from nothing."""
    old, named = leaves.pop(OLD_CHECKPOINT, None), leaves.pop(CHECKPOINT, None)
    if old and named and old != named:
        raise ConfigError(
            f"names another checkpoint than {CHECKPOINT}",
            file=path,
            field=OLD_CHECKPOINT,
            got=shown(old),
            remedy="Keep one.",
        )
    if old and not named:
        told.append(f"{OLD_CHECKPOINT} is called {CHECKPOINT} in EveryVoice today, and understood as that")
    place, given = (CHECKPOINT, named) if named else (OLD_CHECKPOINT, old)
    if given:
        if not Path(str(given)).is_file():
            raise ConfigError(
                "no such checkpoint: training from scratch instead would not be what was asked for",
                file=path,
                field=place,
                got=shown(given),
                remedy="Correct the path, or remove the setting to train from scratch.",
            )
        return Path(str(given))
    if leaves.get("training.finetune"):
        raise ConfigError(
            "asks to fine-tune a vocoder, and no checkpoint of one is named",
            file=path,
            field="training.finetune",
            remedy=f"Name it: -c {CHECKPOINT}=VOCODER.ckpt.",
        )
    told.append(f"no {CHECKPOINT} is named: training starts from scratch")
    return None


def _carried(leaves: Values, rules: Kind, based: bool, path: Path, told: list[str]) -> Values:
    settings: Values = {}
    for place, value in leaves.items():
        names = (*CARRIED.get(place, ()), *rules.carried.get(place, ()))
        if names:
            settings |= dict.fromkeys(names, value)
            continue
        rule = rules.left.get(place) or LEFT.get(place) or _of_section(place, rules)
        if rule is None:
            raise _unknown(place, rules, path)
        default, why = rule
        if why != "" and value not in (default, None):
            told.append(f"{place} is not carried over: {rules.network(based) if why is None else why}")
    return settings


def _of_section(place: str, rules: Kind) -> tuple[Any, str | None] | None:
    """The rule of a whole section: what its settings are is for its maker to say."""
    sections = (place.rsplit(".", depth)[0] for depth in range(1, place.count(".") + 1))
    return next((found for name in sections if (found := LEFT.get(name) or rules.left.get(name))), None)


def _of_corpus(leaves: Values, path: Path) -> Values:
    """What EveryVoice preprocessed is taken as it is, so that spectrograms that were made of it stay as long as their sound."""
    save = leaves.get(_SAVE)
    defaults = (Path(str(save)) / f"{part}_filelist.psv" for part in ("training", "validation")) if save else ("", "")
    lists = [Path(str(leaves.get(place) or default)) for place, default in zip(_LISTS, defaults, strict=True)]
    for place, filelist in zip(_LISTS, lists, strict=True):
        if not filelist.is_file():
            raise ConfigError(
                "no such filelist",
                file=path,
                field=place,
                got=shown(str(filelist), 200),
                remedy="Run `everyvoice preprocess` first; or make a project of the recordings: `voxgraft new NAME --corpus FILELIST`.",
            )
    found = {"corpus.path": ",".join(map(str, lists)), "corpus.trim": False, "corpus.loudness": None}
    rate, other = (leaves.get(f"preprocessing.audio.{name}_sampling_rate", 22050) for name in ("input", "output"))
    if rate != other:
        raise ConfigError(
            "a vocoder that speaks at another rate than its spectrograms have can't be trained here",
            file=path,
            field="preprocessing.audio.output_sampling_rate",
            expected=rate,
            got=shown(other),
            remedy="Set both rates to the same.",
        )
    return found


def _of_kind(leaves: Values, rules: Kind, base: Path | None, path: Path, told: list[str]) -> Values:
    """The base, or the network from scratch and its spectrogram; learning rates; what vocoder matching asks for."""
    name = rules.task
    settings: Values = {"task": name, "base": "none" if base is None else str(base)}
    if base is None:
        _require_characters(leaves, path)
        settings |= _spectrogram(leaves, name, path)
        settings[f"{name}.family"] = rules.family
        settings[f"{name}.size"] = rules.istft_size if leaves.get("model.istft_layer") else rules.size
    if _RATE in leaves:
        settings |= {f"{name}.learning_rates.{part}": leaves[_RATE] for part in RATES[name]}
    weights = {loss: value for loss in LOSSES if (value := leaves.get(f"training.{loss}_loss_weight")) is not None}
    if weights:
        settings["acoustic.weights"] = weights
    interval = leaves.get("training.val_check_interval")
    if isinstance(interval, int) and not isinstance(interval, bool):
        settings["training.validate_every"] = interval
    elif interval is not None:
        told.append("training.val_check_interval is a share of an epoch here: training.validate_every counts steps")
    if leaves.get("model.learn_alignment") is False:
        settings["acoustic.durations"] = leaves.get(_SAVE)
    if leaves.get("training.finetune"):
        settings["vocoder.generated"] = str(Path(str(leaves.get(_SAVE))) / "synthesized_spec")
        settings["vocoder.freeze_discriminator"] = 3
    return settings


def _require_characters(leaves: Values, path: Path) -> None:
    level = leaves.get("model.target_text_representation_level", "characters")
    if level != "characters":
        raise ConfigError(
            "a model from scratch reads characters here, as the filelists have them",
            file=path,
            field="model.target_text_representation_level",
            got=shown(level),
            remedy="Start from a checkpoint that reads them, or train a project of ours, which reads espeak-ng's phones.",
        )


def _spectrogram(leaves: Values, task: str, path: Path) -> Values:
    kind = leaves.get("preprocessing.audio.spec_type", "mel-librosa")
    if kind != "mel-librosa":
        raise ConfigError(
            "a model from scratch has spectrograms of the kind mel-librosa here",
            file=path,
            field="preprocessing.audio.spec_type",
            got=shown(kind),
            remedy="Set it to mel-librosa, or start from a checkpoint.",
        )
    audio = {place.removeprefix("preprocessing.audio."): value for place, value in leaves.items()}
    names = {
        "sample_rate": ("input_sampling_rate", 22050), "n_fft": ("n_fft", 1024), "hop": ("fft_hop_size", 256),
        "win": ("fft_window_size", 1024), "n_mels": ("n_mels", 80), "fmin": ("f_min", 0), "fmax": ("f_max", 8000),
    }  # fmt: skip
    spectrogram = {ours: audio.get(theirs, default) for ours, (theirs, default) in names.items()}
    return {f"{task}.spectrogram.{name}": value for name, value in {**spectrogram, "centre": True}.items()}


def _unknown(place: str, rules: Kind, path: Path) -> ConfigError:
    near = difflib.get_close_matches(place, [*CARRIED, *LEFT, *rules.carried, *rules.left, CHECKPOINT], 2, 0.7)
    remedy = f"Did you mean {' or '.join(near)}?" if near else "Remove it, or take a newer voxgraft."
    return ConfigError("no such setting in EveryVoice", file=path, field=place, remedy=remedy)
