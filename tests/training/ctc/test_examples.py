import numpy as np
import pytest
import torch
from tests.training.ctc.tiny_recogniser import LETTER_SECONDS, RATE, sung, table

from voxgraft.audio.mfcc import MfccSpec, mfcc
from voxgraft.corpus.augmentation import Augmenter
from voxgraft.corpus.features import prepare_features
from voxgraft.corpus.importers import import_corpus
from voxgraft.errors import CorpusError
from voxgraft.inference.labels import Labels
from voxgraft.text.alphabet import alphabet_table, byte_table
from voxgraft.training.ctc.examples import learnable, make_batch, make_examples, transcript

LETTERS = Labels.of(alphabet_table((" ", "a", "b", "c", "d")))


def heard(folder, texts):
    return prepare_features(import_corpus(table(folder, "some", texts)).utterances, MfccSpec(), folder / "cache")


def examples(folder, texts=("abba", "cab", "bad dad"), labels=LETTERS):
    return make_examples(heard(folder, texts), labels, "plain", "train", strict=True)


def test_features_are_those_of_the_recording_and_are_made_once(tmp_path, monkeypatch):
    one = heard(tmp_path, ("abba",))[0]
    sound = np.round(np.clip(sung("abba"), -1, 1) * 32767) / 32768
    np.testing.assert_allclose(one.features, mfcc(one.sound, MfccSpec()), atol=1e-5)
    np.testing.assert_allclose(one.sound, sound, atol=1e-4)
    assert one.frames == len(one.features) == 1 + (int(4 * LETTER_SECONDS * RATE) + 1600 - 512) // 320
    monkeypatch.setattr("voxgraft.corpus.features.features_of", lambda *_: pytest.fail("the cache was not used"))
    assert heard(tmp_path, ("abba",))[0].features_file == one.features_file


def test_transcripts_are_spelt_and_equal_neighbours_need_a_frame_more(tmp_path):
    first, second, third = examples(tmp_path)
    assert first.labels.tolist() == [1, 2, 2, 1]
    assert (first.needed, second.needed) == (5, 3)
    assert third.text == "bad dad"
    assert third.labels.tolist() == [2, 1, 4, 0, 4, 1, 4]


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        ("Abba, cab!", "plain", "abba cab"),
        ("Abba, cab!", "as_is", "Abba, cab!"),
        ("Bad–dad…", "plain", "bad dad"),
    ],
)
def test_transcripts_lose_what_is_not_said(text, kind, written):
    assert transcript(text, LETTERS, kind) == written


def test_a_sign_of_the_alphabet_stays():
    assert transcript("a-b, c", Labels.of(alphabet_table((" ", "a", "b", "c", "-"))), "plain") == "a-b c"


def test_bytes_spell_everything(tmp_path):
    texts = make_examples(heard(tmp_path, ("баг",)), Labels.of(byte_table()), "plain", "train", strict=True)
    assert bytes(int(i) + 1 for i in texts[0].labels).decode() == "баг"


def test_characters_outside_the_alphabet_are_named_with_counts_and_clips(tmp_path):
    found = heard(tmp_path, ("abba", "гав ab", "вab"))
    with pytest.raises(CorpusError, match=r"'в' 2× \(some-1, some-2\), 'г' 1× \(some-1\)") as caught:
        make_examples(found, LETTERS, "plain", "train", strict=True)
    assert "corpus.skip_bad" in caught.value.remedy


def test_skip_bad_leaves_them_out_and_a_test_keeps_them(tmp_path, capsys):
    found = heard(tmp_path, ("abba", "гав ab"))
    kept = make_examples(found, LETTERS, "plain", "train", strict=True, skip_bad=True)
    assert [one.text for one in kept] == ["abba"]
    tested = make_examples(found, LETTERS, "plain", "test")
    assert [one.text for one in tested] == ["abba", "гав ab"]
    assert "they count as errors" in capsys.readouterr().err


def test_what_ctc_cannot_learn_is_left_out_with_its_reason(tmp_path, capsys):
    found = heard(tmp_path, ("abba", "cab"))
    long = make_examples(found, LETTERS, "plain", "train", strict=True)
    kept = learnable(long, lambda frames: frames // 7, (0.1, 15))
    assert [one.text for one in kept] == ["cab"]
    assert "some-0: 4 frames for 4 labels: too short for its transcript" in capsys.readouterr().err
    with pytest.raises(CorpusError, match="none of the 2 utterances"):
        learnable(long, lambda frames: frames, (5.0, 15))


def test_a_batch_is_padded_and_its_parts_are_its_clips(tmp_path):
    found = examples(tmp_path)
    batch = make_batch(found, [2, 1])
    assert batch.lengths.tolist() == [found[2].frames, found[1].frames]
    assert batch.total.item() == 10
    assert batch.features[1, found[1].frames :].abs().max() == 0
    assert batch.labels[1].tolist() == [3, 1, 2, 0, 0, 0, 0]
    part = batch.part(1, 2)
    assert (len(part), part.total.item(), part.clips.tolist()) == (1, 10, [1])
    assert torch.equal(part.features[0], batch.features[1])


def test_augmentation_is_a_function_of_seed_step_and_place(tmp_path):
    found = examples(tmp_path)
    augmenter = Augmenter(("volume[p=1,dbfs=-30~5]", "add[p=1,stddev=0.5,domain=features]"), RATE)
    settings = {"augmenter": augmenter, "seed": 3}
    whole = make_batch(found, [0, 1], step=5, **settings)
    share = make_batch(found, [1], step=5, first=1, **settings)
    length = found[1].frames
    assert torch.equal(whole.features[1, :length], share.features[0, :length])
    assert not torch.equal(whole.features, make_batch(found, [0, 1], step=6, **settings).features)
    assert not torch.equal(whole.features, make_batch(found, [0, 1]).features)
