"""Training as Coqui STT's users know it: folders of checkpoints, CSV files, and a test of the new model at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.open import is_checkpoint_folder
from voxgraft.config.coqui_stt import Asked, read_flags
from voxgraft.config.run import RunConfig
from voxgraft.errors import CheckpointError, ConfigError, TrainingError
from voxgraft.progress import notice
from voxgraft.project.project import FROM_SCRATCH
from voxgraft.project.run_names import free_name, unfinished
from voxgraft.training.run import RunResult, train

NAME = "stt"


def train_stt(arguments: Sequence[str], changes: Sequence[str] = (), *, resume: bool = False) -> RunResult:
    """Train as `python -m coqui_stt_training.train ARGUMENTS` would be asked to; `changes` are settings (`a.b=c`) of ours.

    What is loaded is never written to: a run has a folder of its own below the one to save in.

    Raises:
        VoxgraftError: flags, folders, recordings or the base are not in order.
    """
    asked = read_flags(arguments)
    for line in asked.told:
        notice(line)
    if resume:
        run = unfinished(_save_folder(asked), NAME)
        return train(RunConfig(output=str(run.parent.parent), name=run.name), resume=True)
    return train(config_of(asked, changes))


def config_of(asked: Asked, changes: Sequence[str] = ()) -> RunConfig:
    """The settings of the run that was asked for, and the base that it starts from."""
    from voxgraft.config.load import with_overrides

    output = _save_folder(asked)
    base = base_in(asked)
    if base is None and asked.settings.get("graft.drop_source_layers"):
        raise ConfigError(
            "there is no base to drop layers from",
            field="--drop_source_layers",
            remedy="Name the folder of the base with --load_checkpoint_dir.",
        )
    if not asked.settings.get("recogniser.train"):
        raise ConfigError("no recordings to train on", field="--train_files", remedy="Name one or more CSV files.")
    values = nested(asked.settings) | {
        "task": "recogniser",
        "name": free_name(output, NAME),
        "output": str(output),
        "base": FROM_SCRATCH if base is None else str(base),
        # The tables that Coqui STT's importers write name recordings wherever they lie.
        "corpus": {"follow_links": True},
    }
    if asked.settings.get("graft.alphabet") and asked.settings.get("graft.bytes"):
        raise ConfigError(
            "byte output has no alphabet",
            field="--alphabet_config_path",
            remedy="Leave out --alphabet_config_path, or --bytes_output_mode.",
        )
    return with_overrides(RunConfig.model_validate(values), changes)


def base_in(asked: Asked) -> Path | None:
    """What to start from: the newest best of ours in the folder to load from, else the save of Coqui STT's or DeepSpeech's.

    None is from scratch: nothing was named to load from, or a --checkpoint_dir that is still empty.
    """
    folder = asked.folders.get("load_checkpoint_dir", asked.folders.get("checkpoint_dir"))
    if folder is None:
        notice("no --checkpoint_dir or --load_checkpoint_dir: training starts from scratch")
        return None
    if folder.is_file():
        return folder
    ours = newest_best(folder)
    if ours is not None:
        _require_whole(ours)
        notice(f"starting from {ours}, the newest best of voxgraft's in {folder}")
        return ours
    if folder.is_dir() and is_checkpoint_folder(folder):
        return folder
    if "load_checkpoint_dir" not in asked.folders and (not folder.exists() or not any(folder.iterdir())):
        notice(f"nothing is in {folder} yet: training starts from scratch")
        return None
    raise TrainingError(
        "no checkpoint to start from",
        file=folder,
        expected="a save of Coqui STT or DeepSpeech (best_dev_checkpoint, *.index, *.data-*), or runs of voxgraft",
        got="no such folder" if not folder.exists() else "neither",
        remedy="Check the path; to start from scratch leave --load_checkpoint_dir out.",
    )


def newest_best(folder: Path) -> Path | None:
    """The best of the run in a folder that was written last."""
    found = [path for path in folder.glob("runs/*/best/*.safetensors") if path.is_file()]
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)


def _require_whole(best: Path) -> None:
    try:
        open_checkpoint(best)
    except CheckpointError as fault:
        raise CheckpointError(
            f"the newest best here can't be opened: {fault.problem}",
            file=best,
            got=fault.got,
            remedy="Move it out of the folder, or name another checkpoint with --load_checkpoint_dir.",
        ) from fault


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": c}` as `{"a": {"b": c}}`."""
    values: dict[str, Any] = {}
    for name, value in settings.items():
        *sections, last = name.split(".")
        place = values
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return values


def _save_folder(asked: Asked) -> Path:
    folder = asked.folders.get("save_checkpoint_dir", asked.folders.get("checkpoint_dir"))
    if folder is None:
        raise ConfigError(
            "where to save is not said",
            field="--save_checkpoint_dir",
            remedy="Name a folder with --save_checkpoint_dir, or one to load from and save in with --checkpoint_dir.",
        )
    if folder.exists() and not folder.is_dir():
        raise ConfigError(
            "is a file, not a folder to save in",
            file=folder,
            field="--save_checkpoint_dir" if "save_checkpoint_dir" in asked.folders else "--checkpoint_dir",
            remedy="Name a folder with --save_checkpoint_dir; a file to start from may stand after --load_checkpoint_dir.",
        )
    return folder
