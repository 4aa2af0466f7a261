import builtins
from pathlib import Path

import pytest

from voxgraft import files
from voxgraft.files import replacing, write_atomically


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
