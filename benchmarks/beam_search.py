"""Beam search: ours against pyctcdecode and ctc-beam-decoder (C++) on the same outputs, with and without a model.

    pip install --no-deps pyctcdecode pygtrie ctc-beam-decoder kenlm-ex   (pyctcdecode asks for numpy 1, but runs on 2)
    python -m benchmarks.beam_search

Made-up outputs of real sentences: each letter likely for two to five frames, blanks between, noise over all, in three
strengths. Milliseconds of processor time a second of sound (50 frames), the best of several; the characters that are wrong; how many
texts are the same as ours; and how often a text that differs is the likelier one, by the sum over all of its paths.
The model is of those sentences and others, so that its errors say little; all take alpha 0.5, beta 1.5 and 100 beams.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rapidfuzz.distance import Levenshtein

from voxgraft.inference.recogniser.decoders.decode import BeamOptions, greedy, log_softmax
from voxgraft.inference.recogniser.decoders.search import beam_search
from voxgraft.inference.recogniser.decoders.word_model import LmOptions, WordModel
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.lm.arpa import read_arpa, write_arpa
from voxgraft.lm.estimate import estimate

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
LABELS = Labels((*LETTERS, None), len(LETTERS))
CONDITIONS = {"clear": 9.0, "unclear": 7.5, "noisy": 6.5}
FRAMES_A_SECOND = 50
SENTENCES = Path(__file__).parents[1] / "src/voxgraft/corpus/sample/metadata.csv"
COUNT, ROUNDS = 8, 2
Decode = Callable[[np.ndarray], str]


def sentences() -> list[str]:
    """Sentences in the letters of LETTERS, the longest last."""
    rows = (line.split("|")[-1] for line in SENTENCES.read_text("utf-8").splitlines())
    kept = ("".join(c for c in unicodedata.normalize("NFC", row.lower()) if c in LETTERS) for row in rows)
    return sorted({" ".join(text.split()) for text in kept} - {""}, key=lambda text: (len(text), text))


def outputs(text: str, peak: float, seed: int) -> np.ndarray:
    """What a recogniser might give for a text: float [T, V]."""
    rng = np.random.default_rng(seed)
    rows: list[int] = []
    for letter in text:
        rows += [LETTERS.index(letter)] * int(rng.integers(2, 6)) + [LABELS.blank] * int(rng.integers(1, 4))
    likely = rng.normal(0, 1.5, (len(rows), len(LABELS)))
    likely[np.arange(len(rows)), rows] += peak
    return log_softmax(likely)


def path_sum(log_probs: np.ndarray, text: str) -> float:
    """The logarithm of the sum over all paths that spell a text."""
    states = np.full(2 * len(text) + 1, LABELS.blank)
    states[1::2] = [LETTERS.index(letter) for letter in text]
    skips = np.concatenate(([False, False], (states[2:] != LABELS.blank) & (states[2:] != states[:-2])))
    scores = np.full(len(states), -np.inf)
    scores[:2] = log_probs[0, states[:2]]
    for frame in log_probs[1:]:
        one = np.concatenate(([-np.inf], scores[:-1]))
        two = np.where(skips, np.concatenate(([-np.inf, -np.inf], scores[:-2])), -np.inf)
        scores = np.logaddexp(np.logaddexp(scores, one), two) + frame[states]
    return float(np.logaddexp(scores[-1], scores[-2]))


def wrong(texts: list[str], said: list[str]) -> float:
    """Share of characters that are wrong."""
    return sum(map(Levenshtein.distance, texts, said)) / sum(map(len, said))


def ours(model: Path | None) -> dict[str, Decode]:
    """Our decoders."""
    if model is None:
        return {
            "ours, best path": lambda x: greedy(x, LABELS),
            "ours": lambda x: beam_search(x, LABELS, BeamOptions())[0].text,
        }
    words = WordModel(read_arpa(model), LABELS, LmOptions(alpha=0.5, beta=1.5, unknown=-10.0))
    return {"ours": lambda x: beam_search(x, LABELS, BeamOptions(), words=words.start())[0].text}


def peers(model: Path | None, words: list[str]) -> dict[str, Decode]:
    """What is installed of the others."""
    symbols = [*LETTERS, ""]
    path = str(model) if model else None
    found: dict[str, Decode] = {}
    try:
        import pyctcdecode

        theirs = pyctcdecode.build_ctcdecoder(symbols, path, words if model else None, alpha=0.5, beta=1.5)
        found["pyctcdecode"] = theirs.decode
    except ImportError:
        print("pyctcdecode is not installed: see the head of this file")
    try:
        import ctc_beam_decoder

        compiled = ctc_beam_decoder.build_ctcdecoder(symbols, path, words if model else None, alpha=0.5, beta=1.5)
        found["ctc-beam-decoder (C++)"] = compiled.decode
    except (ImportError, OSError, RuntimeError) as fault:
        print(f"ctc-beam-decoder does not run here: {fault}")
    return found


def timed(decode: Decode, many: list[np.ndarray]) -> tuple[float, list[str]]:
    """Best seconds for all of them, and their texts."""
    best = np.inf
    for _ in range(ROUNDS):
        began = time.process_time()
        texts = [decode(x) for x in many]
        best = min(best, time.process_time() - began)
    return best, texts


def report(condition: str, decoders: dict[str, Decode], many: list[np.ndarray], said: list[str], lm: bool) -> None:
    """The rows of one condition."""
    seconds = sum(map(len, many)) / FRAMES_A_SECOND
    reference: list[str] = []
    for name, decode in decoders.items():
        spent, texts = timed(decode, many)
        reference = texts if name == "ours" else reference
        same = likelier = ""
        if reference and name != "ours":
            apart = [(x, t, r) for x, t, r in zip(many, texts, reference, strict=True) if t != r]
            same = f"{len(many) - len(apart)}/{len(many)}"
            better = sum(path_sum(x, r) >= path_sum(x, t) for x, t, r in apart)
            likelier = f"ours {better}, theirs {len(apart) - better}" if apart and not lm else ""
        print(
            f"{condition:<9}{'model' if lm else '':<7}{name:<24}{1000 * spent / seconds:>9.2f}{100 * wrong(texts, said):>8.2f} %"
            f"{same:>8}  {likelier}"
        )


def main() -> None:
    """Print the table."""
    known = sentences()
    said = known[-COUNT:]
    print(f"{date.today()}, {len(said)} sentences, {sum(map(len, said))} characters, 100 beams")
    print(f"{'outputs':<9}{'':<7}{'decoder':<24}{'ms / s':>9}{'wrong':>10}{'same':>8}  likelier where they differ")
    with TemporaryDirectory() as folder:
        model = Path(folder) / "lm.arpa"
        write_arpa(estimate([text.split() for text in known], 3), model)
        words = sorted({word for text in known for word in text.split()})
        for condition, peak in CONDITIONS.items():
            many = [outputs(text, peak, seed) for seed, text in enumerate(said)]
            for path in (None, model):
                report(condition, ours(path) | peers(path, words), many, said, path is not None)


if __name__ == "__main__":
    main()
