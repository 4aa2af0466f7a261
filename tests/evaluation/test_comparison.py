import numpy as np
import pytest
from tests.evaluation.stand_ins import TEXTS, Steady, spoken

from voxgraft.errors import EvaluationError, MissingExtra
from voxgraft.evaluation.compare import Candidate, compare
from voxgraft.evaluation.instruments import Clip, Instruments, load_instruments
from voxgraft.evaluation.judge import HeldOut

FIELDS = {"cer", "wer", "speaker_similarity", "dnsmos", "mcd", "f0_rmse"}


def good(text: str, seed: int) -> np.ndarray:
    return spoken(text)


def bad(text: str, seed: int) -> np.ndarray:
    """Swallows its first word, and is another speaker."""
    return spoken(text.split(" ", 1)[1]) - 1


def deaf_to_sign(instruments: Instruments) -> Instruments:
    heard = instruments.recogniser.transcribe
    instruments.recogniser.transcribe = lambda audio, rate: heard(np.where(audio < 0, audio + 1, audio), rate)
    return instruments


@pytest.fixture
def comparison(fake_instruments, held_out):
    candidates = {"base": Candidate(bad, 16_000, "old"), "result": Candidate(good, 22_050, "new")}
    target = [Clip(spoken("target"), 16_000)]
    return compare(candidates, held_out, target=target, seeds=2, instruments=deaf_to_sign(fake_instruments))


def test_every_role_has_every_field(comparison):
    found = comparison.to_dict()
    for role in ("base", "result", "recordings"):
        assert set(found[role]) == FIELDS
    assert found["texts"] == 3
    assert found["seeds"] == 2


def test_scores_of_known_voices(comparison):
    found = comparison.to_dict()
    assert found["result"]["cer"] == (0, 0, 0)
    assert found["base"]["wer"] == pytest.approx((0.25, 0.25, 0.25))
    assert found["base"]["speaker_similarity"] == (0, 0, 0)
    assert found["result"]["speaker_similarity"] == pytest.approx((1, 1, 1))
    assert found["change"]["wer"] == pytest.approx((-0.25, -0.25, -0.25))


def test_what_is_absent_is_null_with_its_reason(comparison):
    found = comparison.to_dict()
    assert found["base"]["mcd"] is None
    assert found["absent"]["mcd"] == "not here"
    assert found["absent"]["f0_rmse"] == "no clip could be measured"


def test_sound_quality_is_measured_on_one_seed(held_out, fake_instruments):
    compare({"result": Candidate(good, 16_000)}, held_out, seeds=4, instruments=fake_instruments)
    assert isinstance(fake_instruments.dnsmos, Steady)
    assert fake_instruments.dnsmos.asked == 2 * len(held_out)


def test_the_first_seed_is_kept_for_listening(held_out, fake_instruments):
    def counting(text: str, seed: int) -> np.ndarray:
        return np.concatenate([spoken(text), np.full(seed, 0.1, np.float32)])

    kept = compare({"result": Candidate(counting, 16_000)}, held_out, seeds=3, instruments=fake_instruments).clips
    assert {name: len(clip.audio) for name, clip in kept["result"].items()} == {n: len(t) for n, t in TEXTS.items()}
    assert set(kept["recordings"]) == set(TEXTS)


def test_recordings_that_are_the_target_are_compared_with_the_others(fake_instruments):
    signs = {"a": 1, "b": 1, "c": -1}
    lines = [HeldOut(name, "text", Clip(np.full(9, 0.5 * sign, np.float32), 16_000)) for name, sign in signs.items()]
    fake_instruments.recogniser.transcribe = lambda audio, rate: "text"
    scores = compare({}, lines, instruments=fake_instruments).scores["recordings"]
    likeness = [row.speaker_similarity for row in scores.rows]
    assert likeness == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0])


def test_without_recordings_nothing_is_compared_with_them(fake_instruments):
    lines = [HeldOut("a", "one two")]
    found = compare({"result": Candidate(good, 16_000)}, lines, instruments=fake_instruments).to_dict()
    assert found["recordings"] is None
    assert found["result"]["speaker_similarity"] is None
    assert "recordings of the target" in found["absent"]["speaker_similarity"]


def test_silence_is_reported(held_out, fake_instruments):
    silent = Candidate(lambda text, seed: np.zeros(0, np.float32), 16_000)
    found = compare({"result": silent}, held_out, seeds=1, instruments=fake_instruments)
    assert found.summary("result")["cer"][0] == 1
    assert any("result: 3 clips without speech" in note for note in found.notes)


def test_a_voice_that_speaks_nan_is_an_error(held_out, fake_instruments):
    broken = Candidate(lambda text, seed: np.full(9, np.nan, np.float32), 16_000)
    with pytest.raises(EvaluationError, match="not finite"):
        compare({"result": broken}, held_out, instruments=fake_instruments)


def test_no_texts_is_an_error(fake_instruments):
    with pytest.raises(EvaluationError, match="no text"):
        compare({"result": Candidate(good, 16_000)}, [], instruments=fake_instruments)


def test_instruments_that_are_missing_are_named(monkeypatch):
    def missing(*arguments: object, **settings: object) -> None:
        raise MissingExtra("thing", "eval", "measuring")

    for name in ("Recogniser", "SpeakerEncoder", "Dnsmos", "World"):
        monkeypatch.setattr(f"voxgraft.evaluation.instruments.{name}", missing)
    tools = load_instruments()
    assert set(tools.absent) == FIELDS
    assert all("voxgraft[eval]" in reason for reason in tools.absent.values())
    with pytest.raises(MissingExtra):
        load_instruments(recogniser="/my/model")
    assert load_instruments(wanted=("cer",)).absent["dnsmos"] == "turned off"
    with pytest.raises(MissingExtra):
        load_instruments(required=True)
