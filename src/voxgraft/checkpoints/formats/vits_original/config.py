"""The configuration of the original VITS: config.json with the sections `train`, `data` and `model`.

Its symbols stand in code, not in a file: https://github.com/jaywalnut310/vits, text/symbols.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.formats.vits_spectrogram import spectrogram_of
from voxgraft.errors import CheckpointError
from voxgraft.json_file import read_json
from voxgraft.text.symbols import SymbolTable

NAME = "config.json"
_SECTIONS = ("train", "data", "model")

# 178 symbols: pad, punctuation, letters, IPA. The apostrophe stands twice; the last one's id counts.
SYMBOLS = (
    "_"
    ';:,.!?¡¿—…"«»“” '
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "ɑɐɒæɓʙβɔɕçɗɖðʤəɘɚɛɜɝɞɟʄɡɠɢʛɦɧħɥʜɨɪʝɭɬɫɮʟɱɯɰŋɳɲɴøɵɸθœɶʘɹɺɾɻʀʁɽʂʃʈʧʉʊʋⱱʌɣɤʍχʎʏʑʐʒʔʡʕʢǀǁǂǃˈˌːˑʼʴʰʱʲʷˠˤ˞↓↑→↗↘'̩'ᵻ"
)
# Cleaners that phonemise, and espeak-ng's voice that they ask for; the others leave the text as it is written.
CLEANERS = {"english_cleaners": "en-us", "english_cleaners2": "en-us"}


def read_config(folder: Path, notes: list[str]) -> Mapping[str, Any]:
    """The sections of config.json in `folder`; empty, and noted, where there is none or it is of another kind."""
    path = folder / NAME
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        notes.append(f"{NAME} is not beside it: sample rate and text are not recorded (put it there)")
        return {}
    try:
        config = read_json(path)
    except CheckpointError as fault:
        notes.append(f"{NAME} beside it is not used: {fault.problem}")
        return {}
    if is_config(config):
        return dict(config)
    notes.append(f"{NAME} beside it is not used: it lacks the sections {', '.join(_SECTIONS)}")
    return {}


def is_config(config: object) -> bool:
    """True where the three sections are there."""
    return isinstance(config, dict) and all(isinstance(config.get(section), dict) for section in _SECTIONS)


def audio_spec(config: Mapping[str, Any], architecture: Mapping[str, Any], notes: list[str]) -> AudioSpec | None:
    """The spectrogram that the section `data` describes; None, and noted, where no sample rate is recorded."""
    data = config.get("data", {})
    rate = _whole(data, "sampling_rate", 0)
    if not 4000 <= rate <= 192_000:
        if data:
            notes.append(f"{NAME} records no possible data.sampling_rate: {str(data.get('sampling_rate'))[:40]}")
        return None
    return spectrogram_of(
        architecture,
        rate,
        n_fft=data.get("filter_length"),
        hop=data.get("hop_length"),
        win=data.get("win_length"),
        n_mels=data.get("n_mel_channels"),
        fmin=data.get("mel_fmin"),
        fmax=data.get("mel_fmax"),
    )


def symbol_table(config: Mapping[str, Any], rows: int, notes: list[str]) -> SymbolTable | None:
    """What the ids mean: the symbols that the file lists as some descendants do, else the original's where rows are 178."""
    listed = config.get("symbols")
    if isinstance(listed, list) and listed and all(isinstance(symbol, str) for symbol in listed):
        if len(listed) > rows:
            notes.append(f"{NAME} lists {len(listed)} symbols, the tensors {rows}: not used")
            return None
        symbols = tuple(listed)
    elif rows == len(SYMBOLS):
        symbols = tuple(SYMBOLS)
        notes.append("its symbols are not in its files: assumed the original's 178, as their number says")
    else:
        notes.append(f"its symbols are not in its files, and {rows} rows are not the original's {len(SYMBOLS)}")
        return None
    data = config.get("data", {})
    voice = _espeak_voice(data)
    blanks = data.get("add_blank", True) is not False
    return SymbolTable(
        ids={symbol: (number,) for number, symbol in enumerate(symbols)},
        rows=rows,
        text_kind="espeak" if voice else "text",
        voice=voice,
        pad=symbols[0],
        bos=None,
        eos=None,
        intersperse=blanks,
        leading_pad=blanks,
    )


def speaker_names(config: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """A name for every speaker id, where the file names them as some descendants do; else the id."""
    named = config.get("speakers")
    if isinstance(named, list):
        named = {name: number for number, name in enumerate(named) if type(name) in (str, int)}
    names = {}
    if isinstance(named, dict):
        names = {row: str(name) for name, row in named.items() if type(name) in (str, int) and type(row) is int}
    if count == 1:
        return (names.get(0, "default"),)
    return tuple(names.get(number, str(number)) for number in range(count))


def recorded(config: Mapping[str, Any]) -> dict[str, Any]:
    """The model's hyper-parameters under the names that Piper, its descendant, records them by."""
    settings = {str(name): value for name, value in config.get("model", {}).items()}
    data = config.get("data", {})
    settings["filter_length"] = data.get("filter_length")
    speakers = data.get("n_speakers")
    if type(speakers) is int:
        settings["num_speakers"] = max(speakers, 1)
    return settings


def _espeak_voice(data: Mapping[str, Any]) -> str | None:
    cleaners = data.get("text_cleaners", list(CLEANERS))
    if not isinstance(cleaners, list):
        return None
    return next((CLEANERS[name] for name in cleaners if isinstance(name, str) and name in CLEANERS), None)


def _whole(data: Mapping[str, Any], name: str, default: int) -> int:
    value = data.get(name)
    return value if type(value) is int and 0 < value < 2**20 else default
