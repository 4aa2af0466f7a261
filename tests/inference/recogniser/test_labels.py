import pytest
from tests.inference.recogniser.ctc_paths import letters

from voxgraft.errors import CheckpointError
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.text.alphabet import alphabet_table, byte_table
from voxgraft.text.symbols import SymbolTable


def wav2vec2() -> Labels:
    symbols = ["<pad>", "<s>", "</s>", "<unk>", "|", "E", "T", "'"]
    ids = {symbol: (number,) for number, symbol in enumerate(symbols)}
    table = SymbolTable(ids, 8, "ctc", pad="<pad>", bos="<s>", eos="</s>", intersperse=False, blank="<pad>")
    return Labels.of(table)


def pieces() -> Labels:
    symbols = ["<unk>", "▁the", "▁", "t", "he", "h", "e", "n", "<b>"]
    ids = {symbol: (number,) for number, symbol in enumerate(symbols)}
    return Labels.of(SymbolTable(ids, 9, "ctc", pad=None, bos=None, eos=None, intersperse=False, blank="<b>"))


def test_an_alphabet_has_its_blank_last():
    labels = Labels.of(alphabet_table([" ", "a", "b"]))
    assert labels.blank == 3
    assert labels.text([1, 0, 0, 2, 0]) == "a b"
    assert labels.words([0, 1, 2, 0, 0, 2]) == [("ab", 1, 3), ("b", 5, 6)]


def test_a_bar_is_a_space_and_special_symbols_are_silent():
    labels = wav2vec2()
    assert (labels.blank, labels.silent.tolist()) == (0, [1, 2, 3])
    assert labels.text([6, 4, 5, 7]) == "T E'"
    assert labels.spell("té e").labels == (6, 4, 5)
    assert labels.spell("té e").unknown == {"é": 1}


def test_pieces_begin_words():
    labels = pieces()
    assert labels.text([1, 7, 2, 3, 4]) == "then the"
    assert labels.words([1, 7, 2, 3, 4]) == [("then", 0, 2), ("the", 3, 5)]
    assert labels.spell("the then he").labels == (1, 1, 7, 2, 4)
    assert labels.silent.tolist() == [0]


def test_bytes_spell_any_text():
    labels = Labels.of(byte_table())
    spelt = labels.spell("жук  三")
    assert bytes(label + 1 for label in spelt.labels).decode() == "жук 三"
    assert not spelt.unknown
    assert labels.text(spelt.labels) == "жук 三"
    assert [word.text for word in labels.words(spelt.labels)] == ["жук", "三"]
    assert labels.text(spelt.labels[:-1]) == "жук"


def test_letters_and_their_marks_are_found_in_either_form():
    labels = Labels(("e\u0301", "a", None), 2)
    assert labels.spell("\u00e9a").labels == labels.spell("e\u0301a").labels == (0, 1)


def test_a_text_without_word_breaks_is_one_word():
    labels = letters("三四")
    assert not labels.has_words
    assert labels.words([0, 1]) == [("三四", 0, 2)]
    assert labels.words([]) == []


def test_symbols_without_a_blank_are_refused():
    table = SymbolTable({"a": (0,)}, 1, "ctc", pad=None, bos=None, eos=None, intersperse=False)
    with pytest.raises(CheckpointError, match="no blank"):
        Labels.of(table)
