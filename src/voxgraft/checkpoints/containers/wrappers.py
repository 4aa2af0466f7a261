"""Names without what wrappers put into them: torch.compile, data parallel, sharding, a Lightning module around a model.

Every container takes them out as it reads names, so that no reader of a format ever sees them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from voxgraft.checkpoints.containers.torch.tensor import TorchTensor

# torch.compile; DataParallel and its kin, AveragedModel, DeepSpeed; FSDP, its older form; checkpointed activations;
# Fabric. In a graph's names, `/` parts what `.` parts elsewhere.
_WRAPPER = re.compile(
    r"(?:(?<=[./])|^)"
    r"(?:_orig_mod|module|_fsdp_wrapped_module|_fpw_module|_checkpoint_wrapped_module|_forward_module|_original_module)"
    r"[./]"
)
# Modules that are really called so: EveryVoice's convolutions, each in a module that turns its axes.
_GENUINE = re.compile(r"\.conv\.\d+\.layers\.\d+\.module\.")
_LIGHTNING = "model."
_DEEPEST = 3


def unwrapped_name(name: str) -> str:
    """A tensor's name without its wrappers, at whatever place in it."""
    if (genuine := _GENUINE.search(name)) is not None:
        return unwrapped_name(name[: genuine.start()]) + genuine.group() + unwrapped_name(name[genuine.end() :])
    # A match takes the separator that the next one looks back for: a lookbehind sees it all the same.
    return _WRAPPER.sub("", name)


def unwrapped_names(names: Iterable[str]) -> dict[str, str]:
    """Name in the file -> name without wrappers, of all tensors of one state.

    Where all of them lie in a `model.`, a wrapper made that too. Names stay where two would become one.
    """
    plain = {name: unwrapped_name(name) for name in names}
    if plain and all(name.startswith(_LIGHTNING) for name in plain.values()):
        plain = {name: short.removeprefix(_LIGHTNING) for name, short in plain.items()}
    uses = Counter(plain.values())
    return {name: short if uses[short] == 1 else name for name, short in plain.items()}


def wrapped_and_bare(name: str) -> tuple[str, str]:
    """How a tensor may be called among others: in a Lightning module's `model.`, and without it."""
    return _LIGHTNING + name, unwrapped_name(name).removeprefix(_LIGHTNING)


def unwrap_states(content: Any, depth: int = 0) -> None:
    """Take the wrappers out of every state in what torch.save wrote: each mapping of names to tensors."""
    if not isinstance(content, dict):
        return
    names = [name for name, value in content.items() if isinstance(name, str) and isinstance(value, TorchTensor)]
    plain = unwrapped_names(names)
    if any(name != short for name, short in plain.items()):
        renamed = [(plain.get(name, name) if isinstance(name, str) else name, value) for name, value in content.items()]
        content.clear()
        content.update(renamed)
    if depth < _DEEPEST:
        for value in content.values():
            unwrap_states(value, depth + 1)
