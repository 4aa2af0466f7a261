"""Where durations come from: a folder of label files, a preprocessed folder of EveryVoice's, or a recogniser."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from glob import escape
from pathlib import Path

import numpy as np

from voxgraft.audio.read import read_audio
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.containers.torch.unpickle import read_torch_file
from voxgraft.corpus.durations.festival import read_labels
from voxgraft.corpus.durations.fit import PhoneMap, fit
from voxgraft.corpus.durations.label import Label, Tier, preferred, require_order
from voxgraft.corpus.durations.rounding import whole_frames
from voxgraft.corpus.durations.textgrid import read_textgrid
from voxgraft.corpus.manifest import Utterance
from voxgraft.errors import CheckpointError, CorpusError, shown
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.text.symbols import SymbolTable
from voxgraft.yaml_file import parse_yaml

# A folder, or a recogniser that aligns each text itself.
DurationSource = Path | Recogniser
_TEXTGRIDS, _LABELS = (".TextGrid", ".textgrid", ".Textgrid"), (".lab",)
_TENSORS = ("duration", "durations")
PHONE_MAP = "phones.yaml"


def open_durations(path: str | os.PathLike[str]) -> DurationSource:
    """What a path leads to: a folder of .TextGrid, .lab or EveryVoice's durations as it is; else a recogniser."""
    path = Path(path)
    if not path.exists():
        raise CorpusError("no such file or folder", file=path, field="durations", remedy="Check the path.")
    if path.is_file() or any(path.glob("*.onnx")):
        return Recogniser.load(path)
    return path


def symbols_of_ids(ids: Sequence[int], table: SymbolTable) -> tuple[str, ...]:
    """The symbol of each id [N] of an encoded text, as `durations_of` takes them."""
    names = {number: symbol for symbol, numbers in table.ids.items() for number in numbers}
    return tuple(names.get(int(number), "") for number in ids)


def durations_of(
    source: DurationSource,
    utterance: Utterance,
    symbols: Sequence[str],
    frames: int,
    hop: int,
    sample_rate: int,
    *,
    begin: int = 0,
) -> np.ndarray:
    """How many of its `frames` each symbol [N] of an utterance's text lasts, int64 [N], together exactly `frames`.

    `begin` is how many samples were cut off before the first frame (`PreparedFrames.begin`).

    Raises:
        CorpusError: there are no labels, they don't fit the symbols, their times the recording, or durations don't sum up.
    """
    if isinstance(source, Path):
        tensor = _tensor_file(source, utterance)
        if tensor is not None:
            return _stored(tensor, len(symbols), frames)
        tiers = _tiers(source, utterance)
        phones = _phone_map(source)
    else:
        tiers, phones = (_heard(source, utterance),), None
    start = begin / sample_rate
    end = start + frames * hop / sample_rate
    ends = _fitted(tiers, symbols, utterance, (start, end), phones)
    return whole_frames((ends - start) * sample_rate / hop, frames)


def _fitted(
    tiers: Sequence[Tier],
    symbols: Sequence[str],
    utterance: Utterance,
    span: tuple[float, float],
    phones: PhoneMap | None,
) -> np.ndarray:
    """By the first tier that fits; where none does, why the best doesn't."""
    fault: CorpusError | None = None
    for tier in preferred(tiers):
        try:
            require_order(tier, max(utterance.duration, span[1]))
            return fit(tier, symbols, *span, phones)
        except CorpusError as found:
            fault = fault or found
    if fault is None:
        raise CorpusError(
            "holds no labels of anything that is said",
            file=tiers[0].file if tiers else utterance.audio,
            remedy="Align the recording again, or leave it out.",
        )
    raise fault


def _tiers(folder: Path, utterance: Utterance) -> tuple[Tier, ...]:
    stem = Path(utterance.audio).stem
    names = dict.fromkeys((utterance.id, stem, utterance.id.replace("/", "_"), f"{utterance.speaker}/{stem}"))
    for name in names:
        for suffix in (*_TEXTGRIDS, *_LABELS):
            path = folder / f"{name}{suffix}"
            if path.is_file():
                return read_textgrid(path) if suffix in _TEXTGRIDS else (read_labels(path),)
    raise CorpusError(
        f"no labels of the recording {utterance.named}",
        file=folder,
        field="durations",
        expected=f"{utterance.id}.TextGrid or {utterance.id}.lab",
        remedy="Align this recording too, leave it out, or leave durations out: the alignment is then learned.",
    )


def _tensor_file(folder: Path, utterance: Utterance) -> Path | None:
    """EveryVoice's file, `BASENAME--SPEAKER--LANGUAGE--duration.pt`, in the folder or its `duration/`."""
    names = (utterance.id, Path(utterance.audio).stem.split("--")[0])
    for place in (folder, *(folder / name for name in _TENSORS)):
        for name in dict.fromkeys(names):
            exact = place / f"{name}--{utterance.speaker or 'default'}--{utterance.language or 'default'}--duration.pt"
            found = [exact] if exact.is_file() else sorted(place.glob(f"{escape(name)}--*--duration.pt"))
            if len(found) == 1:
                return found[0]
    return None


def _stored(path: Path, count: int, frames: int) -> np.ndarray:
    content = read_torch_file(path).content
    if not isinstance(content, TorchTensor):
        raise CheckpointError("holds no tensor", file=path, got=shown(content), remedy="Preprocess the corpus again.")
    values = np.asarray(content.load())
    whole = np.round(values)
    if values.ndim != 1 or not np.array_equal(values, whole) or (values < 0).any():
        raise CorpusError("holds no durations", file=path, expected="whole numbers of frames", remedy=_AGAIN)
    if len(values) != count:
        raise CorpusError(
            "has another number of symbols than the text", file=path, expected=count, got=len(values), remedy=_AGAIN
        )
    if int(whole.sum()) != frames:
        raise CorpusError(
            "its durations don't sum to the frames of the spectrogram",
            file=path,
            expected=frames,
            got=int(whole.sum()),
            remedy="Train with the same audio settings and `corpus.trim: false`, or leave durations out.",
        )
    return whole.astype(np.int64)


_AGAIN = "Make durations of the same text and symbols again, or leave them out: the alignment is then learned."


def _heard(recogniser: Recogniser, utterance: Utterance) -> Tier:
    """The words of a text where a recogniser hears them, each letter by letter."""
    audio, rate = read_audio(utterance.audio)
    alignment, _ = recogniser.align(audio, rate, utterance.text)
    second = recogniser.settings.frame_seconds
    labels: list[Label] = []
    for word in recogniser.labels.words(alignment.labels):
        places = range(word.first, word.last)
        # CTC tells in a frame or two that a letter is there: it lasts until half-way to the next.
        middles = [(alignment.last[i] + alignment.first[i + 1]) / 2 for i in places[:-1]]
        bounds = [alignment.first[word.first], *middles, alignment.last[word.last - 1]]
        texts = [recogniser.labels.text([alignment.labels[i]]) for i in places]
        if "".join(texts) != word.text:
            texts, bounds = [word.text], [bounds[0], bounds[-1]]
        labels += [
            Label(t, float(a) * second, float(b) * second) for t, a, b in zip(texts, bounds, bounds[1:], strict=True)
        ]
    return Tier("letters", tuple(label for label in labels if label.text))


def _phone_map(folder: Path) -> PhoneMap | None:
    path = folder / PHONE_MAP
    try:
        return _read_map(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=4)
def _read_map(path: Path, _changed: int) -> PhoneMap:
    try:
        document = parse_yaml(path.read_bytes(), path)
    except CheckpointError as fault:
        raise CorpusError(fault.problem, file=path, got=fault.got, remedy="Correct the file.") from fault
    found: dict[str, tuple[str, ...]] = {}
    for name, spellings in document.items():
        several = spellings if isinstance(spellings, list) else [spellings]
        if not all(isinstance(spelling, str) for spelling in several) or not several:
            raise CorpusError(
                "is not spelt in symbols",
                file=path,
                field=str(name),
                expected="a text, or a list of texts",
                got=shown(spellings),
                remedy='Write `rr: [r, rʲ]`; put names that YAML reads otherwise in quotes: `"no": n`.',
            )
        found[str(name)] = tuple(several)
    return found
