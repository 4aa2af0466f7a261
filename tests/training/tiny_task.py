"""A third task, as another package would bring it: a linear layer learns to double numbers that are made up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from pydantic import Field
from torch import nn

from voxgraft.config.section import Section
from voxgraft.graft.plan import GraftPlan, Row, SymbolMap
from voxgraft.project.run_folder import checkpoint_name, run_folder
from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.loop.validation import Kept, Verdict
from voxgraft.training.tasks.task import Evaluated, Exported, Outcome


class TinySettings(Section):
    """The settings of a layer that doubles."""

    width: int = Field(4, ge=1, description="Numbers at once.")
    rate: float = Field(0.1, gt=0, description="Learning rate.")


@dataclass(frozen=True)
class Numbers:
    """numbers [B, W] of some clips, and how many clips the whole step has."""

    numbers: torch.Tensor
    total: int

    def __len__(self):
        return len(self.numbers)

    def part(self, begin, end):
        return replace(self, numbers=self.numbers[begin:end])

    def to(self, device):
        return replace(self, numbers=self.numbers.to(device))


class TinyLearner:
    """One layer, one optimiser."""

    def __init__(self, settings: TinySettings, ema: float):
        torch.manual_seed(0)
        self.network = nn.Linear(settings.width, settings.width, bias=False)
        self.networks = {"": self.network}
        self.rate = settings.rate
        self.optimisers = [torch.optim.AdamW(self.network.parameters(), lr=0.0, fused=True)]
        self.average = WeightAverage(self.network, ema)

    def begin_step(self, batch, position, factor, processes):
        self.optimisers[0].param_groups[0]["lr"] = self.rate * factor

    def losses(self, piece):
        off = (self.network(piece.numbers) - 2 * piece.numbers).square().mean(1).sum() / piece.total
        return [off], {"off": off.detach()}

    def to(self, device):
        self.network.to(device)
        self.average.to(device)

    def state_dict(self):
        return {"average": self.average.state_dict()}

    def load_state_dict(self, state):
        self.average.load_state_dict(state["average"])


@dataclass
class TinyTraining:
    """A run of it."""

    config: Any
    learner: TinyLearner
    position: Position
    plan: GraftPlan | None = None
    rates_setting: str = "tiny.rate"
    validates_graft: bool = True
    schedule: Schedule = field(default_factory=lambda: Schedule((1,) * 8, 4, 0))

    def batches(self, begin, end, processes):
        width = self.learner.network.in_features
        for step in range(begin, end):
            clips = torch.tensor(self.schedule.clips(step), dtype=torch.float32)
            numbers = torch.sin(clips[:, None] * (1.7 + torch.arange(width)))
            yield Numbers(numbers[processes.rank :: processes.count], len(numbers))

    def highest_rate(self):
        return self.learner.optimisers[0].param_groups[0]["lr"]

    def validate(self):
        weight = self.learner.network.weight.detach()
        return Verdict(-float((weight - 2 * torch.eye(len(weight))).abs().mean())), []

    def keep_best(self, step):
        path = run_folder(self.config).best / checkpoint_name(0, step)
        path.parent.mkdir(exist_ok=True)
        torch.save(self.learner.network.state_dict(), path)
        return Kept(path)

    def epoch(self, step):
        return self.schedule.epoch(step)

    def corpus(self):
        return [["train", str(clip), "a number", "-"] for clip in range(8)]

    def checkpoint(self):
        state = {name: tensor.clone() for name, tensor in self.learner.network.state_dict().items()}
        return {"state_dict": state, "voxgraft_run": {}}

    def refit(self):
        raise AssertionError("it was given steps")

    def finish(self, best):
        run = run_folder(self.config)
        exported = run.project.path / "layers" / f"{self.config.name}.pt"
        exported.parent.mkdir(exist_ok=True)
        exported.write_bytes((run.best / best.weights).read_bytes())
        return TASK.outcome(self.config, run.path)


class TinyTask:
    """The third task."""

    name = "tiny"
    title = "a layer that doubles"
    section = TinySettings
    exports = ("layer",)
    evaluates_with = frozenset(("seeds",))

    def begin(self, config):
        shape = (config.section("tiny").width,) * 2
        row = Row("init", "weight", None, shape, None, "layer", "from scratch", fill="own")
        plan = GraftPlan((row,), SymbolMap(), {}, {}, (), (), 0.0, {})
        return replace(self._training(config), plan=plan)

    def resume(self, config, path, content):
        training = self._training(config)
        training.learner.network.load_state_dict(content["state_dict"])
        return training

    def _training(self, config):
        learner = TinyLearner(config.section("tiny"), config.training.ema)
        return TinyTraining(config, learner, Position(config.training.steps, pieces=config.training.accumulate))

    def outcome(self, config, folder):
        layer = folder.parent.parent / "layers" / f"{folder.name}.pt"
        return (
            Outcome((f"layer: {layer}",), {"layer": str(layer)}, {"exported": layer}) if layer.is_file() else Outcome()
        )

    def open_result(self, result):
        return torch.load(result, weights_only=True)["weight"] if result.endswith(".pt") else None

    def evaluate(self, opened, request):
        off = float((opened - 2 * torch.eye(len(opened))).abs().mean())
        return Evaluated("A layer", ("", "result"), (("off", f"{off:.3f}"),), {"off": off, "seeds": request.seeds})

    def export(self, source, checkpoint, request):
        return Exported("layer", "layer", (source.path,))


TASK = TinyTask()
