"""Alphabets: labels exactly as Coqui STT numbers them, and what of them can't work."""

import pytest

from voxgraft.text.alphabet import alphabet_table, byte_table, label_problems, parse_alphabet


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", ()),
        ("a\nb\n", ("a", "b")),
        ("a\nb", ("a", "b")),
        ("# note\n \na\n# end\n", (" ", "a")),
        ("\\#\n#\n\\\n", ("#", "\\")),
        ("\\#x\n", ("\\#x",)),
        ("a\n\n\nb\n", ("a", "b")),
        ("a\r\n \r\nb\r", ("a", " ", "b")),
        ("  \n", ("  ",)),
        ("\u2028\n\x0c\n", ("\u2028", "\x0c")),
        ("ё\nй\n", ("ё", "й")),
    ],
)
def test_labels(text, labels):
    assert parse_alphabet(text) == labels


def test_a_table_counts_the_blank_last():
    table = alphabet_table((" ", "a", "_", "$", "^"))
    assert table.rows == len(table) == 6
    assert table.blank == "<blank>"
    assert table.ids["<blank>"] == (5,)
    assert (table.pad, table.bos, table.eos, table.intersperse) == (None, None, None, False)
    assert table.encode("a_ $^b").ids == (1, 2, 0, 3, 4)
    assert table.encode("a_ $^b").unknown == {"b": 1}


def test_the_blank_is_never_a_label():
    table = alphabet_table(("<blank>", "a"))
    assert table.blank == "<<blank>>"
    assert table.ids["<blank>"] == (0,)
    assert table.rows == 3


def test_a_label_that_comes_twice_means_its_last_row():
    table = alphabet_table(("a", "b", "a"))
    assert table.ids["a"] == (2,)
    assert table.rows == 4


def test_bytes():
    table = byte_table()
    assert table.rows == len(table) == 256
    assert table.text_kind == "bytes"
    text = "ё a".encode().decode("latin-1")
    assert table.encode(text).ids == (0xD1 - 1, 0x91 - 1, 0x20 - 1, 0x61 - 1)
    assert table.ids[str(table.blank)] == (255,)
    assert "\0" not in table.ids


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("a", "b", "a"), "'a' comes 2 times"),
        (("a", "ch"), "several characters"),
        (("a", "\u0301", "й"), "combining"),
    ],
)
def test_doubts(labels, words):
    assert any(words in doubt for doubt in label_problems(labels))


def test_no_label_problems_a_good_one():
    assert label_problems((" ", "а", "й", "ё")) == ()
    assert label_problems((" ", "а", "и", "\u0306")) == ()
