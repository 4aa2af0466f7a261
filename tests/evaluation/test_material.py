import numpy as np
import pytest

from voxgraft.audio.write import write_wav
from voxgraft.corpus import sample
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.split import text_key
from voxgraft.errors import EvaluationError
from voxgraft.evaluation import material
from voxgraft.evaluation.sentences import languages, validation_sentences


@pytest.fixture
def manifest(tmp_path):
    utterances = []
    for number in range(6):
        path = tmp_path / f"{number}.wav"
        write_wav(path, np.full(1600, number / 10, np.float32), 16_000)
        text = "The same text." if number in (1, 4) else f"Text {number}."
        utterances.append(Utterance(str(number), str(path), text, 0.1, 16_000))
    return Manifest(tuple(utterances))


def test_held_out_texts_never_enter_the_target(manifest):
    lines, target = material.from_corpus(manifest, ["1"])
    assert [line.id for line in lines] == ["1", "4"]
    assert len(target) == 4
    assert lines[0].recording.audio[0] == pytest.approx(0.1, abs=1e-3)


def test_without_ids_the_corpus_is_spread(manifest):
    lines, target = material.from_corpus(manifest, most=3)
    assert [line.id for line in lines] == ["0", "2", "5"]
    assert target == []


def test_all_held_out_leaves_no_target(manifest):
    lines, target = material.from_corpus(manifest, [u.id for u in manifest])
    assert (len(lines), len(target)) == (6, 0)


def test_unknown_ids_are_named(manifest):
    with pytest.raises(EvaluationError, match="no such utterance: nine"):
        material.from_corpus(manifest, ["nine", "1"])


def test_texts_with_and_without_ids(tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("\ufeffone | First text.\n\nA bare text.\n", "utf-8")
    assert [(line.id, line.text) for line in material.from_text_file(file)] == [
        ("one", "First text."),
        ("line 3", "A bare text."),
    ]
    assert material.read_ids(file) == ["one", "A bare text."]


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "holds no text"), (b"\n |\n", "holds no text"), (b"a|x\na|y", "occurs twice"), (b"caf\xe9", "not UTF-8")],
)
def test_bad_text_files_are_refused(tmp_path, content, fault):
    file = tmp_path / "texts.txt"
    file.write_bytes(content)
    with pytest.raises(EvaluationError, match=fault):
        material.from_text_file(file)


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_unreadable_files_are_refused(tmp_path, name):
    with pytest.raises(EvaluationError, match="can't be read"):
        material.read_ids(tmp_path / name)


def test_built_in_sentences_are_whole_and_in_no_corpus():
    known = {text_key(u.text) for u in sample.bundled()}
    for language in languages():
        sentences = validation_sentences(language, 8)
        assert len({text_key(text) for text in sentences}) == 8
        assert all(len(text.split()) >= 7 for text in sentences)
        assert not known & {text_key(text) for text in sentences}


def test_languages_go_by_their_first_part():
    assert validation_sentences("en_US", 2) == validation_sentences("en-gb", 2) == validation_sentences("EN", 2)
    with pytest.raises(EvaluationError, match=r"got xx.*") as fault:
        validation_sentences("xx")
    assert "voice.sentences" in fault.value.remedy
    with pytest.raises(EvaluationError, match="at most 8"):
        validation_sentences("en", 99)
