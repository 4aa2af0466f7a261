"""export_acoustic: a text-to-spec model as one ONNX file, which says what it is and runs without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError, VoxgraftError
from voxgraft.export.acoustic.families import controls_of, named, require_text_to_spec, spectrogram_of, tables_of
from voxgraft.export.acoustic.framing import Framing
from voxgraft.export.acoustic.sherpa import matcha_metadata, matcha_tokens
from voxgraft.export.piper.voice import one_thread
from voxgraft.export.whole import whole_or_nothing
from voxgraft.files import write_atomically
from voxgraft.inference.acoustic.acoustic import Acoustic
from voxgraft.inference.acoustic.controls import Controls
from voxgraft.inference.acoustic.settings import METADATA_KEY, AcousticSettings

TOLERANCE = 1e-4
TOKENS = "tokens.txt"


def export_acoustic(checkpoint: Checkpoint, folder: str | Path, name: str) -> Path:
    """Write FOLDER/NAME.onnx, verified against torch before it takes its name, and the `tokens.txt` of sherpa-onnx.

    Raises ExportError; then the folder is as it was.
    """
    from voxgraft.export.acoustic.graph import acoustic_graph
    from voxgraft.export.acoustic.load import load_network

    require_text_to_spec(checkpoint)
    tables = tables_of(checkpoint.family, checkpoint.architecture)
    settings = settings_of(checkpoint, name)
    network = load_network(checkpoint)
    with whole_or_nothing(Path(folder), f"{name}.onnx") as partial, one_thread():
        graph = acoustic_graph(
            checkpoint.family,
            network,
            Framing.of(settings.symbols),
            several_speakers=tables.speakers > 1,
            several_languages=tables.languages > 1,
        )
        for key, value in (matcha_metadata(settings) | {METADATA_KEY: settings.to_json()}).items():
            graph.metadata_props.add(key=key, value=value)
        write_atomically(partial / TOKENS, matcha_tokens(settings.symbols))
        write_atomically(partial / f"{name}.onnx", graph.SerializeToString())
        verify_acoustic(partial / f"{name}.onnx", checkpoint, network)
    return Path(folder) / f"{name}.onnx"


def settings_of(checkpoint: Checkpoint, name: str) -> AcousticSettings:
    """What a checkpoint's export says of itself."""
    tables = tables_of(checkpoint.family, checkpoint.architecture)
    scales = checkpoint.inference
    assert checkpoint.symbols is not None, "required before"
    return AcousticSettings(
        family=checkpoint.family,
        name=name,
        symbols=checkpoint.symbols,
        audio=spectrogram_of(checkpoint),
        speakers=named(checkpoint.speakers, tables.speakers),
        languages=named(checkpoint.languages, tables.languages),
        controls=controls_of(checkpoint.family, checkpoint.architecture),
        length_scale=scales.get("length_scale", 1.0),
        noise_scale=scales.get("noise_scale", 0.667),
        statistics=dict(checkpoint.config.get("statistics") or checkpoint.config.get("stats") or {}),
        about=_about(checkpoint),
    )


def verify_acoustic(onnx: Path, checkpoint: Checkpoint, network: Any) -> float:
    """The largest difference of any value of a spectrogram between the file and torch, as a share of it where it is beyond 1."""
    from voxgraft.export.acoustic.verify import Sentence, compared, sentences

    try:
        acoustic = Acoustic.load(onnx, threads=1)
    except VoxgraftError as fault:
        raise ExportError(
            f"the exported model can't be used: {fault.problem}", field=fault.field, remedy=fault.remedy
        ) from fault

    def exported(said: Sentence) -> np.ndarray:
        turned = {name.removesuffix("_scale"): value for name, value in said.turned(acoustic.settings.controls).items()}
        pace = turned.pop("length", None)
        speaker = said.speaker if acoustic.settings.speakers else None
        language = said.language if acoustic.settings.languages else None
        return acoustic.mel(said.ids, Controls(pace, **turned, noise=0.0, speaker=speaker, language=language)).mel

    tables = tables_of(checkpoint.family, checkpoint.architecture)
    return max(
        compared(checkpoint.family, network, sentence, exported, lambda mel: mel[0].numpy(), TOLERANCE)
        for sentence in sentences(checkpoint, tables)
    )


def _about(checkpoint: Checkpoint) -> dict[str, Any]:
    known = {
        "licence": checkpoint.provenance.licence,
        "source": checkpoint.provenance.source,
        "dataset": checkpoint.provenance.dataset,
        "base": checkpoint.config.get("base"),
        "sha256": checkpoint.provenance.sha256,
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
    }
    return {name: value for name, value in known.items() if value is not None}
