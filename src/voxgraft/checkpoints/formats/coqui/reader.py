"""Checkpoints of Coqui TTS (coqui-ai/TTS, idiap/coqui-ai-TTS): a .pth, or the folder of a release or a run.

A .pth of its trainer is `{config, model, optimizer, scheduler, scaler, step, epoch, …}`; releases put config.json and
files with the names of speakers and languages beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voxgraft.architectures.dimensions.hifigan import hifigan_architecture
from voxgraft.architectures.dimensions.univnet import COQUI as COQUI_UNIVNET
from voxgraft.architectures.dimensions.univnet import univnet_architecture
from voxgraft.architectures.dimensions.vits import Obstacle, missing_parts
from voxgraft.architectures.families import family_of
from voxgraft.architectures.names.rules import canonical_name
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.torch.optimizer_state import rate_of
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.formats.coqui.architecture import glow_tts_keywords, speaker_rows, stated_architecture
from voxgraft.checkpoints.formats.coqui.audio import audio_spec
from voxgraft.checkpoints.formats.coqui.config import NAME, Config, config_of, is_config, plain
from voxgraft.checkpoints.formats.coqui.names import RULES, family_of_names, whole_state
from voxgraft.checkpoints.formats.coqui.speakers_and_languages import dataset_of, language_names, speakers_of
from voxgraft.checkpoints.formats.coqui.vits import as_canonical, inference_scales, obstacle_of, vits_keywords
from voxgraft.checkpoints.formats.coqui.vocabulary import symbol_table
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.config.presets import quality_of
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.json_file import read_json

FORMAT = "coqui-tts"
BEFORE = {"hugging-face": "the names of its tensors are in the file itself; a config.json is only near it"}
VARIANT = "coqui"
# Damage is only told of files that are meant for checkpoints: an .npz is a zip archive too.
_MEANT = (".pth", ".pt", ".ckpt", ".tar")
# best_model.pth, best_model_1234.pth, checkpoint_1000.pth, and the names of older trainers.
_RUN_SAVE = re.compile(r"(?P<kind>best_model|checkpoint)(?:_(?P<step>\d+))?\.pth(?:\.tar)?")
_TRAINING = ("optimizer", "optimizer_disc", "scheduler", "scheduler_disc", "scaler")


@dataclass(frozen=True)
class _Model:
    """What the tensors say: family, canonical tensors, keyword arguments."""

    family: str
    tensors: TensorStore
    architecture: Mapping[str, Any]


def recognises(candidate: CheckpointSource) -> bool:
    """True for a file of Coqui's trainer, and for a folder with one, or with its configuration and a damaged one."""
    if candidate.path.is_dir():
        faults: list[CheckpointError] = []
        return bool(_saves(candidate, faults)) or (bool(faults) and _promised(candidate))
    return bool(_content(candidate))


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read the model, its configuration and the files of names beside it. Raises CheckpointError."""
    notes: list[str] = []
    chosen = _only_save(candidate, notes) if candidate.path.is_dir() else candidate
    folder = candidate if candidate.path.is_dir() else CheckpointSource(candidate.path.parent)
    files = {path.name: path for path in folder.files if path != chosen.path}
    content = _content(chosen)
    config = config_of(content, files.get(NAME), notes)
    model = _model(chosen.path, content, config, notes)
    if chosen.torch is not None:
        notes += [f"a naive loader would have run {call}" for call in chosen.torch.unsafe_calls]
    return _checkpoint(chosen, content, config, model, files, notes)


def _checkpoint(
    chosen: CheckpointSource,
    content: Mapping[str, Any],
    config: Config,
    model: _Model,
    files: Mapping[str, Path],
    notes: list[str],
) -> Checkpoint:
    shapes, architecture = model.tensors.shapes, model.architecture
    speaks = family_of(model.family).kind != "spec-to-wav"
    audio = _audio(config, model, notes)
    languages = shapes.get("emb_l.weight", (0,))[0]
    licence, source = stated_licence(chosen.path)
    return Checkpoint(
        family=model.family,
        architecture=architecture,
        tensors=model.tensors,
        provenance=Provenance(
            path=chosen.path,
            format=FORMAT,
            sha256=chosen.sha256,
            licence=licence,
            source=source,
            dataset=dataset_of(config),
            unsafe_globals=chosen.torch.unsafe_globals if chosen.torch else (),
        ),
        symbols=symbol_table(config.fields, architecture["symbols"], notes) if speaks and config.fields else None,
        audio=audio,
        variant=VARIANT,
        quality=quality_of(architecture, audio.sample_rate if audio else None),
        speakers=speakers_of(config, speaker_rows(shapes), files, notes) if speaks else (),
        languages=language_names(config, languages, files, notes) if speaks else (),
        epoch=_count(content.get("epoch")),
        step=_count(content.get("step")),
        learning_rate=_learning_rate(content, config),
        training_state={name: content[name] for name in _TRAINING if content.get(name)} or None,
        inference=inference_scales(config) if model.family == "vits" else {},
        missing=missing_parts(shapes) if model.family == "vits" else family_of(model.family).missing(shapes),
        notes=tuple(notes),
        config=config.fields,
        obstacle=_obstacle(model, config),
    )


def _obstacle(model: _Model, config: Config) -> Obstacle | None:
    """What the network is that voxgraft's of its family can't be."""
    if model.family == "vits":
        return obstacle_of(model.tensors.shapes, dict(model.architecture), config)
    if model.family == "glow_tts" and model.architecture["speaker_channels"] and not model.architecture["multispeaker"]:
        return Obstacle(
            "encoder.duration_predictor.conv_1.weight",
            "text-to-spec models with a voice vector in place of a table of speakers are not run here yet",
            "Take a base with a table of speakers, or with a single speaker.",
        )
    return None


def _content(candidate: CheckpointSource) -> Mapping[str, Any]:
    """What Coqui's trainer wrote; empty for anything else."""
    content = candidate.torch.content if candidate.torch else None
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        return {}
    known = is_config(plain(content.get("config"))) or family_of_names(whole_state(content))
    return content if known else {}


def _promised(folder: CheckpointSource) -> bool:
    """Whether the folder has a configuration of Coqui's."""
    try:
        return any(
            member.path.name == NAME and is_config(read_json(member.path, comments=True)) for member in folder.members
        )
    except CheckpointError:
        return False


def _saves(folder: CheckpointSource, faults: list[CheckpointError]) -> list[CheckpointSource]:
    """The checkpoints in a folder; what is damaged goes to `faults`."""
    found = []
    for member in folder.members:
        try:
            if _content(member):
                found.append(member)
        except CheckpointError as fault:
            if member.path.suffix in _MEANT:
                faults.append(fault)
    return found


def _only_save(folder: CheckpointSource, notes: list[str]) -> CheckpointSource:
    """The one checkpoint in a folder; a copy of it, as every run keeps of its best model, is no second one."""
    faults: list[CheckpointError] = []
    saves = _saves(folder, faults)
    if not saves:
        raise faults[0]
    best = _best_of_run(saves) if len(saves) > 1 else None
    if best is not None:
        others = ", ".join(save.path.name for save in saves if save is not best)
        notes.append(f"of the run's saves {best.path.name} is read, not {others[:200]}: give the path of another")
    elif len(saves) > 1 and not _are_copies(saves):
        listed = [f"{save.path.name} (step {_content(save).get('step')})" for save in saves]
        raise CheckpointError(
            f"there are {len(listed)} checkpoints: {', '.join(listed[:6])}{', …' if len(listed) > 6 else ''}",
            file=folder.path,
            remedy="Give the path of one of them.",
        )
    notes += [f"{fault.file} is damaged and passed over: {fault.problem}" for fault in faults]
    return best or saves[0]


def _best_of_run(saves: list[CheckpointSource]) -> CheckpointSource | None:
    """The best save of a run, else its newest; None where they are not all named as a run names its saves, or are copies."""
    named = [_RUN_SAVE.fullmatch(save.path.name) for save in saves]
    families = {family_of_names(whole_state(_content(save))) for save in saves}
    if not all(named) or len(families) > 1 or _are_copies(saves):
        return None
    ranked = [
        (match["kind"] == "best_model", match["step"] is None, _step(save))
        for match, save in zip(named, saves, strict=True)
        if match
    ]
    return saves[max(range(len(saves)), key=lambda place: ranked[place])]


def _step(save: CheckpointSource) -> int:
    return _count(_content(save).get("step")) or 0


def _are_copies(saves: list[CheckpointSource]) -> bool:
    """Whether files hold the same bytes; these are only compared where step and size agree."""
    if len({(_count(_content(save).get("step")), save.path.stat().st_size) for save in saves}) > 1:
        return False
    return len({save.sha256 for save in saves}) == 1


def _model(path: Path, content: Mapping[str, Any], config: Config, notes: list[str]) -> _Model:
    state = whole_state(content)
    family = family_of_names(state)
    if family is None:
        raise CheckpointError(
            "this model of Coqui TTS is not known here",
            file=path,
            field="model",
            expected=", ".join(RULES),
            got=config.model,
            remedy="Give one of these.",
        )
    tensors = _tensors(path, family, state, notes)
    with naming_file(path):
        architecture, found = _architecture(family, tensors, config)
    notes += found
    return _Model(family, tensors, architecture)


def _tensors(path: Path, family: str, state: Mapping[str, Any], notes: list[str]) -> TensorStore:
    tensors: dict[str, LazyTensor] = {}
    left_out: list[str] = []
    for name, tensor in state.items():
        canonical = canonical_name(name, RULES[family])
        if canonical is None or not isinstance(tensor, TorchTensor):
            left_out.append(name[:120])
            continue
        if canonical in tensors:
            raise CheckpointError(
                "two tensors are the same part of the model",
                file=path,
                field=name[:120],
                remedy="Copy or download it again.",
            )
        lazy = LazyTensor(tensor.shape, tensor.load)
        tensors[canonical] = as_canonical(canonical, lazy) if family == "vits" else lazy
    if left_out:
        notes.append(f"{len(left_out)} entries are no part of the model and left out, such as {left_out[0]}")
    return TensorStore(tensors, path)


def _architecture(family: str, tensors: TensorStore, config: Config) -> tuple[Mapping[str, Any], list[str]]:
    shapes = tensors.shapes
    if family == "vits":
        return vits_keywords(shapes, config)
    if family == "hifigan":
        recorded = {
            "upsample_rates": config.get("upsample_factors"),
            "resblock_dilation_sizes": config.get("resblock_dilation_sizes"),
        }
        return hifigan_architecture(shapes, recorded)
    if family == "univnet":
        return univnet_architecture(shapes, COQUI_UNIVNET), []
    if family == "glow_tts":
        return glow_tts_keywords(shapes, config)
    return stated_architecture(family, shapes, config)


def _audio(config: Config, model: _Model, notes: list[str]) -> AudioSpec | None:
    """The configuration's spectrogram, with as many mel bands as the tensors have."""
    audio = audio_spec(config.fields.get("audio"), notes, waveform_model=model.family == "vits")
    bands = model.architecture.get("mels")
    if audio is None or bands is None or audio.n_mels == bands:
        return audio
    notes.append(f"the configuration says num_mels={audio.n_mels}, the tensors say {bands}: the tensors win")
    return replace(audio, n_mels=bands)


def _learning_rate(content: Mapping[str, Any], config: Config) -> float | None:
    """The rate in use, of the generator where there are two optimizers; what training began with where none is kept."""
    optimizers = content.get("optimizer")
    last = optimizers[-1] if isinstance(optimizers, list) and optimizers else optimizers
    used = rate_of(last)
    if used is not None:
        return used
    stated = next((rate for name in ("lr_gen", "lr") if (rate := config.fields.get(name)) is not None), None)
    return float(stated) if isinstance(stated, int | float) else None


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
