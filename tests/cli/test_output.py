"""Tables as a terminal shows them: nothing is cut off, a path stays whole."""

import re
import sys

import pytest

from voxgraft.cli.output import print_table

ANSI = re.compile(r"\x1b\[[0-9;]*m")
COLUMNS = ("part", "action", "tensors", "parameters", "why")
ROWS = [("text_encoder", "copy", 20, "1,328", "the same in the base"), ("dec", None, 0, "6,280", "[bold]none[/bold]")]


@pytest.fixture
def printed(monkeypatch, capsys):
    """What is printed on a terminal so many columns wide, None where there is no terminal."""

    def shown(width, *table):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: width is not None)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        print_table(*table)
        return ANSI.sub("", capsys.readouterr().out)

    return shown


@pytest.mark.parametrize("width", [8, 12, 24, 40, 60, 200, None])
def test_every_word_is_shown_however_narrow_the_terminal(printed, width):
    said = printed(width, "Graft plan", COLUMNS, ROWS)
    assert "Graft plan" in said
    for word in (*COLUMNS, "text_encoder", "copy", "20", "1,328", "same", "base", "6,280"):
        assert word in said, word
    assert max(map(len, said.splitlines())) <= max(width or 120, 64)


@pytest.mark.parametrize("width", [24, 120, None])
def test_a_title_is_one_line_as_it_is(printed, width):
    path = "/home/ada/[red]voices/" + "a folder with a long name/" * 12 + "x.ckpt"
    assert path in printed(width, path, ("", ""), [("family", "vits")]).splitlines()


@pytest.mark.parametrize("width", [30, 80])
def test_what_is_long_is_folded_and_whole(printed, width):
    word = "abcdefghij" * 20
    said = printed(width, "", ("tensor", "shape"), [(word, "1")])
    assert "".join(line[: line.index("│")].strip() for line in said.splitlines() if "│" in line) == word


def test_a_table_without_rows(printed):
    assert "nothing" in printed(10, "0 clips", ("nothing was found",), ())
