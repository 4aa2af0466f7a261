"""Checkpoints of the original HiFi-GAN: `g_*` is `{generator}`, `do_*` `{mpd, msd, optim_g, optim_d, steps, epoch}`.

The discriminators of the same save, `do_00000123` beside `g_00000123`, are read along with the generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.architectures.dimensions.hifigan import hifigan_architecture
from voxgraft.architectures.families import family_of
from voxgraft.architectures.names.rules import NameRules, canonical_name
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.torch.optimizer_state import rate_of
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.formats.hifigan_original.config import audio_spec, config_beside
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError, naming_file

FORMAT = "hifigan-original"
BEFORE = {"hugging-face": "the names of its tensors are in the file itself; a config.json is only near it"}
_MARKS = ("conv_pre.bias", "ups.0.bias", "conv_post.bias")
_STATES = ("generator", "mpd", "msd")
_RULES: NameRules = (
    (r"generator\.((?:conv_pre|conv_post|ups|resblocks)\..+)", r"generator.\1"),
    (r"(m[ps]d\..+)", r"discriminator.\1"),
)


def recognises(candidate: CheckpointSource) -> bool:
    """True for a generator's file, and for that of the discriminators of a run."""
    content = _content(candidate)
    state = content.get("generator")
    if isinstance(state, dict):
        return all(mark in state for mark in _MARKS)
    return all(isinstance(content.get(name), dict) for name in ("mpd", "msd")) and "optim_g" in content


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read a generator, with its discriminators where they lie beside it."""
    path, content, notes = candidate.path, _content(candidate), list[str]()
    if "generator" not in content:
        raise CheckpointError(
            "the discriminators of an original HiFi-GAN, without its generator",
            file=path,
            remedy=f"Give the generator of the same save, {_twin(path, 'do', 'g').name}: these are read along with it.",
        )
    judges = _judges(path, notes)
    tensors = _tensors(dict(content) | {name: judges.get(name, {}) for name in ("mpd", "msd")}, path, notes)
    if candidate.torch is not None:
        notes += [f"a naive loader would have run {call}" for call in candidate.torch.unsafe_calls]
    config = config_beside(path, notes)
    with naming_file(path):
        architecture, found = hifigan_architecture(tensors.shapes, config)
    notes += found
    licence, source = stated_licence(path)
    unsafe = candidate.torch.unsafe_globals if candidate.torch else ()
    return Checkpoint(
        family="hifigan",
        architecture=architecture,
        tensors=tensors,
        provenance=Provenance(path, FORMAT, candidate.sha256, licence, source, unsafe_globals=unsafe),
        audio=audio_spec(config, architecture["mels"], notes),
        epoch=_count(judges.get("epoch")),
        step=_count(judges.get("steps")),
        learning_rate=rate_of(judges.get("optim_g")),
        training_state={name: judges[name] for name in ("optim_g", "optim_d") if judges.get(name)} or None,
        missing=family_of("hifigan").missing(tensors),
        notes=tuple(notes),
        config=dict(config),
    )


def _content(candidate: CheckpointSource) -> Mapping[Any, Any]:
    content = candidate.torch.content if candidate.torch is not None else None
    return content if isinstance(content, dict) else {}


def _judges(path: Path, notes: list[str]) -> Mapping[Any, Any]:
    """What lies in the discriminators' file of the same save; empty where there is none."""
    twin = _twin(path, "g", "do")
    if twin == path or not twin.is_file():
        return {}
    try:
        content = _content(CheckpointSource(twin))
    except CheckpointError as fault:
        notes.append(f"{twin.name} is damaged and passed over: {fault.problem}")
        return {}
    if not isinstance(content.get("mpd"), dict):
        return {}
    notes.append(f"the discriminators are those of {twin.name} beside it")
    return content


def _twin(path: Path, prefix: str, other: str) -> Path:
    name = path.name
    return path.with_name(f"{other}{name.removeprefix(prefix)}") if name.startswith(f"{prefix}_") else path


def _tensors(content: Mapping[Any, Any], path: Path, notes: list[str]) -> TensorStore:
    tensors: dict[str, LazyTensor] = {}
    left_out = []
    for key in _STATES:
        state = content.get(key)
        for name, tensor in state.items() if isinstance(state, dict) else ():
            canonical = canonical_name(f"{key}.{name}", _RULES)
            if canonical is None or not isinstance(tensor, TorchTensor):
                left_out.append(f"{key}.{name}"[:120])
            else:
                tensors[canonical] = LazyTensor(tensor.shape, tensor.load)
    if left_out:
        notes.append(f"{len(left_out)} entries are no part of the model and left out, such as {left_out[0]}")
    return TensorStore(tensors, path)


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
