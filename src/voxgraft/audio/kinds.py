"""Which kinds of sound files are read, and how to convert one of another kind."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

# By their names' ends, the preferred ones first where recordings are named without it.
READ = (
    ".wav",
    ".flac",
    ".ogg",
    ".mp3",
    ".opus",
    ".aiff",
    ".aif",
    ".au",
    ".caf",
    ".w64",
    ".oga",
    ".wave",
    ".aifc",
    ".snd",
)
# Sound that people have, but that libsndfile doesn't read.
UNREAD = (
    ".m4a",
    ".mp4",
    ".aac",
    ".wma",
    ".webm",
    ".m4b",
    ".mov",
    ".mkv",
    ".mka",
    ".amr",
    ".3gp",
    ".ac3",
    ".ape",
    ".wv",
)
SOUND = READ + UNREAD
TOLD = "WAV, FLAC, OGG, Opus, MP3, AIFF, AU, CAF and W64 are read"


def conversion(path: str | os.PathLike[str]) -> str:
    """What to do about a file that isn't read: the command that makes a WAV file of it."""
    source = Path(path)
    target = source.with_suffix(".wav") if source.suffix.lower() != ".wav" else source.with_name(f"{source.stem}-2.wav")
    return f"Convert it: ffmpeg -i {shlex.quote(str(source))} {shlex.quote(str(target))}"


def names_sound(name: str) -> bool:
    """Whether a file of this name is a sound file that is read."""
    return os.path.splitext(name)[1].lower() in READ
