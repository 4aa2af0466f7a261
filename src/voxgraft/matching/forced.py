"""forced: texts of recordings at the recordings' own durations, written where EveryVoice's trainer of vocoders looks for them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from voxgraft.checkpoints import Checkpoint
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.importers.everyvoice import SEPARATOR
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.prepare.frames import PreparedFrames, prepare_frames
from voxgraft.errors import CorpusError
from voxgraft.export.acoustic.families import spectrogram_of
from voxgraft.inference.vocoder.vocoder import Vocoder
from voxgraft.matching.lines import Line
from voxgraft.matching.names import SPEC, WAV, Names
from voxgraft.matching.spectrograms import generate_mels
from voxgraft.matching.synthesize import write_spectrogram, write_wave
from voxgraft.progress import track

FORMS = (SPEC, WAV)


def forced(
    checkpoint: Checkpoint,
    lines: Sequence[Line],
    recordings: Path,
    forms: Sequence[str],
    names: Names,
    *,
    vocoder: Vocoder | None = None,
    force_pitch: bool = False,
    force_energy: bool = False,
) -> tuple[Path, ...]:
    """Write the spectrogram of each line, and its sound where a vocoder is given, as long as its recording frame for frame.

    `recordings` is a preprocessed folder of EveryVoice's, whose sound is taken as it is, or any corpus. Raises CorpusError
    naming the lines that have no recording there.
    """
    found = _recordings_of(lines, recordings)
    with tempfile.TemporaryDirectory() as cache:
        clips = _prepared(found, checkpoint, Path(cache), is_prepared=(recordings / "audio").is_dir())
        index = generate_mels(
            checkpoint, clips, Path(cache) / "mels", force_pitch=force_pitch, force_energy=force_energy
        )
        written = []
        for line, clip in track(list(zip(lines, clips, strict=True)), "Writing"):
            mel = index.mel(clip.utterance.id)
            who, what = clip.utterance.speaker or line.speaker, clip.utterance.language or line.language
            for form in forms:
                path = names.path(form, _basename(clip.utterance, line), who, what)
                path.parent.mkdir(parents=True, exist_ok=True)
                if form == SPEC:
                    write_spectrogram(path, mel)
                elif vocoder is not None:
                    write_wave(path, vocoder.speak(mel), spectrogram_of(checkpoint).sample_rate)
                written.append(path)
    return tuple(written)


def _recordings_of(lines: Sequence[Line], folder: Path) -> list[Utterance]:
    """The recording of each line, by its id, or by its name in EveryVoice's `name--speaker--language`."""
    known: dict[str, Utterance] = {}
    for utterance in import_corpus(folder):
        known[utterance.id] = utterance
        known.setdefault(utterance.id.split(SEPARATOR)[0], utterance)
    missing = [line.name for line in lines if line.name not in known]
    if missing:
        shown = ", ".join(missing[:5]) + (f", and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise CorpusError(
            f"{len(missing)} of {len(lines)} lines have no recording there: {shown}",
            file=folder,
            field="basename",
            remedy="Give the folder that holds the recordings of this filelist, with --teacher-forcing-directory.",
        )
    return [known[line.name] for line in lines]


def _prepared(
    utterances: Sequence[Utterance], checkpoint: Checkpoint, cache: Path, *, is_prepared: bool
) -> list[PreparedFrames]:
    """Sound that is preprocessed already stays as it is: its frames are those of the spectrograms beside it."""
    loudness, trim = (None, False) if is_prepared else (-23.0, True)
    return prepare_frames(
        Manifest(tuple(utterances)), spectrogram_of(checkpoint), loudness=loudness, trim=trim, cache_dir=cache
    )


def _basename(utterance: Utterance, line: Line) -> str:
    """The name that EveryVoice gives the recording."""
    return utterance.id.split(SEPARATOR)[0] if SEPARATOR in utterance.id else line.name
