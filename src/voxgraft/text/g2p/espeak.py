"""espeak-ng through ctypes: IPA of each sentence, with the punctuation that voices were trained on.

The library and its data come from the package espeakng-loader (extra `espeak`). espeak-ng is one global state machine,
hence the lock around every use of it.
"""

from __future__ import annotations

import ctypes
import difflib
import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from voxgraft.errors import MissingExtra, TextError
from voxgraft.text.g2p.clauses import Ending, ending
from voxgraft.text.normalise.unicode import require_unicode

_LOCK = threading.Lock()
_SYNCHRONOUS, _DONT_EXIT, _UTF8 = 2, 0x8000, 1
_SEPARATOR = "\x01"
_NAMES = ord(_SEPARATOR) << 8
_IPA = _NAMES | 2
_EMPTY_AFTER_FRONT_VOWEL = re.compile(f"[iɪː]{_SEPARATOR}[{_SEPARATOR} ]")
_BETWEEN_PHONEMES = re.compile(f"([{_SEPARATOR} ])")
_GLIDE = ";"
_LANGUAGE_FLAG = re.compile(r"\([^)]+\)")
_RAW = re.compile(r"(\[\[.*?\]\])")
_MARKS_WITH_SPACE = (",", ":", ";")

# espeak-ng measures the rest of the text at every clause: a long text is given in pieces, cut where a sentence ended.
WINDOW = 16_384
WINDOW_MARGIN = 2_048
# A text without any full stop would be one endless sentence: no voice could speak it in bounded memory.
LONGEST_SENTENCE = 1_500


class EspeakPhonemizer:
    """IPA by espeak-ng as code points of the NFD form, sentence by sentence, equal to what Piper feeds its voices."""

    def __init__(self, voice: str) -> None:
        """Raises MissingExtra without espeakng-loader, TextError for a voice that espeak-ng doesn't have."""
        with _LOCK:
            self.voice = _known_voice(voice)

    def sentences(self, text: str) -> list[list[str]]:
        """The symbols of each sentence. `[[ … ]]` holds phonemes that are taken as they are."""
        return list(self.stream(text))

    def stream(self, text: str) -> Iterator[list[str]]:
        """The same one by one, in bounded memory."""
        held: list[str] | None = None
        joins = False
        parts = _RAW.split(text)
        for position, part in enumerate(parts):
            if part.startswith("[["):
                before = position > 0 and parts[position - 1].endswith(" ")
                after = position < len(parts) - 1 and parts[position + 1].startswith(" ")
                held = [*(held or []), *" " * before, *part[2:-2].strip(), *" " * after]
                joins = True
                continue
            for sentence in self._spoken(part):
                if joins and held is not None:
                    held += sentence
                else:
                    if held:
                        yield held
                    held = sentence
                joins = False
            joins = False
        if held:
            yield held

    def _spoken(self, text: str) -> Iterator[list[str]]:
        sentence: list[str] = []
        for phonemes, end in _clauses(text, self.voice):
            spaced = end.mark + " " if end.mark in _MARKS_WITH_SPACE else end.mark
            sentence += unicodedata.normalize("NFD", _LANGUAGE_FLAG.sub("", phonemes) + spaced)
            if end.sentence or len(sentence) > LONGEST_SENTENCE:
                yield sentence
                sentence = []
        if sentence:
            yield sentence


def _clauses(text: str, voice: str) -> Iterator[tuple[str, Ending]]:
    """Phonemes and ending of each clause of a text of any length, given to espeak-ng window by window."""
    require_unicode(text)
    raw = text.replace("\0", " ").encode("utf-8")
    start = 0
    while start < len(raw) or start == 0:
        window = raw[start : start + WINDOW]
        whole = start + len(window) == len(raw)
        if not whole:
            window = window.decode("utf-8", "ignore").encode("utf-8")
        with _LOCK:
            clauses = _read_clauses(window, voice)
        if whole:
            yield from ((phonemes, end) for phonemes, end, _ in clauses)
            return
        kept = _trustworthy(clauses, len(window) - WINDOW_MARGIN)
        yield from ((phonemes, end) for phonemes, end, _ in clauses[:kept])
        start += clauses[kept - 1][2]


def _trustworthy(clauses: list[tuple[str, Ending, int]], limit: int) -> int:
    """How many clauses of a window that cuts the text are used: up to its last sentence end before the margin."""
    before = [number for number, clause in enumerate(clauses, 1) if clause[2] <= limit]
    ends = [number for number in before if clauses[number - 1][1].sentence]
    return (ends or before or [len(clauses)])[-1]


def _read_clauses(raw: bytes, voice: str) -> list[tuple[str, Ending, int]]:
    """Phonemes, ending and end offset in bytes of each clause; the lock must be held."""
    _set_voice(voice)
    clauses = _phonemes(raw, _IPA)
    spoken = [phonemes for phonemes, _ in clauses]
    if any(_EMPTY_AFTER_FRONT_VOWEL.search(phonemes) for phonemes in spoken):
        spoken = [_with_glides(ipa, names) for ipa, (names, _) in zip(spoken, _phonemes(raw, _NAMES), strict=True)]
    begins = [0, *(stop for _, stop in clauses)]
    return [
        (
            phonemes.replace(_SEPARATOR, ""),
            ending(raw[begin:stop].decode("utf-8", "replace"), last=number == len(clauses)),
            stop,
        )
        for number, (phonemes, begin, (_, stop)) in enumerate(zip(spoken, begins, clauses, strict=False), 1)
    ]


def _phonemes(raw: bytes, mode: int) -> list[tuple[str, int]]:
    """Phonemes and end offset in bytes of each clause.

    After each clause espeak-ng's text pointer stands one character into the next: that one is kept back inside.
    """
    library = _library()
    # espeak-ng 1.52 keeps the second of two points at the very end for its next text, and begins that with the word "dot".
    ended = raw[:-1] + b" " if raw.endswith(b"..") and not raw.endswith(b"...") else raw
    text = ctypes.create_string_buffer(ended)
    first = ctypes.addressof(text)
    pointer = ctypes.c_void_p(first)
    clauses: list[tuple[str, int]] = []
    while pointer.value is not None:
        phonemes: bytes | None = library.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF8, mode)
        stop = len(raw) if pointer.value is None else _previous_character(raw, pointer.value - first)
        clauses.append(((phonemes or b"").decode("utf-8", "replace"), stop))
    return clauses


def _with_glides(ipa: str, names: str) -> str:
    """Write the glide between [i] and a vowel as `ʲ`.

    espeak-ng 1.52 has that phoneme but leaves it silent in IPA, where later data, and Piper's, write `ʲ`. Its name tells
    it from other silent phonemes, the pauses.
    """
    sounds, named = _BETWEEN_PHONEMES.split(ipa), _BETWEEN_PHONEMES.split(names)
    if len(sounds) != len(named):
        return ipa
    return "".join("ʲ" if name == _GLIDE and not sound else sound for sound, name in zip(sounds, named, strict=True))


def _previous_character(raw: bytes, offset: int) -> int:
    offset -= 1
    while offset > 0 and raw[offset] & 0xC0 == 0x80:
        offset -= 1
    return max(offset, 0)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """espeak-ng, loaded and initialised once."""
    try:
        import espeakng_loader
    except ImportError as fault:
        raise MissingExtra("espeakng-loader", "espeak", "phonemes from espeak-ng") from fault
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
    except (OSError, RuntimeError) as fault:
        raise TextError(
            f"espeak-ng can't be loaded: {fault}",
            remedy="Reinstall it: `pip install --force-reinstall espeakng-loader`.",
        ) from fault
    library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_ListVoices.argtypes = [ctypes.c_void_p]
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    if library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT) < 0:
        raise TextError(
            f"espeak-ng finds no data in {data}",
            remedy="Reinstall it: `pip install --force-reinstall espeakng-loader`.",
        )
    return library


class _Voice(ctypes.Structure):
    """`espeak_VOICE` of espeak-ng's speak_lib.h, as far as its names."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
    )


def _known_voice(voice: str) -> str:
    """A name by which espeak-ng knows this voice or language: `en_US` is taken for `en-us`, `de_DE` for `de`.

    Raises TextError; the lock must be held.
    """
    language = voice.replace("_", "-").lower()
    if _set_voice(voice):
        return voice
    files = _voice_files(_library())
    for name in (language, files.get(language), language.partition("-")[0]):
        if name and _set_voice(name):
            return name
    near = difflib.get_close_matches(language, _voice_names(files), n=4, cutoff=0.5)
    raise TextError(
        f"espeak-ng has no voice {voice!r}",
        field="voice",
        expected=f"one like {', '.join(near)}" if near else "an espeak-ng voice such as en-us",
        got=repr(voice),
        remedy="Take one of espeak-ng's voices; `voxgraft text --voices` lists them.",
    )


def _set_voice(voice: str) -> bool:
    """Choose the voice, if there is one of that name; the lock must be held."""
    if not voice or "\0" in voice:
        return False
    return bool(_library().espeak_SetVoiceByName(voice.encode("utf-8", "replace")) == 0)


def _voice_files(library: ctypes.CDLL) -> dict[str, str]:
    """Language -> name of the file that defines its voice: `en-gb` -> `en`."""
    listed = library.espeak_ListVoices(None)
    files: dict[str, str] = {}
    number = 0
    while listed[number]:
        voice = listed[number].contents
        # The first byte of `languages` is a priority.
        language = voice.languages[1:].decode("utf-8", "replace").lower()
        files.setdefault(language, voice.identifier.decode("utf-8", "replace").rsplit("/", 1)[-1])
        number += 1
    return files


def _voice_names(files: dict[str, str]) -> list[str]:
    return sorted({*files, *(name.lower() for name in files.values())})


def espeak_voices() -> list[str]:
    """Names of the voices that espeak-ng has, such as `en-us` and `de`."""
    with _LOCK:
        return _voice_names(_voice_files(_library()))
