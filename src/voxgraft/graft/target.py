"""Target: the model that is wanted, before any weight is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.config.presets import default_symbols, preset, quality_of
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.graft.shapes import target_shapes
from voxgraft.graft.symbol_file import read_symbols
from voxgraft.text.g2p import DEFAULT_VOICE
from voxgraft.text.symbols import SymbolTable

# Piper's width of speaker vectors.
SPEAKER_CHANNELS = 512


@dataclass(frozen=True)
class Target:
    """What is to be trained. `shapes` holds every tensor by its canonical name; `sample_rate` is in Hz.

    `speakers` holds the names in the order of their ids; one or none is a single-speaker model. `from_speaker` is
    the speaker of a base with many that new speakers, or the single one, start from.
    """

    family: str
    quality: str | None
    sample_rate: int
    architecture: Mapping[str, Any]
    symbols: SymbolTable
    speakers: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    from_speaker: str | None = None

    @property
    def many_speakers(self) -> bool:
        """Whether the model has speaker vectors."""
        return len(self.speakers) > 1


def target_for(config: RunConfig, base: Checkpoint | None, corpus_speakers: Sequence[str] = ()) -> Target:
    """The target of a project: what its settings say, and the base's where they say nothing.

    `base` is None only for a model from scratch. `corpus_speakers` are the names in the manifest.

    Raises:
        GraftError: neither the settings nor the base say what is needed.
    """
    keywords, sample_rate = _network(config, base)
    symbols = _symbols(config, base)
    speakers = _speakers(config, base, tuple(corpus_speakers))
    many = len(speakers) > 1
    inherited = base.architecture.get("gin_channels", 0) if base is not None else 0
    architecture = keywords | {
        "symbols": symbols.rows,
        "speakers": max(len(speakers), 1),
        "gin_channels": (inherited or SPEAKER_CHANNELS) if many else 0,
    }
    return Target(
        family=base.family if base is not None else "vits",
        quality=quality_of(architecture, sample_rate),
        sample_rate=sample_rate,
        architecture=architecture,
        symbols=symbols,
        speakers=speakers,
        shapes=target_shapes(architecture, config.training.discriminator),
        from_speaker=config.graft.from_speaker,
    )


def target_like(base: Checkpoint) -> Target:
    """The very model that a base is, without discriminators: for what is done to the base itself."""
    if base.symbols is None or base.audio is None:
        raise GraftError(
            "the base does not say its symbols and sample rate",
            file=base.provenance.path,
            remedy="put the voice's .onnx.json beside it",
        )
    return Target(
        family=base.family,
        quality=base.quality,
        sample_rate=base.audio.sample_rate,
        architecture=base.architecture,
        symbols=base.symbols,
        speakers=base.speakers if len(base.speakers) > 1 else (),
        shapes=target_shapes(base.architecture, "none"),
    )


def _network(config: RunConfig, base: Checkpoint | None) -> tuple[dict[str, Any], int]:
    if config.quality is not None or base is None:
        keywords = preset(config.quality or "medium")
        return keywords, keywords.pop("sample_rate")
    keywords = {name: value for name, value in base.architecture.items() if name != "sample_rate"}
    if base.audio is not None:
        return keywords, base.audio.sample_rate
    raise GraftError(
        "the base does not say its sample rate",
        file=base.provenance.path,
        remedy="say which it is with --quality (x_low and low: 16000 Hz; medium and high: 22050 Hz)",
    )


def _symbols(config: RunConfig, base: Checkpoint | None) -> SymbolTable:
    inherited = base.symbols if base is not None else None
    if config.graft.symbols is not None:
        table = read_symbols(Path(config.graft.symbols), inherited)
    elif inherited is not None:
        table = inherited
    elif base is None:
        table = default_symbols(config.language)
    else:
        raise GraftError(
            "the base does not say what its symbols are",
            file=base.provenance.path,
            remedy="give its .onnx.json with --symbols",
        )
    if table.text_kind == "espeak":
        return replace(table, voice=config.language or table.voice or DEFAULT_VOICE)
    return table


def _speakers(config: RunConfig, base: Checkpoint | None, corpus_speakers: tuple[str, ...]) -> tuple[str, ...]:
    wanted = config.graft.speakers or corpus_speakers
    kept = base.speakers if config.graft.keep_speakers and base is not None else ()
    speakers = tuple(dict.fromkeys(kept + wanted))
    if len(set(wanted)) != len(wanted):
        raise GraftError("a speaker is named twice", field="graft.speakers", got=wanted, remedy="name each once")
    return speakers
