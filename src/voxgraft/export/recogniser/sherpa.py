"""What sherpa-onnx needs to hear with an exported recogniser: its loader, metadata in the .onnx, and tokens.txt.

It has a loader for NVIDIA's log mels, with bands before frames and frames counted by itself, and one for samples. Facts:
https://github.com/k2-fsa/sherpa-onnx/tree/master/sherpa-onnx/csrc (offline-nemo-enc-dec-ctc-model.cc,
offline-omnilingual-asr-ctc-model.cc, symbol-table.cc).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from voxgraft.audio.recogniser_features import FeatureSpec
from voxgraft.audio.spec import AudioSpec
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.text.symbols import SymbolTable

TOKENS = "tokens.txt"
NEMO, OMNILINGUAL = "from_nemo_ctc", "from_omnilingual_asr_ctc"
BLANK = "<blk>"
_SPACE = "\u2581"
# What its features are fixed to; the number of bands is an argument.
_NEMO_FEATURES = {"normalisation": "bands", "preemphasis": 0.97, "fmin": 0.0, "fmax": None, "power": 2.0}
_NEMO_SECONDS = {"win": 0.025, "hop": 0.010}


@dataclass(frozen=True)
class SherpaOnnx:
    """`loader` is the method of `sherpa_onnx.OfflineRecognizer` that opens the model, with `arguments` besides the
    model and its tokens; None where none does, for a `reason`."""

    loader: str | None
    arguments: Mapping[str, int]
    reason: str

    @property
    def note(self) -> str:
        """For people: where it runs."""
        if self.loader is None:
            return f"this recogniser runs in voxgraft alone: sherpa-onnx {self.reason}"
        given = "".join(f", {name}={value}" for name, value in self.arguments.items())
        return f"it runs in sherpa-onnx too: OfflineRecognizer.{self.loader}(model=…, tokens={TOKENS!r}{given})"


def sherpa_onnx_of(family: str, hearing: FeatureSpec, symbols: SymbolTable) -> SherpaOnnx:
    """How sherpa-onnx runs a recogniser, or why it can't."""
    if family not in ("fastconformer", "wav2vec2"):
        return _none(f"has no loader for models that hear as {family} does")
    if symbols.text_kind == "bytes":
        return _none("does not put bytes together to letters")
    assert isinstance(hearing, AudioSpec)
    if family == "wav2vec2":
        if hearing.sample_rate != 16000 or hearing.normalisation != "utterance":
            return _none("gives samples at 16000 Hz, of mean 0 and deviation 1, and this model hears others")
        return SherpaOnnx(OMNILINGUAL, {}, "")
    wanted = _NEMO_FEATURES | {name: round(part * hearing.sample_rate) for name, part in _NEMO_SECONDS.items()}
    wanted["n_fft"] = 1 << (int(wanted["win"]) - 1).bit_length()
    odd = [name for name, value in wanted.items() if getattr(hearing, name) != value]
    if odd:
        return _none(f"makes other features: {', '.join(odd)}")
    given = {"sample_rate": hearing.sample_rate, "feature_dim": hearing.n_mels}
    usual = {"sample_rate": 16000, "feature_dim": 80}
    return SherpaOnnx(NEMO, {name: value for name, value in given.items() if usual[name] != value}, "")


def sherpa_metadata(sherpa: SherpaOnnx, symbols: SymbolTable, subsampling: int) -> dict[str, str]:
    """`metadata_props` that its loader looks for."""
    if sherpa.loader != NEMO:
        return {}
    return {
        "model_type": "EncDecCTCModelBPE",
        "vocab_size": str(symbols.rows),
        "subsampling_factor": str(subsampling),
        "normalize_type": "per_feature",
    }


def sherpa_tokens(symbols: SymbolTable) -> str:
    """`tokens.txt`: `symbol number` a line, all numbers; ▁ for a space, since it cuts lines at spaces."""
    labels = Labels.of(symbols)
    names = {number: symbol for symbol, numbers in symbols.ids.items() for number in numbers}
    lines = []
    for number, spelling in enumerate(labels.spellings):
        written = spelling or names.get(number) or f"<unused_{number}>"
        if number == labels.blank:
            written = BLANK
        lines.append(f"{_SPACE.join(written.split(' ')) if spelling else ''.join(written.split())} {number}\n")
    return "".join(lines)


def tokens_beside(model: Path) -> list[Path]:
    """The `tokens.txt` of an exported recogniser, where it has one."""
    tokens = model.with_name(TOKENS)
    return [tokens] if tokens.is_file() else []


def _none(reason: str) -> SherpaOnnx:
    return SherpaOnnx(None, {}, reason)
