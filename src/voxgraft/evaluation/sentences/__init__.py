"""Sentences that a voice speaks at each validation: everyday words, all common sounds, in no corpus."""

from __future__ import annotations

from importlib.resources import files

from voxgraft.errors import EvaluationError


def validation_sentences(language: str, count: int = 6) -> tuple[str, ...]:
    """The first `count` built-in sentences of a language (`en`, `en-us`, `pt_BR` …).

    EvaluationError where there are none, or fewer.
    """
    code = language.replace("_", "-").split("-")[0].lower()
    known = languages()
    if code not in known:
        raise EvaluationError(
            "no built-in validation sentences for this language",
            field="voice.sentences",
            expected=f"one of {', '.join(known)}",
            got=language,
            remedy="List some sentences of the language under voice.sentences in voxgraft.yaml.",
        )
    sentences = (files(__name__) / f"{code}.txt").read_text("utf-8").split("\n")
    found = tuple(line.strip() for line in sentences if line.strip())
    if count > len(found):
        raise EvaluationError(
            "not as many built-in validation sentences",
            expected=f"at most {len(found)}",
            got=count,
            remedy="Ask for fewer, or list your own under voice.sentences in voxgraft.yaml.",
        )
    return found[:count]


def languages() -> tuple[str, ...]:
    """Codes of the languages that have sentences."""
    return tuple(
        sorted(file.name.removesuffix(".txt") for file in files(__name__).iterdir() if file.name.endswith(".txt"))
    )
