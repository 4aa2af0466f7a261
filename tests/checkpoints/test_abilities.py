"""What can be done with a checkpoint is said with the command, what can't with the reason."""

from dataclasses import replace

import pytest
from tests.checkpoints.fixture_files import PIPER

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.abilities import abilities_of, check_trainable
from voxgraft.errors import CheckpointError


def by_name(checkpoint):
    return {ability.name: ability for ability in abilities_of(checkpoint)}


def test_a_full_voice_can_do_all_but_match_a_vocoder():
    found = by_name(open_checkpoint(PIPER / "single.ckpt"))
    assert [name for name, ability in found.items() if not ability.possible] == ["match"]
    assert "single.ckpt" in found["speak"].how


def test_without_symbols_nothing_can_be_read():
    found = by_name(replace(open_checkpoint(PIPER / "single.ckpt"), symbols=None))
    assert not any(ability.possible for ability in found.values())
    assert "symbols" in found["speak"].how


def test_without_a_decoder_there_is_no_voice():
    whole = open_checkpoint(PIPER / "single.ckpt")
    some = {name: whole.tensors[name] for name in whole.tensors if not name.startswith("dec.")}
    found = by_name(replace(whole, tensors=some))
    assert not found["speak"].possible
    assert "decoder" in found["speak"].how


def test_vits_can_be_trained():
    checkpoint = open_checkpoint(PIPER / "single.ckpt")
    check_trainable(checkpoint)
    assert by_name(checkpoint)["fine-tune"].possible


def test_a_family_without_training_says_which_have_it():
    with pytest.raises(CheckpointError, match="vits") as caught:
        check_trainable(replace(open_checkpoint(PIPER / "single.ckpt"), family="tacotron2"))
    assert "plan" in caught.value.remedy
