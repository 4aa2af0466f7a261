"""What the voice of a run says of itself: language, licences, base, corpus, and what it is spoken with."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import Checkpoint
from voxgraft.config.presets import quality_name
from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest
from voxgraft.export.piper.metadata import SCALES, VoiceMetadata, base_of, metadata_of, spoken_language
from voxgraft.graft.target import Target
from voxgraft.text.languages import language_of


def metadata_for(
    config: RunConfig, base: Checkpoint | None, target: Target, manifest: Manifest, audio: AudioSpec
) -> VoiceMetadata:
    """Of a voice that is trained from `base`, None from scratch, on a corpus whose spectrograms are as `audio` says."""
    digest = hashlib.sha256("".join(f"{u.sha256}|{u.text}\n" for u in manifest).encode()).hexdigest()
    licences = tuple(dict.fromkeys(x for x in (base and base.provenance.licence, config.corpus.licence) if x))
    about = {
        "name": config.name,
        "audio": audio,
        "symbols": target.symbols,
        "quality": quality_name(target.quality),
        "speakers": target.speakers if target.many_speakers else (),
        "licences": licences,
        "corpus_sha256": digest,
        "dataset": config.name,
        "consent": config.corpus.consent,
    }
    if base is not None:
        inherited = metadata_of(base, name=config.name)
        stored = base.config.get("language")
        known = stored if isinstance(stored, dict) else None
        was = spoken_language(base)
        language = language_of(config.language or target.symbols.voice or was, known, was)
        scales = dict(inherited.scales) | _noise(config)
        return replace(inherited, language=language, base=base_of(base), scales=scales, **about)
    return VoiceMetadata(
        language=language_of(config.language or target.symbols.voice),
        scales=dict(SCALES) | _noise(config),
        **about,
    )


def scales_of(metadata: VoiceMetadata) -> dict[str, float]:
    """What the voice is spoken with."""
    return {name: metadata.scales[name] for name in SCALES}


def _noise(config: RunConfig) -> dict[str, float]:
    return {} if config.voice.noise_scale is None else {"noise_scale": config.voice.noise_scale}
