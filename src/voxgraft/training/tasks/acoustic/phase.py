"""The schedule of losses that are brought in little by little: a state of the run, counted in optimiser steps."""

from __future__ import annotations

from dataclasses import dataclass

from voxgraft.checkpoints import Checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.progress import notice
from voxgraft.training.tasks.acoustic.families.family import AcousticFamily, Progress, Ramp

# EveryVoice brings the binarisation of its alignment in over so many epochs.
EPOCHS = 100
# Where our own checkpoints keep how far the schedule is.
SCHEDULE = "loss_schedule"


@dataclass(frozen=True)
class LossSchedule:
    """Nothing before `begin` steps, all after `length` more; a run is `ahead` of its own steps by what its base has done."""

    begin: int
    length: int
    ahead: int = 0

    def at(self, step: int) -> Progress:
        """Where the schedule is when the run has taken `step` steps."""
        at = step + self.ahead
        return Progress(at, min(1.0, max(0.0, (at - self.begin) / self.length)))

    @property
    def end(self) -> int:
        """The step of the schedule from which on everything counts fully."""
        return self.begin + self.length


def schedule_for(
    family: AcousticFamily, config: RunConfig, base: Checkpoint | None, steps_per_epoch: int
) -> LossSchedule:
    """The schedule of a run that begins, as `acoustic.phase` says; what that comes to is printed."""
    ramp = family.ramp
    length = config.acoustic.ramp_steps or ramp.length or EPOCHS * steps_per_epoch
    schedule = LossSchedule(ramp.begin, length)
    if not ramp.terms:
        return schedule
    phase = config.acoustic.phase if base is not None else "restart"
    ahead = round(schedule.end * share_at_begin(family, config, base))
    schedule = LossSchedule(ramp.begin, length, ahead)
    terms = " and ".join(sorted(ramp.terms))
    done = schedule.at(0).ramp
    how = f"at {100 * done:.0f} % of its weight, in full from step {max(0, schedule.end - ahead)} on"
    notice(f"losses: {terms} begins {'in full' if done == 1 else how} (acoustic.phase: {phase})")
    return schedule


def share_at_begin(family: AcousticFamily, config: RunConfig, base: Checkpoint | None) -> float:
    """How much of the schedule a run has behind it when it begins, 0 to 1, as `acoustic.phase` says."""
    if base is None or config.acoustic.phase == "restart":
        return 0.0
    return 1.0 if config.acoustic.phase == "done" else share_done(base, family.ramp)


def share_done(base: Checkpoint, ramp: Ramp) -> float:
    """How much of the schedule a base has behind it, 0 to 1: as our own checkpoints say it, else by its steps or epochs.

    A base that counts neither is taken for one that was trained to its end.
    """
    own = base.config.get(SCHEDULE)
    if isinstance(own, (int, float)) and not isinstance(own, bool):
        return min(1.0, max(0.0, float(own)))
    if ramp.length is not None:
        return 1.0 if base.step is None else min(1.0, base.step / (ramp.begin + ramp.length))
    return 1.0 if base.epoch is None else min(1.0, base.epoch / EPOCHS)


def done_by(schedule: LossSchedule, step: int) -> float:
    """What our own checkpoints say of the schedule: the share that is done, 0 to 1."""
    return min(1.0, (step + schedule.ahead) / schedule.end)
