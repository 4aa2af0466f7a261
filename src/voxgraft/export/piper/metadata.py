"""VoiceMetadata: everything that a voice's files say about it, and the `.onnx.json` that Piper reads."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.presets import quality_name
from voxgraft.errors import ExportError
from voxgraft.inference.voice.scales import NAMES as FUSED_SCALES
from voxgraft.text.languages import Language, language_of
from voxgraft.text.piper_ids import MARKS, to_id_map
from voxgraft.text.symbols import SymbolTable

if TYPE_CHECKING:
    from voxgraft.checkpoints.checkpoint import Checkpoint

# The version of Piper's voice format that is written: readers compare its first number.
PIPER_FORMAT = "1.0.0"
SCALES: Mapping[str, float] = {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8}
NOT_STATED = "not stated"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


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

    `audio` is the spectrogram it was trained on, `speakers` are in the order of their ids (empty for a single speaker). `scales` are the voice's
    own `noise_scale length_scale noise_w`. `licences` are those that bind the voice: the base's and the corpus's.
    `corpus_sha256` is the hash of the manifest it was trained on. `consent` is what the user states about the
    speaker's consent; None is written as "not stated". A voice of a text-to-spec model and a vocoder names the latter in `vocoder`,
    and what can be turned in `controls`; `languages` are in the order of their ids, empty for a single
    one; `default_language` is what it speaks where nobody asks for another.
    """

    name: str
    audio: AudioSpec
    symbols: SymbolTable
    language: Language
    quality: str = "medium"
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
    vocoder: BaseProvenance | None = None
    controls: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    default_language: int = 0

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ExportError(
                "a voice's name takes letters, digits, dots, dashes and underscores",
                field="name",
                got=repr(self.name),
                remedy="Choose another with --name.",
            )
        for scale, value in self.scales.items():
            if not math.isfinite(value) or value < 0 or (scale == "length_scale" and value == 0):
                raise ExportError(
                    "a voice can't speak with this",
                    field=f"inference.{scale}",
                    expected="a number above 0" if scale == "length_scale" else "a number from 0",
                    got=value,
                    remedy=f"Set it in the .json of the base; {SCALES.get(scale, 1.0):g} is usual.",
                )

    @property
    def sample_rate(self) -> int:
        """Of what it speaks, in Hz."""
        return self.audio.sample_rate

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return self.audio.hop

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

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """Of the marks that some runtimes frame every sentence with, those that a pair's model was trained without: its graph
        ignores the id beyond its symbols, and that is theirs."""
        ids = to_id_map(self.symbols)
        return tuple(mark for mark in MARKS if not ids[mark]) if self.vocoder is not None else ()

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
            "phoneme_id_map": to_id_map(self.symbols),
            "num_symbols": self.symbols.rows,
            "num_speakers": self.speaker_count,
            "speaker_id_map": {name: number for number, name in enumerate(self.speakers)} if several else {},
            "default_speaker_id": 0,
            "hop_length": self.hop,
            "piper_version": PIPER_FORMAT,
            # Wyoming servers offer a voice under this name, and those up to 2.3 look for its file by it.
            "dataset": self.voice_name,
        }

    def provenance(self) -> dict[str, Any]:
        """What is written into every file under the key `voxgraft`: plain data, the same for the same voice."""
        from voxgraft import __version__

        return {
            "version": __version__,
            "name": self.name,
            "audio": self.audio.to_dict(),
            "base": asdict(self.base) if self.base else None,
            "licences": list(self.licences),
            "corpus_sha256": self.corpus_sha256,
            "consent": self.consent or NOT_STATED,
            "epoch": self.epoch,
            "step": self.step,
            "pauses": self.symbols.pauses,
        } | self._of_a_pair()

    def _of_a_pair(self) -> dict[str, Any]:
        if self.vocoder is None:
            return {}
        return {
            "vocoder": asdict(self.vocoder),
            "scales_taken": list(FUSED_SCALES),
            "controls": list(self.controls),
            "languages": list(self.languages),
            "default_language": self.default_language,
        }

    def for_weights(self, architecture: Mapping[str, Any]) -> dict[str, Any]:
        """What files of weights hold under the key `voxgraft`: enough to read them back as the same checkpoint."""
        config = self.to_piper() | {"voxgraft": self.provenance()}
        return self.to_dict() | {"family": "vits", "architecture": dict(architecture), "config": config}

    def to_dict(self) -> dict[str, Any]:
        """Plain data, from which `metadata_from_dict` makes the same metadata again."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {
            "audio": self.audio.to_dict(),
            "symbols": self.symbols.to_dict(),
            "language": asdict(self.language),
            "speakers": list(self.speakers),
            "scales": dict(self.scales),
            "phoneme_map": dict(self.phoneme_map),
            "licences": list(self.licences),
            "base": asdict(self.base) if self.base else None,
            "vocoder": asdict(self.vocoder) if self.vocoder else None,
            "controls": list(self.controls),
            "languages": list(self.languages),
        }


def metadata_from_dict(data: Mapping[str, Any]) -> VoiceMetadata:
    """Metadata from what `VoiceMetadata.to_dict` wrote."""
    values = dict(data)
    # Earlier runs wrote no more of it than the rate and the hop.
    stated = {"sample_rate": values.pop("sample_rate", None), "hop": values.pop("hop", None)}
    values["audio"] = AudioSpec(**values.get("audio") or stated)
    symbols = dict(values["symbols"])
    values["symbols"] = SymbolTable(**symbols | {"clusters": tuple(symbols.get("clusters", ()))})
    values["language"] = Language(**values["language"])
    for origin in ("base", "vocoder"):
        values[origin] = BaseProvenance(**values[origin]) if values.get(origin) else None
    for several in ("speakers", "licences", "controls", "languages"):
        values[several] = tuple(values.get(several, ()))
    return VoiceMetadata(**values)


def metadata_of(checkpoint: Checkpoint, name: str | None = None, consent: str | None = None) -> VoiceMetadata:
    """Metadata of a checkpoint as it is: its symbols, rate and scales.

    Where voxgraft made it, its own base, licences, corpus and consent go on; otherwise it is itself the base.
    Raises ExportError where the checkpoint doesn't say what its ids mean or at what rate it speaks.
    """
    origin = checkpoint.provenance
    if checkpoint.symbols is None or checkpoint.audio is None:
        unknown = "which symbols its ids mean" if checkpoint.symbols is None else "its sample rate"
        raise ExportError(
            f"the checkpoint doesn't say {unknown}",
            file=origin.path,
            remedy=f"Put the voice's configuration beside it, as {origin.path.name}.json.",
        )
    stored = checkpoint.config.get("language")
    voice = spoken_language(checkpoint)
    carried = _carried(checkpoint)
    return VoiceMetadata(
        name=name or carried.get("name") or _own_name(checkpoint) or _plain_name(origin.path),
        audio=checkpoint.audio,
        symbols=checkpoint.symbols,
        language=language_of(voice, stored if isinstance(stored, Mapping) else None, voice),
        quality=quality_name(checkpoint.quality),
        speakers=checkpoint.speakers if len(checkpoint.speakers) > 1 else (),
        scales=dict(SCALES) | dict(checkpoint.inference),
        phoneme_map=checkpoint.config.get("phoneme_map") or {},
        licences=carried.get("licences") or ((origin.licence,) if origin.licence else ()),
        base=carried.get("base") or base_of(checkpoint),
        dataset=origin.dataset,
        corpus_sha256=carried.get("corpus_sha256"),
        consent=consent or carried.get("consent"),
        epoch=checkpoint.epoch,
        step=checkpoint.step,
    )


def spoken_language(checkpoint: Checkpoint) -> str | None:
    """What a checkpoint says it speaks: the espeak-ng voice of its symbols, else its one language; None where it doesn't."""
    voice = checkpoint.symbols.voice if checkpoint.symbols is not None else None
    return voice or (checkpoint.languages[0] if len(checkpoint.languages) == 1 else None)


def base_of(checkpoint: Checkpoint) -> BaseProvenance:
    """A checkpoint as the base of what is made from it."""
    origin = checkpoint.provenance
    return BaseProvenance(origin.path.name, origin.sha256, origin.licence, origin.source, origin.dataset)


def _carried(checkpoint: Checkpoint) -> dict[str, Any]:
    """What an earlier export or run of voxgraft wrote into the configuration; anything odd in it is left out."""
    found = checkpoint.config.get("voxgraft")
    if not isinstance(found, Mapping):
        return {}
    texts = {key: found[key] for key in ("name", "corpus_sha256", "consent") if isinstance(found.get(key), str)}
    if texts.get("consent") == NOT_STATED:
        del texts["consent"]
    if not NAME.fullmatch(texts.get("name", "x")):
        del texts["name"]
    licences = found.get("licences")
    base = found.get("base")
    return texts | {
        "licences": tuple(str(licence) for licence in licences) if isinstance(licences, list | tuple) else (),
        "base": _base(base) if isinstance(base, Mapping) and isinstance(base.get("name"), str) else None,
    }


def _base(found: Mapping[str, Any]) -> BaseProvenance:
    known = {f.name: found.get(f.name) for f in fields(BaseProvenance) if f.name != "name"}
    return BaseProvenance(
        str(found["name"]), **{key: None if value is None else str(value) for key, value in known.items()}
    )


def _own_name(checkpoint: Checkpoint) -> str | None:
    """What the run that made a checkpoint was called, where it says so in a form that a voice can be called by."""
    name = checkpoint.config.get("name")
    return name if isinstance(name, str) and NAME.fullmatch(name) else None


def _plain_name(path: Path) -> str:
    stem = path.parent.name if re.match(r"(epoch|step|last|best)\b", path.stem) else path.stem.removesuffix(".onnx")
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._-") or "voice"
