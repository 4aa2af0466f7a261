import numpy as np
import pytest

from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import EvaluationError
from voxgraft.evaluation.instruments import Instruments
from voxgraft.evaluation.report import Report, render
from voxgraft.evaluation.vocoder import Spectrogram, compare_vocoders

SPEC = AudioSpec(16000, 512, 128, 512, 40, 0.0, 8000.0)


class Recogniser:
    """Hears what a clip of its loudness is known as."""

    def transcribe(self, audio, sample_rate):
        return "hello world" if np.abs(audio).max() > 0.2 else "yellow word"


@pytest.fixture
def spectrograms():
    draw = np.random.default_rng(0)
    return [
        Spectrogram(
            f"clip {n}",
            "Hello, world!",
            np.zeros((40, 60), np.float32),
            draw.normal(0, 0.1, 60 * 128).astype(np.float32),
            np.full(60, 120.0),
        )
        for n in range(4)
    ]


def test_vocoders_are_measured_against_the_recordings(spectrograms):
    sounds = {s.id: s.audio for s in spectrograms}
    order = iter(sounds.values())

    def right(mel):
        return next(order)

    def quiet(mel):
        return np.full(60 * 128, 0.01, np.float32)

    found = compare_vocoders({"base": quiet, "result": right}, spectrograms, SPEC, Instruments(recogniser=Recogniser()))
    before, after = found.summary("base"), found.summary("result")
    assert after["mel_distance"][0] == 0
    assert before["mel_distance"][0] > 0.5
    assert before["mr_stft"][0] > after["mr_stft"][0]
    assert (before["cer"][0], after["cer"][0]) == (pytest.approx(3 / 11), 0)
    assert found.change()["mel_distance"][2] < 0
    assert found.summary("recordings")["mel_distance"] is None
    assert set(found.to_dict()["base"]) == {"mel_distance", "mr_stft", "flatness", "cer", "dnsmos"}


def test_the_page_shows_the_measures_of_vocoders(spectrograms):
    found = compare_vocoders({"base": lambda mel: np.zeros(60 * 128, np.float32)}, spectrograms, SPEC, Instruments())
    page = render(Report("Matched", found))
    assert "MR-STFT" in page
    assert "Similarity" not in page


def test_samples_that_are_no_numbers_and_no_recordings_are_errors(spectrograms):
    with pytest.raises(EvaluationError, match="finite"):
        compare_vocoders({"base": lambda mel: np.full(99, np.nan)}, spectrograms, SPEC, Instruments())
    with pytest.raises(EvaluationError, match="no recording"):
        compare_vocoders({}, [], SPEC, Instruments())
