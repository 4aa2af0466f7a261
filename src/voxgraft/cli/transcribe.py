"""`voxgraft transcribe`: what is said in recordings, with any recogniser that voxgraft exported."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxgraft.cli.output import print_json
from voxgraft.progress import notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voxgraft.errors import VoxgraftError
    from voxgraft.inference.recogniser.decoders.decoder import Decoder
    from voxgraft.inference.recogniser.recogniser import Recogniser
    from voxgraft.inference.recogniser.transcript import Transcript

_HOT_WEIGHT = 5.0


def transcribe(
    model: Annotated[Path, typer.Argument(help="A recogniser: a .onnx, or a folder that holds one.")],
    audio: Annotated[list[Path], typer.Argument(help="Recordings of any length, and folders of them.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write here: a file for one recording, else a folder.")
    ] = None,
    srt: Annotated[bool, typer.Option("--srt", help="SubRip subtitles instead of text.")] = False,
    vtt: Annotated[bool, typer.Option("--vtt", help="WebVTT subtitles with the time of each word.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document with words, times and scores.")] = False,
    beam: Annotated[int | None, typer.Option(min=1, max=100_000, help="Beams; 1 takes the likeliest path.")] = None,
    lm: Annotated[Path | None, typer.Option(help="Language model: ARPA, as `voxgraft lm` writes it.")] = None,
    alpha: Annotated[float | None, typer.Option(min=0, max=100, help="Weight of the language model.")] = None,
    beta: Annotated[float | None, typer.Option(min=-100, max=100, help="What each word gains with one.")] = None,
    lexicon: Annotated[Path | None, typer.Option(help="Words, one a line: no others come out (extra `lm`).")] = None,
    hot_word: Annotated[
        list[str] | None, typer.Option(help="A word or phrase to expect, as `Voxgraft` or `Voxgraft=8`.")
    ] = None,
    alternatives: Annotated[int, typer.Option(min=1, max=100, help="Texts to give, best first (--json).")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads; default: one a core.")] = None,
) -> None:
    """Write down what is said in recordings; exit 1 where some could not be read, after all the others."""
    if srt + vtt + as_json > 1:
        raise typer.BadParameter("give one of --srt, --vtt and --json")
    from voxgraft.errors import VoxgraftError
    from voxgraft.inference.recogniser.recogniser import Recogniser

    files = _recordings(audio)
    suffix = ".srt" if srt else ".vtt" if vtt else ".txt"
    if (srt or vtt) and out is None and len(files) > 1:
        raise typer.BadParameter("several recordings: name a folder for their subtitles", param_hint="--out")
    targets = _targets(files, audio, out, suffix)
    recogniser = Recogniser.load(model, threads=threads)
    decoder = _decoder(recogniser, beam, lm, (alpha, beta), lexicon, _hot_words(hot_word or []), alternatives)
    done: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for file, target in zip(files, targets, strict=True):
        began = time.perf_counter()
        try:
            transcript = _heard(recogniser, file, decoder)
        except VoxgraftError as fault:
            failed.append(_failure(file, fault))
            continue
        spent = time.perf_counter() - began
        _write(transcript, file, target, suffix, quiet=as_json, alone=len(files) == 1)
        factor = round(spent / transcript.duration, 4) if transcript.duration else None
        done.append({"file": str(file), **transcript.to_dict(), "real_time_factor": factor})
    if as_json:
        _print_document({"files": done, "failed": failed}, out)
    if failed:
        notice(f"{len(failed)} of {len(files)} recordings could not be transcribed: {_listed(failed)}")
        raise typer.Exit(1)


def _recordings(given: list[Path]) -> list[Path]:
    """The files that are named, and the recordings in folders that are named, in order."""
    from voxgraft.audio.kinds import SOUND, conversion, names_sound
    from voxgraft.errors import AudioError

    files: list[Path] = []
    unread: list[Path] = []
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SOUND and p.is_file())
        files += [p for p in found if names_sound(p.name)]
        unread += [p for p in found if not names_sound(p.name)]
    if not files:
        remedy = conversion(unread[0]) if unread else "Name recordings, or a folder of them."
        problem = "is not audio that can be read" if unread else "there is no recording here"
        raise AudioError(problem, file=unread[0] if unread else given[0], remedy=remedy)
    for path in unread:
        notice(f"passed over: {path}: is not audio that can be read. {conversion(path)}")
    return list(dict.fromkeys(files))


def _targets(files: list[Path], given: list[Path], out: Path | None, suffix: str) -> list[Path | None]:
    """Where each text goes; None for standard output. In a folder, recordings of one name lie as their originals do."""
    if out is None:
        return [None] * len(files)
    if len(files) == 1 and not given[0].is_dir() and not out.is_dir():
        return [out]
    roots = [path for path in given if path.is_dir()]
    targets = [out / _within(file, roots).with_suffix(suffix) for file in files]
    twice = {target for target in targets if targets.count(target) > 1} if len(set(targets)) < len(targets) else set()
    return [
        target.with_name(f"{file.name}{suffix}") if target in twice else target
        for file, target in zip(files, targets, strict=True)
    ]


def _within(file: Path, roots: list[Path]) -> Path:
    root = next((root for root in roots if file.is_relative_to(root)), None)
    return file.relative_to(root) if root is not None else Path(file.name)


def _decoder(
    recogniser: Recogniser,
    beam: int | None,
    lm: Path | None,
    weights: tuple[float | None, float | None],
    lexicon: Path | None,
    hot_words: dict[str, float],
    alternatives: int,
) -> Decoder:
    from dataclasses import replace

    from voxgraft.inference.recogniser.decoders.decode import BeamOptions
    from voxgraft.inference.recogniser.decoders.word_model import LmOptions, WordModel, load_language_model

    usual = recogniser.settings.decoder
    wide = lm is not None or lexicon is not None or hot_words or alternatives > 1
    beams = beam or (max(usual.beams, BeamOptions().beams) if wide else usual.beams)
    options = BeamOptions(beams=beams, hot_words=hot_words)
    alpha, beta = (
        own if given is None else given for given, own in zip(weights, (usual.alpha, usual.beta), strict=True)
    )
    weighed = LmOptions(alpha, beta)
    decoder = replace(recogniser.decoder(), options=options, most=alternatives)
    if lexicon is None:
        if lm is None:
            return decoder
        return replace(decoder, language_model=WordModel(load_language_model(lm), recogniser.labels, weighed))
    if hot_words:
        raise typer.BadParameter("hot words and a lexicon do not go together", param_hint="--hot-word")
    from voxgraft.inference.recogniser.decoders.flashlight import LexiconDecoder, read_words

    restricted = LexiconDecoder(recogniser.labels, read_words(lexicon), lm, options, weighed)
    if restricted.unspelt:
        notice(f"{restricted.unspelt} words of {lexicon} can't be written with the recogniser's letters")
    return replace(decoder, lexicon=restricted)


def _hot_words(given: list[str]) -> dict[str, float]:
    words = {}
    for entry in given:
        word, separator, weight = entry.rpartition("=")
        try:
            words[word if separator else entry] = float(weight) if separator else _HOT_WEIGHT
        except ValueError:
            raise typer.BadParameter(f"expected WORD or WORD=NUMBER, got {entry!r}", param_hint="--hot-word") from None
    return words


def _heard(recogniser: Recogniser, file: Path, decoder: Decoder) -> Transcript:
    """A recording's transcript, with a bar that goes on with its seconds."""
    from voxgraft.audio.read import read_info
    from voxgraft.inference.recogniser.transcript import Transcript
    from voxgraft.progress import progress

    duration = read_info(file).duration
    segments = []
    with progress(file.name, round(duration, 1)) as advance:
        at = 0.0
        for segment in recogniser.transcribe_file(file, decoder):
            segments.append(segment)
            advance(segment.end - at)
            at = segment.end
    return Transcript(tuple(segments), max(duration, at))


def _write(transcript: Transcript, file: Path, target: Path | None, suffix: str, *, quiet: bool, alone: bool) -> None:
    from voxgraft.errors import AudioError
    from voxgraft.files import write_atomically
    from voxgraft.inference.recogniser.transcript import to_srt, to_vtt

    if quiet:
        return
    write = {".srt": to_srt, ".vtt": to_vtt, ".txt": lambda t: "".join(_lines(t))}[suffix]
    content = write(transcript)
    if target is not None:
        try:
            write_atomically(target, content)
        except OSError as fault:
            raise AudioError(
                f"the text can't be written: {fault.strerror}", file=target, remedy="Choose another place with --out."
            ) from fault
    elif suffix == ".txt" and not alone:
        sys.stdout.write(f"{file}\t{transcript.text}\n")
    else:
        sys.stdout.write(content)
    sys.stdout.flush()


def _lines(transcript: Transcript) -> Iterator[str]:
    """A line a segment; an empty one where nothing was said."""
    texts = [segment.text for segment in transcript.segments if segment.text]
    return (f"{text}\n" for text in texts or [""])


def _print_document(document: dict[str, Any], out: Path | None) -> None:
    if out is None:
        print_json(document)
        return
    import json

    from voxgraft.files import write_atomically

    write_atomically(out, json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _failure(file: Path, fault: VoxgraftError) -> dict[str, str]:
    notice(f"error: {fault.summary}\n  {fault.remedy}")
    return {"file": str(file), "error": fault.summary, "remedy": fault.remedy}


def _listed(failed: list[dict[str, str]]) -> str:
    names = ", ".join(entry["file"] for entry in failed[:8])
    return names + (", …" if len(failed) > 8 else "")
