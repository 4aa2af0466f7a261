"""voxgraft bootstraps speech models from pre-trained checkpoints.

Everything named here is the public API; other modules may move. Nothing is imported before it is used.
The types are in `__init__.pyi`.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

# name -> module that holds it
_PLACES = {
    "AcousticModule": "voxgraft.training.lightning.acoustic",
    "open_checkpoint": "voxgraft.checkpoints",
    "resolve": "voxgraft.library.resolve",
    "Checkpoint": "voxgraft.checkpoints",
    "RunConfig": "voxgraft.config.run",
    "load_config": "voxgraft.config.load",
    "with_overrides": "voxgraft.config.load",
    "dump_config": "voxgraft.config.load",
    "Manifest": "voxgraft.corpus.manifest",
    "import_corpus": "voxgraft.corpus.importers",
    "check_corpus": "voxgraft.corpus.checks.check",
    "new_project": "voxgraft.project.project",
    "plan_project": "voxgraft.graft.plan_project",
    "target_for": "voxgraft.graft.target",
    "make_plan": "voxgraft.graft.make",
    "apply_plan": "voxgraft.graft.apply",
    "GraftPlan": "voxgraft.graft.plan",
    "train": "voxgraft.training.run",
    "compare": "voxgraft.evaluation.compare",
    "export_piper": "voxgraft.export.piper.voice",
    "Recogniser": "voxgraft.inference.recogniser.recogniser",
    "Voice": "voxgraft.inference.voice.voice",
    "VocoderModule": "voxgraft.training.lightning.vocoder",
    "VoxgraftError": "voxgraft.errors",
}
_CALLED = {"check_corpus": "check"}

__all__ = [
    "AcousticModule",
    "Checkpoint",
    "GraftPlan",
    "Manifest",
    "Recogniser",
    "RunConfig",
    "VocoderModule",
    "Voice",
    "VoxgraftError",
    "apply_plan",
    "check_corpus",
    "compare",
    "dump_config",
    "export_piper",
    "import_corpus",
    "load_config",
    "make_plan",
    "new_project",
    "open_checkpoint",
    "plan_project",
    "resolve",
    "target_for",
    "train",
    "with_overrides",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module 'voxgraft' has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), _CALLED.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
