"""A project's graft: its settings, its corpus's speakers and its base, brought together into one plan."""

from __future__ import annotations

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.own_settings import require_own_settings
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.graft.graft import Graft
from voxgraft.graft.make import make_plan, scratch_plan
from voxgraft.graft.target import target_for
from voxgraft.graft.vocoder import VocoderFit, vocoder_fit
from voxgraft.library.resolve import resolve
from voxgraft.project.project import open_base, project_manifest, project_speakers
from voxgraft.project.task import task_name


def plan_project(config: RunConfig) -> Graft:
    """Open the base and plan the graft. Writes nothing.

    Raises:
        CheckpointError: no base fits, or it can't be opened; CorpusError: the recordings can't.
    """
    return plan_graft(config, open_base(config))


def plan_graft(config: RunConfig, base: Checkpoint | None) -> Graft:
    """The graft of a project onto its base, which is open already; None is from scratch.

    Raises:
        CorpusError: the recordings can't be read. GraftError: the settings ask for what can't be. ConfigError: a setting
        is one that only another task has.
    """
    require_own_settings(config, task_name(config, base))
    if _has_texts_to_write(config, base):
        from voxgraft.graft.recogniser import derived_labels, plan_recogniser, require_recogniser
        from voxgraft.project.corpora import corpora_of

        require_recogniser(base, config)
        return plan_recogniser(config, base, derived_labels(config, base, corpora_of(config).train))
    target = target_for(config, base, project_speakers(config))
    plan = make_plan(base, target) if base is not None else scratch_plan(target)
    return Graft(base, target, plan)


def _has_texts_to_write(config: RunConfig, base: Checkpoint | None) -> bool:
    """Whether recordings are there that a recogniser is to learn from: then its alphabet may be theirs."""
    if task_name(config, base) != "recogniser" or config.task == "voice":
        return False
    return base is None or bool(config.recogniser.train) or project_manifest(config) is not None


def compare_vocoder(graft: Graft, vocoder: str) -> VocoderFit:
    """Whether a vocoder (a file, a library entry) can read what the base of a graft writes."""
    if graft.base is None:
        raise GraftError(
            "from scratch there is nothing to compare", field="--vocoder", remedy="name the acoustic model with --base"
        )
    return vocoder_fit(graft.base, open_checkpoint(resolve(vocoder)))
