"""VoiceMetadata: everything that a voice's files say about it, and the `.onnx.json` that Piper reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.errors import ExportError
from voxgraft.export.languages import Language, language_of
from voxgraft.text.symbols import SymbolTable

if TYPE_CHECKING:
    from voxgraft.checkpoints.checkpoint import Checkpoint

# The version of Piper's voice format that is written: readers compare its first number.
PIPER_FORMAT = "1.0.0"
SCALES: Mapping[str, float] = {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8}
NOT_STATED = "not stated"


@dataclass(frozen=True)
class BaseProvenance:
    """The checkpoint that a voice was grafted from."""

    name: str
    sha256: str | None = None
    licence: str | None = None
    source: str | None = None
    dataset: str | None = None


@dataclass(frozen=True)
class VoiceMetadata:
    """What is known about a voice.

    `hop` is in samples, `speakers` in the order of their ids (empty for a single speaker). `scales` are the voice's
    own `noise_scale length_scale noise_w`. `licences` are those that bind the voice: the base's and the corpus's.
    `corpus_sha256` is the hash of the manifest it was trained on. `consent` is what the user states about the
    speaker's consent; None is written as "not stated".
    """

    name: str
    sample_rate: int
    symbols: SymbolTable
    language: Language
    quality: str = "medium"
    hop: int = 256
    speakers: tuple[str, ...] = ()
    scales: Mapping[str, float] = field(default_factory=lambda: dict(SCALES))
    phoneme_map: Mapping[str, Any] = field(default_factory=dict)
    licences: tuple[str, ...] = ()
    base: BaseProvenance | None = None
    dataset: str | None = None
    corpus_sha256: str | None = None
    consent: str | None = None
    epoch: int | None = None
    step: int | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise ExportError(
                "a voice's name takes letters, digits, dots, dashes and underscores",
                field="name",
                got=repr(self.name),
                remedy="choose another with --name",
            )

    @property
    def voice_name(self) -> str:
        """`ll_CC-name-quality`, the form that Piper and Home Assistant look for; whole names stay as they are."""
        prefix, suffix = f"{self.language.code}-", f"-{self.quality}"
        name = self.name.removeprefix(prefix).removesuffix(suffix)
        return f"{prefix}{name.replace('-', '_')}{suffix}"

    @property
    def speaker_count(self) -> int:
        """Speakers that the model knows, at least one."""
        return max(1, len(self.speakers))

    def to_piper(self) -> dict[str, Any]:
        """The complete `.onnx.json`."""
        several = len(self.speakers) > 1
        clusters = {"vowel_clusters": [list(c) for c in sorted(self.symbols.clusters)]} if self.symbols.clusters else {}
        return clusters | {
            "audio": {"sample_rate": self.sample_rate, "quality": self.quality},
            "espeak": {"voice": self.symbols.voice or self.language.family},
            "language": asdict(self.language),
            "inference": dict(SCALES) | dict(self.scales),
            "phoneme_type": self.symbols.text_kind,
            "phoneme_map": dict(self.phoneme_map),
            "phoneme_id_map": {symbol: list(self.symbols.ids[symbol]) for symbol in self.symbols.symbols},
            "num_symbols": self.symbols.rows,
            "num_speakers": self.speaker_count,
            "speaker_id_map": {name: number for number, name in enumerate(self.speakers)} if several else {},
            "default_speaker_id": 0,
            "hop_length": self.hop,
            "piper_version": PIPER_FORMAT,
            "dataset": self.dataset or self.name,
        }

    def provenance(self) -> dict[str, Any]:
        """What is written into every file under the key `voxgraft`: plain data, the same for the same voice."""
        from voxgraft import __version__

        return {
            "version": __version__,
            "name": self.voice_name,
            "base": asdict(self.base) if self.base else None,
            "licences": list(self.licences),
            "corpus_sha256": self.corpus_sha256,
            "consent": self.consent or NOT_STATED,
            "epoch": self.epoch,
            "step": self.step,
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain data, from which `metadata_from_dict` makes the same metadata again."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {
            "symbols": self.symbols.to_dict(),
            "language": asdict(self.language),
            "speakers": list(self.speakers),
            "scales": dict(self.scales),
            "phoneme_map": dict(self.phoneme_map),
            "licences": list(self.licences),
            "base": asdict(self.base) if self.base else None,
        }


def metadata_from_dict(data: Mapping[str, Any]) -> VoiceMetadata:
    """Metadata from what `VoiceMetadata.to_dict` wrote."""
    values = dict(data)
    symbols = dict(values["symbols"])
    values["symbols"] = SymbolTable(**symbols | {"clusters": tuple(symbols.get("clusters", ()))})
    values["language"] = Language(**values["language"])
    values["base"] = BaseProvenance(**values["base"]) if values.get("base") else None
    values["speakers"] = tuple(values.get("speakers", ()))
    values["licences"] = tuple(values.get("licences", ()))
    return VoiceMetadata(**values)


def metadata_of(checkpoint: Checkpoint, name: str | None = None, consent: str | None = None) -> VoiceMetadata:
    """Metadata of a checkpoint as it is: its symbols, rate and scales, itself as the base.

    Raises ExportError where the checkpoint doesn't say what its ids mean or at what rate it speaks.
    """
    path = checkpoint.provenance.path
    if checkpoint.symbols is None:
        raise ExportError(
            "the checkpoint doesn't say which symbols its ids mean",
            file=path,
            remedy="put the voice's config.json or .onnx.json beside it",
        )
    if checkpoint.audio is None:
        raise ExportError(
            "the checkpoint doesn't say its sample rate",
            file=path,
            remedy="put the voice's config.json or .onnx.json beside it",
        )
    stored = checkpoint.config.get("language")
    language = language_of(
        checkpoint.symbols.voice, stored if isinstance(stored, Mapping) else None, checkpoint.symbols.voice
    )
    origin = checkpoint.provenance
    return VoiceMetadata(
        name=name or _plain_name(path),
        sample_rate=checkpoint.audio.sample_rate,
        symbols=checkpoint.symbols,
        language=language,
        quality=checkpoint.quality or "medium",
        hop=checkpoint.audio.hop,
        speakers=checkpoint.speakers if len(checkpoint.speakers) > 1 else (),
        scales=dict(SCALES) | dict(checkpoint.inference),
        phoneme_map=checkpoint.config.get("phoneme_map") or {},
        licences=(origin.licence,) if origin.licence else (),
        base=BaseProvenance(path.name, origin.sha256, origin.licence, origin.source, origin.dataset),
        dataset=origin.dataset,
        consent=consent,
        epoch=checkpoint.epoch,
        step=checkpoint.step,
    )


def _plain_name(path: Path) -> str:
    stem = path.parent.name if re.match(r"(epoch|step|last|best)\b", path.stem) else path.stem.removesuffix(".onnx")
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._-") or "voice"
