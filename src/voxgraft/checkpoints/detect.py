"""open_checkpoint: find out by content, never by name, what a file is, and read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voxgraft.checkpoints.candidate import Candidate
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import CheckpointError

ENTRY_POINTS = "voxgraft.readers"


@dataclass(frozen=True)
class Reader:
    """A format: what it is called, what it reads in a few words, how to know it by content and how to read it.

    A third party registers one under the entry-point group `voxgraft.readers`.
    """

    name: str
    reads: str
    recognises: Callable[[Candidate], bool]
    read: Callable[[Candidate], Checkpoint]


def readers() -> Iterator[Reader]:
    """Our own readers, then those that other packages registered."""
    from voxgraft.checkpoints.readers import (
        coqui_tts,
        ctranslate2,
        deepspeech,
        everyvoice,
        hugging_face,
        nemo,
        piper_ckpt,
        piper_onnx,
        tts_framework,
        vits_original,
        voxgraft,
    )

    yield Reader(
        hugging_face.FORMAT,
        "Hugging Face folders of VITS and MMS-TTS, wav2vec 2.0 and MMS, Whisper, Parakeet CTC (config.json with weights)",
        hugging_face.recognises,
        hugging_face.read,
    )
    yield Reader(
        ctranslate2.FORMAT, "Whisper as faster-whisper runs it (model.bin)", ctranslate2.recognises, ctranslate2.read
    )
    yield Reader(nemo.FORMAT, "FastConformer-CTC of NVIDIA's (.nemo)", nemo.recognises, nemo.read)
    yield Reader(voxgraft.FORMAT, "voices that voxgraft exported (.safetensors)", voxgraft.recognises, voxgraft.read)
    yield Reader(
        piper_onnx.FORMAT, "exported Piper voices (.onnx with .onnx.json)", piper_onnx.recognises, piper_onnx.read
    )
    yield Reader(
        everyvoice.FORMAT,
        "EveryVoice's text-to-spec and spec-to-wav checkpoints and the folders of its runs",
        everyvoice.recognises,
        everyvoice.read,
    )
    yield Reader(
        coqui_tts.FORMAT,
        "Coqui TTS' VITS, Glow-TTS, FastPitch, FastSpeech 2, Tacotron 2, HiFi-GAN, UnivNet and Multi-band MelGAN (.pth, or its folder)",
        coqui_tts.recognises,
        coqui_tts.read,
    )
    yield Reader(
        vits_original.FORMAT,
        "saves of the original VITS (G_*.pth, with D_*.pth and config.json beside it)",
        vits_original.recognises,
        vits_original.read,
    )
    yield Reader(
        piper_ckpt.FORMAT,
        "training checkpoints of Piper and voxgraft (.ckpt, .pth)",
        piper_ckpt.recognises,
        piper_ckpt.read,
    )
    yield Reader(
        tts_framework.FORMAT,
        "DelightfulTTS, UnivNet and HiFi-GAN of tts-framework, VoiceSmith and maum-ai (.ckpt, .pt)",
        tts_framework.recognises,
        tts_framework.read,
    )
    yield Reader(
        deepspeech.FORMAT,
        "training folders of Coqui STT and DeepSpeech (.index with .data-*)",
        deepspeech.recognises,
        deepspeech.read,
    )
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS):
        yield entry.load()


def is_checkpoint_folder(path: Path) -> bool:
    """Whether a folder as a whole is a checkpoint that a reader knows."""
    candidate = Candidate(path)
    return any(reader.recognises(candidate) for reader in readers())


def open_checkpoint(path: str | Path) -> Checkpoint:
    """Read any supported checkpoint, a file or a folder; the values of its tensors stay on disk until they are asked for.

    Raises CheckpointError where the file is absent, damaged, hostile or of a kind that no reader knows.
    """
    path = Path(path)
    if not path.exists():
        raise CheckpointError("there is no such file", file=path, remedy="Give the path of a checkpoint.")
    candidate = Candidate(path)
    try:
        if path.is_file() and not candidate.head:
            raise CheckpointError("the file is empty", file=path, remedy="Copy or download it again.")
        known = []
        for reader in readers():
            if reader.recognises(candidate):
                return reader.read(candidate)
            known.append(reader.reads)
        likeness = candidate.likeness
    except OSError as fault:
        raise CheckpointError(
            f"can't be read: {fault.strerror or fault}", file=path, remedy="Check the path and its permissions."
        ) from fault
    would_run = candidate.torch.unsafe_calls[:1] if candidate.torch else ()
    raise CheckpointError(
        "no checkpoint that is known here" + "".join(f"; a naive loader would have run {call}" for call in would_run),
        file=path,
        expected=", or ".join(known),
        got=likeness,
        remedy="Give one of these.",
    )
