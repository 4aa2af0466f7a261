"""A project's graft: its settings, its corpus's speakers and its base, brought together into one plan."""

from __future__ import annotations

from dataclasses import replace

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.own_settings import require_own_settings
from voxgraft.config.run import RunConfig
from voxgraft.config.tasks.registry import is_trained
from voxgraft.corpus.manifest import Manifest
from voxgraft.errors import GraftError
from voxgraft.graft.graft import Graft
from voxgraft.graft.make import make_plan, scratch_plan
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.speakers.mapping import quoted
from voxgraft.graft.target import Target, target_for
from voxgraft.graft.vocoder import VocoderFit, vocoder_fit
from voxgraft.library.resolve import resolve
from voxgraft.project.project import open_base, project_manifest, require_readable, speakers_of
from voxgraft.project.symbols import require_own_table
from voxgraft.project.task import task_name
from voxgraft.project.texts import check_texts, too_few_texts


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
    require_own_table(config, base)
    require_own_settings(config, task_name(config, base))
    if _has_texts_to_write(config, base):
        from voxgraft.graft.recogniser import derived_labels, plan_recogniser, require_recogniser
        from voxgraft.project.corpora import corpora_of

        require_recogniser(base, config)
        return plan_recogniser(config, base, derived_labels(config, base, corpora_of(config).train))
    manifest = project_manifest(config)
    target = target_for(config, base, speakers_of(config, manifest))
    require_readable(target.symbols, base)
    plan = make_plan(base, target) if base is not None else scratch_plan(target)
    if base is not None and family_of(target.family).task == "acoustic" and config.acoustic.phase == "continue":
        plan = replace(plan, state={**plan.state, "loss_schedule": "taken"})
    return Graft(base, target, plan if manifest is None else _with_recordings(plan, config, target, manifest))


def _with_recordings(plan: GraftPlan, config: RunConfig, target: Target, manifest: Manifest) -> GraftPlan:
    """The plan, and what of a corpus does not suit a voice: its texts, its speakers."""
    if target.symbols is None or not is_trained(family_of(target.family).task):
        return plan
    texts = [utterance.text for utterance in manifest]
    few = too_few_texts(config, texts, "voice")
    wrong, doubtful = check_texts(config, texts, target.symbols, stated={u.language for u in manifest})
    refusals = plan.refusals + tuple(map(str, (few,) if few else wrong)) + _strange_speakers(target, manifest)
    return replace(plan, refusals=refusals, warnings=plan.warnings + tuple(map(str, doubtful)))


def _strange_speakers(target: Target, manifest: Manifest) -> tuple[str, ...]:
    strange = [u for u in manifest if target.many_speakers and u.speaker not in target.speakers]
    if not strange:
        return ()
    names = quoted(tuple(dict.fromkeys(u.speaker for u in strange if u.speaker is not None)))
    whose = f"are of {names}, whom the model does not have" if names else "name no speaker, and the model has several"
    return (
        f"speakers: {len(strange)} of the {len(manifest)} recordings {whose} ({quoted(target.speakers)}): name the speaker "
        "of each in the corpus, or say which speakers the model has with --set graft.speakers=[…]",
    )


def _has_texts_to_write(config: RunConfig, base: Checkpoint | None) -> bool:
    """Whether recordings are there that a recogniser is to learn from: then its alphabet may be theirs."""
    if task_name(config, base) != "recogniser" or config.task == "voice":
        return False
    return base is None or bool(config.recogniser.train) or project_manifest(config) is not None


def compare_vocoder(graft: Graft, vocoder: str) -> VocoderFit:
    """Whether a vocoder (a file, a library entry) can read what the base of a graft writes."""
    if graft.base is None:
        raise GraftError(
            "from scratch there is nothing to compare", field="--vocoder", remedy="Name the acoustic model with --base."
        )
    return vocoder_fit(graft.base, open_checkpoint(resolve(vocoder)))
