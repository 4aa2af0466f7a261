"""Training checkpoints of Piper (rhasspy/piper 1.x, piper1-gpl 1.3 to 1.8) and our own, which Piper can resume."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.architectures.dimensions.vits import missing_parts, vits_architecture
from voxgraft.architectures.names.vits import inference_names
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.tensor_store import TensorStore
from voxgraft.checkpoints.containers.torch.unpickle import TorchFile
from voxgraft.checkpoints.formats.vits_spectrogram import spectrogram_of
from voxgraft.checkpoints.formats.vits_tensors import canonical_tensors, folded_names, looks_like_vits
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, Metadata, as_recorded, read_metadata
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.config.presets import default_symbols, quality_of
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.inference.voice.settings import (
    HIGHEST_RATE,
    LOWEST_RATE,
    VoiceSettings,
    parse_settings,
    read_settings_json,
)
from voxgraft.text.symbols import SymbolTable

FORMAT = "piper-ckpt"
BEFORE = {"hugging-face": "the names of its tensors are in the file itself; a config.json is only near it"}
OWN_FORMAT = "voxgraft-ckpt"
_TRAINING = ("optimizer_states", "lr_schedulers", "loops", "callbacks")
_DAMAGED = "The file is damaged or incomplete: copy or download it again."


def recognises(candidate: CheckpointSource) -> bool:
    """True for a file of torch.save whose state has the embedding of a VITS text encoder."""
    return candidate.torch is not None and looks_like_vits(_state(candidate.torch))


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read a training checkpoint; its dimensions come from the tensors."""
    path, file = candidate.path, candidate.torch
    if file is None:
        raise CheckpointError("not a file of torch.save", file=path, remedy=_DAMAGED)
    content = file.content
    recorded = _recorded(content)
    own = read_metadata(content[KEY], path) if KEY in content else Metadata()
    tensors, left_out = canonical_tensors(_state(file), path)
    architecture, notes = _architecture(path, tensors, recorded | as_recorded(own.architecture))
    notes += [f"a naive loader would have run {call}" for call in file.unsafe_calls]
    if left_out:
        notes.append(f"{len(left_out)} entries are no part of the voice and left out, such as {left_out[0]}")
    config, raw, config_notes = _config_beside(path, architecture["symbols"]) if KEY not in content else (None, {}, [])
    symbols = own.symbols or _symbols(config, architecture["symbols"], notes)
    audio = own.audio_spec() or _audio(recorded, architecture)
    if audio is None and config is not None:
        audio = spectrogram_of(architecture, config.sample_rate, hop=config.hop)
    licence, source = stated_licence(path)
    return Checkpoint(
        family="vits",
        architecture=architecture,
        tensors=tensors,
        provenance=Provenance(
            path=path,
            format=OWN_FORMAT if KEY in content else FORMAT,
            sha256=candidate.sha256,
            licence=own.stated_licence() or licence,
            source=own.source or source,
            dataset=own.dataset or (config.dataset if config else None),
            unsafe_globals=file.unsafe_globals,
        ),
        symbols=symbols,
        audio=audio,
        quality=quality_of(architecture, audio.sample_rate if audio else None),
        speakers=_speakers(architecture["speakers"], own, config),
        languages=own.language_codes() or _languages(config),
        epoch=_count(content.get("epoch"), own.epoch),
        step=_count(content.get("global_step"), own.step),
        learning_rate=_learning_rate(content),
        training_state={name: content[name] for name in _TRAINING if name in content} or None,
        inference=own.inference or own.scales or _inference(config),
        missing=missing_parts(tensors.shapes),
        notes=tuple(notes + config_notes),
        config=own.config or raw,
    )


def _state(file: TorchFile) -> Mapping[Any, Any]:
    """The tensors of a checkpoint: under `state_dict` (Lightning), or bare."""
    content = file.content
    if not isinstance(content, dict):
        return {}
    state = content.get("state_dict")
    return state if isinstance(state, dict) else content


def _recorded(content: Mapping[str, Any]) -> dict[str, Any]:
    recorded = content.get("hyper_parameters")
    return {key: value for key, value in recorded.items() if isinstance(key, str)} if isinstance(recorded, dict) else {}


def _architecture(path: Path, tensors: TensorStore, recorded: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    with naming_file(path):
        architecture, notes = vits_architecture(tensors.shapes, recorded)
    absent = sorted(inference_names(architecture) - folded_names(tensors.shapes))
    if absent:
        raise CheckpointError(
            f"{len(absent)} of the voice's tensors are absent", file=path, field=absent[0], remedy=_DAMAGED
        )
    return architecture, notes


def _config_beside(path: Path, rows: int) -> tuple[VoiceSettings | None, Any, list[str]]:
    """The voice's configuration, if it stands beside the checkpoint and fits it."""
    named = (path.with_name(path.name + ".json"), path.with_suffix(".json"))
    for candidate in (*named, path.with_name("config.json")):
        if not candidate.is_file():
            continue
        try:
            raw = read_settings_json(candidate)
            config = parse_settings(raw, candidate)
        except CheckpointError as fault:
            if candidate in named:
                raise
            return None, {}, [f"{candidate.name} beside it is no voice's configuration and not used: {fault.problem}"]
        if config.symbols.rows != rows:
            note = f"{candidate.name} beside it has {config.symbols.rows} symbols, the tensors {rows}: not used"
            return None, {}, [note]
        return config, raw, []
    return None, {}, []


def _symbols(config: VoiceSettings | None, rows: int, notes: list[str]) -> SymbolTable | None:
    if config is not None:
        return config.symbols
    if rows == default_symbols().rows:
        notes.append(
            "which symbols its ids mean is not recorded: assumed Piper's usual espeak-ng table (put config.json beside it)"
        )
        return default_symbols()
    return None


def _audio(recorded: Mapping[str, Any], architecture: Mapping[str, Any]) -> AudioSpec | None:
    """The spectrogram, where the hyper-parameters record a sample rate."""
    rate = recorded.get("sample_rate")
    if type(rate) is not int or not LOWEST_RATE <= rate <= HIGHEST_RATE:
        return None
    return spectrogram_of(
        architecture,
        rate,
        n_fft=recorded.get("filter_length"),
        hop=recorded.get("hop_length"),
        win=recorded.get("win_length"),
        n_mels=recorded.get("mel_channels"),
        fmin=recorded.get("mel_fmin"),
        fmax=recorded.get("mel_fmax"),
    )


def _speakers(count: int, own: Metadata, config: VoiceSettings | None) -> tuple[str, ...]:
    if len(own.speakers) == count:
        return own.speakers
    if config is not None:
        return config.speaker_names(count)
    return (own.name or own.dataset or "default",) if count == 1 else tuple(map(str, range(count)))


def _languages(config: VoiceSettings | None) -> tuple[str, ...]:
    return (config.language,) if config and config.language else ()


def _inference(config: VoiceSettings | None) -> dict[str, float]:
    return config.scales if config else {}


def _learning_rate(content: Mapping[str, Any]) -> float | None:
    """The generator's, as its optimiser was left."""
    states = content.get("optimizer_states")
    first = states[0] if isinstance(states, list) and states else content.get("optimizer")
    groups = first.get("param_groups") if isinstance(first, dict) else None
    rate = groups[0].get("lr") if isinstance(groups, list) and groups and isinstance(groups[0], dict) else None
    return float(rate) if isinstance(rate, int | float) else None


def _count(*values: object) -> int | None:
    return next((value for value in values if type(value) is int and value >= 0), None)
