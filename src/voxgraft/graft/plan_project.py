"""A project's graft: its settings, its corpus's speakers and its base, brought together into one plan."""

from __future__ import annotations

from dataclasses import dataclass

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.graft.make import make_plan, scratch_plan
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.target import Target, target_for
from voxgraft.graft.vocoder import VocoderFit, vocoder_fit
from voxgraft.library.resolve import resolve
from voxgraft.project.project import open_base, project_manifest, project_speakers


@dataclass(frozen=True)
class ProjectGraft:
    """What a run starts from; `base` is None where it starts from scratch."""

    base: Checkpoint | None
    target: Target
    plan: GraftPlan


def plan_project(config: RunConfig) -> ProjectGraft:
    """Open the base and plan the graft. Writes nothing.

    Raises:
        CheckpointError: no base fits, or it can't be opened; CorpusError: the recordings can't.
    """
    base = open_base(config)
    if _is_recognisers(config, base):
        from voxgraft.graft.recogniser import derived_labels, plan_recogniser, require_recogniser
        from voxgraft.project.corpora import corpora_of

        require_recogniser(base, config)
        found = plan_recogniser(config, base, derived_labels(config, base, corpora_of(config).train))
        return ProjectGraft(base, found.target, found.plan)
    target = target_for(config, base, project_speakers(config))
    plan = make_plan(base, target) if base is not None else scratch_plan(target)
    return ProjectGraft(base, target, plan)


def _is_recognisers(config: RunConfig, base: Checkpoint | None) -> bool:
    """Whether recordings are there that a recogniser is to learn from: then its alphabet may be theirs."""
    listens = config.task == "recogniser" if base is None else family_of(base.family).task == "recogniser"
    if not listens or config.task == "voice":
        return False
    return base is None or bool(config.recogniser.train) or project_manifest(config) is not None


def compare_vocoder(graft: ProjectGraft, vocoder: str) -> VocoderFit:
    """Whether a vocoder (a file, a library entry) can read what the base of a graft writes."""
    if graft.base is None:
        raise GraftError(
            "from scratch there is nothing to compare", field="--vocoder", remedy="name the acoustic model with --base"
        )
    return vocoder_fit(graft.base, open_checkpoint(resolve(vocoder)))
