import numpy as np
import pytest

pytest.importorskip("flashlight.lib.text")

from tests.inference.recogniser.ctc_paths import letters, random_frames

from voxgraft.errors import MissingExtra, TextError
from voxgraft.inference.recogniser.decoders.decode import BeamOptions, log_softmax
from voxgraft.inference.recogniser.decoders.flashlight import LexiconDecoder, read_words
from voxgraft.inference.recogniser.decoders.search import beam_search
from voxgraft.inference.recogniser.decoders.word_model import LmOptions
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.lm.arpa import write_arpa
from voxgraft.lm.estimate import estimate

LABELS = letters("abn ")


def frames(text: str, labels: Labels = LABELS, sharpness: float = 9.0) -> np.ndarray:
    rows = [row for c in text for row in (labels.spellings.index(c), labels.blank)]
    return log_softmax(np.eye(len(labels))[rows] * sharpness)


@pytest.mark.parametrize("text", ["ab an", "an", "ab ab nab"])
def test_words_of_the_lexicon_come_out(text):
    (best,) = LexiconDecoder(LABELS, ["ab", "an", "nab"]).decode(frames(text))
    assert best.text == text
    assert LABELS.text(best.labels) == text


def test_no_other_words_come_out():
    decoder = LexiconDecoder(LABELS, ["ab", "nab"])
    for seed in range(20):
        for hypothesis in decoder.decode(random_frames(25, 5, seed), most=4):
            assert set(hypothesis.text.split()) <= {"ab", "nab"}


def test_a_language_model_decides_what_the_sound_leaves_open(tmp_path):
    path = tmp_path / "lm.arpa"
    write_arpa(estimate([["an", "ab"]] * 5 + [["an", "an"], ["ab", "an"]], 2), path)
    unclear = frames("an a")
    unclear = np.concatenate([unclear, log_softmax(np.array([[0.0, 5.0, 5.2, 0.0, 0.0]]))])
    assert LexiconDecoder(LABELS, ["an", "ab"]).decode(unclear)[0].text == "an an"
    heavy = LexiconDecoder(LABELS, ["an", "ab"], path, lm_options=LmOptions(alpha=3.0, beta=0.0))
    assert heavy.decode(unclear)[0].text == "an ab"


def test_with_all_words_it_finds_what_our_own_search_finds():
    words = ["a", "b", "n", "ab", "ba", "an", "na", "nab", "ban"]
    clear = frames("ban a nab", sharpness=6.0)
    own = beam_search(clear, LABELS, BeamOptions())[0].text
    assert LexiconDecoder(LABELS, words, lm_options=LmOptions(beta=0.0)).decode(clear)[0].text == own == "ban a nab"


def test_words_that_cannot_be_written_are_counted():
    decoder = LexiconDecoder(LABELS, ["ab", "xyz", "<s>", "жук"])
    assert decoder.unspelt == 2
    with pytest.raises(TextError, match="no word of the lexicon"):
        LexiconDecoder(LABELS, ["xyz"])


def test_no_frames_are_no_text():
    assert LexiconDecoder(LABELS, ["ab"]).decode(np.zeros((0, 5), np.float32))[0].text == ""


@pytest.mark.parametrize("labels", [letters("ab"), Labels((" a", "b", None), 2)])
def test_recognisers_without_a_space_of_its_own_are_refused(labels):
    with pytest.raises(TextError, match="one symbol of their own"):
        LexiconDecoder(labels, ["ab"])


@pytest.mark.parametrize(
    "raw", [b"", b"\\data\\\nngram 1=99\n", b"mmap lm http://kheafield.com/code format version 5\n\0xx"]
)
def test_a_language_model_that_is_none(tmp_path, raw):
    path = tmp_path / "lm.arpa"
    path.write_bytes(raw)
    with pytest.raises(TextError, match="KenLM can't open"):
        LexiconDecoder(LABELS, ["ab"], path)


def test_words_are_the_first_of_each_line(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("\ufeffab a b\n\nnab\tn a b\nab\n", "utf-8")
    assert read_words(path) == ["ab", "nab"]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TextError, match="UTF-8"):
        read_words(path)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "flashlight.lib.text", None)
    with pytest.raises(MissingExtra, match="flashlight-text"):
        LexiconDecoder(LABELS, ["ab"])
