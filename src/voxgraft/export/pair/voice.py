"""export_pair: a text-to-spec model and its vocoder as one voice that speaks wherever a Piper voice does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voxgraft.errors import ExportError, VoxgraftError
from voxgraft.export.acoustic.framing import Framing
from voxgraft.export.acoustic.verify import compared, sentences
from voxgraft.export.pair.pair import Pair
from voxgraft.export.piper.metadata import VoiceMetadata
from voxgraft.export.piper.voice import (
    one_thread,
    require_readable,
    runtime_metadata,
    tokens_of,
    tokens_path,
    voice_json,
)
from voxgraft.export.whole import whole_or_nothing
from voxgraft.files import write_atomically

# Of full scale.
TOLERANCE = 1e-3


def export_pair(pair: Pair, metadata: VoiceMetadata, folder: str | Path, *, for_piper: bool = True) -> Path:
    """Write `ll_CC-name-quality.onnx`, its `.onnx.json` and sherpa-onnx's `tokens.txt`; returns the path of the first.

    What is not `for_piper` may read a kind of text that only voxgraft reads. It is verified against torch before anything takes its final name. Raises ExportError; then the folder is as it was.
    """
    from voxgraft.export.acoustic.graph import fused_graph

    _check_fits(pair, metadata)
    if for_piper:
        require_readable(metadata)
    name = f"{metadata.voice_name}.onnx"
    with whole_or_nothing(Path(folder), name) as partial, one_thread():
        graph = fused_graph(
            pair.acoustic.family,
            pair.acoustic_network,
            Framing.of(metadata.symbols),
            pair.vocoder_network,
            several_speakers=pair.tables.speakers > 1,
            several_languages=pair.tables.languages > 1,
            language=metadata.default_language,
        )
        for key, value in runtime_metadata(metadata).items():
            graph.metadata_props.add(key=key, value=value)
        write_atomically(partial / tokens_path(Path(folder), metadata).name, tokens_of(metadata))
        write_atomically(partial / f"{name}.json", voice_json(metadata))
        write_atomically(partial / name, graph.SerializeToString())
        verify_pair(partial / name, pair)
    return Path(folder) / name


def export_notes(metadata: VoiceMetadata) -> tuple[str, ...]:
    """What the user should know of a voice that is written."""
    return (*_language_note(metadata), *_spelling_note(metadata))


def _language_note(metadata: VoiceMetadata) -> tuple[str, ...]:
    if metadata.language.code != "und":
        return ()
    return (
        "nobody says which language it speaks: name it with --language (de, ru …), and Home Assistant lists it there",
    )


def _spelling_note(metadata: VoiceMetadata) -> tuple[str, ...]:
    """What other runtimes make of a model whose symbols are spelt with several letters; nothing where none are."""
    joined = [symbol for symbol in metadata.symbols.clusters if len(symbol) > 1 and not symbol.startswith("<")]
    if not joined:
        return ()
    shown = ", ".join(joined[:6]) + (", …" if len(joined) > 6 else "")
    return (
        f"symbols of several letters ({shown}) are known to voxgraft alone: Piper and sherpa-onnx read letter by letter",
    )


def verify_pair(onnx: Path, pair: Pair) -> float:
    """The largest difference of any sample between the file and torch, at no noise; ExportError where it is too large."""
    import torch

    from voxgraft.inference.voice.voice import Voice

    try:
        voice = Voice.load(onnx, threads=1)
    except VoxgraftError as fault:
        raise ExportError(
            f"the exported voice can't be used: {fault.problem}", field=fault.field, remedy=fault.remedy
        ) from fault
    scales = {"noise_scale": 0.0, "noise_w": 0.0}

    def ours(mel: torch.Tensor) -> np.ndarray:
        return pair.vocoder_network(mel).reshape(-1).numpy()

    worst = 0.0
    for sentence in sentences(pair.acoustic, pair.tables):
        worst = max(
            worst,
            compared(
                pair.acoustic.family,
                pair.acoustic_network,
                sentence,
                lambda said: voice.speak_ids(
                    said.ids,
                    **scales,
                    **said.turned(voice.settings.controls),
                    speaker=said.speaker if voice.speakers else None,
                    language=said.language if voice.languages else None,
                ),
                ours,
                TOLERANCE,
            ),
        )
    return worst


def _check_fits(pair: Pair, metadata: VoiceMetadata) -> None:
    rows = pair.acoustic.architecture.get("symbols")
    if rows is not None and metadata.symbols.rows != rows:
        raise ExportError(
            "the symbols are not those of the model",
            file=pair.acoustic.provenance.path,
            field="symbols",
            expected=rows,
            got=metadata.symbols.rows,
            remedy="Put the model's own configuration beside it.",
        )
