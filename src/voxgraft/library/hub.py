"""Models on the Hugging Face hub: what its cache on this machine has, else what can be downloaded."""

from __future__ import annotations

import re
from pathlib import Path

from voxgraft.checkpoints.open import is_checkpoint_folder
from voxgraft.errors import CheckpointError, MissingExtra
from voxgraft.progress import notice

_SCHEMES = ("hub:", "hf://")
_NAME = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w.-]+))?(?:/([\w.-]+))?")
_DESCRIPTIONS = ("*.json", "*.txt", "README.md", "LICENSE*")
# Weights, the better kind first; a kind is fetched only where the kinds before it are absent.
_WEIGHTS = (("model*.safetensors",), ("pytorch_model*.bin", "model.bin"), ("*.nemo",))
_UNWANTED = ("*/*", "*.fp32*", "*.fp16*", "*flax*")
_FORM = "hub:organisation/model, with @revision or /file after it where that is needed"


def is_hub_name(base: str) -> bool:
    """Whether a base is said to lie on the hub."""
    return base.startswith(_SCHEMES)


def fetch_from_hub(base: str) -> Path:
    """The folder, or the file in it that was asked for. The cache comes first: offline is normal.

    Raises CheckpointError where the model is neither here nor to be had, MissingExtra without huggingface_hub.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as fault:
        raise MissingExtra("huggingface_hub", "hf", "taking a model from the Hugging Face hub") from fault
    match = _NAME.fullmatch(next(base.removeprefix(scheme) for scheme in _SCHEMES if base.startswith(scheme)))
    if match is None:
        raise CheckpointError(
            "not the name of a model on the hub", file=base, expected=_FORM, remedy="Correct the name."
        )
    name, revision, file = match[1], match[2], match[3]

    def snapshot(*patterns: str, here: bool = False) -> Path:
        found = snapshot_download(
            name,
            revision=revision,
            allow_patterns=list(patterns) or None,
            ignore_patterns=list(_UNWANTED),
            local_files_only=here,
        )
        return Path(str(found))

    try:
        folder = snapshot(here=True)
        if is_checkpoint_folder(folder) and (file is None or (folder / file).is_file()):
            return folder / file if file else folder
    except (OSError, ValueError):
        notice(f"{name} is not in the cache: asking the hub")
    try:
        for weights in _WEIGHTS:
            folder = snapshot(*_DESCRIPTIONS, *weights, *([file] if file else []))
            archives = list(folder.glob("*.nemo"))
            if is_checkpoint_folder(folder) or archives:
                wanted = folder / file if file else archives[0] if archives else folder
                return wanted if wanted.exists() else _refuse(base, f"there is no file {file}")
    except (OSError, ValueError, HfHubHTTPError, LocalEntryNotFoundError) as fault:
        return _refuse(base, f"neither in the cache nor to be had: {' '.join(str(fault).split())[:160]}", fault)
    return _refuse(base, "it holds no weights that can be read here")


def _refuse(base: str, problem: str, fault: Exception | None = None) -> Path:
    raise CheckpointError(
        problem,
        file=base,
        remedy="Check the name and the network, or give the path of a folder that was downloaded before.",
    ) from fault
