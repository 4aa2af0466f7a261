"""Ctrl-C, or a kill, while a certain step of a run is under way."""

import os
import signal

from voxgraft.training.loop import fit


def stop_before(monkeypatch, step, number=signal.SIGINT):
    """The signal comes while step number `step` + 1 is under way."""
    before_step(monkeypatch, step, lambda: os.kill(os.getpid(), number))


def before_step(monkeypatch, step, work):
    """Call `work` before step number `step` + 1."""
    original = fit.take_step

    def take_step(learner, batch, settings, position, seed, processes):
        if position.step == step:
            work()
        return original(learner, batch, settings, position, seed, processes)

    monkeypatch.setattr(fit, "take_step", take_step)
