"""What a person reads: every remedy is a whole sentence, from its capital letter to its full stop."""

import ast
from pathlib import Path

import pytest

import voxgraft

SOURCE = Path(voxgraft.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))


def literals(node):
    """The string literals that a remedy may be."""
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node


def remedies(tree):
    for node in ast.walk(tree):
        if (isinstance(node, ast.keyword) and node.arg == "remedy") or (
            isinstance(node, ast.Assign) and any("REMEDY" in getattr(name, "id", "").upper() for name in node.targets)
        ):
            yield from literals(node.value)


def edges(node):
    """How a literal begins and ends; "X" for what is put into it."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    words = ["X" if isinstance(part, ast.FormattedValue) else part.value for part in parts]
    return words[0][:1], words[-1][-1:]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_remedy_is_a_whole_sentence(path):
    for node in remedies(ast.parse(path.read_text("utf-8"))):
        first, last = edges(node)
        assert not first.islower(), f"line {node.lineno}: a remedy begins with a capital letter or a command"
        assert last in (".", "?"), f"line {node.lineno}: a remedy ends with a full stop"
