import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxgraft.graft.symbols.mapping import map_symbols
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.text.alphabet import byte_table
from voxgraft.text.symbols import SymbolTable


def _table(symbols, rows=None, **framing) -> SymbolTable:
    ids = {symbol: (index,) for index, symbol in enumerate(symbols)}
    return SymbolTable(ids, rows or len(ids), "text", **framing)


tables = st.lists(st.text(min_size=1, max_size=2), min_size=1, max_size=30, unique=True).map(_table)


@given(tables)
def test_a_table_maps_onto_itself(table):
    result = map_symbols(table, table)
    assert result.identical
    assert result.kept == {ids[0]: ids[0] for ids in table.ids.values()}
    assert not result.symbols.new
    assert not result.symbols.dropped


@given(tables, st.randoms())
def test_rows_follow_their_symbol_through_any_shuffle(table, random):
    names = list(table.ids)
    random.shuffle(names)
    shuffled = _table(names)
    result = map_symbols(table, shuffled)
    assert result.kept == {shuffled.ids[name][0]: table.ids[name][0] for name in names}


@given(tables, tables)
def test_every_symbol_is_accounted_for_once(source, target):
    result = map_symbols(source, target)
    assert sorted(result.symbols.mapped + result.symbols.new) == sorted(target.ids)
    assert set(result.symbols.dropped) <= set(source.ids)
    assert set(result.symbols.near) <= set(result.symbols.new)
    assert set(result.kept) == {target.ids[symbol][0] for symbol in result.symbols.mapped}
    assert not set(result.kept) & set(result.near)
    assert all(0 <= row < source.rows for row in (*result.kept.values(), *(r for w in result.near.values() for r in w)))
    assert all(abs(sum(weights.values()) - 1) < 1e-9 for weights in result.near.values())
    exact = set(source.ids) & set(target.ids) - {"_", "^", "$"}
    assert exact <= set(result.symbols.mapped)


def test_names_match_by_nfc():
    source = _table([unicodedata.normalize("NFD", "é"), "a"])
    result = map_symbols(source, _table(["a", unicodedata.normalize("NFC", "é")]))
    assert result.kept == {0: 1, 1: 0}


def test_framing_marks_match_by_role_and_never_as_letters():
    source = _table(["_", "^", "$", "a"])
    target = _table(["a", "<s>", "</s>", "<p>", "$"], bos="<s>", eos="</s>", pad="<p>")
    result = map_symbols(source, target)
    assert result.kept == {0: 3, 1: 1, 2: 2, 3: 0}
    assert result.symbols.new == ("$",)


def test_new_symbols_start_from_their_nearest():
    source = _table(["a", "n", "ɹ", "s", "ɡ", "?"])
    result = map_symbols(source, _table(["ã", "Ñ", "ʁ", "漢", "g", "¿"]))
    alone = {symbol: next(iter(found)) for symbol, found in result.symbols.near.items() if len(found) == 1}
    assert alone == {"ã": "a", "Ñ": "n", "¿": "?"}
    assert max(result.symbols.near["ʁ"], key=result.symbols.near["ʁ"].__getitem__) == "ɹ"
    assert {row: found for row, found in result.near.items() if len(found) == 1} == {
        0: {0: 1.0},
        1: {1: 1.0},
        5: {5: 1.0},
    }
    assert result.kept == {4: 4}
    assert result.symbols.mapped == ("g",)
    assert len(result.symbols.new) == 5


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("g", "ɡ"), ("ʧ", "t͡ʃ"), ("ʦ", "ts"), ("'", "’"), ("é", "e\u0301"), ("e\u0301", "é"), ("<unk>", "[UNK]")],
)
def test_one_sound_in_two_spellings_is_one_symbol(ours, theirs):
    for source, target in ((ours, theirs), (theirs, ours)):
        assert map_symbols(_table(["x", source]), _table([target])).kept == {0: 1}


def test_both_spellings_in_one_table_stay_two():
    assert map_symbols(_table(["g", "ɡ"]), _table(["ɡ", "g"])).kept == {0: 1, 1: 0}


def _ctc(symbols, blank) -> SymbolTable:
    ids = {symbol: (index,) for index, symbol in enumerate(symbols)}
    return SymbolTable(ids, len(ids), "ctc", pad=None, bos=None, eos=None, intersperse=False, blank=blank)


def test_blank_and_space_of_recognisers_match_by_what_they_mean():
    source = _ctc(["<pad>", "<unk>", "|", "A", "B", "'"], "<pad>")
    result = map_symbols(source, _ctc([" ", "a", "b", "’", "ж", "<blank>"], "<blank>"))
    assert result.kept == {0: 2, 1: 3, 2: 4, 3: 5, 5: 0}
    assert result.symbols.new == ("ж",)
    assert result.symbols.dropped == ("<unk>",)
    # Between the symbols of a voice the same sign is a sign like others.
    assert map_symbols(_table(["|", "a"]), _table([" ", "a"])).symbols.new == (" ",)


def test_a_bar_is_the_space_of_a_recogniser_only_where_it_has_no_other():
    delimiter = _ctc(["<blank>", "|", "a"], "<blank>")
    sign = _ctc(["<blank>", " ", "|", "a"], "<blank>")
    assert map_symbols(delimiter, sign).kept == {0: 0, 1: 1, 3: 2}
    assert map_symbols(delimiter, sign).symbols.new == ("|",)
    assert map_symbols(sign, delimiter).kept == {0: 0, 1: 1, 2: 3}
    assert map_symbols(sign, delimiter).symbols.dropped == ("|",)
    assert map_symbols(sign, sign).identical
    assert Labels.of(sign).text([3, 2, 1, 3]) == "a| a"
    assert Labels.of(delimiter).text([2, 1, 2]) == "a a"


def test_case_counts_where_a_table_has_both():
    assert map_symbols(_table(["A", "B"]), _table(["a", "b"])).kept == {0: 0, 1: 1}
    assert map_symbols(_table(["A", "b"]), _table(["a", "B"])).kept == {}


def test_bytes_are_letters_only_as_far_as_ascii():
    letters = _ctc(["a", "é", "<blank>"], "<blank>")
    result = map_symbols(byte_table(), letters)
    assert result.kept == {0: ord("a") - 1, 2: 255}
    assert result.symbols.new == ("é",)
    assert map_symbols(byte_table(), byte_table()).identical
    back = map_symbols(letters, byte_table())
    assert back.kept == {ord("a") - 1: 0, 255: 2}


def test_symbols_that_were_never_learned_start_from_those_that_were():
    source = _table(["_", "ʃ", "s", "ø", "e", "漢"], pad="_")
    result = map_symbols(source, source, frozenset({"ʃ", "ø", "漢", "_"}))
    assert result.symbols.unlearned == ("ʃ", "ø", "漢")
    assert set(result.symbols.near) == {"ʃ", "ø"}
    assert set(result.symbols.near["ʃ"]) == {"s"}
    assert result.kept == {0: 0, 2: 2, 4: 4, 5: 5}


@given(tables, tables, st.sets(st.integers(0, 29)))
def test_a_row_is_kept_or_started_never_both(source, target, numbers):
    unlearned = frozenset(symbol for index, symbol in enumerate(source.symbols) if index in numbers)
    result = map_symbols(source, target, unlearned)
    assert not set(result.kept) & set(result.near)
    assert set(result.symbols.unlearned) <= set(result.symbols.mapped)
    assert not {name for found in result.symbols.near.values() for name in found} & unlearned


def test_several_ids_a_symbol():
    source = SymbolTable({"a": (0, 1), "b": (2,)}, 3, "text")
    target = SymbolTable({"a": (2,), "b": (0, 1)}, 3, "text")
    assert map_symbols(source, target).kept == {2: 0, 0: 2, 1: 2}
