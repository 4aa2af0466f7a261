"""The recordings of a recogniser's run: what it learns from, what chooses its best, what it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voxgraft.config.run import RunConfig
from voxgraft.corpus.checks.usable import usable, warn
from voxgraft.corpus.importers import scan_all
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.split import Split, split, text_key
from voxgraft.errors import CorpusError
from voxgraft.progress import notice
from voxgraft.project.project import project_manifest

# Aside for dev at most: validations should not take longer than what they watch over.
MOST_FOR_DEV = 400
_SHOWN = 3


@dataclass(frozen=True)
class Corpora:
    """Three sets of utterances, and one in the base's language that shows what is forgotten."""

    train: Manifest
    dev: Manifest
    test: Manifest
    source: Manifest = field(default_factory=lambda: Manifest(()))


def voice_split(config: RunConfig, manifest: Manifest) -> Split:
    """What a voice learns from, validates on and is tested on, the same for every command.

    CorpusError where a single text leaves nothing to validate on.
    """
    parts = split(manifest, config.corpus.validation, config.corpus.held_out, config.seed)
    if not len(parts.validation):
        raise CorpusError(
            "too few texts to set one aside for validation",
            file=config.output,
            expected="a speaker with at least 2 different texts",
            got=f"{len({text_key(u.text) for u in manifest})} texts in {len(manifest)} recordings",
            remedy="Record more texts, and import them with `voxgraft corpus import`.",
        )
    return parts


def corpora_of(config: RunConfig) -> Corpora:
    """The sets that the settings name; those that lack are drawn from the training corpora, whole texts at a time.

    CorpusError names rows that can't be used, unless `corpus.skip_bad` leaves them out.
    """
    settings = config.recogniser
    train = _read(settings.train, config) if settings.train else _of_the_project(config)
    dev, test = _read(settings.dev, config), _read(settings.test, config)
    if not test:
        train, test = _aside(train, config, config.corpus.held_out, "test")
    if not dev:
        train, dev = _aside(train, config, (), "dev")
    return Corpora(_within_limits(train, config), dev, test, _read(settings.source_test, config))


def _of_the_project(config: RunConfig) -> Manifest:
    manifest = project_manifest(config)
    if manifest is None or not len(manifest):
        raise CorpusError(
            "the project has no recordings",
            file=config.output,
            remedy="Run `voxgraft corpus import PATH` in it, or name corpora with recogniser.train.",
        )
    return manifest


def _read(paths: Sequence[str], config: RunConfig) -> Manifest:
    """All corpora as one."""
    if not paths:
        return Manifest(())
    found = scan_all([Path(path) for path in paths], follow_links=config.corpus.follow_links)
    manifest = usable(
        found.manifest, found.findings, paths[0] if len(paths) == 1 else None, skip_bad=config.corpus.skip_bad
    )
    warn(found.findings)
    return manifest


def _within_limits(train: Manifest, config: RunConfig) -> Manifest:
    """Those of the lengths that the settings want."""
    shortest, longest = config.corpus.shortest, config.corpus.longest
    kept = tuple(u for u in train if shortest <= u.duration <= longest)
    if len(kept) == len(train):
        return train
    odd = [f"{u.id} ({u.duration:.2f} s)" for u in train if not shortest <= u.duration <= longest]
    told = ", ".join(odd[:_SHOWN]) + (f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else "")
    if not kept:
        raise CorpusError(
            f"none of the {len(train)} recordings is as long as wanted",
            field="corpus.shortest, corpus.longest",
            expected=f"{shortest:g} to {longest:g} s",
            got=told,
            remedy="Set other limits, or cut the recordings at pauses with `voxgraft corpus make`.",
        )
    notice(f"left out of training, outside corpus.shortest {shortest:g} to corpus.longest {longest:g} s: {told}")
    return Manifest(kept)


def _aside(train: Manifest, config: RunConfig, held_out: Sequence[str], what: str) -> tuple[Manifest, Manifest]:
    """Some of the training texts for another purpose: those that are named, else a share of them."""
    texts = len({text_key(utterance.text) for utterance in train})
    share = max(1, min(MOST_FOR_DEV, round(config.recogniser.set_aside * texts)))
    parts = split(train, 0 if held_out else share, held_out, config.seed, most=1.0)
    aside = parts.held_out if held_out else parts.validation
    if not len(aside):
        raise CorpusError(
            f"too few texts to set some aside for {what}",
            expected="at least 3 different texts",
            got=texts,
            remedy=f"Record more, or name other recordings with recogniser.{what}.",
        )
    return parts.train, aside
