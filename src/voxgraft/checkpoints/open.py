"""open_checkpoint: find out by content, never by name, what a file is, and read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from importlib import import_module, metadata
from pathlib import Path

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError, naming_file

ENTRY_POINTS = "voxgraft.readers"


@dataclass(frozen=True)
class Reader:
    """A format: what it is called, what it reads in a few words, how to know it by content and how to read it.

    `before` are the readers that may recognise the same file and are asked after it, by name, and why. A third party
    registers a reader under the entry-point group `voxgraft.readers`; it stands on the same footing as ours.
    """

    name: str
    reads: str
    recognises: Callable[[CheckpointSource], bool]
    read: Callable[[CheckpointSource], Checkpoint]
    before: Mapping[str, str] = field(default_factory=dict)


# Modules of checkpoints/formats with FORMAT, recognises and read, BEFORE where a file can be two things, and what each reads.
OURS = {
    "hugging_face.reader": "Hugging Face folders of VITS and MMS-TTS, wav2vec 2.0 and MMS, Whisper, Parakeet CTC (config.json with weights)",
    "ctranslate2.reader": "Whisper as faster-whisper runs it (model.bin)",
    "nemo.reader": "FastConformer-CTC of NVIDIA's (.nemo)",
    "voxgraft.exported": "voices that voxgraft exported (.safetensors)",
    "piper.onnx_voice": "exported Piper voices (.onnx with .onnx.json)",
    "everyvoice.reader": "EveryVoice's text-to-spec and spec-to-wav checkpoints and the folders of its runs",
    "coqui.reader": "Coqui TTS' VITS, Glow-TTS, FastPitch, FastSpeech 2, Tacotron 2, HiFi-GAN, UnivNet and Multi-band MelGAN (.pth, or its folder)",
    "vits_original.reader": "saves of the original VITS (G_*.pth, with D_*.pth and config.json beside it)",
    "voxgraft.run_checkpoint": "checkpoints of voxgraft's runs of recognisers, text-to-spec models and vocoders (.ckpt)",
    "piper.trainer_checkpoint": "training checkpoints of Piper and voxgraft (.ckpt, .pth)",
    "tts_framework.reader": "DelightfulTTS, UnivNet and HiFi-GAN of tts-framework, VoiceSmith and maum-ai (.ckpt, .pt)",
    "hifigan_original.reader": "HiFi-GAN's authors' generators (g_*, with do_* and config.json beside it)",
    "onnx_vocoder.reader": "exported vocoders: voxgraft's, and HiFi-GANs of others (.onnx)",
    "deepspeech.reader": "training folders of Coqui STT and DeepSpeech (.index with .data-*)",
}


def readers() -> tuple[Reader, ...]:
    """All readers, ours and those that other packages registered, each before those that it says; else by name."""
    known: list[Reader] = [entry.load() for entry in metadata.entry_points(group=ENTRY_POINTS)]
    for name, reads in OURS.items():
        module = import_module(f"voxgraft.checkpoints.formats.{name}")
        known.append(Reader(module.FORMAT, reads, module.recognises, module.read, getattr(module, "BEFORE", {})))
    known.sort(key=lambda reader: reader.name)
    sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(known)), ()))
    for place, reader in enumerate(known):
        for later, other in enumerate(known):
            if other.name in reader.before:
                sorter.add(later, place)
    try:
        return tuple(known[place] for place in sorter.static_order())
    except CycleError as fault:
        raise CheckpointError(
            "two readers of checkpoints each want to be asked before the other",
            expected="an order",
            got=", ".join(sorted({known[place].name for place in fault.args[1]})),
            remedy="Uninstall the package that registered one of them, or correct its `before`.",
        ) from fault


def is_checkpoint_folder(path: Path) -> bool:
    """Whether a folder as a whole is a checkpoint that a reader knows."""
    candidate = CheckpointSource(path)
    return any(reader.recognises(candidate) for reader in readers())


def open_checkpoint(path: str | Path) -> Checkpoint:
    """Read any supported checkpoint, a file or a folder; the values of its tensors stay on disk until they are asked for.

    Raises CheckpointError where the file is absent, damaged, hostile or of a kind that no reader knows.
    """
    path = Path(path)
    candidate = CheckpointSource(path)
    try:
        _check_kind(candidate)
        known = []
        for reader in readers():
            if reader.recognises(candidate):
                with naming_file(path):
                    return reader.read(candidate)
            known.append(reader.reads)
        likeness = candidate.likeness
    except OSError as fault:
        raise CheckpointError(
            f"can't be read: {fault.strerror or fault}",
            file=fault.filename or path,
            remedy="Check the path and its permissions.",
        ) from fault
    except CheckpointError as fault:
        raise _naming_calls(fault, candidate) from fault
    unknown = CheckpointError(
        "not a checkpoint that voxgraft knows",
        file=path,
        expected=", or ".join(known),
        got=likeness,
        remedy="Give one of these.",
    )
    raise _naming_calls(unknown, candidate)


def _check_kind(candidate: CheckpointSource) -> None:
    """A folder or a file with something in it; a pipe would be waited for, a device read for ever."""
    path = candidate.path
    if not path.exists():
        raise CheckpointError("there is no such file", file=path, remedy="Give the path of a checkpoint.")
    if not path.is_dir() and not candidate.head:
        raise CheckpointError("the file is empty", file=path, remedy="Copy or download it again.")


def _naming_calls(fault: CheckpointError, candidate: CheckpointSource) -> CheckpointError:
    """The fault with what loading the file elsewhere would have run: whoever reads of it won't try."""
    try:
        calls = candidate.torch.unsafe_calls if candidate.torch else ()
    except (CheckpointError, OSError):
        # It says so itself.
        return fault
    if not calls:
        return fault
    return CheckpointError(
        f"{fault.problem}; a naive loader would have run {calls[0]}",
        file=fault.file,
        field=fault.field,
        expected=fault.expected,
        got=fault.got,
        remedy="Don't use this file; ask its maker for one with weights only.",
    )
