"""WeightAverage: the exponential moving average of the weights that train (EMA)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class WeightAverage:
    """Averages of the trained parameters; early on the decay is shorter, so that the start does not linger.

    After n updates the decay is min(decay, (1 + n) / (10 + n)). A decay of 0 means the weights themselves.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._updates = 0
        self._average = {name: p.detach().clone() for name, p in _trained(model)} if decay else {}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step."""
        if not self._average:
            return
        self._updates += 1
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        # By name among all parameters: some may be frozen for a while.
        current = dict(model.named_parameters())
        averages = list(self._average.values())
        torch._foreach_lerp_(averages, [current[name].detach() for name in self._average], 1 - decay)

    def to(self, device: torch.device) -> None:
        """Move the averages."""
        self._average = {name: tensor.to(device) for name, tensor in self._average.items()}

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[nn.Module]:
        """The model with the averaged weights; its own come back afterwards."""
        parameters = dict(model.named_parameters())
        own = {name: parameters[name].detach().clone() for name in self._average}
        with torch.no_grad():
            for name, average in self._average.items():
                parameters[name].copy_(average)
        try:
            yield model
        finally:
            with torch.no_grad():
                for name, value in own.items():
                    parameters[name].copy_(value)

    def state_dict(self) -> dict[str, object]:
        """Averages and count of updates."""
        return {"updates": self._updates, "average": dict(self._average)}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Take up what `state_dict` gave."""
        self._updates = int(state["updates"])  # type: ignore[call-overload]
        stored = state["average"]
        assert isinstance(stored, dict)
        for name, average in self._average.items():
            average.copy_(stored[name])


def _trained(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, p) for name, p in model.named_parameters() if p.requires_grad)
