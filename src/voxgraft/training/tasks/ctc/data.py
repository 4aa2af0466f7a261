"""Material: the recordings of a recogniser's run as its network takes them; what can't be used is decided before the first step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voxgraft.audio.recogniser_features import FeatureSpec
from voxgraft.config.run import RunConfig
from voxgraft.corpus.checks.finding import Finding, located
from voxgraft.corpus.checks.leakage import leaks
from voxgraft.corpus.checks.preflight import clip_findings, preflight, unheard
from voxgraft.corpus.checks.usable import usable, warn, without
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.features import PreparedFeatures, prepare_features
from voxgraft.corpus.transcript_spec import TranscriptSpec
from voxgraft.errors import CorpusError
from voxgraft.progress import notice
from voxgraft.project.corpora import Corpora
from voxgraft.training.tasks.ctc.examples import Example, make_examples

SOURCE = "source_test"


@dataclass(frozen=True)
class Material:
    """The corpus as the model takes it; `dataset` is a hash of what is learned from, `source` is in the base's language."""

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    dataset: str
    source: tuple[Example, ...] = ()


def material_of(config: RunConfig, corpora: Corpora, transcript_spec: TranscriptSpec, spec: FeatureSpec) -> Material:
    """Examples of each set.

    CorpusError names what can't be used, in one message, first what the tables tell, then what decoding finds;
    `corpus.skip_bad` leaves it out.
    """
    parts = {"train": _fitting(config, corpora, transcript_spec), "dev": corpora.dev, "test": corpora.test}
    parts |= {SOURCE: corpora.source} if len(corpora.source) else {}
    heard = _decoded(config, parts, transcript_spec, spec)
    train, dev, test, source = (
        make_examples(heard.get(name, ()), transcript_spec) for name in ("train", "dev", "test", SOURCE)
    )
    digest = hashlib.sha256("".join(f"{e.id}|{e.text}\n" for e in train).encode()).hexdigest()
    minutes = sum(example.heard.utterance.duration for example in train) / 60
    told = f", {len(source)} of the base's language" if source else ""
    notice(
        f"{len(train)} utterances to learn from ({minutes:.1f} minutes), {len(dev)} for dev, {len(test)} for test{told}"
    )
    return Material(train, dev, test, digest, source)


def _fitting(config: RunConfig, corpora: Corpora, transcript_spec: TranscriptSpec) -> Manifest:
    """What of the training set fits the recogniser, by its texts and lengths."""
    findings = preflight(corpora.train, transcript_spec, dev=corpora.dev, test=corpora.test)
    # Recordings that were set aside are of the same speakers on purpose.
    drawn = not (config.recogniser.dev and config.recogniser.test)
    findings = [f for f in findings if not (drawn and f.kind == "speaker in two sets")]
    if len(corpora.source):
        findings += [f for f in leaks(corpora.train, source=corpora.source) if f.kind != "speaker in two sets"]
    train = usable(without(corpora.train, findings), findings, skip_bad=config.corpus.skip_bad)
    warn(findings)
    return train


def _decoded(
    config: RunConfig, parts: dict[str, Manifest], transcript_spec: TranscriptSpec, spec: FeatureSpec
) -> dict[str, list[PreparedFeatures]]:
    """What of each set can be decoded and is long enough, by the length of its sound."""
    cache = Path(config.output) / "corpus" / "cache"
    heard: dict[str, list[PreparedFeatures]] = {}
    findings: list[Finding] = []
    for name, part in parts.items():
        decoded, faults = prepare_features(part.utterances, spec, cache)
        sounds = _manifest(decoded)
        short = located(
            clip_findings(sounds, transcript_spec) if name == "train" else unheard(sounds, transcript_spec), part
        )
        kept = {u.id for u in without(sounds, short)}
        heard[name] = [one for one in decoded if one.utterance.id in kept]
        findings += [*faults, *short]
    usable(_manifest([one for part in heard.values() for one in part]), findings, skip_bad=config.corpus.skip_bad)
    for name, part in heard.items():
        if not part:
            raise CorpusError(
                f"none of the {len(parts[name])} recordings for {name} can be used",
                field=f"recogniser.{name}",
                remedy="see what was left out, and why, above",
            )
    return heard


def _manifest(heard: Sequence[PreparedFeatures]) -> Manifest:
    return Manifest(tuple(one.utterance for one in heard))
