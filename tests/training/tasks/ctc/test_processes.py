"""A recogniser learns the same on two processes as on one."""

import numpy as np
import pytest
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.training.tasks.ctc.tiny_recogniser import project

from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.loop.checkpoints import load
from voxgraft.training.run import train


@pytest.mark.slow
@pytest.mark.parametrize("thaw_every", [0, 2])
def test_two_processes_learn_what_one_does(tmp_path, thaw_every):
    still = {"recogniser": {"dropout": 0.0, "thaw_every": thaw_every}}
    base = DEEPSPEECH / "english" if thaw_every else "none"
    one = train(project(tmp_path / "one", base, training={"steps": 3}, **still))
    two = train(project(tmp_path / "two", base, training={"steps": 3, "devices": 2}, **still))
    assert (two.finished, two.step) == (True, 3)
    left, right = (load(checkpoints_in(run.folder / "checkpoints")[-1])["state_dict"] for run in (one, two))
    for name, tensor in left.items():
        np.testing.assert_allclose(tensor.numpy(), right[name].numpy(), atol=1e-5, err_msg=name)
    assert two.tested is not None
    assert two.outcome.values["cer"] == pytest.approx(one.outcome.values["cer"], abs=0.2)
