"""export_side_by_side: a text-to-spec model and its vocoder as two files, for who runs one after the other."""

from __future__ import annotations

from pathlib import Path

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.acoustic.onnx import TOKENS, export_acoustic
from voxgraft.export.pair.pair import require_pair
from voxgraft.export.vocoder.onnx import export_vocoder
from voxgraft.export.whole import whole_or_nothing
from voxgraft.inference.acoustic.pair import VOCODER

_OF_SHERPA = ("hifigan", "vocos")


def export_side_by_side(
    acoustic: Checkpoint, vocoder: Checkpoint | None, folder: Path, name: str, *, sherpa: bool = False
) -> tuple[Path, ...]:
    """Write FOLDER/NAME.onnx, its `tokens.txt`, and `vocoder.onnx` beside them where there is one.

    With `sherpa` the vocoder is laid out as sherpa-onnx's Matcha loader takes it. Each is verified against torch before any
    takes its name. Raises ExportError; then the folder is as it was.
    """
    if vocoder is not None:
        require_pair(acoustic, vocoder)
        if sherpa:
            require_sherpa(vocoder)
    with whole_or_nothing(folder, f"{name}.onnx") as partial:
        export_acoustic(acoustic, partial, name)
        if vocoder is not None:
            export_vocoder(vocoder, partial / VOCODER, spectrum=sherpa and vocoder.family == "vocos")
    written = (folder / f"{name}.onnx", folder / VOCODER, folder / TOKENS)
    return written if vocoder is not None else (written[0], written[2])


def require_sherpa(vocoder: Checkpoint) -> None:
    """Raise ExportError where sherpa-onnx's Matcha loader takes no such vocoder."""
    if vocoder.family not in _OF_SHERPA:
        raise ExportError(
            "sherpa-onnx has no loader for such a vocoder beside a text-to-spec model",
            file=vocoder.provenance.path,
            field="vocoder",
            expected=" or ".join(family_of(name).title for name in _OF_SHERPA),
            got=family_of(vocoder.family).title,
            remedy="Export the pair as one voice, which sherpa-onnx speaks with too: --to piper.",
        )


SHERPA_NOTE = (
    f"it runs in sherpa-onnx: OfflineTtsMatchaModelConfig(acoustic_model=…, vocoder={VOCODER!r}, tokens={TOKENS!r}), which takes "
    "phonemes as code points"
)
