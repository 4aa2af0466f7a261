"""Reading recordings: formats, channels, and files that are not what they say."""

import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxgraft.audio import kinds
from voxgraft.audio.read import audio_blocks, read_audio, read_info, read_recording
from voxgraft.audio.write import to_int16, write_wav
from voxgraft.errors import AudioError


def tone(seconds: float = 0.5, rate: int = 16000) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "subtype", "rate", "tolerance"),
    [
        ("a.wav", "PCM_16", 16000, 1e-4),
        ("a.wav", "PCM_U8", 8000, 1e-2),
        ("a.wav", "PCM_24", 44100, 1e-6),
        ("a.wav", "FLOAT", 22050, 1e-7),
        ("a.flac", "PCM_16", 22050, 1e-4),
        ("a.ogg", "VORBIS", 22050, 0.1),
        ("a.mp3", "MPEG_LAYER_III", 22050, 0.1),
    ],
)
def test_every_format_is_read(tmp_path, name, subtype, rate, tolerance):
    x = tone(1, rate)
    soundfile.write(tmp_path / name, x, rate, subtype=subtype)
    audio, got_rate = read_audio(tmp_path / name)
    info = read_info(tmp_path / name)
    assert got_rate == rate == info.sample_rate
    assert audio.dtype == np.float32
    assert abs(len(audio) - len(x)) <= (0 if name.endswith(("wav", "flac", "ogg")) else 4 * 1152)
    middle = slice(rate // 4, rate // 2)
    assert np.sqrt(np.mean((audio[middle] - x[middle]) ** 2)) < tolerance or name == "a.mp3"
    assert abs(info.duration - 1) < 0.2


def test_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.stack([tone(), np.zeros_like(tone())], 1), 16000, subtype="FLOAT")
    audio, _ = read_audio(tmp_path / "s.wav")
    np.testing.assert_allclose(audio, tone() / 2, atol=1e-7)
    assert read_info(tmp_path / "s.wav").channels == 2


def test_written_wav_is_read_back(tmp_path):
    write_wav(tmp_path / "new" / "x.wav", tone(), 22050)
    audio, rate = read_audio(tmp_path / "new" / "x.wav")
    assert rate == 22050
    np.testing.assert_allclose(audio, tone(), atol=1 / 32768)
    assert os.listdir(tmp_path / "new") == ["x.wav"]


def test_samples_outside_the_range_are_clipped_not_wrapped():
    assert to_int16(np.array([2.0, -2.0, 1.0, 0.0])).tolist() == [32767, -32768, 32767, 0]


def _good(path: Path) -> bytes:
    write_wav(path, tone(), 16000)
    return path.read_bytes()


def _wav_header(rate: int, data: bytes, declared: int) -> bytes:
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate & 0xFFFFFFFF, 2, 16,
                       b"data", declared) + data  # fmt: skip


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (lambda good: b"", "is empty"),
        (lambda good: b"hello, this is no sound at all\n" * 10, "not audio"),
        (lambda good: good[:30], "not audio|cut off"),
        (lambda good: good[: len(good) // 2], "cut off"),
        (lambda good: good[:80], "cut off|no sound"),
        (lambda good: _wav_header(16000, b"\0" * 100, 0x7FFFFFF0), "cut off"),
        (lambda good: _wav_header(0, b"\0" * 100, 100), "not audio|impossible"),
        (lambda good: _wav_header(4_000_000_000, b"\0" * 100, 100), "not audio|impossible"),
        (lambda good: os.urandom(5000), "not audio"),
    ],
)
def test_a_file_that_is_no_whole_recording_is_refused(tmp_path, content, why):
    path = tmp_path / "x.wav"
    path.write_bytes(content(_good(path)))
    before = path.read_bytes()
    with pytest.raises(AudioError, match=why) as caught:
        read_audio(path)
    assert str(path) in caught.value.summary
    assert caught.value.remedy
    assert path.read_bytes() == before


def test_a_flac_that_declares_a_hundred_years_takes_no_memory(tmp_path):
    path = tmp_path / "x.flac"
    soundfile.write(path, tone(), 16000)
    content = bytearray(path.read_bytes())
    # STREAMINFO ends its total of samples (36 bits) at byte 26 of the file.
    content[21] |= 0x0F
    content[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"cut off|damaged"):
        read_audio(path)


def _half(path: Path) -> Path:
    soundfile.write(path, np.random.default_rng(0).standard_normal(48000) * 0.1, 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def test_half_a_flac_is_refused(tmp_path):
    with pytest.raises(AudioError):
        read_audio(_half(tmp_path / "x.flac"))


def test_half_an_ogg_is_as_long_as_it_says(tmp_path):
    """Ogg declares no length, so only the text can tell that something is missing (the check does)."""
    audio, _ = read_audio(_half(tmp_path / "x.ogg"))
    assert 0 < len(audio) < 40_000


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, bad):
    x = tone()
    x[100] = bad
    soundfile.write(tmp_path / "x.wav", x, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match="NaN or Inf"):
        read_audio(tmp_path / "x.wav")


def test_no_sound_missing_folder_and_raw_are_refused(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(0), 16000)
    (tmp_path / "x.raw").write_bytes(b"\0" * 100)
    for name, why in [("x.wav", "no sound"), ("y.wav", "no such file"), (".", "no such file"), ("x.raw", "not audio")]:
        with pytest.raises(AudioError, match=why):
            read_audio(tmp_path / name)


def test_hours_of_silence_in_a_small_file_are_refused_before_they_fill_the_memory(tmp_path):
    path = tmp_path / "bomb.flac"
    with soundfile.SoundFile(path, "w", 8000, 2, "PCM_16") as file:
        for _ in range(130):
            file.write(np.zeros((8000 * 5, 2), np.int16))
    assert path.stat().st_size < 2_000_000
    tracemalloc.start()
    with pytest.raises(AudioError, match="too long"):
        read_audio(path, longest=5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
    with pytest.raises(AudioError, match="at most 600 s"):
        read_audio(path)


def test_a_limit_on_length_is_kept(tmp_path):
    write_wav(tmp_path / "x.wav", tone(2), 16000)
    with pytest.raises(AudioError, match="too long"):
        read_audio(tmp_path / "x.wav", longest=1)


def test_a_streamed_wav_without_a_size_is_read(tmp_path):
    (tmp_path / "x.wav").write_bytes(_wav_header(16000, b"\1\0" * 8000, 0xFFFFFFFF))
    audio, _ = read_audio(tmp_path / "x.wav")
    assert len(audio) == 8000


def _without_size(path: Path, size: bytes, riff: bytes | None = None, after: bytes = b"") -> Path:
    content = bytearray(_good(path))
    at = content.find(b"data") + 4
    content[at : at + 4] = size
    if riff is not None:
        content[4:8] = riff
    path.write_bytes(bytes(content) + after)
    return path


@pytest.mark.parametrize("size", [bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00\xf0\xff\xff"])
@pytest.mark.parametrize("riff", [None, bytes(4), b"\xff" * 4, b"\x24\x00\x00\x00"])
def test_a_wav_whose_size_was_never_written_is_read_to_its_end(tmp_path, size, riff):
    path = _without_size(tmp_path / "x.wav", size, riff)
    audio, rate = read_audio(path)
    assert np.array_equal(to_int16(audio), to_int16(tone()))
    assert (read_info(path).frames, read_info(path).sample_rate) == (len(audio), rate)
    with audio_blocks(path, 0.1) as blocks:
        assert np.array_equal(np.concatenate(list(blocks)), audio)


def test_a_wav_that_was_cut_within_a_sample_is_read_up_to_it(tmp_path):
    path = _without_size(tmp_path / "x.wav", bytes(4), after=b"\1")
    assert len(read_audio(path)[0]) == len(tone())


@pytest.mark.parametrize("after", [b"", b"LIST\x04\0\0\0INFO", b"LIST\x04\0\0\0INFOid3 \x02\0\0\0xy"])
def test_a_wav_without_any_sound_stays_empty(tmp_path, after):
    path = tmp_path / "x.wav"
    path.write_bytes(_wav_header(16000, b"", 0) + after)
    assert read_info(path).frames == 0
    with pytest.raises(AudioError, match="holds no sound"):
        read_audio(path)


@pytest.mark.parametrize("suffix", kinds.UNREAD)
def test_a_kind_that_is_not_read_is_told_as_such_with_the_command_that_converts_it(tmp_path, suffix):
    path = tmp_path / f"my clip{suffix}"
    path.write_bytes(b"\0\0\0\x20ftypM4A " * 40)
    with pytest.raises(AudioError, match="is not audio that can be read") as caught:
        read_info(path)
    assert f"ffmpeg -i '{path}' '{tmp_path}/my clip.wav'" in caught.value.remedy


def test_a_command_that_converts_never_writes_over_its_source(tmp_path):
    (tmp_path / "x.wav").write_bytes(b"\0\0\0\x20ftypM4A " * 40)
    with pytest.raises(AudioError) as caught:
        read_audio(tmp_path / "x.wav")
    assert "x-2.wav" in caught.value.remedy


@pytest.mark.parametrize("format", ["AU", "CAF", "W64", "AIFF", "FLAC"])
def test_kinds_that_are_read(tmp_path, format):
    path = tmp_path / f"x.{format.lower()}"
    soundfile.write(path, tone(), 16000, format=format, subtype="PCM_16")
    assert kinds.names_sound(path.name)
    assert len(read_audio(path)[0]) == len(tone())


@pytest.mark.parametrize("second", [-1.0, -0.98, -0.7])
def test_stereo_in_antiphase_is_not_silence(tmp_path, second):
    path = tmp_path / "x.wav"
    soundfile.write(path, np.stack([tone(), second * tone()], axis=1), 16000, subtype="FLOAT")
    recording = read_recording(path)
    assert recording.cancelling
    assert np.allclose(recording.audio, tone(), atol=1e-6)
    with audio_blocks(path, 0.1) as blocks:
        assert np.allclose(np.concatenate(list(blocks)), tone(), atol=1e-6)


@pytest.mark.parametrize("second", [1.0, 0.0, 0.5])
def test_other_stereo_is_averaged(tmp_path, second):
    path = tmp_path / "x.wav"
    soundfile.write(path, np.stack([tone(), second * tone()], axis=1), 16000, subtype="FLOAT")
    recording = read_recording(path)
    assert not recording.cancelling
    assert np.allclose(recording.audio, (1 + second) / 2 * tone(), atol=1e-6)


def test_a_pipe_in_a_recording_s_place_never_blocks(tmp_path):
    os.mkfifo(tmp_path / "x.wav")
    with pytest.raises(AudioError, match="is not a file that holds sound"):
        read_audio(tmp_path / "x.wav")


def test_a_stream_of_flac_that_does_not_say_its_length_is_told(tmp_path):
    path = tmp_path / "x.flac"
    soundfile.write(path, tone(), 16000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(AudioError, match="doesn't say how long it is") as caught:
        read_info(path)
    assert "ffmpeg" in caught.value.remedy
