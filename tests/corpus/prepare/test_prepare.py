"""Preparing: right arrays, cached by content and settings, safe against kills and half-written files."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from voxgraft.audio.mfcc import MfccSpec
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import linear_spectrogram
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.prepare import cache
from voxgraft.corpus.prepare import prepare as preparing
from voxgraft.corpus.prepare.features import prepare_features
from voxgraft.corpus.prepare.prepare import prepare, prepare_audio, upsampled
from voxgraft.errors import AudioError

pytest.importorskip("pyloudnorm")
SPEC = AudioSpec(22050)


@pytest.fixture
def manifest(corpus, write):
    lines = []
    for number in range(6):
        write(f"wavs/{number}.wav", seconds=0.5 + number / 10)
        lines.append(f"{number}|Text {number}\n")
    (corpus / "metadata.csv").write_text("".join(lines))
    return import_corpus(corpus)


def files(folder) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in sorted(folder.rglob("*.npy"))}


def test_arrays_are_those_of_the_audio_chain(manifest, tmp_path):
    prepared = prepare(manifest, SPEC, loudness=-23.0, trim=True, cache_dir=tmp_path / "cache")
    assert [p.utterance for p in prepared] == list(manifest)
    for entry in prepared:
        expected = prepare_audio(entry.utterance.audio, SPEC, loudness=-23.0, trim=True)
        assert entry.audio.shape == (entry.samples,)
        assert entry.audio.dtype == entry.spectrogram.dtype == np.float32
        np.testing.assert_allclose(entry.audio, expected, atol=1 / 32768)
        assert entry.spectrogram.shape == (513, entry.frames)
        np.testing.assert_allclose(entry.spectrogram, linear_spectrogram(entry.audio, SPEC), rtol=6e-4, atol=1e-6)


def test_a_second_call_only_reads(manifest, tmp_path):
    prepare(manifest, SPEC, cache_dir=tmp_path / "cache")
    before = files(tmp_path / "cache")
    prepare(manifest, SPEC, cache_dir=tmp_path / "cache")
    assert files(tmp_path / "cache") == before
    assert len(before) == 12


@pytest.mark.parametrize(
    "change",
    [
        {"spec": AudioSpec(16000)},
        {"spec": replace(SPEC, hop=128)},
        {"loudness": -20.0},
        {"loudness": None},
        {"trim": False},
    ],
)
def test_other_settings_are_other_entries(manifest, tmp_path, change):
    settings = {"spec": SPEC, "loudness": -23.0, "trim": True, "cache_dir": tmp_path / "cache"}
    first = prepare(manifest, **settings)
    second = prepare(manifest, **settings | change)
    assert not {p.audio_file for p in first} & {p.audio_file for p in second}


def test_other_code_is_another_entry(manifest, tmp_path, monkeypatch):
    first = prepare(manifest, SPEC, cache_dir=tmp_path)
    monkeypatch.setattr(preparing, "code_version", lambda: "other")
    assert not {p.audio_file for p in first} & {p.audio_file for p in prepare(manifest, SPEC, cache_dir=tmp_path)}


def test_other_sound_under_the_same_name_is_another_entry(manifest, write, tmp_path):
    first = prepare(manifest, SPEC, cache_dir=tmp_path / "cache")
    write("wavs/3.wav", seconds=2.0)
    second = prepare(manifest, SPEC, cache_dir=tmp_path / "cache")
    changed = [a.audio_file != b.audio_file for a, b in zip(first, second, strict=True)]
    assert changed == [False, False, False, True, False, False]
    assert second[3].samples > first[3].samples


@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b[:50], lambda b: b[:-7], lambda b: b + b"x", lambda b: b"\0" * len(b)]
)
@pytest.mark.parametrize("which", ["audio_file", "spectrogram_file"])
def test_a_damaged_entry_is_made_again(manifest, tmp_path, damage, which):
    first = prepare(manifest, SPEC, cache_dir=tmp_path)
    sound, path = first[2].audio.copy(), getattr(first[2], which)
    path.write_bytes(damage(path.read_bytes()))
    second = prepare(manifest, SPEC, cache_dir=tmp_path)
    np.testing.assert_array_equal(second[2].audio, sound)
    assert second[2].spectrogram.shape == (513, second[2].frames)


@pytest.mark.parametrize("which", ["audio_file", "spectrogram_file"])
@pytest.mark.parametrize("place", [9, 64, 130, 5000, -9, -1])
def test_a_flipped_bit_is_found_told_and_mended(manifest, tmp_path, capsys, which, place):
    first = prepare(manifest, SPEC, cache_dir=tmp_path)
    path = getattr(first[2], which)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[place] ^= 4
    path.write_bytes(damaged)
    capsys.readouterr()
    prepare(manifest, SPEC, cache_dir=tmp_path)
    assert path.read_bytes() == whole
    assert capsys.readouterr().err.count("damaged in the cache, and made again") == 1


@pytest.mark.parametrize("package", ["numpy", "soxr", "soundfile"])
@pytest.mark.parametrize("module", ["prepare", "features"])
def test_another_version_of_a_package_is_another_entry(monkeypatch, package, module):
    module = import_module(f"voxgraft.corpus.prepare.{module}")
    before = module.code_version.__wrapped__()
    real = cache.version
    monkeypatch.setattr(cache, "version", lambda name: "0" if name == package else real(name))
    assert module.code_version.__wrapped__() != before


def test_a_pipe_in_a_recording_s_place_never_blocks(manifest, corpus, tmp_path):
    os.remove(corpus / "wavs/4.wav")
    os.mkfifo(corpus / "wavs/4.wav")
    with pytest.raises(AudioError, match=r"4\.wav: can't be read"):
        prepare(manifest, SPEC, cache_dir=tmp_path)
    found, (fault,) = prepare_features(manifest.utterances, MfccSpec(), tmp_path)
    assert (len(found), fault.clip) == (5, "4")


def test_a_kill_leaves_whole_entries_and_the_next_call_goes_on(manifest, corpus, tmp_path):
    program = textwrap.dedent(
        f"""
        import os, signal
        from voxgraft.audio.spec import AudioSpec
        from voxgraft.corpus.prepare import cache
        from voxgraft.corpus.importers import import_corpus
        from voxgraft.corpus.prepare.prepare import prepare
        replace, count = os.replace, 0
        def dying(*args):
            global count
            count += 1
            if count == 6:
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*args)
        os.replace = dying
        prepare(import_corpus({str(corpus)!r}), AudioSpec(22050), cache_dir={str(tmp_path / "cache")!r}, workers=1)
        """
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert result.returncode == -signal.SIGKILL
    survived = files(tmp_path / "cache")
    assert len(survived) == 5
    time.sleep(0.01)
    prepared = prepare(manifest, SPEC, cache_dir=tmp_path / "cache")
    after = files(tmp_path / "cache")
    assert sum(after[path] == stamp for path, stamp in survived.items()) == 4
    assert all(p.frames > 0 for p in prepared)


def test_the_recordings_are_not_touched(manifest, corpus, tmp_path):
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in corpus.rglob("*") if p.is_file()}
    prepare(manifest, SPEC, cache_dir=tmp_path / "cache")
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in corpus.rglob("*") if p.is_file()} == before


def test_the_recording_that_fails_is_named(manifest, corpus, tmp_path):
    os.remove(corpus / "wavs/4.wav")
    with pytest.raises(AudioError, match=r"4\.wav"):
        prepare(manifest, SPEC, cache_dir=tmp_path)


def test_power_spectrograms_do_not_overflow(manifest, tmp_path):
    loud = prepare(manifest, replace(SPEC, power=2.0), loudness=-6.0, cache_dir=tmp_path)
    assert np.isfinite(loud[0].spectrogram).all()
    assert np.load(loud[0].spectrogram_file).dtype == np.float32


def test_upsampling_is_told(manifest):
    assert len(upsampled(manifest, SPEC)) == 6
    assert upsampled(manifest, AudioSpec(16000)) == []
