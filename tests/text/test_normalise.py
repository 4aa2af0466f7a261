import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxgraft.errors import TextError
from voxgraft.text.normalise import normalise


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("cafe\u0301", "café"),
        ("a\u00a0 \tb", "a b"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\n\nb", "a\n\nb"),
        ("soft\u00adhyphen\u200b\ufeff", "softhyphen"),
        ("  edges \n", "edges"),
        ("bell\x07", "bell"),
        ("می\u200cشود", "می\u200cشود"),
        ("“quotes” – ‘kept’…", "“quotes” – ‘kept’…"),
    ],
)
def test_normalise(raw, clean):
    assert normalise(raw) == clean


@given(st.text())
def test_normalising_twice_is_normalising_once(text):
    assert normalise(normalise(text)) == normalise(text)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(TextError, match="character 1"):
        normalise("a\ud800")
