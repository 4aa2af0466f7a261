"""Sound and pictures of it as data: URLs."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np

from voxgraft.audio.resample import resample
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import mel_spectrogram
from voxgraft.evaluation.instruments import Clip

PICTURE_RATE = 16_000
PICTURE = AudioSpec(sample_rate=PICTURE_RATE, n_fft=1024, hop=160, win=640, n_mels=96, log_floor=1e-4)
RANGE = 7.0
# Anchors of the colour map "magma" (S. van der Walt, N. Smith; CC0), evenly spaced from dark to light.
MAGMA = ("000004", "1c1044", "4f127b", "812581", "b5367a", "e55964", "fb8861", "fec287", "fcfdbf")


def audio_url(clip: Clip) -> str:
    """A clip as compressed audio: MP3, which every browser plays, or FLAC where libsndfile lacks it."""
    import soundfile

    audio = np.clip(clip.audio, -1, 1).astype(np.float32)
    file = io.BytesIO()
    if "MP3" in soundfile.available_formats():
        audio, rate = _mp3_rate(audio, clip.sample_rate)
        soundfile.write(file, audio, rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.6)
        kind = "mpeg"
    else:
        soundfile.write(file, audio, clip.sample_rate, format="FLAC", subtype="PCM_16")
        kind = "flac"
    return f"data:audio/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def _mp3_rate(audio: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """MP3 knows only some sample rates; others go to the next higher one."""
    known = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
    wanted = next((candidate for candidate in known if candidate >= rate), known[-1])
    return resample(audio, rate, wanted), wanted


def spectrogram_url(clip: Clip) -> str:
    """A mel spectrogram up to 8 kHz as a PNG; low pitches below, time to the right."""
    audio = resample(clip.audio, clip.sample_rate, PICTURE_RATE)
    if len(audio) < PICTURE.n_fft:
        audio = np.pad(audio, (0, PICTURE.n_fft - len(audio)))
    mel = mel_spectrogram(audio, PICTURE)
    shade = np.clip((mel - mel.max()) / RANGE + 1, 0, 1)
    return f"data:image/png;base64,{base64.b64encode(png(np.round(shade[::-1] * 255).astype(np.uint8), palette())).decode()}"


def palette() -> np.ndarray:
    """256 colours [256, 3] from dark to light, in steps that look equal."""
    anchors = np.array([list(bytes.fromhex(colour)) for colour in MAGMA], float)
    places = np.linspace(0, len(MAGMA) - 1, 256)
    channels = [np.interp(places, np.arange(len(MAGMA)), anchors[:, channel]) for channel in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def png(pixels: np.ndarray, colours: np.ndarray) -> bytes:
    """A PNG (ISO/IEC 15948) of palette indices [height, width] and colours [256, 3]."""
    height, width = pixels.shape
    # Each row begins with its filter: 2 stores differences from the row above, which shrinks spectrograms best.
    differences = np.diff(pixels, axis=0, prepend=np.zeros((1, width), np.uint8))
    rows = np.hstack([np.full((height, 1), 2, np.uint8), differences])
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    pieces = (
        (b"IHDR", header),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in pieces
    )
