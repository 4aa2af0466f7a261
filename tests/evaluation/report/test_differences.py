import pytest

from voxgraft.evaluation.metrics.transcript import edits
from voxgraft.evaluation.report.differences import MOST_TOKENS, aligned, marked


@pytest.mark.parametrize(
    ("said", "heard", "shown"),
    [
        ("the quick fox", "the quick fox", "the quick fox"),
        ("the quick fox", "the quack fox", 'the <mark title="said: quick">quack</mark> fox'),
        ("the quick fox", "the fox", "the <del>quick</del> fox"),
        ("the fox", "the the fox", None),
        ("a b", "", "<del>a</del> <del>b</del>"),
        ("The fox!", "the fox", "the fox"),
        ("東京都", "東都", "東<del>京</del>都"),
        ("привет мир", "превет мир", '<mark title="said: привет">превет</mark> мир'),
    ],
)
def test_what_is_wrong_missing_or_too_much_is_marked(said, heard, shown):
    if shown is None:
        assert marked(said, heard).count("<ins>") == 1
    else:
        assert marked(said, heard) == shown


def test_the_steps_are_as_few_as_can_be():
    said, heard = ["a", "b", "c", "d", "e", "f"], ["b", "c", "x", "d", "f", "g"]
    steps = aligned(said, heard)
    assert sum(step.kind != "same" for step in steps) == len(edits(said, heard))
    assert [step.said for step in steps if step.said] == said
    assert [step.heard for step in steps if step.heard] == heard


def test_nothing_of_a_transcript_becomes_markup():
    assert "<script" not in marked("safe words", "<script>alert(1)</script> words")
    assert 'title="said: &quot;&gt;' in marked('"> b', "a b")


def test_a_text_without_end_is_cut():
    page = marked("a " * 5000, "b " * 5000)
    assert page.count("<mark") == MOST_TOKENS
    assert page.endswith("…")
