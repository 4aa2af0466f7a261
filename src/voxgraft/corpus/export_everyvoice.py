"""Write a corpus as an EveryVoice project that is preprocessed: recordings, filelists, spectrograms, pitch, energy, configs.

Layout and numbers are those of EveryVoice 0.5.0 (`everyvoice preprocess text-to-spec`): `preprocessed/FOLDER/NAME--SPEAKER--
LANGUAGE--KIND`, pitch and energy by the mean and deviation of the whole project.
"""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.write import write_wav
from voxgraft.checkpoints.containers.torch.write import write_tensor
from voxgraft.config.document import yaml_of
from voxgraft.corpus.export import file_names, require_empty, write_recordings
from voxgraft.corpus.importers.everyvoice import LISTS, PREPROCESSED, SEPARATOR, UNNAMED, WHOLE_LIST
from voxgraft.corpus.manifest import TRAINING, VALIDATION, Manifest, Utterance
from voxgraft.corpus.prepare.frames import PreparedFrames, prepare_frames
from voxgraft.corpus.prepare.prior import beta_binomial_prior
from voxgraft.corpus.prepare.variance import RunningSums
from voxgraft.corpus.split import split
from voxgraft.files import write_atomically
from voxgraft.progress import track

LABEL = "voxgraft"
CONFIGS = "config"
_BATCH = 16
_VALIDATION_SHARE = 10
_CACHE = ".cache"
_HEADINGS = ("basename", "language", "speaker", "characters", "character_tokens", "label")
# What EveryVoice has as punctuation by itself: no symbol may be both.
_PUNCTUATION = frozenset("!¡?¿\"'“”«»()[]{}.:;-—*,…")


def everyvoice_spec(sample_rate: int) -> AudioSpec:
    """EveryVoice's spectrogram, `mel-librosa` with its default settings."""
    return AudioSpec(sample_rate, fmax=min(8000.0, sample_rate / 2), magnitude_floor=1e-9, centre=True)


def export_everyvoice(
    manifest: Manifest, folder: Path, *, sample_rate: int = 22050, loudness: float | None = -23.0, trim: bool = True
) -> Path:
    """Write a project that `everyvoice train text-to-spec` and `spec-to-wav` take up, and that may be preprocessed again.

    The filelists are written last, so that a half-written export can't be taken for a whole one. What only its user can
    say, contact and permission, is left open in the configurations.

    Raises:
        CorpusError: the folder isn't empty. AudioError: a recording is silent, too short or can't be read.
    """
    require_empty(folder)
    names = file_names(manifest)
    whole, spec = folder / PREPROCESSED, everyvoice_spec(sample_rate)
    write_recordings(manifest, names, folder)
    prepared = prepare_frames(manifest, spec, loudness=loudness, trim=trim, cache_dir=folder / _CACHE)
    statistics = _statistics(prepared)
    rows = [_row(utterance, name) for utterance, name in zip(manifest, names, strict=True)]
    for entry, row in zip(track(prepared, "Writing features", len(prepared)), rows, strict=True):
        _write_features(entry, row, whole, spec, statistics)
    shutil.rmtree(folder / _CACHE)
    write_atomically(whole / "stats.json", json.dumps(statistics, indent=1))
    parts = _parts(manifest)
    # EveryVoice wants a whole batch of each list.
    smaller = min(parts.count(TRAINING), parts.count(VALIDATION))
    _write_configs(folder / CONFIGS, spec, rows, min(_BATCH, smaller))
    write_atomically(folder / f"{LABEL}-{WHOLE_LIST}", _filelist(rows, _HEADINGS[:4]))
    for name, part in LISTS.items():
        chosen = [row for row, own in zip(rows, parts, strict=True) if own == part]
        write_atomically(whole / name, _filelist(chosen, _HEADINGS))
    write_atomically(whole / WHOLE_LIST, _filelist(rows, _HEADINGS))
    return whole / WHOLE_LIST


def _row(utterance: Utterance, name: str) -> dict[str, str]:
    text = " ".join(unicodedata.normalize("NFC", utterance.text).split())
    tokens = "/".join("<SLASH>" if character == "/" else character for character in text)
    cells = (name, utterance.language or UNNAMED, utterance.speaker or UNNAMED, text, tokens, LABEL)
    return dict(zip(_HEADINGS, cells, strict=True))


def _parts(manifest: Manifest) -> list[str]:
    """What each utterance is for: the corpus's own split, else a tenth of the texts for validation."""
    count = max(1, len(manifest) // _VALIDATION_SHARE)
    parts = split(manifest, count, most=0.5)
    aside = {id(utterance) for utterance in (*parts.validation, *parts.held_out)}
    return [VALIDATION if id(utterance) in aside else TRAINING for utterance in manifest]


def _statistics(prepared: Sequence[PreparedFrames]) -> dict[str, dict[str, float]]:
    """Of the whole project, unvoiced frames filled, as EveryVoice has it."""
    sums = {"pitch": RunningSums(), "energy": RunningSums()}
    for entry in prepared:
        sums["pitch"].add(entry.interpolated_pitch)
        sums["energy"].add(entry.energy)
    return {name: _numbers(own, len(prepared)) for name, own in sums.items()}


def _numbers(sums: RunningSums, count: int) -> dict[str, float]:
    found = sums.statistics("pitch", "")
    low, high = found.bounds
    numbers = {"min": found.minimum, "max": found.maximum, "mean": found.mean, "std": found.std}
    return {"sample_size": count, "norm_min": low, "norm_max": high, **numbers}


def _write_features(
    entry: PreparedFrames,
    row: Mapping[str, str],
    folder: Path,
    spec: AudioSpec,
    statistics: Mapping[str, Mapping[str, float]],
) -> None:
    def place(kind: str, ending: str) -> Path:
        return folder / kind / SEPARATOR.join((row["basename"], row["speaker"], row["language"], ending))

    write_wav(place("audio", f"audio-{spec.sample_rate}.wav"), entry.audio, spec.sample_rate)
    write_tensor(place("spec", f"spec-{spec.sample_rate}-mel-librosa.pt"), entry.mel)
    for kind, values in (("pitch", entry.interpolated_pitch), ("energy", entry.energy)):
        own = statistics[kind]
        normal = ((values.astype("f8") - own["mean"]) / own["std"]).astype("f4")
        write_tensor(place(kind, f"{kind}.pt"), normal)
    symbols = row["character_tokens"].count("/") + 1
    write_tensor(place("attn", "characters-attn-prior.pt"), beta_binomial_prior(symbols, entry.frames).astype("f8"))


def _filelist(rows: Sequence[Mapping[str, str]], headings: Sequence[str]) -> str:
    lines = ["|".join(headings), *("|".join(_escaped(row[name]) for name in headings) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _escaped(cell: str) -> str:
    """As Python's csv escapes without quotes."""
    return "".join(f"\\{c}" if c in '\\|"' else c for c in cell)


def _write_configs(folder: Path, spec: AudioSpec, rows: Sequence[Mapping[str, str]], batch: int) -> None:
    for name, values in _configs(spec, rows, batch).items():
        write_atomically(folder / f"everyvoice-{name}.yaml", yaml_of(values))


def _configs(spec: AudioSpec, rows: Sequence[Mapping[str, str]], batch: int) -> dict[str, dict[str, Any]]:
    letters = {character for row in rows for character in row["characters"]}
    symbols = sorted(letters - _PUNCTUATION - {" "})
    several = {name: len({row[name] for row in rows}) > 1 for name in ("speaker", "language")}
    audio = {
        "input_sampling_rate": spec.sample_rate,
        "output_sampling_rate": spec.sample_rate,
        "n_fft": spec.n_fft,
        "fft_window_size": spec.win,
        "fft_hop_size": spec.hop,
        "f_max": int(spec.fmax or spec.sample_rate // 2),
        "n_mels": spec.n_mels,
    }
    source = {
        "label": LABEL,
        "permissions_obtained": False,
        "data_dir": "../wavs",
        "filelist": f"../{LABEL}-{WHOLE_LIST}",
        "sox_effects": [],
    }
    lists = {f"{part}_filelist": f"../{PREPROCESSED}/{part}_{WHOLE_LIST}" for part in (TRAINING, VALIDATION)}
    logger = {"save_dir": "../logs_and_checkpoints"}
    model = {"multispeaker": several["speaker"], "multilingual": several["language"]}
    contact = {"contact": {"contact_name": "", "contact_email": ""}}
    data = {"path_to_preprocessing_config_file": "everyvoice-shared-data.yaml"}

    def trained(name: str) -> dict[str, Any]:
        return {"training": {"batch_size": batch, **lists, "logger": {"name": name, **logger}}}

    return {
        "shared-text": {"symbols": {f"{LABEL}_characters": symbols}},
        "shared-data": {"dataset": LABEL, "save_dir": f"../{PREPROCESSED}", "audio": audio, "source_data": [source]},
        "text-to-spec": contact
        | {"path_to_text_config_file": "everyvoice-shared-text.yaml"}
        | data
        | {"model": model}
        | trained("TextToSpec"),
        "spec-to-wav": contact | data | trained("SpecToWav"),
    }
