"""Checkpoints of the original VITS repository (github.com/jaywalnut310/vits): `G_*.pth`, `D_*.pth` and config.json.

Each .pth is `{model, iteration, optimizer, learning_rate}`, where `iteration` counts epochs and `learning_rate` is the
one that training began with; the optimizer knows the steps taken and the rate in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.architectures.dimensions.vits import missing_parts, vits_architecture
from voxgraft.architectures.names.vits import inference_names
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.torch.optimizer_state import rate_of, steps_of
from voxgraft.checkpoints.formats.vits_original.config import (
    audio_spec,
    read_config,
    recorded,
    speaker_names,
    symbol_table,
)
from voxgraft.checkpoints.formats.vits_tensors import canonical_tensors, folded_names
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.config.presets import quality_of
from voxgraft.errors import CheckpointError, naming_file

FORMAT = "vits-original"
BEFORE = {"hugging-face": "the names of its tensors are in the file itself; a config.json is only near it"}
_GENERATOR = "enc_p.emb.weight"
_DISCRIMINATOR = "discriminators.0."
_DAMAGED = "The file is damaged or incomplete: copy or download it again."


def recognises(candidate: CheckpointSource) -> bool:
    """True for a file of such a run, and for a folder with one."""
    if candidate.members:
        return any(_content(member) for member in _readable(candidate, []))
    return bool(_content(candidate))


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read a generator, with the discriminators of the same save where they lie beside it."""
    notes: list[str] = []
    chosen = _newest(candidate, notes) if candidate.members else candidate
    path, content = chosen.path, _content(chosen)
    if _GENERATOR not in content["model"]:
        raise CheckpointError(
            "the discriminators of an original VITS run, without its voice",
            file=path,
            remedy=f"Give the generator of the same save, G{path.name[1:]}: these are read along with it.",
        )
    judges = _discriminators(path, candidate, content, notes)
    state = {
        **content["model"],
        **{f"discriminator.{name}": tensor for name, tensor in judges.get("model", {}).items()},
    }
    tensors, left_out = canonical_tensors(state, path)
    if chosen.torch is not None:
        notes += [f"a naive loader would have run {call}" for call in chosen.torch.unsafe_calls]
    if left_out:
        notes.append(f"{len(left_out)} entries are no part of the voice and left out, such as {left_out[0]}")
    config = read_config(path.parent, notes)
    architecture = _architecture(path, tensors.shapes, config, notes)
    audio = audio_spec(config, architecture, notes)
    licence, source = stated_licence(path)
    unsafe = chosen.torch.unsafe_globals if chosen.torch else ()
    return Checkpoint(
        family="vits",
        architecture=architecture,
        tensors=tensors,
        provenance=Provenance(path, FORMAT, chosen.sha256, licence, source, unsafe_globals=unsafe),
        symbols=symbol_table(config, architecture["symbols"], notes),
        audio=audio,
        quality=quality_of(architecture, audio.sample_rate if audio else None),
        speakers=speaker_names(config, architecture["speakers"]),
        epoch=_epoch(content),
        step=steps_of(content.get("optimizer")),
        learning_rate=_rate(content, notes),
        training_state=_training_state(content, judges) or None,
        missing=missing_parts(tensors.shapes),
        notes=tuple(notes),
        config=config,
    )


def _content(candidate: CheckpointSource) -> Mapping[str, Any]:
    """What `save_checkpoint` of that repository wrote of a generator or of discriminators; empty for anything else."""
    content = candidate.torch.content if candidate.torch else None
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(model, dict):
        return {}
    return content if _GENERATOR in model or any(str(name).startswith(_DISCRIMINATOR) for name in model) else {}


def _readable(folder: CheckpointSource, notes: list[str]) -> list[CheckpointSource]:
    """The files of a folder that can be read at all; damaged files of torch.save are noted."""
    readable = []
    for member in folder.members:
        try:
            if member.torch is not None:
                readable.append(member)
        except CheckpointError as fault:
            notes.append(f"{member.path.name} is passed over: {fault.problem}")
    return readable


def _newest(folder: CheckpointSource, notes: list[str]) -> CheckpointSource:
    """The generator that was trained for most steps, by what the files say; of discriminators, where there is none."""
    saves = [member for member in _readable(folder, notes) if _content(member)]
    voices = [save for save in saves if _GENERATOR in _content(save)["model"]]
    if len(voices) < 2:
        return (voices or saves)[0]
    newest = max(voices, key=lambda save: (_steps(_content(save)), _epoch(_content(save)) or 0))
    notes.append(
        f"{len(voices)} saves are in the folder: {newest.path.name} is the newest by the steps recorded inside"
    )
    return newest


def _discriminators(
    path: Path, given: CheckpointSource, generator: Mapping[str, Any], notes: list[str]
) -> Mapping[str, Any]:
    """What lies in D_N.pth beside G_N.pth; empty, and noted, where it is of another save."""
    beside = path.with_name(f"D{path.name[1:]}")
    if beside == path or not beside.is_file():
        return {}
    if not beside.resolve().is_relative_to(path.parent.resolve()):
        notes.append(f"{beside.name} leads out of the folder and is not used")
        return {}
    try:
        content = _content(
            next((save for save in given.members if save.path == beside), None) or CheckpointSource(beside)
        )
    except CheckpointError as fault:
        notes.append(f"{beside.name} beside it is not used: {fault.problem}")
        return {}
    same = _epoch(content) == _epoch(generator) and _steps(content) == _steps(generator)
    if not content or _GENERATOR in content["model"] or not same:
        notes.append(f"{beside.name} beside it holds no discriminators of the same save and is not used")
        return {}
    return content


def _architecture(
    path: Path, shapes: Mapping[str, tuple[int, ...]], config: Mapping[str, Any], notes: list[str]
) -> dict[str, Any]:
    with naming_file(path):
        architecture, found = vits_architecture(shapes, recorded(config))
    notes += found
    absent = sorted(inference_names(architecture) - folded_names(shapes))
    if absent:
        raise CheckpointError(
            f"{len(absent)} of the voice's tensors are absent", file=path, field=absent[0], remedy=_DAMAGED
        )
    return architecture


def _epoch(content: Mapping[str, Any]) -> int | None:
    epoch = content.get("iteration")
    return epoch if type(epoch) is int and epoch >= 0 else None


def _steps(content: Mapping[str, Any]) -> int:
    return steps_of(content.get("optimizer")) or 0


def _rate(content: Mapping[str, Any], notes: list[str]) -> float | None:
    """The rate in use at the save, which has decayed from the one that the file states."""
    stated, used = content.get("learning_rate"), rate_of(content.get("optimizer"))
    stated = float(stated) if isinstance(stated, int | float) else None
    if used is None:
        return stated
    if stated is not None and abs(stated - used) > 1e-9:
        notes.append(f"training began at the learning rate {stated:g} and had come down to {used:g}")
    return used


def _training_state(generator: Mapping[str, Any], judges: Mapping[str, Any]) -> dict[str, Any]:
    owners = {"optimizer": generator, "discriminator_optimizer": judges}
    return {name: owner["optimizer"] for name, owner in owners.items() if isinstance(owner.get("optimizer"), dict)}
