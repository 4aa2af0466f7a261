"""Frames: exact against their sound, cached, and normalised by speaker."""

from dataclasses import replace

import numpy as np
import pytest
from tests.corpus.tones import tone

from voxgraft.audio.energy import energy_contour
from voxgraft.audio.pitch import pitch_contour
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import mel_spectrogram
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.prepare.frames import prepare_frames
from voxgraft.corpus.prepare.prepare import prepare_audio
from voxgraft.corpus.prepare.variance import ValueStatistics, VarianceStatistics
from voxgraft.errors import AudioError, CorpusError

pytest.importorskip("pyloudnorm")
pytest.importorskip("pyworld")
CENTRED = AudioSpec(16000, centre=True, magnitude_floor=1e-9, fmax=8000.0, n_mels=20)
HIFIGAN = AudioSpec(22050, n_mels=20)


@pytest.fixture
def manifest(corpus, write):
    rows = []
    for number, (speaker, pitch) in enumerate([("ann", 220), ("ann", 240), ("bob", 100), ("bob", 120)]):
        write(f"wavs/{number}.wav", x=tone(0.4 + number / 17, pitch=pitch))
        rows.append(f"{number}|{speaker}|Text {number}\n")
    (corpus / "metadata.csv").write_text("".join(rows))
    return import_corpus(corpus)


@pytest.mark.parametrize("spec", [CENTRED, HIFIGAN, replace(CENTRED, hop=200, win=800)])
@pytest.mark.parametrize("trim", [True, False])
def test_frames_and_samples_agree_exactly(manifest, tmp_path, spec, trim):
    for entry in prepare_frames(manifest, spec, loudness=-23.0, trim=trim, cache_dir=tmp_path / "cache"):
        whole = prepare_audio(entry.utterance.audio, spec, loudness=-23.0, trim=trim)
        assert entry.samples == entry.frames * spec.hop == len(whole) // spec.hop * spec.hop
        np.testing.assert_allclose(entry.audio, whole[: entry.samples], atol=1 / 32768)
        mel = mel_spectrogram(entry.audio, spec)[:, : entry.frames]
        assert entry.mel.dtype == entry.audio.dtype == entry.pitch.dtype == entry.energy.dtype == np.float32
        np.testing.assert_array_equal(entry.mel, mel)
        np.testing.assert_array_equal(entry.pitch, pitch_contour(entry.audio, spec.sample_rate, spec.hop))
        np.testing.assert_array_equal(entry.energy, energy_contour(mel))
        assert len(entry.pitch) == len(entry.energy) == entry.frames
        np.testing.assert_array_equal(entry.mel_between(3, 9), mel[:, 3:9])
        np.testing.assert_array_equal(entry.audio_between(100, 900), entry.audio[100:900])


def test_where_the_sound_begins_in_the_recording_is_known(corpus, write, tmp_path):
    quiet = np.zeros(8000, np.float32)
    write("wavs/a.wav", x=np.concatenate([quiet, tone(0.5), quiet]))
    (corpus / "metadata.csv").write_text("a|Text\n")
    whole, cut = (
        prepare_frames(import_corpus(corpus), CENTRED, trim=trim, loudness=None, cache_dir=tmp_path / "cache")[0]
        for trim in (False, True)
    )
    assert whole.begin == 0
    assert 7000 < cut.begin < 10000
    np.testing.assert_array_equal(cut.audio, whole.audio[cut.begin : cut.begin + cut.samples])


def test_a_second_call_only_reads(manifest, tmp_path, monkeypatch):
    first = prepare_frames(manifest, CENTRED, cache_dir=tmp_path / "cache")
    monkeypatch.setattr("voxgraft.corpus.prepare.frames.frames_of", None)
    assert prepare_frames(manifest, CENTRED, cache_dir=tmp_path / "cache") == first
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 20


def test_other_settings_are_other_entries(manifest, tmp_path):
    first = prepare_frames(manifest, CENTRED, cache_dir=tmp_path / "cache")
    second = prepare_frames(manifest, replace(CENTRED, centre=False), cache_dir=tmp_path / "cache")
    assert not {p.mel_file for p in first} & {p.mel_file for p in second}


@pytest.mark.parametrize(
    ("x", "problem"),
    [(np.zeros(16000, np.float32), "is silent"), (tone(0.005)[1600:1700], "is too short")],
)
def test_a_clip_that_teaches_nothing_is_named(corpus, write, tmp_path, x, problem):
    write("wavs/a.wav", x=x)
    (corpus / "metadata.csv").write_text("a|Text\n")
    with pytest.raises(AudioError, match=rf"a\.wav: {problem}"):
        prepare_frames(import_corpus(corpus), CENTRED, trim=False, loudness=None, cache_dir=tmp_path / "cache")


def test_spectrograms_that_can_t_be_made_are_refused_before_any_work(manifest, tmp_path):
    with pytest.raises(AudioError, match="normalisation"):
        prepare_frames(manifest, replace(CENTRED, normalisation="mean-variance"), cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_statistics_are_those_of_each_speaker(manifest, tmp_path):
    prepared = prepare_frames(manifest, CENTRED, cache_dir=tmp_path / "cache")
    statistics = VarianceStatistics.of(prepared)
    for speaker in ("ann", "bob"):
        own = [p for p in prepared if p.utterance.speaker == speaker]
        voiced = np.concatenate([p.pitch[p.pitch > 0] for p in own]).astype(np.float64)
        found = statistics.pitch[speaker]
        expected = (voiced.mean(), voiced.std(ddof=1), voiced.min(), voiced.max())
        assert (found.mean, found.std, found.minimum, found.maximum) == pytest.approx(expected)
        together = np.concatenate([statistics.normalised_energy(p) for p in own])
        assert (together.mean(), together.std()) == pytest.approx((0, 1), abs=1e-2)
    assert statistics.pitch["ann"].mean == pytest.approx(230, abs=5)
    low, high = statistics.pitch_bounds
    contours = np.concatenate([statistics.normalised_pitch(p) for p in prepared])
    assert (low, high) == pytest.approx((contours.min(), contours.max()), abs=1e-4)


def test_statistics_go_through_plain_data(manifest, tmp_path):
    statistics = VarianceStatistics.of(prepare_frames(manifest, CENTRED, cache_dir=tmp_path / "cache"))
    assert VarianceStatistics.from_dict(statistics.to_dict()) == statistics


def test_everyvoice_s_statistics_serve_every_speaker():
    numbers = {
        "sample_size": 3,
        "norm_min": -2.0,
        "norm_max": 2.0,
        "min": 100.0,
        "max": 300.0,
        "mean": 200.0,
        "std": 50.0,
    }
    statistics = VarianceStatistics.from_dict({"pitch": numbers, "energy": numbers})
    assert statistics.of_speaker(statistics.pitch, "anyone") == ValueStatistics(200.0, 50.0, 100.0, 300.0)
    assert statistics.pitch_bounds == (-2.0, 2.0)


def test_normalising_and_restoring_are_inverse():
    numbers = ValueStatistics(200.0, 50.0, 100.0, 300.0)
    np.testing.assert_allclose(numbers.restored(numbers.normalised(np.array([100.0, 250.0]))), [100, 250])


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        {"pitch": {"": {"mean": 1.0}}, "energy": {}},
        {"pitch": {"": {"mean": 1.0, "std": 0.0, "minimum": 0.0, "maximum": 1.0}}},
        {"pitch": {"": {"mean": float("nan"), "std": 1.0, "minimum": 0.0, "maximum": 1.0}}},
        {"pitch": {"": {"mean": "1", "std": 1.0, "minimum": 0.0, "maximum": 1.0}}},
    ],
)
def test_statistics_that_are_none_are_told(values):
    with pytest.raises(CorpusError, match="is no statistics of pitch or energy"):
        VarianceStatistics.from_dict(values)


def test_an_unknown_speaker_is_told_who_is_known(manifest, tmp_path):
    statistics = VarianceStatistics.of(prepare_frames(manifest, CENTRED, cache_dir=tmp_path / "cache"))
    with pytest.raises(CorpusError, match=r"expected 'ann', 'bob', got 'eve'"):
        statistics.of_speaker(statistics.pitch, "eve")


def test_values_that_are_not_numbers_name_their_recording(manifest, tmp_path):
    entry = prepare_frames(manifest, CENTRED, cache_dir=tmp_path / "cache")[1]
    np.save(entry.pitch_file, np.full(entry.frames, np.nan, np.float32))
    with pytest.raises(CorpusError, match=r"1\.wav: pitch: its pitch has values that are not numbers"):
        VarianceStatistics.of([entry])


def test_a_speaker_without_voice_has_no_mean_pitch(corpus, write, tmp_path):
    write("wavs/a.wav", x=np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32))
    (corpus / "metadata.csv").write_text("a|Text\n")
    prepared = prepare_frames(import_corpus(corpus), CENTRED, cache_dir=tmp_path / "cache")
    np.save(prepared[0].pitch_file, np.zeros(prepared[0].frames, np.float32))
    with pytest.raises(CorpusError, match="nothing in these recordings is voiced"):
        VarianceStatistics.of(prepared)


def test_an_unvoiced_clip_lies_at_its_speaker_s_mean(manifest, tmp_path):
    prepared = prepare_frames(manifest, CENTRED, cache_dir=tmp_path / "cache")
    statistics = VarianceStatistics.of(prepared)
    np.save(prepared[0].pitch_file, np.zeros(prepared[0].frames, np.float32))
    assert not statistics.normalised_pitch(prepared[0]).any()
