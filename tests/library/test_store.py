"""Library: files once by content, entries whole or not at all, two processes at once."""

import json
import multiprocessing
import os
import signal
import time

import pytest
from tests.library.library_entries import described, entry, staged

from voxgraft.errors import CheckpointError
from voxgraft.library.lock import locked
from voxgraft.library.store import Library


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "library")


def test_an_empty_library(library):
    assert (library.entries(), library.contents().faults, library.loose(), library.disk_use()) == ([], [], [], 0)
    assert library.find("anything") is None
    assert not library.folder.exists(), "reading writes nothing"


def test_what_is_added_is_found_and_verified(library, tmp_path):
    added = library.add(entry(), staged(tmp_path / "s"))
    assert library.entries() == [added]
    assert library.path(added).is_dir()
    assert (library.path(added) / "a.ckpt").read_bytes() == b"weights"
    assert library.verify(added) == []
    assert added.added
    for name in (added.name, "tts_models--de--anna--vits-medium", "anna", "de/anna", "anna/vits-medium"):
        assert library.get(name) == added
    assert library.find("ann") is None
    with pytest.raises(CheckpointError, match="no such base") as caught:
        library.get("tts_models/de/ana/vits-medium")
    assert added.name in caught.value.remedy


def test_the_same_content_is_kept_once_and_goes_with_its_last_entry(library, tmp_path):
    first = library.add(entry(), staged(tmp_path / "s"))
    second = library.add(entry("tts_models/de/berta/vits-medium"), staged(tmp_path / "t"))
    assert first.content == second.content
    assert len(list((library.folder / "files").iterdir())) == 1
    library.remove(first.name)
    assert library.verify(second) == []
    library.remove(second.name)
    assert list((library.folder / "files").iterdir()) == []
    assert library.entries() == []


def test_a_name_that_is_taken(library, tmp_path):
    first = library.add(entry(), staged(tmp_path / "s"))
    again = library.add(entry(note="renewed"), staged(tmp_path / "t"))
    assert (again.name, again.note) == (first.name, "renewed"), "the same content renews its description"
    other = library.add(entry(), staged(tmp_path / "u", content=b"other"))
    assert other.name == f"{first.name}-2"
    assert library.add(entry(), staged(tmp_path / "v", content=b"other")).name == other.name
    with pytest.raises(CheckpointError, match="2 such bases"):
        library.get("anna")
    replaced = library.add(entry(), staged(tmp_path / "w", content=b"third"), replacing=True)
    assert replaced.name == first.name
    assert {found.content for found in library.entries()} == {other.content, replaced.content}
    assert len(list((library.folder / "files").iterdir())) == 2


def test_one_default_a_slot(library, tmp_path):
    names = [
        library.add(entry(f"tts_models/de/{n}/vits-medium"), staged(tmp_path / n, content=n.encode())).name
        for n in "ab"
    ]
    man = library.add(
        entry("tts_models/de/c/vits-medium", slot=("de", "M", "medium")), staged(tmp_path / "c", content=b"c")
    ).name
    for name in (names[0], man, names[1]):
        library.choose(name)
    assert {found.name for found in library.entries() if found.chosen} == {names[1], man}
    library.add(entry(names[1]), staged(tmp_path / "again", content=b"b"))
    assert library.get(names[1]).chosen, "adding the same again keeps it"


@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_damage_is_found(library, tmp_path, damage):
    added = library.add(entry(), staged(tmp_path / "s"))
    file = library.path(added) / "a.ckpt"
    {"changed": lambda: file.write_bytes(b"Weights"), "cut": lambda: file.write_bytes(b"w"), "gone": file.unlink}[
        damage
    ]()
    (problem,) = library.verify(added)
    assert problem.startswith("a.ckpt")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "../../x"}, "name"),
        ({"name": "tts_models/de/anna/other"}, "name"),
        ({"content": "../../../etc"}, "content"),
        ({"files": [{"name": "../x", "sha256": "a" * 64, "size": 1}]}, "files"),
        ({"files": []}, "files"),
        ({"main": "/etc/passwd"}, "main"),
        ({"main": "absent.ckpt"}, "main"),
        ({"slot": {"quality": "huge"}}, "slot"),
        ({"slot": {"voice_type": 5}}, "slot"),
        ({"step": "many"}, "step"),
        ({"step": True}, "step"),
        ({"missing": "x"}, "missing"),
        ({"generic": 1}, "generic"),
        ({"licence": ["x"]}, "licence"),
    ],
)
def test_hostile_descriptions_are_left_out_and_named(library, tmp_path, change, field):
    good = library.add(entry("tts_models/de/good/vits-medium"), staged(tmp_path / "g", content=b"good"))
    bad = described(library.folder, 1)
    path = library.folder / "entries" / f"{bad.replace('/', '--')}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert library.entries() == [good]
    (fault,) = library.contents().faults
    assert fault.field == field
    assert fault.file == str(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b" " * (2**20 + 2)])
def test_damaged_descriptions_are_left_out_and_named(library, tmp_path, content):
    good = library.add(entry(), staged(tmp_path / "g"))
    (library.folder / "entries" / "tts_models--de--bad--vits.json").write_bytes(content)
    assert library.entries() == [good]
    assert "bad" in library.contents().faults[0].file
    library.remove(good.name)
    assert len(list((library.folder / "files").iterdir())) == 1, "nothing is deleted while a description is unreadable"


def test_the_cache_follows_what_people_change_by_hand(library):
    described(library.folder, 1)
    name = described(library.folder, 2)
    assert [found.step for found in library.entries()] == [1, 2]
    path = library.folder / "entries" / f"{name.replace('/', '--')}.json"
    path.write_text(path.read_text().replace('"step": 2', '"step": 77'))
    assert library.get(name).step == 77
    assert [found.step for found in library.entries()] == [1, 77]
    path.unlink()
    assert [found.step for found in library.entries()] == [1]
    for rubbish in (b"", b"[]", b'{"version": 1, "entries": {"x": 5}}', b'{"version": 99}'):
        (library.folder / "index.json").write_bytes(rubbish)
        assert [found.step for found in library.entries()] == [1]


def test_a_library_that_can_not_be_written_to_is_read(library, monkeypatch):
    from voxgraft.library import index

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(index, "write_atomically", refuse)
    described(library.folder, 1)
    assert len(library.entries()) == 1


def add_many(folder, who):
    library = Library(folder)
    for number in range(10):
        with library.staging() as place:
            (place / "a.ckpt").write_bytes(b"%d" % number)
            library.add(entry(f"tts_models/de/{who}{number}/vits-medium"), place)
        with library.staging() as place:
            (place / "a.ckpt").write_bytes(f"{who}{number}".encode())
            library.add(entry("tts_models/de/same/vits-medium"), place)


def test_two_processes_at_once(library):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=add_many, args=(library.folder, who)) for who in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    entries = library.entries()
    assert len(entries) == 40
    assert all(library.verify(found) == [] for found in entries)
    assert list((library.folder / "staging").iterdir()) == []


def hold(path, started):
    with locked(path):
        started.set()
        time.sleep(60)


def test_a_lock_ends_with_its_holder(tmp_path):
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    holder = context.Process(target=hold, args=(tmp_path / "lock", started))
    holder.start()
    assert started.wait(60)
    with pytest.raises(CheckpointError, match="another process"), locked(tmp_path / "lock", longest=0.2):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    with locked(tmp_path / "lock", longest=5):
        pass


def gather(folder, started):
    with Library(folder).staging() as place:
        staged(place / "inside")
        started.set()
        time.sleep(60)


def test_what_a_killed_process_half_gathered_goes(library):
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    gatherer = context.Process(target=gather, args=(library.folder, started))
    gatherer.start()
    assert started.wait(60)
    os.kill(gatherer.pid, signal.SIGKILL)
    gatherer.join()
    assert len(list((library.folder / "staging").iterdir())) == 1
    with library.staging() as place:
        assert list((library.folder / "staging").iterdir()) == [place]
