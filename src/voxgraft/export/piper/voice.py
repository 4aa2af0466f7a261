"""export_piper: a VITS model as a voice that Piper, Home Assistant and sherpa-onnx speak with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from voxgraft.errors import ExportError
from voxgraft.export.piper.metadata import VoiceMetadata
from voxgraft.export.whole import whole_or_nothing
from voxgraft.files import write_atomically
from voxgraft.text.piper_ids import to_id_map

if TYPE_CHECKING:
    from voxgraft.models.vits import Vits

TOKENS = "tokens.txt"


def export_piper(model: Vits, metadata: VoiceMetadata, folder: str | Path) -> Path:
    """Write `ll_CC-name-quality.onnx`, its `.onnx.json` and sherpa-onnx's `tokens.txt`; returns the path of the first.

    The voice is verified against `model`, which stays as it is, before anything takes its final name.
    Raises ExportError; then the folder is as it was.
    """
    from voxgraft.export.piper.graph import folded_copy, trace
    from voxgraft.export.piper.verify import verify

    check_fits(model, metadata)
    name = f"{metadata.voice_name}.onnx"
    with whole_or_nothing(Path(folder), name) as partial, one_thread():
        twin = folded_copy(model)
        graph = trace(twin)
        for key, value in runtime_metadata(metadata).items():
            graph.metadata_props.add(key=key, value=value)
        write_atomically(partial / tokens_path(Path(folder), metadata).name, tokens_of(metadata))
        write_atomically(partial / f"{name}.json", voice_json(metadata))
        write_atomically(partial / name, graph.SerializeToString())
        verify(partial / name, twin)
    return Path(folder) / name


def voice_json(metadata: VoiceMetadata) -> str:
    """The text of the `.onnx.json`: what Piper reads, and the voice's provenance under `voxgraft`."""
    document = metadata.to_piper() | {"voxgraft": metadata.provenance()}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def tokens_path(folder: Path, metadata: VoiceMetadata) -> Path:
    """Where a voice's tokens go: `tokens.txt`, or NAME.tokens.txt where another voice's differing ones are there."""
    shared = folder / TOKENS
    others = [voice for voice in folder.glob("*.onnx") if voice.stem != metadata.voice_name]
    if others and shared.is_file() and shared.read_bytes() != tokens_of(metadata).encode():
        return folder / f"{metadata.voice_name}.{TOKENS}"
    return shared


def tokens_of(metadata: VoiceMetadata) -> str:
    """sherpa-onnx's `tokens.txt`: `symbol id` a line, first ids only.

    It reads one code point a symbol and stops at anything else; its phonemes are code points too, so nothing is lost.
    """
    ids = to_id_map(metadata.symbols) | {mark: [metadata.symbols.rows] for mark in metadata.stand_ins}
    single = [s for s in ids if len(s) == 1 and (s == " " or not s.isspace()) and ids[s]]
    return "".join(f"{symbol} {ids[symbol][0]}\n" for symbol in single)


def runtime_metadata(metadata: VoiceMetadata) -> Mapping[str, str]:
    """`metadata_props` of the ONNX file: what sherpa-onnx looks for, and the voice's provenance under `voxgraft`."""
    return {
        "model_type": "vits",
        "comment": "piper",
        "language": metadata.language.name_english,
        "voice": metadata.symbols.voice or "",
        "has_espeak": "1" if metadata.symbols.text_kind == "espeak" else "0",
        "n_speakers": str(metadata.speaker_count),
        "sample_rate": str(metadata.sample_rate),
        "voxgraft": json.dumps(metadata.provenance(), ensure_ascii=False, sort_keys=True),
    }


def check_fits(model: Vits, metadata: VoiceMetadata) -> None:
    """Compare what the metadata promises with the model. Raises ExportError naming the first field that differs."""
    promised = {
        "symbols": (metadata.symbols.rows, model.enc_p.emb.num_embeddings),
        "speakers": (metadata.speaker_count, model.speakers),
        "hop": (metadata.hop, model.hop),
    }
    for field, (wanted, found) in promised.items():
        if wanted != found:
            raise ExportError(
                "the model is not the one that is described",
                field=field,
                expected=wanted,
                got=found,
                remedy="Export with the configuration that the model was trained with.",
            )
    require_readable(metadata)


def require_readable(metadata: VoiceMetadata) -> None:
    """Raise ExportError where Piper has no voices that read such text."""
    if metadata.symbols.text_kind == "bytes":
        raise ExportError(
            "Piper has no voices that read bytes",
            field="text_kind",
            expected="espeak or text",
            got="bytes",
            remedy="Train on espeak-ng phonemes or characters.",
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread: sentences this short gain nothing from more, and on busy cores they wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
