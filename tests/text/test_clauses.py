import pytest

from voxgraft.text.g2p.clauses import ENDINGS, Ending, ending


@pytest.mark.parametrize(
    ("clause", "last", "expected"),
    [
        ("How are you? ", False, Ending("?", True)),
        ("Well; ", False, Ending(";", False)),
        ("so... ", False, Ending("", False)),
        ("What?! ", False, Ending("?", True)),
        ("“Yes”, ", False, Ending(",", False)),
        ("end", True, Ending("", True)),
        ("end", False, Ending("", False)),
        ("paragraph.\n\n", False, Ending("", True)),
        ("line.\n", False, Ending(".", True)),
        ("cat.-", True, Ending("", True)),
        ('",', True, Ending("", True)),
        ("", True, Ending("", True)),
    ],
)
def test_ending(clause, last, expected):
    assert ending(clause, last=last) == expected


def test_each_character_is_in_the_table_once():
    assert len(ENDINGS) > 120
    assert ENDINGS["."] == Ending(".", True)
    assert ENDINGS["—"] == Ending(";", False)
