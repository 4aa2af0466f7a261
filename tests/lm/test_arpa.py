import gzip
import os

import pytest

from voxgraft.errors import TextError
from voxgraft.lm.arpa import read_arpa

SMALL = """
\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.5
-0.5\t</s>
-0.3\ta\t-0.2

\\2-grams:
-0.1\t<s> a
-0.2\ta </s>

\\end\\
"""


def saved(tmp_path, text: str | bytes):
    path = tmp_path / "lm.arpa"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_file_of_others(tmp_path):
    model = read_arpa(saved(tmp_path, SMALL))
    assert model.order == 2
    assert model.sentence(["a"]) == pytest.approx(-0.1 - 0.2)
    assert model.sentence(["zzz"]) == pytest.approx(-0.5 - 1.0 - 0.5)
    assert model.sentence(["a", "a"]) == pytest.approx(-0.1 - 0.2 - 0.3 - 0.2)


def test_gzipped_is_the_same(tmp_path):
    assert read_arpa(saved(tmp_path, gzip.compress(SMALL.encode()))).sentence(["a"]) == pytest.approx(-0.3)


def test_a_model_without_an_unknown_word_calls_others_impossible(tmp_path):
    text = SMALL.replace("ngram 1=4", "ngram 1=3").replace("-1.0\t<unk>\n", "")
    assert read_arpa(saved(tmp_path, text)).sentence(["zzz"]) == float("-inf")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ngram 1=4", "ngram 1=5", "fewer n-grams"),
        ("ngram 1=4", "ngram 1=3", "missing or longer"),
        ("ngram 1=4", "ngram 1=99999999999", "too many words"),
        ("ngram 2=2", "ngram 3=2", "doesn't count n-grams of 1, 2, 3"),
        ("ngram 2=2", "ngram 2=1", "cut off"),
        ("\\end\\", "", "cut off"),
        ("\\data\\", "data", "not an ARPA file"),
        ("-0.3\ta\t-0.2", "-0.3\t</s>\t-0.2", "twice"),
        ("-0.2\ta </s>", "-0.2\t<s> a", "twice"),
        ("-0.2\ta </s>", "-0.2\tb </s>", "lacks"),
        ("-0.2\ta </s>", "0.2\ta </s>", "not a logarithm"),
        ("-0.2\ta </s>", "nan\ta </s>", "not a logarithm"),
        ("-0.2\ta </s>", "x\ta </s>", "not a logarithm"),
        ("-0.2\ta </s>", "-0.2\ta", "not an n-gram"),
        ("-0.2\ta </s>", "-0.2\t" + "a" * 20_000, "a line too long"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, old, new, message):
    with pytest.raises(TextError, match=message) as fault:
        read_arpa(saved(tmp_path, SMALL.replace(old, new)))
    assert "line" in fault.value.summary or "grams" in fault.value.summary


def test_an_n_gram_without_its_beginning_is_refused(tmp_path):
    text = SMALL.replace("ngram 2=2", "ngram 2=2\nngram 3=1").replace("\\end\\", "\\3-grams:\n-0.1\ta a a\n\\end\\")
    with pytest.raises(TextError, match="first words are no n-gram"):
        read_arpa(saved(tmp_path, text))


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe" + SMALL.encode(), b"\x1f\x8bnothing", b"\\data\\\n\xff\xff"])
def test_bytes_that_are_no_arpa_file(tmp_path, raw):
    with pytest.raises(TextError):
        read_arpa(saved(tmp_path, raw))


def test_every_truncation_is_one_clear_error(tmp_path):
    raw = SMALL.rstrip().encode()
    for size in range(0, len(raw) - 1, 3):
        with pytest.raises(TextError):
            read_arpa(saved(tmp_path, raw[:size]))


def test_no_file(tmp_path):
    with pytest.raises(TextError, match="can't be read"):
        read_arpa(tmp_path / "none.arpa")


def test_a_file_of_nothing_but_empty_lines_is_no_model(tmp_path):
    path = tmp_path / "empty.arpa"
    path.write_text("\\data\\\nngram 1=1\n" + "\n" * 100_000)
    with pytest.raises(TextError, match="empty lines"):
        read_arpa(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "pipe.arpa"
    os.mkfifo(path)
    with pytest.raises(TextError, match="regular file"):
        read_arpa(path)
