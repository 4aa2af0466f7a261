"""The loop: steps, validations and checkpoints of a run until it is done, stopped, or nothing gets better."""

from __future__ import annotations

from contextlib import ExitStack

from voxgraft.progress import notice
from voxgraft.project.run_folder import RunFolder
from voxgraft.training.loop.bests import Bests
from voxgraft.training.loop.checkpointing import Checkpointing
from voxgraft.training.loop.checkpoints import content_of
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.progress_bar import steps_shown
from voxgraft.training.loop.step import take_step
from voxgraft.training.loop.stop_request import StopRequest
from voxgraft.training.loop.terms import PendingTerms, notice_left_out
from voxgraft.training.loop.validation import Validation
from voxgraft.training.tasks.task import Training


def fit(training: Training, validation: Validation, folder: RunFolder, processes: Processes) -> bool:
    """Go on from where the run is; returns whether it was stopped by a signal before it was done."""
    position, learner, settings = training.position, training.learner, training.config.training
    records = validation.records
    if position.step >= position.steps or validation.exhausted:
        return False
    bests = Bests(folder.best)
    checkpointing = Checkpointing(folder.checkpoints, lambda: content_of(training, validation.state_dict()), settings)
    device = processes.device(settings.device)
    learner.to(device)

    def save() -> None:
        if processes.is_first and checkpointing.save(position.step):
            bests.checkpoint_written(validation.state_dict())

    def read_terms() -> None:
        for step, values in pending.read():
            notice_left_out(step, values, position, training.rates_setting)
            if processes.is_first:
                records.write(step, "train", values)
            shown.update(values)

    pending, shown = PendingTerms(), dict[str, float]()
    with ExitStack() as stack:
        stop = stack.enter_context(StopRequest())
        if processes.is_first:
            checkpointing.begin(position.step, learner.optimisers)
            records.begin(position.step)
            stack.callback(records.close)
        advance = stack.enter_context(steps_shown(position))
        for batch in training.batches(position.step, position.steps, processes):
            terms = take_step(learner, batch.to(device), settings, position, training.config.seed, processes)
            pending.add(position.step, training.highest_rate(), terms)
            if pending.due(device):
                read_terms()
            advance(shown)
            if validation.due(position):
                read_terms()
                validation.run(learner, position, processes)
            stopped = processes.any(stop.asked)
            done = position.step >= position.steps or validation.exhausted
            if stopped or done or checkpointing.due():
                read_terms()
                save()
            if stopped or done:
                break
    if stopped and not done and processes.is_first:
        notice(f"stopped at step {position.step} of {position.steps}; go on with `voxgraft train --resume`")
    return stopped and not done
