import numpy as np
import pytest
import torch
from tests.training.tasks.ctc.tiny_recogniser import LETTER_SECONDS, RATE, sung, table

from voxgraft.audio.mfcc import MfccSpec, mfcc
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.prepare.augmentation import Augmenter
from voxgraft.corpus.prepare.features import prepare_features
from voxgraft.corpus.transcript_spec import transcript_spec_of
from voxgraft.text.alphabet import alphabet_table, byte_table
from voxgraft.training.tasks.ctc.examples import make_batch, make_examples

LETTERS = alphabet_table((" ", "a", "b", "c", "d"))


def heard(folder, texts):
    found, faults = prepare_features(
        import_corpus(table(folder, "some", texts)).utterances, MfccSpec(), folder / "cache"
    )
    assert not faults
    return found


def examples(folder, texts=("abba", "cab", "bad dad"), symbols=LETTERS):
    return make_examples(heard(folder, texts), transcript_spec_of(symbols, None, MfccSpec(), "plain"))


def test_features_are_those_of_the_recording_and_are_made_once(tmp_path, monkeypatch):
    one = heard(tmp_path, ("abba",))[0]
    sound = np.round(np.clip(sung("abba"), -1, 1) * 32767) / 32768
    np.testing.assert_allclose(one.features, mfcc(one.sound, MfccSpec()), atol=1e-5)
    np.testing.assert_allclose(one.sound, sound, atol=1e-4)
    assert one.frames == len(one.features) == 1 + (int(4 * LETTER_SECONDS * RATE) + 1600 - 512) // 320
    monkeypatch.setattr(
        "voxgraft.corpus.prepare.features.features_of", lambda *_: pytest.fail("the cache was not used")
    )
    assert heard(tmp_path, ("abba",))[0].features_file == one.features_file


def test_transcripts_are_spelt_and_equal_neighbours_need_a_frame_more(tmp_path):
    first, second, third = examples(tmp_path)
    assert first.labels.tolist() == [1, 2, 2, 1]
    assert (first.needed, second.needed) == (5, 3)
    assert third.text == "bad dad"
    assert third.labels.tolist() == [2, 1, 4, 0, 4, 1, 4]


def test_bytes_spell_everything(tmp_path):
    (one,) = examples(tmp_path, ("баг",), byte_table())
    assert bytes(int(i) + 1 for i in one.labels).decode() == "баг"


def test_characters_outside_the_alphabet_are_left_to_be_errors(tmp_path):
    (one,) = examples(tmp_path, ("гав ab",))
    assert (one.text, one.labels.tolist()) == ("гав ab", [0, 1, 2])


def test_a_batch_is_padded_and_its_parts_are_its_clips(tmp_path):
    found = examples(tmp_path)
    batch = make_batch(found, [2, 1])
    assert batch.lengths.tolist() == [found[2].frames, found[1].frames]
    assert batch.total == 10
    assert batch.features[1, found[1].frames :].abs().max() == 0
    assert batch.labels[1].tolist() == [3, 1, 2, 0, 0, 0, 0]
    part = batch.part(1, 2)
    assert (len(part), part.total, list(part.clips)) == (1, 10, [1])
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
