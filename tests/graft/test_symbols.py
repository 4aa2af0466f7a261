import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from voxgraft.graft.symbols import map_symbols
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
    assert all(0 <= row < source.rows for row in (*result.kept.values(), *result.near.values()))
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
    assert result.symbols.near == {"ã": "a", "Ñ": "n", "ʁ": "ɹ", "g": "ɡ", "¿": "?"}
    assert result.near == {0: 0, 1: 1, 2: 2, 4: 4, 5: 5}
    assert result.kept == {}
    assert len(result.symbols.new) == 6


def test_several_ids_a_symbol():
    source = SymbolTable({"a": (0, 1), "b": (2,)}, 3, "text")
    target = SymbolTable({"a": (2,), "b": (0, 1)}, 3, "text")
    assert map_symbols(source, target).kept == {2: 0, 0: 2, 1: 2}
