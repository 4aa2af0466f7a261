"""KenLM's binaries and Coqui STT's scorers: recognised, their settings read, and what to use instead.

Source: https://github.com/kpu/kenlm/blob/master/lm/binary_format.cc,
https://github.com/coqui-ai/STT/blob/main/native_client/ctcdecode/scorer.cpp. A scorer is a KenLM binary with a trailer:
`TRIE` and the version as int32, whether it scores UTF-8 characters, alpha and beta as float64, then an OpenFst dictionary.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from voxgraft.errors import TextError
from voxgraft.files import open_regular

_KENLM = b"mmap lm http://kheafield.com/code format version"
_TRAILER = struct.Struct("<4si?ddI")
_MAGIC, _FST_MAGIC = b"EIRT", 2125659606


@dataclass(frozen=True)
class ScorerSettings:
    """What a Coqui STT scorer says of itself."""

    version: int
    utf8: bool
    alpha: float
    beta: float


def is_kenlm_binary(path: Path) -> bool:
    """Whether KenLM wrote the file in its own format: a language model, or a scorer around one."""
    with open_regular(path) as file:
        return file.read(len(_KENLM)) == _KENLM


def read_scorer(path: Path) -> ScorerSettings | None:
    """The settings at the end of the language model in a scorer; None for a KenLM binary without them."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = content.find(_MAGIC)
        while place >= 0:
            raw = content[place : place + _TRAILER.size]
            if len(raw) == _TRAILER.size and raw[8] in (0, 1):
                _, version, utf8, alpha, beta, fst = _TRAILER.unpack(raw)
                if fst == _FST_MAGIC and math.isfinite(alpha) and math.isfinite(beta):
                    return ScorerSettings(version, utf8, alpha, beta)
            place = content.find(_MAGIC, place + 1)
    return None


def refuse_kenlm(path: Path) -> None:
    """Raise TextError for a KenLM binary or a Coqui STT scorer, with what it says and what to use instead."""
    if not is_kenlm_binary(path):
        return
    scorer = read_scorer(path)
    if scorer is None:
        raise TextError(
            "is a language model in KenLM's own format, which only its decoder reads",
            file=path,
            remedy="Give the ARPA file that it was built from, or add --lexicon to decode with flashlight-text, which reads it.",
        )
    unit = "UTF-8 characters" if scorer.utf8 else "words"
    raise TextError(
        f"is a Coqui STT scorer (version {scorer.version}): a KenLM model of {unit} with a dictionary, which only Coqui STT reads",
        file=path,
        expected="an ARPA file",
        got=f"alpha {scorer.alpha:.4g}, beta {scorer.beta:.4g}",
        remedy="Make a model of the text that it was built from with `voxgraft lm TEXT -o lm.arpa`, then "
        f"--lm lm.arpa --alpha {scorer.alpha:.4g} --beta {scorer.beta:.4g}.",
    )
