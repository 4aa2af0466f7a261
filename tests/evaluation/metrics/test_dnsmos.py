import numpy as np
import pytest

from voxgraft.errors import EvaluationError, MissingExtra
from voxgraft.evaluation.metrics.dnsmos import Dnsmos


@pytest.fixture(scope="module")
def dnsmos():
    pytest.importorskip("speechmos")
    return Dnsmos(threads=1)


def test_noise_sounds_worse(dnsmos, recordings):
    clip, _ = recordings[0]
    noise = np.random.default_rng(0).normal(0, 0.05, len(clip.audio)).astype(np.float32)
    clean = dnsmos.score(*clip)
    assert 2.5 < clean < 5
    assert dnsmos.score(clip.audio + noise, clip.sample_rate) < clean - 0.5


def test_equal_to_speechmos_where_it_scores_one_window(dnsmos, recordings):
    pytest.importorskip("librosa")
    from speechmos import dnsmos as original

    clip = next(clip for clip, _ in recordings if 4.6 < clip.seconds < 4.95)
    theirs = original.run(clip.audio, clip.sample_rate)["ovrl_mos"]
    assert dnsmos.score(*clip) == pytest.approx(theirs, abs=1e-4)


def test_an_empty_clip_is_an_error(dnsmos):
    with pytest.raises(EvaluationError, match="empty"):
        dnsmos.score(np.zeros(0, np.float32), 16_000)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("voxgraft.evaluation.metrics.dnsmos.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as fault:
        Dnsmos()
    assert "voxgraft[eval]" in fault.value.remedy
