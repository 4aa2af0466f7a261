import pytest

from voxgraft.config.run import TrainingConfig
from voxgraft.evaluation.hearing import Hearing
from voxgraft.training.tasks.ctc.diagnosis import (
    Diagnosis,
    ValidationPoint,
    blank_collapse,
    explosion,
    plateau,
    warm_up_problem,
)


def past(*losses, cer=1.0, blank=1.0, silent=1.0):
    cers = cer if isinstance(cer, tuple) else (cer,) * len(losses)
    return [
        ValidationPoint(100 * n, c, loss, blank, silent) for n, (loss, c) in enumerate(zip(losses, cers, strict=True))
    ]


def test_blank_collapse_is_blanks_alone_and_a_loss_that_stays():
    assert blank_collapse(past(2.9, 2.89, 2.88, 2.88)).startswith("blank collapse")
    assert blank_collapse(past(2.9, 2.8, 2.7, 2.6)) is None, "still learning"
    assert blank_collapse(past(2.9, 2.89, 2.88)) is None, "too early to tell"
    assert blank_collapse(past(2.9, 2.9, 2.9, 2.9, silent=0.5)) is None


def test_a_plateau_is_neither_fewer_errors_nor_less_loss():
    flat = past(1.0, 1.0, 1.0, 1.01, 1.0, cer=0.5, silent=0.0, blank=0.6)
    assert plateau(flat).startswith("plateau")
    assert plateau(past(1.0, 1.0, 0.9, 0.9, 0.9, cer=0.5, silent=0.0)) is None
    assert plateau(past(1, 1, 1, 1, 1, cer=(0.5, 0.5, 0.48, 0.5, 0.5), silent=0.0)) is None
    assert plateau(past(1.0, 1.3, 1.4, 1.5, 1.6, cer=0.5, silent=0.0)).startswith("overfitting")


def test_an_explosion_is_a_loss_far_above_the_lowest():
    assert explosion(past(2.0, 1.0, 3.1)).startswith("exploding loss: 3.1")
    assert explosion(past(2.0, 1.0, 2.9)) is None
    assert explosion(past(9.0)) is None


@pytest.mark.parametrize(
    ("warmup", "steps", "long"), [(20, 2000, False), (5000, 2250, True), (25, 100, False), (26, 100, True)]
)
def test_a_warm_up_must_leave_time_to_learn(warmup, steps, long):
    problem = warm_up_problem(TrainingConfig(warmup=warmup, steps=steps))
    assert (problem is not None) == long
    if long:
        assert f"training.warmup={steps // 10}" in problem


def test_each_thing_is_said_once_also_after_a_resume(capsys):
    diagnosis = Diagnosis()
    hearing = Silent((), 2.5, 1.0)
    diagnosis.past = [ValidationPoint(n, 1.0, 2.5, 1.0, 1.0) for n in range(3)]
    diagnosis.validated(4, hearing)
    assert capsys.readouterr().err.count("blank collapse") == 1
    other = Diagnosis()
    other.load_state_dict(diagnosis.state_dict())
    other.validated(5, hearing)
    assert "blank collapse" not in capsys.readouterr().err
    assert [one.step for one in other.past] == [0, 1, 2, 4, 5]


class Silent(Hearing):
    """Nothing was heard."""

    cer = 1.0
    silent = 1.0
