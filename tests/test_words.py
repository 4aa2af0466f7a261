"""What a person reads: every remedy is a whole sentence, from its capital letter to its full stop."""

import ast
from pathlib import Path

import pytest

import voxgraft
from voxgraft.corpus.checks.check import _sound_findings
from voxgraft.corpus.checks.measure import Measures
from voxgraft.corpus.manifest import Utterance

# Where the remedy of a Finding stands among its arguments: clip, kind, detail, remedy.
REMEDY = 3
SOURCE = Path(voxgraft.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))


def literals(node):
    """The string literals that a remedy may be."""
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.Dict):
        yield from (text for value in node.values for text in literals(value))
    elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node


def remedies(tree):
    for node in ast.walk(tree):
        if (isinstance(node, ast.keyword) and node.arg == "remedy") or (
            isinstance(node, ast.Assign) and any("REMED" in getattr(name, "id", "").upper() for name in node.targets)
        ):
            yield from literals(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and len(node.args) > REMEDY:
            yield from literals(node.args[REMEDY])
        elif isinstance(node, ast.FunctionDef) and node.name == "_remedy":
            yield from (
                text for inside in ast.walk(node) if isinstance(inside, ast.Return) for text in literals(inside.value)
            )


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


def test_every_finding_says_what_to_do_in_a_whole_sentence():
    """What no literal shows: the findings of a clip with all that can be wrong with its sound."""
    clip = Utterance("a", "a.wav", "Hello.", 3.0, 16000)
    awful = Measures(
        duration=7.0, speech=3.0, leading=2.0, trailing=2.0, pause=3.0, peak=1.0, level=-45.0, snr=5.0, offset=0.2,
        clipped=20_000, sound="", cancelling=True,
    )  # fmt: skip
    found = [*_sound_findings(clip, awful, 4.0, 5.0), *_sound_findings(clip, awful, 1.0, 2.0)]
    assert len({one.kind for one in found}) == 9
    for one in found:
        assert one.remedy[0].isupper(), one
        assert one.remedy.endswith("."), one
