"""What sherpa-onnx's Matcha loader needs of a text-to-spec model: metadata in the .onnx, and tokens.txt.

Facts: https://github.com/k2-fsa/sherpa-onnx/tree/master/sherpa-onnx/csrc (offline-tts-matcha-model.cc,
offline-tts-matcha-impl.h, vocoder.cc).
"""

from __future__ import annotations

from voxgraft.export.acoustic.framing import Framing
from voxgraft.inference.acoustic.settings import AcousticSettings
from voxgraft.text.piper_ids import BOS, EOS, MARKS, PAD, to_id_map
from voxgraft.text.symbols import SymbolTable


def matcha_metadata(settings: AcousticSettings) -> dict[str, str]:
    """`metadata_props` that it looks for."""
    symbols, framing = settings.symbols, Framing.of(settings.symbols)
    framed = symbols.bos is not None and symbols.eos is not None
    return {
        "model_type": "matcha-tts",
        "version": "1",
        "sample_rate": str(settings.audio.sample_rate),
        "language": settings.languages[0] if settings.languages else (symbols.voice or ""),
        "voice": symbols.voice or "",
        "has_espeak": "1",
        "jieba": "0",
        "n_speakers": str(max(1, len(settings.speakers))),
        # It always puts a pad around and between symbols; the graph ignores one that the model was trained without.
        "pad_id": str(framing.edge if framing.edge is not None else framing.ignored),
        "use_eos_bos": "1" if framed else "0",
    }


def matcha_tokens(symbols: SymbolTable) -> str:
    """`symbol id` a line, single code points only, marks under Piper's names."""
    ids = {symbol: numbers for symbol, numbers in to_id_map(symbols).items() if numbers}
    names = {PAD: symbols.pad, BOS: symbols.bos, EOS: symbols.eos}
    ids |= {mark: list(symbols.ids[name]) for mark in MARKS if (name := names[mark]) is not None}
    single = [symbol for symbol in ids if len(symbol) == 1 and (symbol == " " or not symbol.isspace())]
    return "".join(f"{symbol} {ids[symbol][0]}\n" for symbol in single)
