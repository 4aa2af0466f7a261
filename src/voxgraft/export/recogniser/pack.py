"""write_recogniser_pack: a recogniser with everything that its next owner needs, in one folder or archive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.export.pack import CARD, Pack, archive_of
from voxgraft.export.piper.metadata import NOT_STATED
from voxgraft.export.recogniser.onnx import export_recogniser
from voxgraft.export.recogniser.sherpa import sherpa_onnx_of, tokens_beside
from voxgraft.files import write_atomically
from voxgraft.inference.recogniser.settings import settings_path


def write_recogniser_pack(
    checkpoint: Checkpoint, folder: Path, name: str, *, test: Mapping[str, Any] | None = None, archive: bool = False
) -> Pack:
    """Write FOLDER/NAME/ with the model and its settings, its weights as safetensors, its alphabet and a card.

    `test` is what a run's test.json holds. With `archive`, FOLDER/NAME.zip holds the same. Raises ExportError.
    """
    home = folder / name
    model = export_recogniser(checkpoint, home, name)
    write_safetensors(home / f"{name}.safetensors", checkpoint)
    write_atomically(home / "alphabet.txt", _alphabet(checkpoint))
    write_atomically(home / CARD, recogniser_card(checkpoint, name, test))
    names = [model.name, settings_path(model).name, *(tokens.name for tokens in tokens_beside(model))]
    names += [f"{name}.safetensors", "alphabet.txt", CARD]
    return Pack(home, model, tuple(home / file for file in names), archive_of(home, names) if archive else None)


def recogniser_card(checkpoint: Checkpoint, name: str, test: Mapping[str, Any] | None = None) -> str:
    """Markdown: what it is, where it comes from, how it did in its test, how to use it."""
    provenance, symbols = checkpoint.provenance, checkpoint.symbols
    hearing = checkpoint.features or checkpoint.audio
    labels = "bytes of UTF-8" if symbols and symbols.text_kind == "bytes" else f"{len(symbols or ()) - 1} labels"
    facts = {
        "Architecture": checkpoint.family,
        "Writes": labels,
        "Hears": f"{hearing.sample_rate} Hz" if hearing else NOT_STATED,
        "Language": ", ".join(checkpoint.languages) or NOT_STATED,
        "Licence": provenance.licence or NOT_STATED,
        "Base": checkpoint.config.get("base") or NOT_STATED,
        "SHA-256 of the corpus": provenance.dataset or "not recorded",
        "Epoch and step": f"{checkpoint.epoch}, {checkpoint.step}" if checkpoint.step is not None else "not recorded",
    }
    blocks = (
        f"# {name}",
        "\n".join(f"* {title}: {' '.join(str(value).split())}" for title, value in facts.items()),
        "## Test\n\n" + _scores(test),
        "## How to use it\n\n"
        f"* `voxgraft transcribe {name}.onnx RECORDING`; `{name}.onnx.json` stays beside it.\n"
        f"* {sherpa_onnx_of(checkpoint.family, hearing, symbols).note if hearing and symbols else NOT_STATED}.\n"
        f"* `{name}.safetensors` holds the weights to train on: `base: {name}.safetensors` in a voxgraft project.",
    )
    return "\n\n".join(blocks) + "\n"


def _scores(test: Mapping[str, Any] | None) -> str:
    if test is None:
        return "Not measured."
    rows = [(title, test.get(part)) for title, part in (("base", "base"), ("this recogniser", "result"))]
    lines = [f"| {title} | {_cell(row['wer'])} | {_cell(row['cer'])} |" for title, row in rows if row]
    return "\n".join(
        ["| | WER, % | CER, % |", "|---|---|---|", *lines, "", "Greedy decoding, uncapped; in brackets 95 % intervals."]
    )


def _cell(interval: Any) -> str:
    if interval is None:
        return "–"
    value, low, high = (100 * float(number) for number in interval)
    return f"{value:.1f} ({low:.1f}–{high:.1f})"


def _alphabet(checkpoint: Checkpoint) -> str:
    from voxgraft.text.alphabet import alphabet_text

    symbols = checkpoint.symbols
    if symbols is None or symbols.text_kind == "bytes":
        return "# bytes of UTF-8\n"
    return alphabet_text([symbol for symbol in symbols.symbols if symbol != symbols.blank])
