"""voice_card: the page that goes with a voice, for the people who get it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voxgraft.errors import ExportError
from voxgraft.export.piper.metadata import NOT_STATED, BaseProvenance, VoiceMetadata

ROLES = (("base", "base"), ("result", "this voice"), ("recordings", "the speaker's recordings"))


@dataclass(frozen=True)
class Column:
    """One measure: title with its unit, factor from what `evaluate` writes, decimals, which way is better."""

    title: str
    factor: float
    digits: int
    better: str


COLUMNS: Mapping[str, Column] = {
    "cer": Column("CER, %", 100, 1, "lower"),
    "wer": Column("WER, %", 100, 1, "lower"),
    "speaker_similarity": Column("speaker similarity", 1, 2, "higher"),
    "dnsmos": Column("DNSMOS", 1, 2, "higher"),
    "mcd": Column("MCD, dB", 1, 1, "lower"),
    "f0_rmse": Column("F0 error, Hz", 1, 1, "lower"),
}


def voice_card(metadata: VoiceMetadata, scores: Mapping[str, Any] | None = None) -> str:
    """Markdown. `scores` is what `voxgraft evaluate --json` prints; None leaves a line that none were measured."""
    blocks = (
        f"# {metadata.voice_name}",
        _facts(metadata),
        "## Where it comes from\n\n" + _provenance(metadata),
        "## Scores\n\n" + score_table(scores),
        "## How to use it\n\n" + _usage(metadata),
    )
    return "\n\n".join(blocks) + "\n"


def score_table(scores: Mapping[str, Any] | None) -> str:
    """A Markdown table of `base`, `result` and `recordings`, each value with its 95 % interval."""
    measured = {role: row for role, _ in ROLES if scores and isinstance(row := scores.get(role), Mapping)}
    if not measured:
        return "Not measured."
    titles = dict(ROLES)
    lines = [
        "| measure | better | " + " | ".join(titles[role] for role in measured) + " |",
        "|---|---|" + "---|" * len(measured),
    ]
    for name, column in COLUMNS.items():
        cells = [_cell(row.get(name), column, name) for row in measured.values()]
        if any(cells):
            lines.append(f"| {column.title} | {column.better} | " + " | ".join(cell or "–" for cell in cells) + " |")
    return "\n".join(lines) + "\n\nIn brackets: 95 % confidence intervals."


def _cell(value: object, column: Column, name: str) -> str:
    if value is None:
        return ""
    items = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    numbers = [float(item) for item in items if isinstance(item, int | float)]
    if len(items) not in (1, 3) or len(numbers) != len(items):
        raise ExportError(
            "not scores as `voxgraft evaluate --json` prints them",
            field=name,
            expected="[value, low, high]",
            got=str(value)[:80],
            remedy="Give the file that `voxgraft evaluate --json` wrote.",
        )
    shown = [f"{column.factor * number:.{column.digits}f}" for number in numbers]
    return shown[0] if len(shown) == 1 else f"{shown[0]} ({shown[1]}–{shown[2]})"


def _facts(metadata: VoiceMetadata) -> str:
    language = metadata.language
    country = f", {language.country_english}" if language.country_english else ""
    speakers = f"{metadata.speaker_count} ({', '.join(metadata.speakers)})" if metadata.speakers else "1"
    return _list(
        {
            "Language": f"{language.code} ({language.name_english}{country})",
            "Speakers": speakers,
            "Quality": metadata.quality,
            "Sample rate": f"{metadata.sample_rate} Hz",
            "Text": "espeak-ng phonemes" if metadata.symbols.text_kind == "espeak" else "characters",
            "License": ", ".join(metadata.licences) or NOT_STATED,
        }
    )


def _provenance(metadata: VoiceMetadata) -> str:
    base = metadata.base
    facts = {
        "Base": base.name if base else "none, trained from scratch",
        "SHA-256 of the base": base.sha256 if base else None,
        "Licence of the base": (base.licence or NOT_STATED) if base else None,
        "Source of the base": base.source if base else None,
        **_vocoder(metadata.vocoder),
        "SHA-256 of the corpus": metadata.corpus_sha256 or "not recorded",
        "Consent of the speaker": metadata.consent or NOT_STATED,
        "Epoch and step": None if metadata.step is None else f"{metadata.epoch}, {metadata.step}",
    }
    return _list({name: value for name, value in facts.items() if value is not None})


def _vocoder(vocoder: BaseProvenance | None) -> dict[str, str | None]:
    """Of a voice that is a text-to-spec model and a vocoder."""
    if vocoder is None:
        return {}
    return {
        "Vocoder": vocoder.name,
        "SHA-256 of the vocoder": vocoder.sha256,
        "Licence of the vocoder": vocoder.licence or NOT_STATED,
    }


def _list(facts: Mapping[str, str]) -> str:
    return "\n".join(f"* {name}: {' '.join(value.split())}" for name, value in facts.items())


def _usage(metadata: VoiceMetadata) -> str:
    name = metadata.voice_name
    return f"""`{name}.onnx` and `{name}.onnx.json` stay together, under these names.

* voxgraft: `voxgraft say {name}.onnx "Some text." -o out.wav`
* Piper: `python -m piper -m {name}.onnx -f out.wav -- "Some text."`
* Home Assistant: copy both to `/share/piper`, where the Piper add-on looks for custom voices.
* sherpa-onnx: `{name}.onnx` as the VITS model, with `tokens.txt`.

{_weights(metadata)}"""


def _weights(metadata: VoiceMetadata) -> str:
    if metadata.vocoder is None:
        name = f"{metadata.voice_name}.safetensors"
        return f"`{name}` holds the weights to train on: `base: {name}` in a voxgraft project."
    return (
        "`text-to-spec.safetensors` and `vocoder.safetensors` hold the weights to train on: `base: text-to-spec.safetensors` and "
        "`acoustic.vocoder: vocoder.safetensors` in a voxgraft project."
    )
