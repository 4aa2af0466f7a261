"""The split: by text, speaker-safe, the same every time, and stable when clips are added."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.split import split, text_key
from voxgraft.errors import CorpusError


def manifest(*clips: tuple[str, str, str | None]) -> Manifest:
    return Manifest(tuple(Utterance(i, f"{i}.wav", text, 1.0, 16000, speaker=s) for i, text, s in clips))


def numbered(count: int, speaker: str | None = None, prefix: str = "") -> Manifest:
    return manifest(*((f"{prefix}{n}", f"{prefix} text number {n}", speaker) for n in range(count)))


def ids(part: Manifest) -> set[str]:
    return {u.id for u in part}


def test_counts_and_seed():
    first = split(numbered(60), 8, ("3", "4"), seed=1)
    assert (len(first.train), len(first.validation), len(first.held_out)) == (50, 8, 2)
    assert split(numbered(60), 8, ("3", "4"), seed=1) == first
    assert split(numbered(60), 8, ("3", "4"), seed=2) != first


def test_the_same_text_is_never_on_two_sides():
    clips = manifest(("a", "Hello, there!", None), ("b", "hello there", None), ("c", "HELLO  there.", None),
                     ("d", "Other", None), ("e", "Third", None))  # fmt: skip
    parts = split(clips, 1, ("a",))
    assert ids(parts.held_out) == {"a", "b", "c"}
    assert len(parts.train) == len(parts.validation) == 1


def test_adding_clips_moves_hardly_any():
    before = ids(split(numbered(100), 10, seed=3).validation)
    after = ids(split(numbered(110), 10, seed=3).validation)
    assert len(before & after) >= 7


def test_speakers_share_validation_and_all_are_trained():
    clips = Manifest((*numbered(60, "ann", "a"), *numbered(20, "bob", "b"), *numbered(1, "cy", "c")))
    parts = split(clips, 8)
    assert parts.train.speakers == ("ann", "bob", "cy")
    counts = [sum(u.speaker == s for u in parts.validation) for s in ("ann", "bob", "cy")]
    assert counts == [6, 2, 0]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["x", "y", None])), min_size=1, max_size=40),
    st.integers(0, 10),
    st.integers(0, 5),
)
def test_whatever_the_corpus(clips, validation, seed):
    everything = manifest(*((str(n), text, speaker) for n, (text, speaker) in enumerate(clips)))
    parts = split(everything, validation, seed=seed)
    train, held = ({text_key(u.text) for u in part} for part in (parts.train, parts.validation))
    assert not train & held
    assert len(parts.train) + len(parts.validation) == len(everything)
    assert {u.speaker for u in parts.train} == {u.speaker for u in everything}
    assert len(held) <= validation


def test_mistakes_are_named():
    with pytest.raises(CorpusError, match="no such utterance: 99"):
        split(numbered(5), 1, ("99",))
    with pytest.raises(CorpusError, match="nothing is left"):
        split(numbered(2), 1, ("0", "1"))
    with pytest.raises(CorpusError, match="nothing is left"):
        split(Manifest(()), 1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Hello,  World!", "hello world", True),
        ("STRASSE", "straße", True),
        ("Привет.", "привет", True),
        ("हिन्दी", "हिनदी", False),
        ("résumé", "resume", False),
        ("...", "?!", False),
    ],
)
def test_what_counts_as_the_same_text(one, other, same):
    assert (text_key(one) == text_key(other)) is same


@pytest.mark.parametrize(
    ("clips", "validation"),
    [(2, 1), (3, 1), (4, 1), (8, 1), (9, 1), (12, 2), (20, 3), (48, 8), (60, 8), (1000, 8)],
)
def test_most_of_a_small_corpus_is_trained_on(clips, validation):
    parts = split(numbered(clips), 8)
    assert (len(parts.train), len(parts.validation)) == (clips - validation, validation)


def test_more_is_validated_on_where_that_is_asked_for():
    assert len(split(numbered(20), 9).validation) == 9
    assert len(split(numbered(9), 9).validation) == 4
    assert len(split(numbered(9), 8, most=1.0).validation) == 8
