"""EveryVoice: Lightning checkpoints of its FastSpeech2 and HiFi-GAN, exported generators, and the folders of its runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from voxgraft.architectures.families import family_of
from voxgraft.architectures.names.rules import NameRules, canonical_name
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.torch.optimizer_state import rate_of
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.formats.everyvoice.audio import audio_spec
from voxgraft.checkpoints.formats.everyvoice.configuration_file import refuse, stated_kind
from voxgraft.checkpoints.formats.everyvoice.fastspeech2 import fastspeech2_architecture
from voxgraft.checkpoints.formats.everyvoice.hifigan import hifigan_facts
from voxgraft.checkpoints.formats.everyvoice.run_folder import newest, saves
from voxgraft.checkpoints.formats.everyvoice.settings import dataset_of, maker, names_of, number, plain, section
from voxgraft.checkpoints.formats.everyvoice.symbols import symbol_table
from voxgraft.checkpoints.formats.everyvoice.tensor_names import check_complete, fastspeech2_names, generator_names
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError, naming_file

FORMAT = "everyvoice"
BEFORE = {"hugging-face": "the names of its tensors are in the file itself; a config.json is only near it"}
VARIANT = "everyvoice"
_TRAINING = ("optimizer_states", "lr_schedulers", "loops", "callbacks")

# Names of its models in `model_info` -> what they are here; None: recognised, not supported.
_MODELS = {
    "FastSpeech2": "fastspeech2",
    "HiFiGAN": "hifigan",
    "HiFiGANGenerator": "hifigan",
    "StyleTTS2": None,
    "StyleTTS2Module": None,
}
# The newest versions of each model whose files are known.
_VERSIONS = {"fastspeech2": (1, 3), "hifigan": (1, 0)}
_MARKS = {"variance_adaptor.duration_predictor.linear.weight": "fastspeech2", "generator.conv_pre.bias": "hifigan"}
_RULES: dict[str, NameRules] = {
    "fastspeech2": ((r"(.+)", r"\1"),),
    "hifigan": ((r"(generator\..+)", r"\1"), (r"(m[ps]d\..+)", r"discriminator.\1")),
}


def recognises(candidate: CheckpointSource) -> bool:
    """True for a checkpoint, a folder with one, and a configuration, which `read` refuses with where to look."""
    if candidate.path.is_dir():
        return bool(saves(candidate, _is_save, []))
    if candidate.torch is not None:
        return isinstance(candidate.torch.content, dict) and _is_save(candidate.torch.content)
    return stated_kind(candidate) is not None


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read a checkpoint, in a folder the newest one; its dimensions come from the tensors."""
    notes: list[str] = []
    if candidate.path.is_dir():
        candidate = newest(saves(candidate, _is_save, notes), notes)
    if candidate.torch is None:
        raise refuse(candidate, stated_kind(candidate) or "shared text")
    content = candidate.torch.content
    family, version = _model(content, candidate, notes)
    notes += [f"a naive loader would have run {call}" for call in candidate.torch.unsafe_calls]
    hyper = plain(section(content, "hyper_parameters"))
    config = section(hyper, "config")
    tensors = _tensors(content, candidate, family, config, notes)
    with naming_file(candidate.path):
        facts = (
            _fastspeech2(tensors, hyper, version, notes)
            if family == "fastspeech2"
            else _hifigan(tensors, config, notes)
        )
    licence, source = stated_licence(candidate.path)
    return Checkpoint(
        family=family,
        tensors=tensors,
        provenance=Provenance(
            candidate.path,
            FORMAT,
            candidate.sha256,
            licence,
            source,
            dataset_of(config),
            candidate.torch.unsafe_globals,
            maker(config),
        ),
        epoch=_count(content.get("epoch")),
        step=_count(content.get("global_step")),
        learning_rate=_rate(content, config),
        training_state={name: content[name] for name in _TRAINING if content.get(name)} or None,
        notes=tuple(notes),
        config=hyper | {"model_info": plain(content.get("model_info"))},
        **facts,
    )


def _is_save(content: Mapping[str, Any]) -> bool:
    """A model of EveryVoice: named in `model_info`, or known by its tensors and settings where older files name none."""
    state = content.get("state_dict")
    if not isinstance(state, dict):
        return False
    if section(content, "model_info").get("name") in _MODELS:
        return True
    return any(mark in state for mark in _MARKS) and bool(
        section(content, "hyper_parameters", "config", "preprocessing")
    )


def _model(content: Mapping[str, Any], candidate: CheckpointSource, notes: list[str]) -> tuple[str, tuple[int, ...]]:
    """The family, by the tensors, and the version that the file states."""
    stated = section(content, "model_info")
    name = stated.get("name")
    family = next((family for mark, family in _MARKS.items() if mark in content["state_dict"]), None)
    if family is None or (name in _MODELS and _MODELS[name] is None):
        supported = ", ".join(model for model, known in _MODELS.items() if known)
        raise CheckpointError(
            f"an EveryVoice checkpoint of {name}"
            + ("" if family else ", without the tensors of a model that is known"),
            file=candidate.path,
            expected=supported,
            got=name,
            remedy="Give a text-to-spec or spec-to-wav checkpoint; EveryVoice's text-to-wav models can't be read here.",
        )
    if name is not None and _MODELS.get(str(name)) != family:
        notes.append(f"model_info says {str(name)[:60]}, the tensors say {family}: the tensors win")
    version = _version(stated.get("version"))
    written, known = ".".join(map(str, version)), ".".join(map(str, _VERSIONS[family]))
    if version < _VERSIONS[family]:
        notes.append(f"written by an older EveryVoice (model version {written}, today {known})")
    elif version > _VERSIONS[family]:
        notes.append(f"written by a newer EveryVoice than is known here (model version {written}, known {known})")
    return family, version


def _version(stated: object) -> tuple[int, ...]:
    """1.0 where a file states none, as EveryVoice itself takes it."""
    fit = re.fullmatch(r"(\d{1,6})\.(\d{1,6})(?:\..*)?", stated) if isinstance(stated, str) else None
    return (int(fit[1]), int(fit[2])) if fit else (1, 0)


def _tensors(
    content: Mapping[str, Any], candidate: CheckpointSource, family: str, config: Mapping[str, Any], notes: list[str]
) -> TensorStore:
    """Canonical names. A layer that reads phonological features gets one of its own: its rows are no symbols."""
    reads_features = section(config, "model").get("target_text_representation_level") == "phonological_features"
    tensors: dict[str, LazyTensor] = {}
    left_out: list[str] = []
    for name, tensor in content["state_dict"].items():
        canonical = canonical_name(name, _RULES[family]) if isinstance(name, str) else None
        if canonical is None or not isinstance(tensor, TorchTensor) or canonical in tensors:
            left_out.append(str(name)[:120])
            continue
        if reads_features and canonical == "text_input_layer.weight":
            canonical = "feature_input_layer.weight"
        tensors[canonical] = LazyTensor(tensor.shape, tensor.load)
    if left_out:
        notes.append(f"{len(left_out)} entries are no part of the model and left out, such as {left_out[0]}")
    return TensorStore(tensors, candidate.path)


def _fastspeech2(
    tensors: TensorStore, hyper: Mapping[str, Any], version: tuple[int, ...], notes: list[str]
) -> dict[str, Any]:
    config = section(hyper, "config")
    architecture, found = fastspeech2_architecture(tensors.shapes, config)
    check_complete(fastspeech2_names(architecture), tensors.shapes)
    notes += found
    rows = architecture.get("symbols", 0)
    if not rows:
        notes.append(f"it reads {architecture['features']} phonological features of each phone, not symbols")
    if not hyper.get("stats"):
        notes.append("the ranges of pitch and energy (stats) are not recorded")
    missing = family_of("fastspeech2").missing(tensors)
    learns = section(config, "model").get("learn_alignment") is not False
    return {
        "architecture": architecture,
        "variant": VARIANT,
        "symbols": symbol_table(hyper, version, rows, notes) if rows else None,
        "audio": audio_spec(config, architecture["mels"], notes),
        "speakers": _speakers(hyper.get("speaker2id"), architecture, notes),
        "languages": names_of(
            hyper.get("lang2id"), architecture["languages"] if architecture["multilingual"] else None
        ),
        "missing": tuple(part for part in missing if learns or part != "aligner"),
    }


def _speakers(lookup: Any, architecture: Mapping[str, Any], notes: list[str]) -> tuple[str, ...]:
    """Names by id; one for a model without a table of speakers, however many its data had."""
    if architecture["multispeaker"]:
        return names_of(lookup, architecture["speakers"])
    names = names_of(lookup, None)
    if len(names) > 1:
        notes.append(f"trained on {len(names)} speakers without telling them apart, such as {names[0]}")
    return names if len(names) == 1 else ("default",)


def _hifigan(tensors: TensorStore, config: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    architecture, variant = hifigan_facts(tensors.shapes, config, notes)
    check_complete(generator_names(architecture), tensors.shapes)
    return {
        "architecture": architecture,
        "variant": variant,
        "audio": audio_spec(config, architecture["mels"], notes),
        "missing": family_of("hifigan").missing(tensors),
    }


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _rate(content: Mapping[str, Any], config: Mapping[str, Any]) -> float | None:
    """The rate in use at the save; the one that training was set to begin with where no optimizer was saved."""
    states = content.get("optimizer_states")
    used = rate_of(states[0]) if isinstance(states, list) and states else None
    stated = number(section(config, "training", "optimizer"), "learning_rate", -1.0)
    return used if used is not None else (stated if stated > 0 else None)
