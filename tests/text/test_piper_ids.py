"""Tables of other systems, written as Piper's map, frame a sentence as they did; Piper's own come back as they were."""

import pytest
from piper.phoneme_ids import phonemes_to_ids

from voxgraft.text.piper_ids import from_id_map, to_id_map
from voxgraft.text.symbols import SymbolTable

PIPER = SymbolTable({"_": (0,), "^": (1,), "$": (2,), "a": (3,), "b": (4,)}, 5, "espeak", "en-us")
BLANKS = SymbolTable(
    {"<pad>": (0,), "a": (1,), "b": (2,), "<blank>": (3,)}, 4, "espeak", "en-us", pad="<blank>", leading_pad=True
)
OTHER_NAMES = SymbolTable(
    {"_": (0,), "<s>": (1,), "</s>": (2,), "a": (3,), "b": (4,), "<blank>": (5,)},
    6, "text", pad="<blank>", bos="<s>", eos="</s>",
)  # fmt: skip
BARE = SymbolTable({"a": (0,), "b": (1,)}, 2, "text", intersperse=False)


@pytest.mark.parametrize("table", [PIPER, BLANKS, OTHER_NAMES])
def test_pipers_runtime_frames_as_the_table_does(table):
    assert tuple(phonemes_to_ids(["a", "b", "a"], to_id_map(table))) == table.encode("aba").ids


@pytest.mark.parametrize("table", [PIPER, BLANKS, OTHER_NAMES, BARE])
def test_the_map_reads_back_as_a_table_that_encodes_the_same(table):
    again = from_id_map(to_id_map(table), table.rows, table.text_kind, table.voice)
    assert again.encode("aba").ids == table.encode("aba").ids


def test_pipers_own_map_is_unchanged():
    assert to_id_map(PIPER) == {"_": [0], "^": [1], "$": [2], "a": [3], "b": [4]}
    assert from_id_map(to_id_map(PIPER), 5, "espeak", "en-us") == PIPER


def test_a_symbol_that_only_has_a_marks_name_is_left_out():
    assert to_id_map(OTHER_NAMES)["_"] == [5]


def test_an_id_outside_the_rows_is_an_error():
    with pytest.raises(ValueError, match="outside"):
        from_id_map({"a": [7]}, 3, "text", None)
