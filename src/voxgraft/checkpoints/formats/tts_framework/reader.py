"""Checkpoints of tts-framework (DelightfulTTS, UnivNet, HiFi-GAN), VoiceSmith and maum-ai's UnivNet.

VoiceSmith writes `{gen, optim, steps}` and `{generator, discriminator, optim_g, optim_d, steps}`, tts-framework Lightning's
.ckpt; none records which symbols, speakers or settings it was trained with.
"""

from __future__ import annotations

import math
from typing import Any

from voxgraft.architectures.completeness import check_complete
from voxgraft.architectures.dimensions.delightful import delightful_architecture, delightful_shapes
from voxgraft.architectures.dimensions.hifigan import hifigan_architecture
from voxgraft.architectures.dimensions.univnet import AUTHORS, generator_shapes, univnet_architecture
from voxgraft.architectures.families import family_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.formats.tts_framework.audio import (
    acoustic_audio,
    hifigan_audio,
    recorded_audio,
    univnet_audio,
)
from voxgraft.checkpoints.formats.tts_framework.names import names_of
from voxgraft.checkpoints.formats.tts_framework.save import Save, save_in
from voxgraft.checkpoints.formats.tts_framework.symbols import (
    EARLIER_ROWS,
    LANGUAGES,
    tts_framework_symbols,
    voicesmith_symbols,
)
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.text.symbols import SymbolTable

FORMAT = "tts-framework"
BEFORE = {"hugging-face": "the names of its tensors are in the file itself; a config.json is only near it"}
_BASIS = "tacotronSTFT.mel_basis"
# tts-framework's only HiFi-GAN: kernels -> what they don't tell. Its third rate is its kernel's whole width.
_HIFIGANS: dict[tuple[int, ...], dict[str, Any]] = {
    (16, 16, 4, 4): {"upsample_rates": (8, 8, 4, 2), "resblock_dilation_sizes": ((1, 3, 5),) * 3}
}
_WIDENED = (384, 385)
_DAMAGED = "The file is damaged or was put together wrongly: copy or download it again."


def recognises(candidate: CheckpointSource) -> bool:
    """True for a file of torch.save that holds one of their models."""
    return candidate.torch is not None and save_in(candidate.torch.content) is not None


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read a model; dimensions come from its tensors, the rest from what its maker always does, which is noted."""
    path, file = candidate.path, candidate.torch
    save = save_in(file.content) if file else None
    if file is None or save is None:
        raise CheckpointError("not a checkpoint of tts-framework or VoiceSmith", file=path, remedy=_DAMAGED)
    notes = [*save.notes, *(f"a naive loader would have run {call}" for call in file.unsafe_calls)]
    licence, source = stated_licence(path)
    symbols: SymbolTable | None = None
    with naming_file(path):
        tensors = _tensors(save, candidate, notes)
        if save.family == "delightful":
            architecture, audio = _delightful(save, tensors, notes)
            symbols = _symbols(save.variant, architecture["symbols"], notes)
        elif save.family == "univnet":
            architecture, audio = _univnet(save, candidate, tensors, notes)
        else:
            architecture, audio = _hifigan(save, tensors, notes)
    return Checkpoint(
        family=save.family,
        variant=save.variant,
        architecture=architecture,
        tensors=tensors,
        provenance=Provenance(path, FORMAT, candidate.sha256, licence, source, unsafe_globals=file.unsafe_globals),
        symbols=symbols,
        audio=audio,
        speakers=tuple(map(str, range(architecture.get("speakers", 0)))),
        languages=_languages(architecture, notes),
        epoch=save.epoch,
        step=save.steps,
        learning_rate=save.learning_rate,
        training_state=save.training_state or None,
        missing=family_of(save.family).missing(tensors),
        notes=tuple(notes),
    )


def _tensors(save: Save, candidate: CheckpointSource, notes: list[str]) -> TensorStore:
    """The model's tensors under canonical names; what is no part of it is noted."""
    tensors: dict[str, LazyTensor] = {}
    left_out = []
    for name, canonical in names_of(save.family, save.variant, save.state).items():
        tensor = save.state[name]
        if canonical is None or not isinstance(tensor, TorchTensor):
            left_out.append(name)
        elif canonical in tensors:
            raise CheckpointError("two tensors are the same part of the model", field=name[:120], remedy=_DAMAGED)
        else:
            tensors[canonical] = LazyTensor(tensor.shape, tensor.load)
    if left_out:
        shown = left_out[0][:120]
        notes.append(f"{len(left_out)} entries are no part of the model and left out, such as {shown}")
    return TensorStore(tensors, candidate.path)


def _delightful(save: Save, tensors: TensorStore, notes: list[str]) -> tuple[dict[str, Any], AudioSpec | None]:
    # How either trains: VoiceSmith on what its reference encoders hear, tts-framework on what it predicts, pitch in Hz.
    trained = {"reference_prosody": save.variant == "voicesmith", "pitch_in_hertz": save.variant == "tts-framework"}
    architecture = delightful_architecture(tensors.shapes) | trained
    check_complete(tensors.shapes, delightful_shapes(architecture))
    if architecture["pitch_bins"]:
        notes.append(
            f"pitch goes through a table of {architecture['pitch_bins']} rows (pitch_adaptor), which tts-framework "
            "replaced by a convolution: none of it fits there"
        )
        if "pitch_adaptor.pitch_bins" not in tensors:
            notes.append("the pitches of that table's rows are not in the file")
    speaker, width = architecture["speaker_channels"], _conditioning(tensors)
    if not architecture["decoder_knows_language"]:
        notes.append(
            f"the decoder is conditioned on {speaker} numbers of the speaker and none of the language: tts-framework "
            f"widens this to {width + 1} with random numbers when it loads such a file"
        )
    elif save.variant == "tts-framework" and (speaker, width) == _WIDENED:
        notes.append(
            f"the decoder's conditioning is {width} wide: if training began from VoiceSmith's {speaker}, tts-framework "
            "filled the last column with random numbers"
        )
    notes.append(f"its {architecture['speakers']} speakers are numbered: their names are not in the file")
    return architecture, acoustic_audio(save.variant, architecture["mels"], notes)


def _conditioning(tensors: TensorStore) -> int:
    return tensors.shapes["decoder.layer_stack.0.conditioning.embedding_proj.weight"][1]


def _univnet(
    save: Save, candidate: CheckpointSource, tensors: TensorStore, notes: list[str]
) -> tuple[dict[str, Any], AudioSpec | None]:
    architecture = univnet_architecture(tensors.shapes, AUTHORS)
    check_complete(tensors.shapes, generator_shapes(architecture))
    if save.variant == "maum-ai":
        content = candidate.torch.content if candidate.torch else {}
        return architecture, recorded_audio(content, architecture["mels"], candidate.path, notes)
    return architecture, univnet_audio(architecture["mels"], math.prod(architecture["strides"]), notes)


def _hifigan(save: Save, tensors: TensorStore, notes: list[str]) -> tuple[dict[str, Any], AudioSpec | None]:
    kernels = tuple(
        shape[2]
        for name, shape in sorted(tensors.shapes.items())
        if name.startswith("generator.ups.") and len(shape) == 3 and name.endswith((".weight", ".weight_v"))
    )
    architecture, found = hifigan_architecture(tensors.shapes, _HIFIGANS.get(kernels))
    notes += found
    upsampling = math.prod(architecture["upsample_rates"])
    return architecture, hifigan_audio(save.state.get(_BASIS), architecture["mels"], upsampling, notes)


def _symbols(variant: str, rows: int, notes: list[str]) -> SymbolTable | None:
    """The table that its maker's program has; the file names none."""
    table = tts_framework_symbols(rows) if variant == "tts-framework" else voicesmith_symbols(rows)
    if table is not None:
        held = "the IPA of tts-framework's tokenizer" if table.text_kind == "espeak" else "bytes, as in VoiceSmith"
        notes.append(f"which symbols its ids mean is not recorded: assumed {held}")
    else:
        were = EARLIER_ROWS.get(rows, "of no version that is known")
        notes.append(f"which symbols its ids mean is not recorded, and its {rows} rows are {were}")
    return table


def _languages(architecture: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
    rows = architecture.get("languages", 0)
    if not rows:
        return ()
    if architecture["language_channels"] == 1:
        notes.append("languages are one number wide, as in the configuration for English alone")
    if rows == len(LANGUAGES):
        return LANGUAGES
    notes.append(f"its {rows} rows of languages are not the {len(LANGUAGES)} that its makers list: numbered")
    return tuple(map(str, range(rows)))
