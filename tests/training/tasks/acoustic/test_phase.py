from types import SimpleNamespace

import pytest

from voxgraft.config.run import RunConfig
from voxgraft.training.tasks.acoustic.families.family import Ramp
from voxgraft.training.tasks.acoustic.families.registry import acoustic_family
from voxgraft.training.tasks.acoustic.phase import LossSchedule, done_by, schedule_for, share_done

FAMILY = acoustic_family("fastspeech2")


def base(**fields):
    return (
        SimpleNamespace(config={}, epoch=None, step=None, **{})
        if not fields
        else SimpleNamespace(**({"config": {}, "epoch": None, "step": None} | fields))
    )


def config(**acoustic):
    return RunConfig(task="acoustic", acoustic=acoustic)


def test_the_ramp_is_everyvoices_epochs_in_steps():
    schedule = schedule_for(FAMILY, config(), None, steps_per_epoch=7)
    assert [schedule.at(step).ramp for step in (0, 350, 700, 9000)] == [0, 0.5, 1, 1]


@pytest.mark.parametrize(("phase", "ramp"), [("restart", 0.0), ("done", 1.0), ("continue", 0.3)])
def test_the_phase_on_a_base_is_a_choice_and_told(phase, ramp, capsys):
    schedule = schedule_for(FAMILY, config(phase=phase), base(epoch=30), steps_per_epoch=10)
    assert schedule.at(0).ramp == pytest.approx(ramp)
    assert f"(acoustic.phase: {phase})" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fields", "share"),
    [
        ({"config": {"loss_schedule": 0.25}, "epoch": 99}, 0.25),
        ({"epoch": 500}, 1.0),
        ({"epoch": None}, 1.0),
        ({"config": {"loss_schedule": True}, "epoch": 10}, 0.1),
    ],
)
def test_where_a_base_stopped(fields, share):
    assert share_done(base(**fields), FAMILY.ramp) == pytest.approx(share)


def test_families_that_count_steps_go_by_the_bases_steps():
    ramp = Ramp(frozenset({"binarisation"}), 1260, 700)
    assert share_done(base(step=980), ramp) == pytest.approx(0.5)
    schedule = LossSchedule(1260, 700)
    assert [schedule.at(step).ramp for step in (1260, 1610, 1960)] == [0, 0.5, 1]
    assert done_by(schedule, 980) == pytest.approx(0.5)
