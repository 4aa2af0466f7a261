import builtins
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from voxgraft import files
from voxgraft.files import name_beside, replacing, sweep, write_atomically


def interrupted_once_made(monkeypatch, name, where=builtins):
    """The file is made, and the interrupt comes before anybody learns of it."""
    make = getattr(where, name)

    def made(*args, **named):
        result = make(*args, **named)
        getattr(result, "close", lambda: None)()
        raise KeyboardInterrupt

    monkeypatch.setattr(where, name, made)


def test_an_interrupt_right_after_the_temporary_file_is_made_leaves_nothing(tmp_path, monkeypatch):
    interrupted_once_made(monkeypatch, "open")
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.json", "{}")
    assert list(tmp_path.iterdir()) == []


def test_nor_where_a_library_writes_the_file(tmp_path, monkeypatch):
    interrupted_once_made(monkeypatch, "touch", Path)
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a.bin"):
        pytest.fail("not reached")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["text", b"text", [b"te", b"xt"]])
def test_a_file_is_replaced_whole(tmp_path, content):
    (tmp_path / "a").write_text("before")
    write_atomically(tmp_path / "a", content)
    assert (tmp_path / "a").read_text() == "text"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_went_wrong_is_what_is_raised(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    (tmp_path / "a").write_text("before")
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "a", "after")
    assert (tmp_path / "a").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


WRITER = """
import sys, time
from pathlib import Path
from voxgraft.files import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(bytes(1000))
    print(temporary, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of writing a file, and its temporary file."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "voice.ckpt"], stdout=subprocess.PIPE)
    yield process, Path(process.stdout.readline().decode().strip())
    process.kill()
    process.wait()
    process.stdout.close()


def test_what_a_killed_write_left_goes_with_the_next_write_there(tmp_path, writer):
    process, temporary = writer
    assert temporary.stat().st_size == 1000
    process.kill()
    process.wait()
    write_atomically(tmp_path / "a", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_living_process_writes_stays(tmp_path, writer):
    _, temporary = writer
    write_atomically(tmp_path / "a", "text")
    sweep(tmp_path)
    assert temporary.exists()


def test_a_sweep_goes_through_the_folders_below_and_takes_nothing_else(tmp_path):
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = name_beside(folder / "a.ckpt")
    left = left.with_name(left.name.replace(f"-{os.getpid()}-", f"-{dead.pid}-"))
    left.mkdir()
    (left / "inside").touch()
    others = [folder / ".a.ckpt", folder / ".a.tmp", folder / "a.ckpt", name_beside(folder / "b.ckpt")]
    for path in others:
        path.touch()
    sweep(tmp_path)
    assert sorted(folder.iterdir()) == sorted(others)
    sweep(tmp_path / "not there")


def test_what_an_earlier_process_of_the_same_number_left_goes(tmp_path):
    left = name_beside(tmp_path / "a")
    left = left.with_name(left.name.replace(files._RUN, "0" * 12))
    left.touch()
    sweep(tmp_path)
    assert not left.exists()


def test_what_another_machine_writes_stays_for_a_day(tmp_path):
    mine = name_beside(tmp_path / "a").name.replace(files._RUN, "0" * 12)
    fresh, old = (tmp_path / mine.replace(files._machine(), machine) for machine in ("0" * 8, "1" * 8))
    fresh.touch()
    old.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [fresh]


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path):
    write_atomically(tmp_path / ("ß" * 127), "text")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["text"]
