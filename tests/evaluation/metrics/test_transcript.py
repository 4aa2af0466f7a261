import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxgraft.errors import EvaluationError
from voxgraft.evaluation.metrics.transcript import cer, edits, normalise_transcript, wer


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("That's ALL,  folks!", "thats all folks"),
        ("one—two/three…four", "one two three four"),
        ("Press # 2.5", "press 25"),
        ("Ёлка\u00a0растёт", "ёлка растёт"),
        ("e\u0301te\u0301", "été"),
        ("हिन्दी", "हिन्दी"),
        ("?!", ""),
    ],
)
def test_only_letters_digits_and_spaces_count(raw, normal):
    assert normalise_transcript(raw) == normal


@pytest.mark.parametrize(
    ("left", "right", "distance"), [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("flaw", "lawn", 2)]
)
def test_edit_distance_of_textbook_pairs(left, right, distance):
    assert len(edits(left, right)) == distance


def test_errors_are_pooled_not_averaged():
    references, heard = ["a b c d e f g h", "x y"], ["a b c d e f g h", "x z"]
    assert wer(references, heard) == pytest.approx(1 / 10)
    assert cer(references, heard) == pytest.approx(1 / (15 + 3))


def test_insertions_can_exceed_one():
    assert wer(["yes"], ["oh yes it is"]) == 3.0


def test_nothing_to_score_against_is_an_error():
    with pytest.raises(EvaluationError, match="no letter or digit"):
        cer(["…"], ["word"])


@given(st.lists(st.text("ab c", min_size=1, max_size=12), min_size=1, max_size=4), st.data())
def test_equal_to_jiwer(references, data):
    jiwer = pytest.importorskip("jiwer")
    references = [reference if normalise_transcript(reference) else "a" for reference in references]
    heard = [data.draw(st.text("ab c", max_size=12)) for _ in references]
    normal = [[normalise_transcript(text) for text in texts] for texts in (references, heard)]
    assert cer(references, heard) == pytest.approx(jiwer.cer(*normal))
    assert wer(references, heard) == pytest.approx(jiwer.wer(*normal))
