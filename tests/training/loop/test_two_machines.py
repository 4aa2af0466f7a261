"""Two machines give what one process gives. Two network namespaces, joined by a cable of their own, stand for them."""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from tests.training.loop.test_processes import (
    ALIKE,
    alone,  # noqa: F401
    assert_alike,
    clean_environment,
    command,
)
from tests.training.tasks.vits.tiny_project import project

from voxgraft.config.load import dump_config

FIRST, SECOND = "10.203.17.1", "10.203.17.2"
PORT = "29517"


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


@contextmanager
def machines():
    """Names of two namespaces, whose interfaces are called like them; skips where none can be made."""
    names = [f"vg{os.getpid()}{end}" for end in "ab"]
    if shutil.which("ip") is None:
        pytest.skip("needs `ip` of iproute2")
    try:
        for name in names:
            if ip("netns", "add", name).returncode:
                pytest.skip("needs the right to make network namespaces (root)")
        cable = ip(
            "link", "add", names[0], "netns", names[0], "type", "veth", "peer", "name", names[1], "netns", names[1]
        )
        if cable.returncode:
            pytest.skip(f"needs virtual network cables (veth): {cable.stderr.strip()}")
        for name, address in zip(names, (FIRST, SECOND), strict=True):
            for words in (("addr", "add", f"{address}/24", "dev", name), ("link", "set", name, "up"), ("link", "set", "lo", "up")):  # fmt: skip
                done = ip("-n", name, *words)
                assert done.returncode == 0, done.stderr
        yield names
    finally:
        for name in names:
            ip("netns", "del", name)


def started_on(name, rank, words):
    told = {"MASTER_ADDR": FIRST, "MASTER_PORT": PORT, "NODE_RANK": str(rank), "GLOO_SOCKET_IFNAME": name}
    return subprocess.Popen(
        ["ip", "netns", "exec", name, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(**told),
    )  # fmt: skip


@pytest.mark.slow
def test_two_machines_take_the_steps_of_one_process(tmp_path, alone):  # noqa: F811
    dump_config(project(tmp_path, nodes=2, devices=1, **ALIKE), tmp_path / "voxgraft.yaml")
    words = command(tmp_path, "train", str(tmp_path), "--json")
    with machines() as names:
        running = [started_on(name, rank, words) for rank, name in enumerate(names)]
        try:
            (out, said), (_, silent) = [process.communicate(timeout=500) for process in running]
        finally:
            for process in running:
                process.kill()
    assert [process.returncode for process in running] == [0, 0], said + silent
    told = json.loads(out)
    assert (told["step"], told["finished"]) == (3, True)
    assert "step 3: " in said
    assert "step 3: " not in silent
    assert_alike(tmp_path / "runs" / "tiny", alone, 1, 5e-6, 1e-6)
    assert_alike(tmp_path / "runs" / "tiny", alone, 3, 5e-5, 1e-6)
