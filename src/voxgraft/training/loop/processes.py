"""Processes that train one model together, on one machine or several: started and connected by Lightning Fabric.

Fabric's launchers find out how the processes come to be (by `torchrun`, by SLURM, by MASTER_ADDR and NODE_RANK on each
machine, or by Fabric itself for `training.devices`), and its strategy connects them. Each process holds the whole model
and steps it by the sum of all gradients, taken once a step rather than while going backward (DDP's hooks): a process that
goes over its clips in smaller pieces, because its memory ran out, then keeps no other waiting in the middle of a pass.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from voxgraft import progress
from voxgraft.config.run import TrainingConfig
from voxgraft.errors import TrainingError, VoxgraftError
from voxgraft.files import write_atomically

if TYPE_CHECKING:
    from lightning.fabric import Fabric

# While the first process recovers what a base lacks, the others wait.
LONGEST_WAIT = timedelta(hours=6)


class Processes:
    """This process among those that train together: its `rank`, their `count`; alone where `fabric` is None."""

    def __init__(self, fabric: Fabric | None = None) -> None:
        self._fabric = fabric
        self.rank: int = fabric.global_rank if fabric is not None else 0
        self.count: int = fabric.world_size if fabric is not None else 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that prepares, writes and speaks."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """Where this process computes; `name` is `cpu`, `cuda` or `mps`."""
        return torch.device(name) if self._fabric is None else self._fabric.device

    def sum(self, tensors: Sequence[torch.Tensor]) -> None:
        """Each tensor becomes, in place, the sum of what all processes have."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        for tensor, summed in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(summed.view_as(tensor))

    def gather(self, value: Any) -> list[Any]:
        """What each process has, by rank."""
        if self.count == 1:
            return [value]
        found: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(found, value)
        return found

    def broadcast(self, value: Any) -> Any:
        """What the first process has."""
        return value if self._fabric is None else self._fabric.broadcast(value)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any process."""
        return flag if self.count == 1 else any(self.gather(flag))


def launch(settings: TrainingConfig) -> Processes:
    """The processes that the settings, torchrun or SLURM ask for; from here on each of them runs the same program.

    TrainingError where the settings ask for other numbers of them than torchrun or SLURM started.
    """
    devices, nodes = counts(settings)
    if devices * nodes == 1:
        return Processes()
    if nodes > 1 and _started_from_outside() is None:
        _require_meeting_place(nodes)
    from lightning.fabric import Fabric
    from lightning.fabric.strategies import DDPStrategy

    from voxgraft.training.loop.device import choose_device, require_clips

    if settings.batch != "auto":
        require_clips(settings.batch, devices * nodes)
    for name in ("lightning.fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    device = choose_device(settings.device)
    if device == "cuda" and devices > torch.cuda.device_count():
        raise TrainingError(
            "there are fewer GPUs than processes",
            field="training.devices",
            expected=f"at most {torch.cuda.device_count()}",
            got=devices,
            remedy="Set training.devices to the number of GPUs of each machine.",
        )
    fabric = Fabric(accelerator=device, devices=devices, num_nodes=nodes, strategy=DDPStrategy(timeout=LONGEST_WAIT))
    fabric.launch()
    if fabric.global_rank:
        progress.silence()
    return Processes(fabric)


def counts(settings: TrainingConfig) -> tuple[int, int]:
    """Processes on each machine, and machines: as torchrun or SLURM started them, else as the settings say."""
    started = _started_from_outside()
    asked = settings.devices, settings.nodes
    if started is None:
        return asked
    for name, has, wants in zip(("devices", "nodes"), started, asked, strict=True):
        if name in settings.model_fields_set and wants not in (1, has):
            raise TrainingError(
                f"{has} were started from outside",
                field=f"training.{name}",
                expected=has,
                got=wants,
                remedy="Leave the setting out: torchrun and SLURM say how many there are.",
            )
    return started


def _started_from_outside() -> tuple[int, int] | None:
    told = os.environ
    if "TORCHELASTIC_RUN_ID" in told and "LOCAL_WORLD_SIZE" in told:
        here = int(told["LOCAL_WORLD_SIZE"])
        return here, int(told["WORLD_SIZE"]) // here
    if int(told.get("SLURM_NTASKS", "1")) > 1 and told.get("SLURM_JOB_NAME") not in ("bash", "interactive"):
        nodes = int(told.get("SLURM_NNODES", "1"))
        return int(told["SLURM_NTASKS"]) // nodes, nodes
    return None


def _require_meeting_place(nodes: int) -> None:
    """TrainingError where it is not said how machines meet that each were given the command by hand."""
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK") if not os.environ.get(name)]
    if missing:
        raise TrainingError(
            f"the machines do not know where to meet: {' and '.join(missing)} not set in the environment",
            field="training.nodes",
            got=nodes,
            remedy="Give the command on each machine with MASTER_ADDR (the address of the first), MASTER_PORT (a free port "
            f"there) and NODE_RANK (0 on the first, up to {nodes - 1} on the last); or start it by torchrun or SLURM.",
        )
    rank = os.environ["NODE_RANK"]
    if not rank.isdecimal() or int(rank) >= nodes:
        raise TrainingError(
            "NODE_RANK is none of the machines",
            field="training.nodes",
            expected=f"0 to {nodes - 1}",
            got=rank,
            remedy="Set NODE_RANK to 0 on the first machine, 1 on the second, and so on.",
        )


@contextmanager
def failures_told(processes: Processes, folder: Path) -> Iterator[None]:
    """What ends one process ends all, and the first raises it in the words of the one that failed.

    A process other than the first leaves its words in a file and ends without a code of failure: launchers kill all at
    once where they see one. The first then loses its connection, finds the words and raises them.
    """
    words = folder / "failed-process.json"
    if processes.count == 1:
        yield
        return
    if processes.is_first:
        words.unlink(missing_ok=True)
    try:
        yield
    except VoxgraftError as fault:
        if processes.is_first:
            raise
        _leave_words(words, processes.rank, fault.summary, fault.remedy)
    except (RuntimeError, ConnectionError) as fault:
        if not processes.is_first:
            if not _lost_connection(fault):
                _leave_words(words, processes.rank, f"{type(fault).__name__}: {fault}"[:2000], "")
                raise
            raise SystemExit(1) from None
        said = _words(words)
        if said is not None or _lost_connection(fault):
            raise _failure(said) from fault
        raise


def _leave_words(path: Path, rank: int, problem: str, remedy: str) -> None:
    if not path.exists():
        write_atomically(path, json.dumps({"rank": rank, "problem": problem, "remedy": remedy}))
    raise SystemExit(0)


def _words(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return None


def _lost_connection(fault: BaseException) -> bool:
    return any(sign in str(fault) for sign in ("Connection", "connection", "gloo", "NCCL", "peer"))


def _failure(said: dict[str, Any] | None) -> TrainingError:
    if said is None:
        return TrainingError(
            "another process of the run has ended",
            remedy="See its last words above, then go on with `voxgraft train --resume`.",
        )
    return TrainingError(f"process {said['rank']}: {said['problem']}", remedy=said["remedy"])
