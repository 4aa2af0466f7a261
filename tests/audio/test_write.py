import io
import struct

import numpy as np
import pytest
import soundfile

from voxgraft.audio import write
from voxgraft.audio.write import WaveFile, wave_header
from voxgraft.errors import AudioError

SAMPLES = np.array([0, 1, -1, 32767, -32767], dtype=np.int16)


def test_a_file_grows_piece_by_piece_and_reads_back(tmp_path):
    path = tmp_path / "new" / "a.wav"
    with WaveFile(path, 16000) as file:
        file.write(SAMPLES)
        assert not path.exists()
        file.write(SAMPLES[::-1])
    audio, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000
    assert np.array_equal(audio, np.concatenate([SAMPLES, SAMPLES[::-1]]))
    assert list(path.parent.iterdir()) == [path]


def fail_while_writing(path, fault):
    with WaveFile(path, 16000) as file:
        file.write(SAMPLES)
        raise fault


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError])
def test_a_fault_leaves_the_old_file_and_nothing_else(tmp_path, fault):
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with pytest.raises(fault):
        fail_while_writing(path, fault)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_before_the_first_sentence_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "wave_header", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt), WaveFile(tmp_path / "out.wav", 16_000):
        pytest.fail("not reached")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AudioError, match="can't be written"), WaveFile(tmp_path / "file" / "a.wav", 16000):
        pass


def test_a_folder_is_no_place_for_a_file(tmp_path):
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(AudioError, match="can't be written"), WaveFile(tmp_path / "a.wav", 16000) as file:
        file.write(SAMPLES)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_past_four_gigabytes_the_header_is_rf64():
    size = 5 * 2**30
    header = wave_header(22050, size)
    assert (header[:4], header[12:16]) == (b"RF64", b"ds64")
    assert struct.unpack("<QQQ", header[20:44]) == (len(header) - 8 + size, size, size // 2)
    assert len(header) == len(wave_header(22050, 0)) == len(wave_header(22050, None))


def test_a_header_for_a_stream_can_be_read():
    stream = io.BytesIO(wave_header(8000, 2 * len(SAMPLES)) + SAMPLES.tobytes())
    audio, rate = soundfile.read(stream, dtype="int16")
    assert rate == 8000
    assert np.array_equal(audio, SAMPLES)
