"""Errors that a user meets."""

import pickle

import pytest

from voxgraft.errors import CheckpointError, MissingExtra

FAULTS = [
    CheckpointError("ends early", file="a.ckpt", field="x", expected=3, got=2, remedy="get it again"),
    MissingExtra("torch", "train", "training"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=["checkpoint", "extra"])
def test_a_fault_of_another_process_arrives_whole(fault):
    arrived = pickle.loads(pickle.dumps(fault))  # noqa: S301 - our own
    assert type(arrived) is type(fault)
    assert (str(arrived), vars(arrived)) == (str(fault), vars(fault))
