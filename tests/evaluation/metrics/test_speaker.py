import sys

import numpy as np
import pytest

from voxgraft.errors import EvaluationError, MissingExtra
from voxgraft.evaluation.metrics.speaker import SpeakerEncoder, leave_one_out, similarity, target_of


@pytest.fixture(scope="module")
def encoder():
    pytest.importorskip("resemblyzer")
    return SpeakerEncoder()


def test_a_voice_is_more_like_itself_than_like_another(encoder, recordings, other_speaker):
    embeddings = [encoder.embed(*clip) for clip, _ in recordings]
    own = leave_one_out(embeddings)
    other = similarity(encoder.embed(*other_speaker), target_of(embeddings))
    assert min(own) > 0.8
    assert other < 0.6


def test_equal_to_resemblyzer(encoder, recordings):
    resemblyzer = pytest.importorskip("resemblyzer")
    torch = pytest.importorskip("torch")
    original = resemblyzer.VoiceEncoder("cpu", verbose=False)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for clip, _ in recordings[:3]:
            theirs = original.embed_utterance(resemblyzer.preprocess_wav(clip.audio, clip.sample_rate))
            np.testing.assert_allclose(encoder.embed(*clip), theirs, atol=1e-5)
    finally:
        torch.set_num_threads(before)


def test_a_clip_does_not_depend_on_those_before(encoder, recordings):
    first = encoder.embed(*recordings[0][0])
    encoder.embed(*recordings[1][0])
    np.testing.assert_array_equal(encoder.embed(*recordings[0][0]), first)


def test_the_level_of_a_quiet_clip_does_not_matter(encoder, recordings):
    clip, _ = recordings[0]
    quiet = [encoder.embed(clip.audio * gain, clip.sample_rate) for gain in (0.01, 0.003)]
    assert similarity(*quiet) > 0.999


@pytest.mark.parametrize("audio", [np.zeros(16_000, np.float32), np.zeros(0, np.float32), np.ones(100, np.float32)])
def test_no_speech_is_like_nobody(encoder, audio):
    assert not encoder.embed(audio, 16_000).any()


def test_loading_prints_nothing(capfd):
    pytest.importorskip("resemblyzer")
    SpeakerEncoder()
    assert capfd.readouterr().out == ""


def test_similarity_of_known_vectors():
    target = target_of([np.array([1.0, 0.0]), np.array([0.0, 1.0])])
    assert similarity(np.array([1.0, 0.0]), target) == pytest.approx(np.sqrt(0.5))
    assert leave_one_out([np.array([1.0, 0.0]), np.array([0.0, 1.0])]) == [0.0, 0.0]


def test_no_recording_of_the_target_is_an_error():
    with pytest.raises(EvaluationError, match="no recording"):
        target_of([])


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "resemblyzer.voice_encoder", None)
    with pytest.raises(MissingExtra, match="--no-deps Resemblyzer"):
        SpeakerEncoder()
