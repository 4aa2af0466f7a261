"""One process a device: started here, stopped together; and how their gradients become one.

Each process holds the whole model and steps it by the sum of all gradients, each weighed by its share of the batch.
The sum is taken once a step rather than while going backward (DDP's hooks): a process that has to go over its clips
in smaller pieces, because its memory ran out, then keeps no other waiting in the middle of a pass.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from voxgraft.errors import TrainingError, VoxgraftError

GRACE_SECONDS = 20.0


def is_one_of_many() -> bool:
    """Whether this process was started by `run_together`."""
    return "VOXGRAFT_PROCESS" in os.environ


def sum_over_processes(tensors: Sequence[torch.Tensor]) -> None:
    """Each tensor becomes, in place, the sum of what all processes have; nothing where there is one process."""
    if not tensors or not torch.distributed.is_initialized():
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    torch.distributed.all_reduce(flat)
    for tensor, summed in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(summed.view_as(tensor))


def run_together(folder: Path, count: int) -> None:
    """Go on with the run in `folder` by `count` processes of this machine; the first writes, the others log to process-N.log.

    Ctrl-C and SIGTERM are handed on, so that they save and stop.

    Raises:
        TrainingError: what the first process to fail said; the others are ended then.
    """
    port = _free_port()
    processes = [_start(folder, rank, count, port) for rank in range(count)]
    try:
        with _handing_on_signals(processes):
            _wait(processes)
    finally:
        _end(processes)
    failed = [rank for rank, process in enumerate(processes) if process.returncode]
    if failed:
        raise _failure(folder, [(rank, processes[rank]) for rank in failed])


@contextmanager
def failures_reported() -> Iterator[None]:
    """Tell the process that started this one, through stdout, of an error that the user can mend; then exit 1."""
    channel = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        yield
    except VoxgraftError as fault:
        os.write(channel, json.dumps({"problem": fault.summary, "remedy": fault.remedy}).encode())
        sys.exit(1)


def end_with_parent() -> None:
    """Stop as by SIGTERM, saving, should the process that started this one be killed: its end of stdin closes then."""

    def watch() -> None:
        # Unbuffered: a thread that waits in a buffer's lock would disturb the end of the process.
        os.read(sys.stdin.fileno(), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _start(folder: Path, rank: int, count: int, port: int) -> subprocess.Popen[str]:
    environment = os.environ | {
        "VOXGRAFT_PROCESS": str(rank),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "NODE_RANK": "0",
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(count),
    }
    log = None if rank == 0 else open(folder / f"process-{rank}.log", "w", encoding="utf-8")  # noqa: SIM115
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "voxgraft.training.loop.worker", str(folder)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # A Ctrl-C reaches them once, through this process, and not from the terminal as well.
            start_new_session=True,
        )
    finally:
        if log is not None:
            log.close()


def _wait(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Until all have ended, or the others have had time to after one failed."""
    deadline = float("inf")
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        if deadline == float("inf") and any(process.returncode for process in processes):
            deadline = time.monotonic() + GRACE_SECONDS
        time.sleep(0.1)


def _end(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def _handing_on_signals(processes: Sequence[subprocess.Popen[str]]) -> Iterator[None]:
    def hand_on(number: int, _: Any) -> None:
        for process in processes:
            if process.poll() is None:
                process.send_signal(number)

    with signals_handled(hand_on):
        yield


@contextmanager
def signals_handled(handler: Any = None) -> Iterator[None]:
    """Handle Ctrl-C and SIGTERM by `handler`, if given; what handled them before does so again afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before if handler is not None else ():
            signal.signal(number, handler)
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


def _failure(folder: Path, failed: Sequence[tuple[int, subprocess.Popen[str]]]) -> TrainingError:
    """Of several, the one that can say what is wrong: the others only lost their connection to it."""
    for _, process in failed:
        said = process.stdout.read() if process.stdout else ""
        if said:
            told = json.loads(said)
            return TrainingError(told["problem"], remedy=told["remedy"])
    rank, process = failed[0]
    log = folder / f"process-{rank}.log"
    return TrainingError(
        f"process {rank} of the run ended with code {process.returncode}",
        file=log if rank else None,
        remedy="see above for its last words; then go on with `voxgraft train --resume`",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
