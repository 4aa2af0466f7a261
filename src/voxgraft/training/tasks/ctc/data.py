"""RecogniserData: the recordings of a recogniser's run as its network takes them; what can't be used is decided before the first step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch.utils.data import DataLoader

from voxgraft.audio.recogniser_features import FeatureSpec
from voxgraft.config.run import RunConfig
from voxgraft.corpus.checks.finding import Finding, located
from voxgraft.corpus.checks.leakage import leaks
from voxgraft.corpus.checks.preflight import clip_findings, preflight, unheard
from voxgraft.corpus.checks.usable import usable, warn, without
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.augmentation import Augmenter
from voxgraft.corpus.prepare.features import PreparedFeatures, prepare_features
from voxgraft.corpus.transcript_spec import TranscriptSpec
from voxgraft.errors import CorpusError
from voxgraft.progress import notice
from voxgraft.project.corpora import Corpora
from voxgraft.project.run_folder import project_folder
from voxgraft.training.loop.feed import Feed, loader_of
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.tasks.ctc.examples import Batch, Example, make_batch, make_examples

SOURCE = "source_test"


@dataclass(frozen=True)
class RecogniserData:
    """The corpus as the model takes it; `dataset` is a hash of what is learned from, `source` is in the base's language.

    `rows` say what is learned from and validated on: role, id, text, hash of the sound.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    dataset: str
    source: tuple[Example, ...] = ()

    @cached_property
    def rows(self) -> list[list[str]]:
        """A row for each clip, in the order in which the run counts them."""
        return [
            [role, e.id, e.text, e.heard.content]
            for role, part in (("train", self.train), ("dev", self.dev))
            for e in part
        ]


def data_of(config: RunConfig, corpora: Corpora, transcript_spec: TranscriptSpec, spec: FeatureSpec) -> RecogniserData:
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
    return RecogniserData(train, dev, test, digest, source)


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
    cache = project_folder(config).cache
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
                remedy="See what was left out, and why, above.",
            )
    return heard


def _manifest(heard: Sequence[PreparedFeatures]) -> Manifest:
    return Manifest(tuple(one.utterance for one in heard))


def schedule_of(examples: Sequence[Example], config: RunConfig) -> Schedule:
    """Which clips make which batch of the run."""
    assert isinstance(config.training.batch, int), "resolved before the run begins"
    return Schedule(tuple(example.frames for example in examples), config.training.batch, config.seed)


def batches(
    examples: Sequence[Example], config: RunConfig, augmenter: Augmenter, steps: range, end: int, processes: Processes
) -> DataLoader[Batch]:
    """The batches of some steps of a run that is `end` steps long, this process's share of each."""

    def make(clips: Sequence[int], step: int, share: range) -> Batch:
        return make_batch(
            examples,
            [clips[place] for place in share],
            step=step,
            first=share.start,
            total=sum(len(examples[clip].labels) for clip in clips),
            seed=config.seed,
            augmenter=augmenter,
            progress=step / end,
        )

    return loader_of(
        Feed(make, schedule_of(examples, config), steps, processes), config.training.workers, config.training.device
    )
