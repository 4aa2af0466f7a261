"""Coqui TTS' vocabularies: the ids that its own tokenizer gives, in every way that it builds them."""

import json

import pytest
from tests.checkpoints.formats.coqui.coqui_files import COQUI

from voxgraft.checkpoints.formats.coqui.vocabulary import symbol_table, vocabulary_of

GOLDEN = json.loads((COQUI / "vocabularies.json").read_text("utf-8"))
CASES = sorted(GOLDEN["cases"])


def table(config, rows=99):
    notes: list[str] = []
    return symbol_table(config, rows, notes), notes


@pytest.mark.parametrize("name", CASES)
def test_the_vocabulary_is_coquis_own(name):
    case, notes = GOLDEN["cases"][name], []
    vocabulary = vocabulary_of(case["config"], notes)
    assert vocabulary is not None
    assert list(vocabulary.symbols) == case["vocabulary"]
    assert notes == []
    assert vocabulary.ids == {symbol: number for number, symbol in enumerate(case["vocabulary"])}


@pytest.mark.parametrize("name", CASES)
def test_ids_of_a_sentence_are_coquis_own(name):
    case = GOLDEN["cases"][name]
    symbols, notes = table(case["config"], len(case["vocabulary"]))
    assert symbols is not None
    assert notes == []
    for sentence, ids in zip(GOLDEN["sentences"], case["ids"], strict=True):
        assert list(symbols.encode(sentence).ids) == ids


def test_the_sentences_say_something():
    assert all(sum(map(len, case["ids"])) > 3 for case in GOLDEN["cases"].values())
    assert len({str(case["ids"]) for case in GOLDEN["cases"].values()}) == len(CASES)


def test_of_symbols_that_are_there_twice_the_last_counts():
    symbols, _ = table(GOLDEN["cases"]["repeated"]["config"], 10)
    assert symbols.ids["a"] == (9,)
    assert symbols.ids["b"] == (4,)


def test_decomposed_text_finds_composed_symbols():
    case = GOLDEN["cases"]["unique"]
    symbols, _ = table(case["config"], len(case["vocabulary"]))
    assert symbols.encode("e\u0301").ids == symbols.encode("é").ids
    assert not symbols.encode("e\u0301").unknown


@pytest.mark.parametrize(
    ("changes", "kind", "voice", "told"),
    [
        ({}, "text", None, None),
        ({"datasets": [{"language": "de"}]}, "text", "de", None),
        ({"languages": ["en"]}, "text", None, None),
        ({"languages": ["fr"]}, "text", "fr", None),
        ({"use_phonemes": True, "phoneme_language": "en-us"}, "espeak", "en-us", None),
        ({"use_phonemes": True, "phoneme_language": "de", "phonemizer": "espeak"}, "espeak", "de", None),
        ({"use_phonemes": True, "phoneme_language": "de", "phonemizer": "gruut"}, "espeak", "de", "gruut"),
        ({"use_phonemes": True, "phoneme_language": "zh-cn", "phonemizer": "zh_cn_phonemizer"}, "coqui", "zh-cn", "zh_cn_phonemizer"),
        ({"use_phonemes": True, "phonemizer": "multi_phonemizer", "datasets": [{"language": "fr", "phonemizer": "espeak"}, {"language": "de", "phonemizer": "espeak"}]}, "espeak", "de", None),
        ({"use_phonemes": True, "phonemizer": "multi_phonemizer", "datasets": [{"language": "ja", "phonemizer": "ja_jp_phonemizer"}]}, "coqui", "ja", "ja_jp_phonemizer"),
    ],
)  # fmt: skip
def test_what_goes_in(changes, kind, voice, told):
    symbols, notes = table({"use_phonemes": False} | changes, 132 if changes.get("use_phonemes") else 67)
    assert (symbols.text_kind, symbols.voice) == (kind, voice)
    assert (told in " ".join(notes)) if told else notes == []


@pytest.mark.parametrize(
    ("characters", "told"),
    [
        ({"characters_class": "mine.Own", "characters": "ab"}, "somebody else's"),
        ({"characters_class": "TTS.tts.utils.text.characters.BaseVocabulary"}, "list of symbols"),
        ({"characters_class": "TTS.tts.models.vits.VitsCharacters"}, "no characters"),
        ({"characters_class": "x.FairseqVocab", "vocab_dict": ["a", 3]}, "list of symbols"),
        ({"characters": None, "pad": "_"}, "no characters"),
    ],
)
def test_what_cannot_be_known_is_told(characters, told):
    symbols, notes = table({"characters": characters})
    assert symbols is None
    assert told in " ".join(notes)


def test_an_explicit_list_counts_as_it_stands():
    characters = {"characters_class": "x.BaseVocabulary", "vocab_dict": ["k", " ", "a", "-"], "blank": "-", "pad": "k"}
    symbols, notes = table({"characters": characters, "add_blank": True}, 4)
    assert dict(symbols.ids) == {"k": (0,), " ": (1,), "a": (2,), "-": (3,)}
    assert symbols.encode("a ").ids == (3, 2, 3, 1, 3)
    assert notes == []


def test_characters_in_chance_order_are_not_guessed():
    characters = {"characters": "abca", "punctuations": ".", "pad": "_", "is_unique": True, "is_sorted": False}
    symbols, notes = table({"characters": characters}, 5)
    assert dict(symbols.ids) == {"_": (0,), ".": (4,)}
    assert "chance" in " ".join(notes)


def test_the_tensors_win_over_the_configuration():
    symbols, notes = table({}, 60)
    assert symbols.rows == 60
    assert len(symbols) == 60
    assert "67 symbols, the tensors have 60" in " ".join(notes)


def test_a_blank_without_a_symbol_is_the_id_behind_the_last():
    symbols, notes = table({"characters": {"characters": "ab", "pad": "_"}, "add_blank": True}, 4)
    assert symbols.encode("ab").ids == (3, 1, 3, 2, 3)
    assert len(notes) == 1
