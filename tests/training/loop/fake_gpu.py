"""A GPU that is not there: tensors without numbers that say they are on `cuda:0`, and rules of what a step does with them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode

GPU = torch.device("cuda:0")
# Of c10's DeviceType.
CUDA, META, TYPES = 1, 14, 22
READ_VALUES = (
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.masked_select.default,
    torch.ops.aten.equal.default,
)


class Waits(Exception):
    """The program would stand still until the GPU has done all that it was given."""


@contextmanager
def fake_gpu() -> Iterator[FakeTensorMode]:
    """Everything inside computes on fake tensors; those of the GPU and those of the CPU can't be mixed."""
    with _switching_devices_does_nothing(), FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode


@contextmanager
def _switching_devices_does_nothing() -> Iterator[None]:
    """A torch built for CPUs can't switch to a GPU even where nothing is computed: what `meta` does, nothing, stands for it."""
    if torch.backends.cuda.is_built():
        yield
        return
    library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libc10.so"))
    guards = (ctypes.c_void_p * TYPES).in_dll(library, "_ZN3c104impl26device_guard_impl_registryE")
    guards[CUDA] = guards[META]
    try:
        yield
    finally:
        guards[CUDA] = None


class NoWaiting(TorchDispatchMode):
    """Waits is raised by whatever waits for the GPU: values that the program asks for, shapes that hang on values, copies."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in READ_VALUES and args[0].device.type == "cuda":
            raise Waits(func)
        if func is torch.ops.aten._to_copy.default:
            wanted, has = kwargs.get("device"), args[0].device.type
            if wanted is not None and wanted.type != has and (has == "cuda" or not kwargs.get("non_blocking")):
                raise Waits(f"a copy from {has} to {wanted}")
        if func is torch.ops.aten.copy_.default and args[0].device.type != args[1].device.type:
            raise Waits("a copy in place")
        return func(*args, **(kwargs or {}))


def moved(learner: Any, mode: FakeTensorMode) -> None:
    """What `learner.to` does on a GPU; fake parameters can't be changed in place as it does it."""
    with unset_fake_temporarily():
        networks = {id(m): m for root in learner.networks.values() for m in root.modules()}
    new: dict[int, torch.nn.Parameter] = {}
    for module in networks.values():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                fake = torch.nn.Parameter(on_gpu(parameter.detach(), mode), parameter.requires_grad)
                module._parameters[name] = new.setdefault(id(parameter), fake)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = on_gpu(buffer, mode)
    for optimiser in learner.optimisers:
        for group in optimiser.param_groups:
            group["params"] = [new[id(parameter)] for parameter in group["params"]]
    average = learner.average._average
    learner.average._average = {name: on_gpu(tensor, mode) for name, tensor in average.items()}


def on_gpu(tensor: torch.Tensor, mode: FakeTensorMode) -> torch.Tensor:
    """A fake of its shape on the GPU."""
    return mode.from_tensor(tensor).to(GPU)


def batch_on_gpu(batch: Any, mode: FakeTensorMode) -> Any:
    """The batch as the step gets it."""
    fakes = {
        f.name: mode.from_tensor(v) for f in fields(batch) if isinstance(v := getattr(batch, f.name), torch.Tensor)
    }
    return replace(batch, **fakes).to(GPU)
