"""What a voice's .onnx.json says: its symbols, rate, speakers and usual scales. Read with bounds; nothing is believed.

The one reader of these files: what speaks can be a base, and what is shown as able to speak does. What a file leaves out, or
gives as null, is as in Piper. Fields: https://github.com/rhasspy/piper (what its runtime requires and its trainer writes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from voxgraft.errors import CheckpointError, shown
from voxgraft.inference.voice.scales import NAMES, PIPERS
from voxgraft.json_file import read_json
from voxgraft.text.piper_ids import from_id_map, text_kind_of
from voxgraft.text.symbols import SymbolTable

LARGEST_FILE = 16 * 2**20
LARGEST_COUNT = 2**20
LOWEST_RATE, HIGHEST_RATE = 4000, 192_000
MOST_IDS = 64
# Below this a sentence would take no time at all.
SHORTEST = 0.001
# Short, so that no text takes long to read.
_NUMBER = re.compile(r" *-?[0-9]{1,18}(\.[0-9]{1,18})? *", re.ASCII)

_REMEDY = "Take the .onnx.json that was published with this voice."


@dataclass(frozen=True)
class VoiceSettings:
    """A voice's own settings.

    `symbols` has the rows that the file states, else as many as its ids need. `speakers` maps each name to its id; empty
    for a single speaker. `hop` is in samples, None where it is not stated. `language` is a code such as en_US. `only_speaker` is the name of a single
    speaker. `scales_taken` names the numbers that `scales` takes; `controls` those of them that the voice heeds and
    `languages` what it can speak, in the order of their ids, where it is made of a text-to-spec model and a vocoder.
    """

    sample_rate: int
    symbols: SymbolTable
    speakers: dict[str, int]
    speaker_count: int
    default_speaker: int
    noise_scale: float
    length_scale: float
    noise_w: float
    hop: int | None = None
    language: str | None = None
    dataset: str | None = None
    only_speaker: str | None = None
    scales_taken: tuple[str, ...] = PIPERS
    controls: tuple[str, ...] = PIPERS
    languages: tuple[str, ...] = ()
    default_language: int = 0

    @property
    def scales(self) -> dict[str, float]:
        """What the voice sounds best with."""
        return {"noise_scale": self.noise_scale, "length_scale": self.length_scale, "noise_w": self.noise_w}

    def speaker_names(self, count: int) -> tuple[str, ...]:
        """A name for each of `count` ids; the id itself where nobody named it."""
        if count == 1:
            return (self.only_speaker or self.dataset or "default",)
        names = {number: name for name, number in self.speakers.items()}
        return tuple(names.get(number, str(number)) for number in range(count))

    def symbols_for(self, rows: int) -> tuple[SymbolTable, tuple[str, ...]]:
        """The table for a model that has so many rows, and the symbols whose ids lie beyond them: no text can use those."""
        beyond = tuple(symbol for symbol, ids in self.symbols.ids.items() if max(ids, default=-1) >= rows)
        ids = {symbol: ids for symbol, ids in self.symbols.ids.items() if symbol not in beyond}
        return replace(self.symbols, ids=ids, rows=rows), beyond


def settings_beside(voice: Path) -> Path:
    """The settings that belong to a voice: NAME.onnx.json, or NAME.json. Raises CheckpointError where neither is there."""
    named = voice.with_name(f"{voice.name}.json")
    for path in (named, voice.with_suffix(".json")):
        if path.is_file():
            return path
    raise CheckpointError(
        f"a voice needs its settings beside it, and {named.name} is not there",
        file=voice,
        remedy=f"Put the voice's .onnx.json next to it, under the name {named.name}.",
    )


def read_settings(path: Path) -> VoiceSettings:
    """Read a .onnx.json. Raises CheckpointError naming the file and the field."""
    return parse_settings(read_settings_json(path), path)


def read_settings_json(path: Path) -> dict[str, Any]:
    """The object in a .onnx.json of at most 16 MB, before any of it is checked. Raises CheckpointError."""
    config = read_json(path, limit=LARGEST_FILE, remedy=_REMEDY)
    if not isinstance(config, dict):
        raise _fault(path, None, "not a voice's settings", "a JSON object", _kind(config))
    return config


def parse_settings(config: Mapping[str, Any], path: Path) -> VoiceSettings:
    """Check settings that were read from `path`. Raises CheckpointError naming the field."""
    audio, inference = _part(config, "audio", path), _part(config, "inference", path)
    named = _named_speakers(config, path)
    count = _number(
        config, "num_speakers", path, default=1 + max(named.values(), default=0), lowest=0, highest=LARGEST_COUNT
    )
    scale = partial(_scale, inference, path=path)
    rate = partial(_number, audio, "sample_rate", path, field="audio.sample_rate")
    return VoiceSettings(
        sample_rate=rate(lowest=LOWEST_RATE, highest=HIGHEST_RATE),
        symbols=_symbols(config, path),
        speakers=_speakers(named, count, path),
        speaker_count=count,
        default_speaker=_number(config, "default_speaker_id", path, default=0, lowest=0, highest=max(count - 1, 0)),
        noise_scale=scale("noise_scale", 0.667),
        length_scale=scale("length_scale", 1.0, lowest=SHORTEST),
        noise_w=scale("noise_w", 0.8),
        hop=None if config.get("hop_length") is None else _number(config, "hop_length", path, lowest=1, highest=2**16),
        language=_language(config, path),
        dataset=_text(config, "dataset", path),
        only_speaker=next((name for name, number in named.items() if number == 0), None),
        **_of_a_pair(config, path),
    )


def _symbols(config: Mapping[str, Any], path: Path) -> SymbolTable:
    id_map = config.get("phoneme_id_map")
    if not isinstance(id_map, dict) or not id_map:
        raise _fault(path, "phoneme_id_map", "missing or empty", "an object: symbol to list of ids", _kind(id_map))
    ids = {symbol: _ids(symbol, numbers, path) for symbol, numbers in id_map.items()}
    if not any(ids.values()):
        raise _fault(path, "phoneme_id_map", "no symbol has an id", "an object: symbol to list of ids", _kind(id_map))
    used = 1 + max(number for numbers in ids.values() for number in numbers)
    rows = _number(config, "num_symbols", path, default=used, lowest=1, highest=LARGEST_COUNT)
    if used > rows:
        raise _fault(path, "phoneme_id_map", "an id is outside the voice's symbols", f"ids below {rows}", used - 1)
    stated = config.get("phoneme_type")
    if stated is not None and not isinstance(stated, str):
        raise _fault(path, "phoneme_type", "not a kind of text", "espeak or text", _kind(stated))
    kind = text_kind_of(stated)
    voice = _part(config, "espeak", path).get("voice")
    if voice is None and kind == "espeak":
        raise _fault(path, "espeak.voice", "missing", "the name of an espeak-ng voice such as en-us", "nothing")
    if voice is not None and (not isinstance(voice, str) or len(voice) > 200):
        raise _fault(path, "espeak.voice", "not a name", "the name of an espeak-ng voice such as en-us", _kind(voice))
    own = config.get("voxgraft")
    pauses = isinstance(own, Mapping) and own.get("pauses") is True
    return from_id_map(ids, rows, kind, voice, _clusters(config, path), pauses=pauses)


def _of_a_pair(config: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What a voice of a text-to-spec model and a vocoder takes beyond Piper's; nothing for any other."""
    own = config.get("voxgraft")
    if not isinstance(own, Mapping) or own.get("scales_taken") is None:
        return {}
    found = {
        name: _names(own.get(name), f"voxgraft.{name}", path) for name in ("scales_taken", "controls", "languages")
    }
    if found["scales_taken"] != NAMES:
        raise _fault(
            path, "voxgraft.scales_taken", "not known here", ", ".join(NAMES), ", ".join(found["scales_taken"])[:100]
        )
    last = max(len(found["languages"]) - 1, 0)
    default = _number(
        own, "default_language", path, field="voxgraft.default_language", default=0, lowest=0, highest=last
    )
    return {
        "scales_taken": NAMES,
        "controls": found["controls"],
        "languages": found["languages"],
        "default_language": default,
    }


def _names(found: Any, field: str, path: Path) -> tuple[str, ...]:
    listed = [] if found is None else found
    whole = isinstance(listed, list) and all(isinstance(name, str) and name for name in listed)
    if not whole or len(listed) > LARGEST_COUNT:
        raise _fault(path, field, "not a list of names", "a list of names", _kind(found))
    return tuple(listed)


def _ids(symbol: str, numbers: object, path: Path) -> tuple[int, ...]:
    listed = [_from_text(number) for number in (numbers if isinstance(numbers, list) else [numbers])]
    whole = all(type(number) is int and 0 <= number < LARGEST_COUNT for number in listed)
    if not whole or len(listed) > MOST_IDS:
        raise _fault(
            path, f"phoneme_id_map[{shown(symbol)}]", "not ids", "a list of whole numbers from 0", shown(numbers)
        )
    return tuple(listed)


def _clusters(config: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    clusters = config.get("vowel_clusters") or []
    if not isinstance(clusters, list):
        raise _fault(path, "vowel_clusters", "not a list", "a list of symbols that count as one", _kind(clusters))
    joined = []
    for cluster in clusters:
        parts = cluster if isinstance(cluster, list) else [cluster]
        if not all(isinstance(part, str) for part in parts):
            raise _fault(path, "vowel_clusters", "not text", "symbols that count as one", shown(cluster))
        joined.append("".join(parts))
    return tuple(joined)


def _named_speakers(config: Mapping[str, Any], path: Path) -> dict[str, int]:
    named = config.get("speaker_id_map") or {}
    if not isinstance(named, dict):
        raise _fault(path, "speaker_id_map", "not an object", "an object: name to id", _kind(named))
    named = {name: _from_text(number) for name, number in named.items()}
    for name, number in named.items():
        if type(number) is not int or not 0 <= number < LARGEST_COUNT:
            raise _fault(
                path, f"speaker_id_map[{shown(name)}]", "no such speaker", "a whole number from 0", shown(number)
            )
    return named


def _speakers(named: dict[str, int], count: int, path: Path) -> dict[str, int]:
    for name, number in named.items():
        if number >= max(count, 1):
            raise _fault(path, f"speaker_id_map[{shown(name)}]", "no such speaker", f"0 to {max(count, 1) - 1}", number)
    if not named and count > 1:
        named = {str(number): number for number in range(count)}
    return dict(sorted(named.items(), key=lambda speaker: speaker[1]))


def _language(config: Mapping[str, Any], path: Path) -> str | None:
    """`language` is an object with a `code`, or the code itself."""
    if isinstance(config.get("language"), str):
        return _text(config, "language", path)
    return _text(_part(config, "language", path), "code", path, "language.code")


def _text(config: Mapping[str, Any], name: str, path: Path, field: str | None = None) -> str | None:
    value = config.get(name)
    if value is not None and not isinstance(value, str):
        raise _fault(path, field or name, "not text", "text", _kind(value))
    return value or None


def _part(config: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    part = config.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise _fault(path, name, "not an object", "an object", _kind(part))
    return part


def _number(
    config: Mapping[str, Any],
    name: str,
    path: Path,
    *,
    lowest: int,
    highest: int,
    field: str | None = None,
    default: int | None = None,
) -> int:
    number = _from_text(config.get(name))
    if number is None and default is not None:
        return default
    if type(number) is not int or not lowest <= number <= highest:
        expected = f"a whole number from {lowest} to {highest}"
        raise _fault(path, field or name, "missing" if number is None else "out of range", expected, shown(number))
    return number


def _scale(
    inference: Mapping[str, Any], name: str, default: float, *, path: Path, lowest: float = 0, highest: float = 100
) -> float:
    number = _from_text(inference.get(name))
    if number is None:
        return default
    if isinstance(number, bool) or not isinstance(number, int | float) or not lowest <= number <= highest:
        raise _fault(path, f"inference.{name}", "out of range", f"a number from {lowest} to {highest}", shown(number))
    return float(number)


def _from_text(value: Any) -> Any:
    """A number that was written as text, as scripts and hand-written files have it ("22050"); all else as it is."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return value
    return float(value) if "." in value else int(value)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


def _fault(path: Path, field: str | None, problem: str, expected: object, got: object) -> CheckpointError:
    return CheckpointError(problem, file=path, field=field, expected=expected, got=got, remedy=_REMEDY)
