from collections import Counter

import pytest

from voxgraft.text.symbols import SymbolTable

IDS = {"_": (0,), "^": (1,), "$": (2,), "a": (3,), "ɪ": (4,), "aɪ": (5,)}


def table(**changes):
    return SymbolTable(**({"ids": IDS, "rows": 6, "text_kind": "espeak"} | changes))


def test_clusters_count_as_one_symbol_the_longest_first():
    assert table(clusters=("aɪ",)).encode("aaɪɪ").ids == (1, 0, 3, 0, 5, 0, 4, 0, 2)


def test_without_clusters_each_symbol_counts():
    assert table().encode("aɪ").ids == (1, 0, 3, 0, 4, 0, 2)


def test_a_cluster_that_the_table_lacks_is_counted_whole():
    assert table(clusters=("ɪa",)).encode("ɪa").unknown == Counter({"ɪa": 1})


def test_a_table_without_framing_symbols_frames_nothing():
    assert table(ids={"a": (0,)}).encode("aa").ids == (0, 0)


def test_ids_without_blanks_between_them():
    assert table(intersperse=False).encode("aɪ").ids == (1, 3, 4, 2)


def test_an_id_outside_the_rows_is_refused():
    with pytest.raises(ValueError, match="outside the 5 rows"):
        table(rows=5)


def test_the_table_is_frozen():
    with pytest.raises(TypeError):
        table().ids["b"] = (9,)


def test_a_table_without_bos_can_lead_with_a_pad():
    table = SymbolTable({"_": (0,), "a": (1,), "b": (2,)}, 3, "text", leading_pad=True)
    assert table.encode("ab").ids == (0, 1, 0, 2, 0)


def test_a_blank_that_the_table_lacks_is_no_blank():
    assert SymbolTable({"a": (0,)}, 1, "text", blank="<blank>").blank is None
    assert SymbolTable({"a": (0,), "<blank>": (1,)}, 2, "text", blank="<blank>").blank == "<blank>"


@pytest.mark.parametrize(
    ("symbols", "text", "ids", "unknown"),
    [
        ("eé", "e\u0301e", (1, 0), {}),
        ("eé", "ée", (1, 0), {}),
        ("ê", "e\u0302\u0301", (0,), {"\u0301": 1}),
        ("ếê", "e\u0302\u0301e\u0302", (0, 1), {}),
    ],
)
def test_marks_join_their_letter_where_the_table_has_the_two_as_one(symbols, text, ids, unknown):
    found = SymbolTable({symbol: (number,) for number, symbol in enumerate(symbols)}, 4, "text").encode(text)
    assert found.ids == ids
    assert found.unknown == Counter(unknown)


def test_a_mark_that_the_table_has_itself_stays_apart():
    assert SymbolTable({"e": (0,), "\u0301": (1,)}, 2, "text").encode("e\u0301").ids == (0, 1)
