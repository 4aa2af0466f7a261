"""synthesize: texts as sound, spectrograms, TextGrids and read-alongs, by a text-to-spec model and its vocoder.

Letters in shapes: M mel bands, T frames, S samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from voxgraft.audio.write import WaveFile
from voxgraft.errors import TextError
from voxgraft.files import replacing, write_atomically
from voxgraft.inference.acoustic.acoustic import Acoustic, Spoken
from voxgraft.inference.acoustic.controls import Controls
from voxgraft.inference.acoustic.pair import SpokenPair
from voxgraft.inference.acoustic.readalong import readalong_html, readalong_xml
from voxgraft.inference.acoustic.textgrid import textgrid
from voxgraft.inference.acoustic.timing import timing_of
from voxgraft.inference.voice.voice import to_pcm
from voxgraft.matching.lines import Line
from voxgraft.matching.names import HTML, SPEC, TEXTGRID, WAV, XML, Names
from voxgraft.progress import track

NEEDS_VOCODER = frozenset({WAV, HTML})


@dataclass(frozen=True)
class Synthesised:
    """Files in the order in which they were written, seconds of speech, and symbols that the model doesn't know."""

    files: tuple[Path, ...]
    seconds: float
    unknown: Counter[str]


def synthesize(
    speaker: Acoustic | SpokenPair, lines: Sequence[Line], forms: Collection[str], names: Names, controls: Controls
) -> Synthesised:
    """Write each text in each of `forms`; sound needs a `SpokenPair`. A line's own speaker and language go before `controls`.

    Everything that can be is checked before the first is written. Raises TextError naming the line.
    """
    acoustic = speaker.acoustic if isinstance(speaker, SpokenPair) else speaker
    asked = [_controls(line, controls, acoustic) for line in lines]
    files: list[Path] = []
    seconds, unknown = 0.0, Counter[str]()
    for line, own in track(list(zip(lines, asked, strict=True)), "Synthesising"):
        encodings = [encoding for encoding in acoustic.encode(line.text) if encoding.ids]
        if not encodings:
            raise TextError("there is nothing to say", field=line.name, got=repr(line.text[:40]), remedy="Give a text.")
        for encoding in encodings:
            unknown += encoding.unknown
        sentences = [acoustic.mel(encoding.ids, own) for encoding in encodings]
        files += _write(speaker, line, own, sentences, forms, names)
        seconds += sum(one.mel.shape[1] for one in sentences) * _frame_seconds(acoustic)
    return Synthesised(tuple(files), seconds, unknown)


def _controls(line: Line, controls: Controls, acoustic: Acoustic) -> Controls:
    """Those of a line, checked: an unknown name stops before anything is written."""
    own = acoustic.settings
    # A model of a single speaker says every line, whoever it is of.
    speaker = (line.speaker or controls.speaker) if len(own.speakers) > 1 else controls.speaker
    language = (line.language or controls.language) if len(own.languages) > 1 else controls.language
    found = replace(controls, speaker=speaker, language=language)
    try:
        acoustic.require(found)
    except TextError as fault:
        raise TextError(
            f"{line.name}: {fault.problem}",
            file=fault.file,
            field=fault.field,
            expected=fault.expected,
            got=fault.got,
            remedy=fault.remedy,
        ) from fault
    return found


def _write(
    speaker: Acoustic | SpokenPair,
    line: Line,
    controls: Controls,
    sentences: Sequence[Spoken],
    forms: Collection[str],
    names: Names,
) -> list[Path]:
    acoustic = speaker.acoustic if isinstance(speaker, SpokenPair) else speaker
    who, what = (
        _name(controls.speaker, acoustic.settings.speakers),
        _name(controls.language, acoustic.settings.languages),
    )
    who, what = who or line.speaker, what or line.language or acoustic.settings.symbols.voice
    paths = {form: names.path(form, line.name, who, what) for form in forms}
    timing = timing_of(line.text, sentences, acoustic.settings.symbols, _frame_seconds(acoustic))
    rate, audio = acoustic.settings.audio.sample_rate, np.zeros(0, np.float32)
    if isinstance(speaker, SpokenPair) and NEEDS_VOCODER & set(forms):
        audio = np.concatenate([speaker.render(sentence) for sentence in sentences])
    for form, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == WAV:
            write_wave(path, audio, rate)
        elif form == SPEC:
            write_spectrogram(path, np.concatenate([sentence.mel for sentence in sentences], axis=1))
        elif form == TEXTGRID:
            write_atomically(path, textgrid(timing))
        elif form == XML:
            write_atomically(path, readalong_xml(timing, what))
        else:
            write_atomically(path, readalong_html(timing, audio, rate, title=line.text[:80], language=what))
    return list(paths.values())


def write_wave(path: Path, audio: np.ndarray, sample_rate: int) -> None:
    """Sound [S] in -1..1 as a WAV of 16 bits, whole or not at all."""
    with WaveFile(path, sample_rate) as file:
        file.write(to_pcm(audio))


def write_spectrogram(path: Path, mel: np.ndarray) -> None:
    """Float32 [M, T] as a `.npy`, or as the tensor that EveryVoice reads where the path ends in `.pt`."""
    mel = np.ascontiguousarray(mel, np.float32)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        if path.suffix == ".pt":
            import torch

            torch.save(torch.tensor(mel), file)
        else:
            np.save(file, mel)


def _name(asked: str | int | None, names: Sequence[str]) -> str | None:
    if len(names) < 2:
        return None
    return names[0] if asked is None else str(asked) if asked in names else names[int(asked)]


def _frame_seconds(acoustic: Acoustic) -> float:
    return acoustic.settings.audio.hop / acoustic.settings.audio.sample_rate
