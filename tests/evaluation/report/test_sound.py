import base64
import io

import numpy as np
import pytest
import soundfile

from voxgraft.evaluation.instruments import Clip
from voxgraft.evaluation.report.sound import audio_url, palette, png, spectrogram_url


def content(url: str) -> bytes:
    return base64.b64decode(url.partition(",")[2])


def tone(hertz: float, rate: int, seconds: float = 1.0) -> Clip:
    return Clip((0.3 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype(np.float32), rate)


def test_a_png_holds_its_pixels():
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (13, 29)).astype(np.uint8)
    read = np.asarray(image.open(io.BytesIO(png(pixels, palette()))).convert("RGB"))
    np.testing.assert_array_equal(read, palette()[pixels])


def test_brighter_is_louder():
    brightness = palette().astype(float) @ [0.299, 0.587, 0.114]
    assert (np.diff(brightness) >= -0.5).all()
    assert brightness[-1] > 240 > 10 > brightness[0]


def test_low_tones_are_drawn_below():
    image = pytest.importorskip("PIL.Image")

    def height(hertz: float) -> int:
        picture = np.asarray(image.open(io.BytesIO(content(spectrogram_url(tone(hertz, 22_050)))))).astype(int)
        return int(picture.sum(axis=1).argmax())

    assert height(200) > height(1000) > height(4000)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 11_000])
def test_sound_survives(rate):
    clip = tone(440, rate, 2.0)
    url = audio_url(clip)
    audio, played = soundfile.read(io.BytesIO(content(url)), dtype="float32")
    assert url.startswith("data:audio/mpeg")
    assert played >= rate
    assert len(audio) / played == pytest.approx(2.0, abs=0.2)
    spectrum = np.abs(np.fft.rfft(audio[: played * 3 // 2]))
    assert np.argmax(spectrum) / 1.5 == pytest.approx(440, abs=2)
    assert len(content(url)) < 30_000


def test_flac_where_mp3_is_missing(monkeypatch):
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"FLAC": "FLAC"})
    url = audio_url(tone(440, 16_000))
    assert url.startswith("data:audio/flac")
    assert len(soundfile.read(io.BytesIO(content(url)))[0]) == 16_000
