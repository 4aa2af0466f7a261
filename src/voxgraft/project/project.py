"""A project: a folder with its settings, its recordings and its base."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from voxgraft.architectures.families import families, family_of
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.load import PROJECT_FILE, load_config
from voxgraft.config.own_settings import require_own_settings
from voxgraft.config.presets import preset
from voxgraft.config.run import RunConfig
from voxgraft.config.run_file import load_run_config
from voxgraft.config.tasks.registry import is_trained
from voxgraft.config.template import project_text
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest
from voxgraft.errors import ConfigError, CorpusError, GraftError
from voxgraft.files import write_atomically
from voxgraft.library.pick import AUTO
from voxgraft.library.resolve import resolve
from voxgraft.progress import notice
from voxgraft.project.alphabet import read_alphabet
from voxgraft.project.run_folder import ProjectFolder, project_folder, run_folder
from voxgraft.project.symbols import project_symbols, require_own_table
from voxgraft.project.task import task_name
from voxgraft.project.texts import check_texts, language_conflict, too_few_texts
from voxgraft.text.g2p import unreadable
from voxgraft.text.symbols import SymbolTable

FROM_SCRATCH = "none"


def require_trainable(base: Checkpoint | None) -> None:
    """Raise GraftError where the base is of a family that can be opened and planned for, but not trained."""
    problem = cannot_train(base) if base is not None else None
    if base is None or problem is None:
        return
    why, remedy = problem
    raise GraftError(why, file=base.provenance.path, field="base", remedy=remedy)


def cannot_train(base: Checkpoint) -> tuple[str, str] | None:
    """Why a base can be planned for, but not trained, and what to do; None where it can be."""
    family = family_of(base.family)
    obstacle = base.network_obstacle
    if obstacle is not None:
        return obstacle.why, obstacle.remedy
    if is_trained(family.task):
        return None
    trained = ", ".join(known.title for known in families().values() if is_trained(known.task))
    return (
        f"{family.title} can't be trained yet; `voxgraft inspect` and `voxgraft plan` work for it",
        f"Take a base of a family that can be trained: {trained}.",
    )


def require_readable(symbols: SymbolTable | None, base: Checkpoint | None) -> None:
    """Raise GraftError where a voice would be trained on a kind of text that nothing here makes of sentences."""
    why = unreadable(symbols.text_kind) if symbols is not None else None
    if why is None or (base is not None and base.family != "vits"):
        return
    raise GraftError(
        why,
        file=base.provenance.path if base is not None else None,
        field="phoneme_type",
        remedy="Take a base that reads espeak-ng's phonemes or letters, or install a package that adds this kind of text.",
    )


def open_base(config: RunConfig) -> Checkpoint | None:
    """The project's base, `auto` where none is named; None only where `base` says `none` in so many words."""
    if config.base == FROM_SCRATCH:
        return None
    base = open_checkpoint(resolve(config.base or AUTO, config))
    return with_named_alphabet(base, config) if family_of(base.family).task == "recogniser" else base


def with_named_alphabet(base: Checkpoint, config: RunConfig) -> Checkpoint:
    """A recogniser that does not say what its outputs mean, as older ones of DeepSpeech don't, with the alphabet that the
    settings name, where its labels are as many and the output layer is kept."""
    named, rows = config.graft.alphabet, base.architecture.get("symbols")
    if base.symbols is not None or named is None or config.graft.drop_source_layers:
        return base
    symbols = read_alphabet(Path(named), None)
    return replace(base, symbols=symbols) if symbols.rows == rows else base


def _require_fitting(base: Checkpoint | None, config: RunConfig) -> None:
    """Before a project is made of a base: what would be refused later is refused now."""
    require_trainable(base)
    if base is not None and config.graft.symbols is None:
        require_readable(base.symbols, base)


def find_project(path: Path) -> RunConfig | None:
    """The settings of a project given by its folder or its voxgraft.yaml; None for anything else.

    A folder with a manifest alone has the default settings. ConfigError: a setting is wrong.
    """
    if (path.is_file() and path.name == PROJECT_FILE) or ProjectFolder(path).settings.is_file():
        return load_config(path)
    return RunConfig(output=str(path.absolute())) if ProjectFolder(path).manifest.is_file() else None


def as_trained(config: RunConfig) -> RunConfig:
    """The same project with the corpus, the seed and the picked base that its run began with: today's may differ."""
    path = run_folder(config).config
    if not path.is_file():
        return config
    kept = load_run_config(path)
    base = kept.base if config.base in (None, AUTO) else config.base
    return config.model_copy(update={"corpus": kept.corpus, "seed": kept.seed, "base": base})


def project_recordings(config: RunConfig) -> Path:
    """Where a project's recordings are named: the imported manifest, else the corpus that the settings name."""
    imported = project_folder(config).manifest
    if imported.exists():
        return imported
    if config.corpus.path is not None:
        return Path(config.corpus.path)
    raise CorpusError(
        "the project has no recordings",
        file=config.output,
        remedy=f"Run `voxgraft corpus import RECORDINGS --into {imported.parent}`.",
    )


def open_named_base(config: RunConfig) -> Checkpoint | None:
    """The base that the settings name; None where they name none, or `none`."""
    return open_base(config) if config.base is not None else None


def project_fit(config: RunConfig, base: Checkpoint | None) -> tuple[SymbolTable | None, int | None]:
    """What a project's recordings must fit: symbols, and sample rate in Hz; None for what is not known.

    `base` is the project's, opened; None where none is named, or from scratch.
    """
    scratch = config.base == FROM_SCRATCH
    if base is None and task_name(config, base) == "recogniser":
        return None, None
    asked = base is not None or scratch or config.graft.symbols is not None
    symbols = project_symbols(config, base) if asked else None
    if scratch and config.task in ("acoustic", "vocoder"):
        return symbols, config.section(config.task).spectrogram.sample_rate  # type: ignore[attr-defined]
    if config.voice.quality is not None or scratch:
        return symbols, preset(config.voice.quality or "medium")["sample_rate"]
    return symbols, base.audio.sample_rate if base is not None and base.audio is not None else None


def project_manifest(config: RunConfig) -> Manifest | None:
    """The imported manifest, else the corpus that the settings name, else None.

    Recordings without names of speakers are those of the one speaker of the settings; beside speakers of the base that
    are kept, of one who is called as the project is.
    """
    imported = project_folder(config).manifest
    if imported.exists():
        return _with_speaker(Manifest.read(imported), config)
    if config.corpus.path is not None:
        return _with_speaker(_imported(Path(config.corpus.path), config), config)
    return None


def _with_speaker(manifest: Manifest, config: RunConfig) -> Manifest:
    settings = config.graft
    if manifest.speakers or not (settings.keep_speakers or settings.speakers):
        return manifest
    if len(settings.speakers) > 1:
        return manifest
    name = settings.speakers[0] if settings.speakers else config.name
    return Manifest(tuple(replace(utterance, speaker=name) for utterance in manifest))


def _imported(corpus: Path, config: RunConfig, skip_bad: bool = False) -> Manifest:
    settings = config.corpus
    return import_corpus(corpus, skip_bad=skip_bad or settings.skip_bad, follow_links=settings.follow_links)


def project_speakers(config: RunConfig) -> tuple[str, ...] | None:
    """Speaker names: those of the settings, else those of the corpus; None where there are no recordings yet."""
    return speakers_of(config, None if config.graft.speakers else project_manifest(config))


def speakers_of(config: RunConfig, manifest: Manifest | None) -> tuple[str, ...] | None:
    """The same of a manifest that is read already."""
    if config.graft.speakers:
        return config.graft.speakers
    return manifest.speakers if manifest is not None else None


def new_project(
    folder: Path,
    values: Mapping[str, Any],
    corpus: Path | None = None,
    skip_bad: bool = False,
) -> tuple[RunConfig, Manifest | None]:
    """Make a project folder with a commented voxgraft.yaml and, where a corpus is given, its manifest.

    `values` are the settings that differ from the defaults, nested as in the file. The folder may exist but must hold
    no project. Recordings stay where they are. Where a base is named, settings and
    texts must suit it.

    Raises:
        ConfigError: there is a project already, or a setting is wrong. CorpusError: the corpus can't be imported, has too
        few texts, or is in another language than it would be read in. Nothing is written then.
    """
    home = ProjectFolder(folder)
    if home.settings.exists() or home.manifest.exists():
        raise ConfigError(
            "there is a project already", file=folder, remedy="Choose another name, or delete it yourself."
        )
    if folder.exists() and not folder.is_dir():
        raise ConfigError("is a file, not a folder", file=folder, remedy="Choose another name.")
    config = RunConfig.model_validate(values)
    base = open_base(config) if config.base is not None else None
    known = base is not None or config.base == FROM_SCRATCH
    if known:
        require_own_table(config, base)
        require_own_settings(config, task_name(config, base))
    _require_fitting(base, config)
    manifest = _imported(corpus, config, skip_bad) if corpus is not None else None
    if manifest is not None:
        if known:
            _require_suitable(config, base, manifest, corpus)
        manifest.write(home.manifest)
    write_atomically(home.settings, project_text(values))
    return load_config(folder), manifest


def _require_suitable(config: RunConfig, base: Checkpoint | None, manifest: Manifest, corpus: Path | None) -> None:
    """Raise where nothing could be trained on these recordings, or they would be read in another language."""
    task, texts = task_name(config, base), [utterance.text for utterance in manifest]
    problem = too_few_texts(config, texts, task)
    symbols = project_symbols(config, base) if problem is None and task in ("voice", "acoustic") else None
    if symbols is not None:
        problem = language_conflict(config, texts, symbols, {utterance.language for utterance in manifest})
    if problem is not None:
        raise problem.error(corpus)
    if symbols is not None and (base is None or is_trained(family_of(base.family).task)):
        for found in itertools.chain(*check_texts(config, texts, symbols)):
            notice(f"warning: {found}")
