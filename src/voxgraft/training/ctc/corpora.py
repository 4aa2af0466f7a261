"""The recordings of a recogniser's run: what it learns from, what chooses its best, what it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voxgraft.config.run import RunConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.leakage import leaks
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.split import split, text_key
from voxgraft.errors import CorpusError
from voxgraft.graft.project import project_manifest
from voxgraft.progress import notice

# Aside for dev at most: validations should not take longer than what they watch over.
MOST_FOR_DEV = 400


@dataclass(frozen=True)
class Corpora:
    """Three sets of utterances."""

    train: Manifest
    dev: Manifest
    test: Manifest


def corpora_of(config: RunConfig) -> Corpora:
    """The sets that the settings name; those that lack are drawn from the training corpora, whole texts at a time."""
    settings = config.recogniser
    skip = config.corpus.skip_bad
    train = _read(settings.train, skip) if settings.train else _of_the_project(config)
    dev, test = _read(settings.dev, skip), _read(settings.test, skip)
    if not test:
        train, test = _aside(train, config, config.corpus.held_out, "test")
    if not dev:
        train, dev = _aside(train, config, (), "dev")
    for finding in leaks(train, dev, test):
        # Recordings set aside here are of the same speakers on purpose.
        if finding.kind != "speaker in two sets" or (settings.dev and settings.test):
            notice(f"warning: {finding.kind}: {finding.detail}; {finding.remedy}")
    return Corpora(train, dev, test)


def _of_the_project(config: RunConfig) -> Manifest:
    manifest = project_manifest(config)
    if manifest is None or not len(manifest):
        raise CorpusError(
            "the project has no recordings",
            file=config.output,
            remedy="run `voxgraft corpus import PATH` in it, or name corpora with recogniser.train",
        )
    return manifest


def _read(paths: Sequence[str], skip_bad: bool) -> Manifest:
    """All corpora as one; an id that comes in two of them gets the name of its corpus before it."""
    utterances: dict[str, Utterance] = {}
    for path in paths:
        for utterance in import_corpus(Path(path), skip_bad=skip_bad):
            name = utterance.id if utterance.id not in utterances else f"{Path(path).stem}/{utterance.id}"
            utterances[name if name not in utterances else f"{path}/{utterance.id}"] = utterance
    return Manifest(tuple(utterances.values()))


def _aside(train: Manifest, config: RunConfig, held_out: Sequence[str], what: str) -> tuple[Manifest, Manifest]:
    """Some of the training texts for another purpose: those that are named, else a share of them."""
    texts = len({text_key(utterance.text) for utterance in train})
    share = max(1, min(MOST_FOR_DEV, round(config.recogniser.set_aside * texts)))
    parts = split(train, 0 if held_out else share, held_out, config.seed)
    aside = parts.held_out if held_out else parts.validation
    if not len(aside):
        raise CorpusError(
            f"too few texts to set some aside for {what}",
            expected="at least 3 different texts",
            got=texts,
            remedy=f"record more, or name other recordings with recogniser.{what}",
        )
    return parts.train, aside
