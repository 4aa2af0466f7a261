"""A run's checkpoints: a damaged one is noticed, and the one before it taken."""

import pytest
import torch

from voxgraft.errors import TrainingError
from voxgraft.project.run_folder import checkpoint_name
from voxgraft.training.loop.checkpoints import load, newest, save


def saved(folder, step):
    path = folder / checkpoint_name(0, step)
    save(path, {"global_step": step, "state_dict": {"a": torch.full((1000,), float(step))}, "voxgraft_run": {}})
    return path


def flip_a_bit(path, step):
    raw = bytearray(path.read_bytes())
    at = raw.index(torch.full((10,), float(step)).numpy().tobytes())
    raw[at + 2001] ^= 4
    path.write_bytes(raw)


def test_a_flipped_bit_in_the_newest_is_noticed_and_the_one_before_taken(tmp_path, capsys):
    before, last = saved(tmp_path, 3), saved(tmp_path, 5)
    flip_a_bit(last, 5)
    path, content = newest(tmp_path)
    assert (path, content["global_step"]) == (before, 3)
    said = capsys.readouterr().err
    assert "warning" in said
    assert last.name in said
    assert "checksum" in said


def test_where_all_are_damaged_it_is_an_error(tmp_path):
    path = saved(tmp_path, 5)
    flip_a_bit(path, 5)
    with pytest.raises(TrainingError, match="checksum") as caught:
        newest(tmp_path)
    assert caught.value.file == str(path)
    with pytest.raises(TrainingError, match="checksum"):
        load(path)
