"""The types of the public API, for editors and mypy; `__init__.py` imports each on first use."""

import voxgraft.corpus.checks.check as _check
from voxgraft.checkpoints import Checkpoint as Checkpoint
from voxgraft.checkpoints import open_checkpoint as open_checkpoint
from voxgraft.config.load import dump_config as dump_config
from voxgraft.config.load import load_config as load_config
from voxgraft.config.load import with_overrides as with_overrides
from voxgraft.config.run import RunConfig as RunConfig
from voxgraft.corpus.importers import import_corpus as import_corpus
from voxgraft.corpus.manifest import Manifest as Manifest
from voxgraft.errors import VoxgraftError as VoxgraftError
from voxgraft.evaluation.compare import compare as compare
from voxgraft.export.piper.voice import export_piper as export_piper
from voxgraft.graft.apply import apply_plan as apply_plan
from voxgraft.graft.make import make_plan as make_plan
from voxgraft.graft.plan import GraftPlan as GraftPlan
from voxgraft.graft.plan_project import plan_project as plan_project
from voxgraft.graft.target import target_for as target_for
from voxgraft.inference.recogniser.recogniser import Recogniser as Recogniser
from voxgraft.inference.voice.voice import Voice as Voice
from voxgraft.library.resolve import resolve as resolve
from voxgraft.project.project import new_project as new_project
from voxgraft.training.lightning.acoustic import AcousticModule as AcousticModule
from voxgraft.training.lightning.vocoder import VocoderModule as VocoderModule
from voxgraft.training.run import train as train

__version__: str
check_corpus = _check.check
