"""Target: the model that is wanted, before any weight is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voxgraft.architectures.families import Family, family_of
from voxgraft.architectures.presets import preset_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.formats.vits_spectrogram import spectrogram_of
from voxgraft.config.presets import preset, quality_of
from voxgraft.config.run import GraftConfig, RunConfig
from voxgraft.config.tasks.acoustic import AcousticConfig
from voxgraft.config.tasks.vocoder import VocoderConfig
from voxgraft.errors import GraftError
from voxgraft.graft.discriminators import discriminator_kind
from voxgraft.graft.rules import rules_of
from voxgraft.graft.shapes import MODULES, resized_shapes, target_shapes, with_head
from voxgraft.project.symbols import project_symbols
from voxgraft.text.symbols import SymbolTable

# Tasks of which one makes a spectrogram of text, the other sound of a spectrogram.
TWO_STAGE = ("acoustic", "vocoder")
# Piper's width of speaker vectors.
SPEAKER_CHANNELS = 512


@dataclass(frozen=True)
class Target:
    """What is to be trained. `shapes` holds every tensor by its canonical name; `sample_rate` is in Hz.

    `symbols` is None for a vocoder. `speakers` and `languages` hold the names in the order of their ids; one speaker or
    none is a single-speaker model. `from_speaker` is the speaker of a base with many that new speakers, or the single
    one, start from. `graft` holds what the settings say of the graft, `frozen` the parts that will not learn, `anew` those
    of the base that start anew all the same.
    """

    family: str
    quality: str | None
    sample_rate: int | None
    architecture: Mapping[str, Any]
    symbols: SymbolTable | None
    speakers: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    from_speaker: str | None = None
    languages: tuple[str, ...] = ()
    audio: AudioSpec | None = None
    graft: GraftConfig = field(default_factory=lambda: GraftConfig(relearn_unused=False))
    frozen: tuple[str, ...] = ()
    anew: frozenset[str] = frozenset()

    @property
    def many_speakers(self) -> bool:
        """Whether the model has speaker vectors."""
        return len(self.speakers) > 1


def target_for(
    config: RunConfig,
    base: Checkpoint | None,
    corpus_speakers: Sequence[str] | None = (),
    alphabet: SymbolTable | None = None,
) -> Target:
    """The target of a project: what its settings say, and the base's where they say nothing.

    `base` is None only for a model from scratch. `corpus_speakers` are the names in the manifest; None where there is
    no corpus: then a base keeps its speakers. `alphabet` is what a recogniser is to write where its corpus decides that.

    Raises:
        GraftError: neither the settings nor the base say what is needed.
    """
    family = family_of(base.family if base is not None else family_from_scratch(config))
    symbols = alphabet or _symbols(config, base, family)
    speakers = _speakers(config, base, corpus_speakers)
    if family.task in TWO_STAGE and (base is None or base.network_obstacle is None):
        return _two_stage(config, base, family, symbols, speakers)
    if base is not None and family.name not in MODULES:
        asked = alphabet is not None or config.graft.alphabet is not None or config.graft.bytes
        return _like_the_base(config, base, family, symbols, speakers, needs_head=asked)
    assert symbols is not None
    keywords, sample_rate = _network(config, base)
    many = len(speakers) > 1
    inherited = base.architecture.get("gin_channels", 0) if base is not None else 0
    architecture = keywords | {
        "symbols": symbols.rows,
        "speakers": max(len(speakers), 1),
        "gin_channels": (inherited or SPEAKER_CHANNELS) if many else 0,
    }
    return Target(
        family=family.name,
        quality=quality_of(architecture, sample_rate),
        sample_rate=sample_rate,
        architecture=architecture,
        symbols=symbols,
        speakers=speakers,
        shapes=target_shapes(architecture, config.voice.discriminator),
        from_speaker=config.graft.from_speaker,
        languages=_languages(config, base, family),
        audio=_spectrogram(base, architecture, sample_rate, anew=config.voice.quality is not None),
        graft=config.graft,
        frozen=config.training.freeze,
    )


def _spectrogram(
    base: Checkpoint | None, architecture: Mapping[str, Any], sample_rate: int, *, anew: bool
) -> AudioSpec:
    """The base's own; that of the network where there is no base, or where a network that is chosen `anew` has another."""
    usual = spectrogram_of(architecture, sample_rate)
    own = base.audio if base is not None else None
    if own is None:
        return usual
    fits = (own.sample_rate, own.hop, own.bins) == (usual.sample_rate, usual.hop, usual.bins)
    return own if fits or not anew else usual


def target_like(base: Checkpoint) -> Target:
    """The very model that a base is, without discriminators: for what is done to the base itself."""
    if base.symbols is None or base.audio is None:
        raise GraftError(
            "the base does not say its symbols and sample rate",
            file=base.provenance.path,
            remedy="Put the voice's .onnx.json beside it.",
        )
    return Target(
        family=base.family,
        quality=base.quality,
        sample_rate=base.audio.sample_rate,
        architecture=base.architecture,
        symbols=base.symbols,
        speakers=base.speakers if len(base.speakers) > 1 else (),
        shapes=target_shapes(base.architecture, "none"),
        audio=base.audio,
    )


def _two_stage(
    config: RunConfig,
    base: Checkpoint | None,
    family: Family,
    symbols: SymbolTable | None,
    speakers: tuple[str, ...],
) -> Target:
    """A text-to-spec model or a vocoder: the base's network with tables as long as they are wanted, or one from scratch."""
    settings = config.vocoder if family.task == "vocoder" else config.acoustic
    audio = base.audio if base is not None else settings.spectrogram.spec()
    languages = _languages(config, base, family)
    architecture = dict(base.architecture) if base is not None else _from_preset(settings)
    if family.task == "acoustic":
        architecture |= tables(family, architecture, symbols, speakers, languages)
    discriminator = discriminator_kind(config.vocoder, base) if family.task == "vocoder" else "none"
    return Target(
        family=family.name,
        quality=None,
        sample_rate=audio.sample_rate if audio is not None else None,
        architecture=architecture,
        symbols=symbols if family.symbol_axis else None,
        speakers=speakers if family.speaker_axis else (),
        shapes=target_shapes(architecture, discriminator, family.name),
        from_speaker=config.graft.from_speaker,
        languages=languages,
        audio=audio,
        graft=config.graft,
        frozen=config.training.freeze,
    )


def family_from_scratch(config: RunConfig) -> str:
    """The family of a model without a base."""
    return {"acoustic": config.acoustic.family, "vocoder": config.vocoder.family}.get(config.task, "vits")


def _from_preset(settings: AcousticConfig | VocoderConfig) -> dict[str, Any]:
    return preset_of(settings.family, settings.size) | {"mels": settings.spectrogram.n_mels}


def tables(
    family: Family,
    architecture: Mapping[str, Any],
    symbols: SymbolTable | None,
    speakers: Sequence[str],
    languages: Sequence[str],
) -> dict[str, Any]:
    """Keyword arguments for as many symbols, speakers and languages as are wanted.

    Some networks have a table of speakers or of languages only where there are several, or where the base has one
    (`family.switches`); phonological features stand in no table.
    """
    found: dict[str, Any] = {} if symbols is None or architecture.get("features") else {"symbols": symbols.rows}
    found["speakers"] = max(len(speakers), 1)
    if family.language_axis:
        found["languages"] = max(len(languages), architecture.get("languages", 1))
    names = {"multispeaker": speakers, "multilingual": languages}
    return found | {name: bool(architecture.get(name)) or len(names[name]) > 1 for name in family.switches}


def _like_the_base(
    config: RunConfig,
    base: Checkpoint,
    family: Family,
    symbols: SymbolTable | None,
    speakers: tuple[str, ...],
    *,
    needs_head: bool,
) -> Target:
    """A target of a family without a module of ours: the base's network, its tables resized."""
    languages = _languages(config, base, family)
    tables = any(name in base.shapes for name in family.speaker_axis)
    shapes = resized_shapes(
        base,
        family,
        symbols=symbols.rows if symbols is not None else None,
        speakers=max(len(speakers), 1) if tables else None,
        languages=len(languages) if languages else None,
    )
    if symbols is not None and needs_head:
        shapes = with_head(shapes, family, rules_of(family.name), symbols.rows)
    counts = {"symbols": symbols.rows} if symbols is not None else {}
    return Target(
        family=family.name,
        quality=None,
        sample_rate=base.audio.sample_rate if base.audio is not None else None,
        architecture=dict(base.architecture) | counts | {"speakers": max(len(speakers), 1)},
        symbols=symbols,
        speakers=speakers,
        shapes=shapes,
        from_speaker=config.graft.from_speaker,
        languages=languages,
        audio=base.audio,
        graft=config.graft,
        frozen=config.training.freeze,
    )


def _network(config: RunConfig, base: Checkpoint | None) -> tuple[dict[str, Any], int]:
    if config.voice.quality is not None or base is None:
        keywords = preset(config.voice.quality or "medium")
        return keywords, keywords.pop("sample_rate")
    keywords = {name: value for name, value in base.architecture.items() if name != "sample_rate"}
    if base.audio is not None:
        return keywords, base.audio.sample_rate
    raise GraftError(
        "the base does not say its sample rate",
        file=base.provenance.path,
        remedy="Say which it is with --quality (x_low and low: 16000 Hz; medium and high: 22050 Hz).",
    )


def _symbols(config: RunConfig, base: Checkpoint | None, family: Family) -> SymbolTable | None:
    table = project_symbols(config, base)
    if table is None and family.name in MODULES and base is not None:
        raise GraftError(
            "the base does not say what its symbols are",
            file=base.provenance.path,
            remedy="Give its .onnx.json with --symbols.",
        )
    return table


def _speakers(config: RunConfig, base: Checkpoint | None, corpus_speakers: Sequence[str] | None) -> tuple[str, ...]:
    wanted = config.graft.speakers or tuple(corpus_speakers or ())
    if len(set(wanted)) != len(wanted):
        raise GraftError(
            "a speaker is named twice", field="graft.speakers", got=wanted, remedy="Name each speaker once."
        )
    own = renamed(base.speakers, config.graft.rename) if base is not None else ()
    untouched = not wanted and corpus_speakers is None and config.graft.from_speaker is None and len(own) > 1
    return tuple(dict.fromkeys((*(own if config.graft.keep_speakers or untouched else ()), *wanted)))


def _languages(config: RunConfig, base: Checkpoint | None, family: Family) -> tuple[str, ...]:
    """Names of the language table; none where the base, or a network of ours, has no such table, and none is wanted."""
    if family.task == "acoustic" and family.language_axis and len(config.graft.languages) > 1:
        return tuple(dict.fromkeys(config.graft.languages))
    if base is None or family.name in MODULES or not any(name in base.shapes for name in family.language_axis):
        return ()
    own = renamed(base.languages, config.graft.rename)
    return tuple(dict.fromkeys(config.graft.languages or own))


def renamed(names: Sequence[str], rename: Mapping[str, str]) -> tuple[str, ...]:
    """Names as they are called from now on; two that get one name are one."""
    return tuple(dict.fromkeys(rename.get(name, name) for name in names))
