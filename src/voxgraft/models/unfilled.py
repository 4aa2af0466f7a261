"""Modules of which only the shapes are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


@contextmanager
def unfilled() -> Iterator[None]:
    """Modules built within have shapes, but neither memory nor first values.

    On the meta device alone the first values are made all the same, by operators in Python whose import takes seconds.
    """
    with torch.device("meta"), _WithoutFirstValues():
        yield


class _WithoutFirstValues(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if getattr(func, "__module__", None) == torch.nn.init.__name__:
            return args[0] if args else given["tensor"]
        if func is torch.hann_window:
            return torch.empty(*args, **given)
        return func(*args, **given)
