"""`voxgraft say`: speak a text with any voice, or with a text-to-spec model and its vocoder."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json
from voxgraft.progress import notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from voxgraft.inference.acoustic.pair import SpokenPair
    from voxgraft.inference.voice.voice import Voice

    Write = Callable[[object], None]

# The first byte of every ONNX file: the field of its IR version.
_ONNX = b"\x08"


def say(
    voice: Annotated[
        str,
        typer.Argument(
            help="A .onnx, an installed voice, a checkpoint, a run, or a base of library or catalogue, fetched if needed. A "
            "text-to-spec model speaks through its vocoder."
        ),
    ],
    text: Annotated[str, typer.Argument(help="What to say; `-` reads it from standard input.")],
    out: Annotated[str, typer.Option("-o", "--out", help="The WAV to write; `-` for standard output.")] = "say.wav",
    speaker: Annotated[str | None, typer.Option(help="Name or number, for a voice with several speakers.")] = None,
    length_scale: Annotated[
        float | None, typer.Option("--length-scale", "--pace", min=0.05, max=20, help="Above 1 speaks slower.")
    ] = None,
    noise_scale: Annotated[float | None, typer.Option(min=0, max=10, help="Variation of the sound.")] = None,
    noise_w: Annotated[float | None, typer.Option(min=0, max=10, help="Variation of the rhythm.")] = None,
    pitch: Annotated[
        float | None, typer.Option(min=0, max=10, help="Factor on the pitch that a text-to-spec model predicts.")
    ] = None,
    energy: Annotated[
        float | None, typer.Option(min=0, max=10, help="Factor on the energy that a text-to-spec model predicts.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed says it the same way again.")] = None,
    language: Annotated[
        str | None, typer.Option(help="One of a voice's several; or of a checkpoint that doesn't say which it speaks.")
    ] = None,
    vocoder: Annotated[
        str | None, typer.Option(help="Renders a text-to-spec model: a checkpoint, a run or an entry of the library.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads; default: one a core.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="With `-o -`: bare 16-bit samples, no WAV header.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Speak a text with any voice, sentence by sentence; what can't speak yet is exported first."""
    words = _text(text)
    from voxgraft.inference.voice.voice import Voice

    began = time.perf_counter()
    speech: Voice | SpokenPair | None = _exported_pair(voice, vocoder, threads, seed)
    if speech is None:
        place = _located(voice, language, vocoder)
        began = time.perf_counter()
        speech = Voice.load(place, threads=threads, seed=seed)
    scales = {"length_scale": length_scale, "noise_scale": noise_scale, "noise_w": noise_w}
    scales |= {"pitch_scale": pitch, "energy_scale": energy}
    spoken = language if speech.languages else None
    loaded = time.perf_counter()
    with _destination(out, speech.sample_rate, raw) as write:
        seconds, sentences, first, unknown = _speak(speech, words, speaker, spoken, scales, write)
    spent = time.perf_counter() - loaded
    report = {
        "file": None if out == "-" else out,
        "voice": str(speech.path),
        "seconds": round(seconds, 3),
        "sentences": sentences,
        "sample_rate": speech.sample_rate,
        "real_time_factor": round(spent / seconds, 4) if seconds else None,
        "load_seconds": round(loaded - began, 3),
        "first_audio_seconds": round(first - loaded, 3),
        "unknown": dict(unknown.most_common()),
    }
    _report(report, out, json)


def _exported_pair(voice: str, vocoder: str | None, threads: int | None, seed: int | None) -> SpokenPair | None:
    """A text-to-spec model that was exported beside its vocoder; None for all else. A voice has its settings beside it."""
    path = Path(voice).expanduser()
    if path.suffix != ".onnx" or not path.is_file() or path.with_name(f"{path.name}.json").is_file():
        return None
    from voxgraft.inference.acoustic.settings import is_acoustic
    from voxgraft.inference.session import open_session

    if not is_acoustic(open_session(path, threads=1).get_modelmeta().custom_metadata_map):
        return None
    from voxgraft.export.ready import pair_of, ready_acoustic, ready_vocoder

    model = ready_acoustic(path, threads=threads, seed=seed)
    return pair_of(model, ready_vocoder(vocoder, model, threads=threads))


def _located(voice: str, language: str | None, vocoder: str | None) -> Path:
    """The .onnx of whatever names a voice; one that is at hand is found without the library and without torch."""
    found = _at_hand(voice) if vocoder is None else None
    if found is not None:
        return found
    from voxgraft.export.speakable import speakable

    return speakable(voice, language, vocoder)


def _at_hand(voice: str) -> Path | None:
    """An exported voice; None for a checkpoint, a run, and what the library or the catalogue has."""
    from voxgraft.errors import CheckpointError
    from voxgraft.inference.voice.locate import find_voice

    path = Path(voice).expanduser()
    if os.path.isfile(path):
        with open(path, "rb") as file:
            return path if file.read(1) == _ONNX else None
    if os.path.isdir(path) and not any(path.glob("*.onnx")):
        return None
    try:
        return find_voice(path if os.path.isdir(path) else voice)
    except CheckpointError:
        if os.path.isdir(path) or not _is_base(voice):
            raise
        return None


def _is_base(name: str) -> bool:
    from voxgraft.library.bundled import bundled_bases
    from voxgraft.library.catalogue import load_catalogue
    from voxgraft.library.store import Library

    return name in bundled_bases() or Library().find(name) is not None or load_catalogue().find(name) is not None


def _speak(
    voice: Voice | SpokenPair,
    text: str,
    speaker: str | None,
    language: str | None,
    scales: dict[str, float | None],
    write: Write,
) -> tuple[float, int, float, Counter[str]]:
    """Speak and write; seconds of speech, sentences, when the first was written, symbols that the voice lacks."""
    from voxgraft.errors import TextError
    from voxgraft.inference.voice.voice import full_scale, to_pcm

    samples, sentences, first = 0, 0, time.perf_counter()
    unknown: Counter[str] = Counter()
    voice.speaker_id(speaker)
    for encoding in voice.encode(text, language=language):
        audio = voice.speak_ids(encoding.ids, speaker=speaker, language=language, **scales)
        write(to_pcm(full_scale(audio)))
        unknown += encoding.unknown
        samples += len(audio)
        sentences += 1
        if sentences == 1:
            first = time.perf_counter()
    if not sentences:
        raise TextError("there is nothing to say", expected="some words", got="an empty text", remedy="Give a text.")
    return samples / voice.sample_rate, sentences, first, unknown


@contextmanager
def _destination(out: str, sample_rate: int, raw: bool) -> Iterator[Write]:
    from voxgraft.audio.write import WaveFile, wave_header

    if out != "-":
        with WaveFile(Path(out), sample_rate) as file:
            yield file.write
        return
    stream = sys.stdout.buffer
    started = raw

    def write(pcm) -> None:
        nonlocal started
        if not started:
            stream.write(wave_header(sample_rate, None))
            started = True
        stream.write(pcm.astype("<i2").tobytes())
        stream.flush()

    yield write


def _text(text: str) -> str:
    if text != "-":
        return text
    from voxgraft.errors import TextError

    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as fault:
        raise TextError(
            "standard input is not UTF-8",
            got=f"byte {fault.object[fault.start]:#x} at {fault.start}",
            remedy="Convert the text to UTF-8 first, for example with iconv.",
        ) from fault


def _report(report: dict[str, object], out: str, json: bool) -> None:
    unknown = report["unknown"]
    if unknown:
        listed = ", ".join(f"{symbol!r} × {count}" for symbol, count in list(unknown.items())[:8])
        notice(f"The voice doesn't know these symbols and left them out: {listed}")
    if json and out != "-":
        print_json(report)
        return
    place = "standard output" if out == "-" else out
    notice(f"{place}: {report['seconds']:.1f} s of speech, real-time factor {report['real_time_factor']}")
    notice(f"spoken by {report['voice']}")
