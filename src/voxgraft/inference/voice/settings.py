"""What a voice's .onnx.json says: its symbols, rate, speakers and usual scales. Read with bounds; nothing is believed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxgraft.errors import CheckpointError
from voxgraft.json_file import read_json
from voxgraft.text.piper_ids import from_id_map
from voxgraft.text.symbols import SymbolTable

LARGEST_FILE = 16 * 2**20
LARGEST_COUNT = 1_000_000
HIGHEST_RATE = 384_000

_REMEDY = "Take the .onnx.json that was published with this voice."


@dataclass(frozen=True)
class VoiceSettings:
    """A voice's own settings. `speakers` maps each name to its id; empty for a single speaker."""

    sample_rate: int
    symbols: SymbolTable
    speakers: dict[str, int]
    speaker_count: int
    default_speaker: int
    noise_scale: float
    length_scale: float
    noise_w: float


def read_settings(path: Path) -> VoiceSettings:
    """Read a .onnx.json. Raises CheckpointError naming the file and the field."""
    config = _json_object(path)
    audio, inference = _part(config, "audio", path), _part(config, "inference", path)
    count = _number(config, "num_speakers", path, default=1, lowest=0, highest=LARGEST_COUNT)
    return VoiceSettings(
        sample_rate=_number(audio, "sample_rate", path, field="audio.sample_rate", lowest=1, highest=HIGHEST_RATE),
        symbols=_symbols(config, path),
        speakers=_speakers(config, count, path),
        speaker_count=count,
        default_speaker=_number(config, "default_speaker_id", path, default=0, lowest=0, highest=max(count - 1, 0)),
        noise_scale=_scale(inference, "noise_scale", 0.667, path),
        length_scale=_scale(inference, "length_scale", 1.0, path),
        noise_w=_scale(inference, "noise_w", 0.8, path),
    )


def _json_object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(
            "a voice needs its settings beside it, and they are missing",
            file=path,
            remedy="Put the voice's .onnx.json next to the .onnx, under the same name.",
        )
    config = read_json(path, limit=LARGEST_FILE, remedy=_REMEDY)
    if not isinstance(config, dict):
        raise _fault(path, None, "not a voice's settings", "a JSON object", type(config).__name__)
    return config


def _symbols(config: dict[str, Any], path: Path) -> SymbolTable:
    id_map = config.get("phoneme_id_map")
    if not isinstance(id_map, dict) or not id_map:
        raise _fault(path, "phoneme_id_map", "missing or empty", "an object: symbol to list of ids", _kind(id_map))
    ids = {}
    for symbol, numbers in id_map.items():
        whole = isinstance(numbers, list) and all(type(number) is int and number >= 0 for number in numbers)
        if not whole:
            raise _fault(path, f"phoneme_id_map[{symbol!r}]", "not ids", "a list of whole numbers from 0", numbers)
        ids[symbol] = tuple(numbers)
    used = 1 + max((number for numbers in ids.values() for number in numbers), default=0)
    rows = _number(config, "num_symbols", path, default=used, lowest=1, highest=LARGEST_COUNT)
    if used > rows:
        raise _fault(path, "phoneme_id_map", "an id is outside the voice's symbols", f"ids below {rows}", used - 1)
    kind = config.get("phoneme_type") or "espeak"
    if not isinstance(kind, str):
        raise _fault(path, "phoneme_type", "not a kind of text", "espeak or text", _kind(kind))
    espeak = _part(config, "espeak", path)
    voice = espeak.get("voice")
    if not isinstance(voice, str) and (kind == "espeak" or voice is not None):
        raise _fault(path, "espeak.voice", "missing", "the name of an espeak-ng voice such as en-us", _kind(voice))
    return from_id_map(ids, rows, kind, voice, _clusters(config, path))  # type: ignore[arg-type]


def _clusters(config: dict[str, Any], path: Path) -> tuple[str, ...]:
    clusters = config.get("vowel_clusters") or []
    if not isinstance(clusters, list):
        raise _fault(path, "vowel_clusters", "not a list", "a list of symbols that count as one", _kind(clusters))
    joined = []
    for cluster in clusters:
        parts = cluster if isinstance(cluster, list) else [cluster]
        if not all(isinstance(part, str) for part in parts):
            raise _fault(path, "vowel_clusters", "not text", "symbols that count as one", cluster)
        joined.append("".join(parts))
    return tuple(joined)


def _speakers(config: dict[str, Any], count: int, path: Path) -> dict[str, int]:
    named = config.get("speaker_id_map") or {}
    if not isinstance(named, dict):
        raise _fault(path, "speaker_id_map", "not an object", "an object: name to id", _kind(named))
    for name, number in named.items():
        if type(number) is not int or not 0 <= number < max(count, 1):
            raise _fault(path, f"speaker_id_map[{name!r}]", "no such speaker", f"0 to {max(count, 1) - 1}", number)
    if not named and count > 1:
        named = {str(number): number for number in range(count)}
    return dict(sorted(named.items(), key=lambda speaker: speaker[1]))


def _part(config: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    part = config.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise _fault(path, name, "not an object", "an object", _kind(part))
    return part


def _number(
    config: dict[str, Any],
    name: str,
    path: Path,
    *,
    lowest: int,
    highest: int,
    field: str | None = None,
    default: int | None = None,
) -> int:
    number = config.get(name)
    if number is None and default is not None:
        return default
    if type(number) is not int or not lowest <= number <= highest:
        expected = f"a whole number from {lowest} to {highest}"
        raise _fault(path, field or name, "missing" if number is None else "out of range", expected, number)
    return number


def _scale(inference: dict[str, Any], name: str, default: float, path: Path) -> float:
    number = inference.get(name)
    if number is None:
        return default
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 100:
        raise _fault(path, f"inference.{name}", "out of range", "a number from 0 to 100", number)
    return float(number)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


def _fault(path: Path, field: str | None, problem: str, expected: object, got: object) -> CheckpointError:
    shown = str(got)
    return CheckpointError(
        problem,
        file=path,
        field=field,
        expected=expected,
        got=shown if len(shown) <= 80 else shown[:77] + "…",
        remedy=_REMEDY,
    )
