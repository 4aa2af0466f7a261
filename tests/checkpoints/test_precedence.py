"""Which reader takes a file: one alone recognises it, or those that do say which is asked first and why."""

import shutil
from importlib import metadata

import pytest
from tests import paths

from voxgraft.checkpoints import Checkpoint, Provenance, Reader, open_checkpoint
from voxgraft.checkpoints import open as opening
from voxgraft.checkpoints.open import readers
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError

FIXTURES = paths.FIXTURES
ALL = sorted(path for path in FIXTURES.rglob("*") if path.suffix not in {".npz", ".py"})
SAVES = [path for path in ALL if path.suffix in {".ckpt", ".pth", ".pt"} and path.parent.name != "hugging_face"]


def claimants(path):
    source = CheckpointSource(path)
    return [reader for reader in readers() if reader.recognises(source)]


def settled(found):
    """Whether each of two readers, one after the other, is there because the first says so."""
    return all(
        second.name in first.before for number, first in enumerate(found) for second in found[number + 1 :]
    ) and len({reader.name for reader in found}) == len(found)


def test_one_reader_takes_a_file_or_says_why_it_is_first():
    claimed = {path: claimants(path) for path in ALL}
    odd = {str(path): [r.name for r in found] for path, found in claimed.items() if not settled(found)}
    assert odd == {}
    assert sum(bool(found) for found in claimed.values()) > 40


@pytest.mark.parametrize("path", SAVES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_config_of_another_model_beside_a_save_changes_nothing(tmp_path, path):
    shutil.copy(path, tmp_path)
    alone = claimants(tmp_path / path.name)
    shutil.copy(FIXTURES / "hugging_face" / "vits" / "config.json", tmp_path)
    beside = claimants(tmp_path / path.name)
    assert settled(beside)
    assert beside[0].name == alone[0].name


def test_the_order_is_not_that_of_the_list(monkeypatch):
    usual = [reader.name for reader in readers()]
    monkeypatch.setattr(opening, "OURS", dict(reversed(opening.OURS.items())))
    assert [reader.name for reader in readers()] == usual


def test_every_reason_is_words():
    for reader in readers():
        assert all(len(reason.split()) > 3 for reason in reader.before.values())


def registered(monkeypatch, *found):
    class Entry:
        def __init__(self, reader):
            self.reader = reader

        def load(self):
            return self.reader

    monkeypatch.setattr(metadata, "entry_points", lambda group: [Entry(reader) for reader in found])


def outside(name, **more):
    def read(candidate):
        return Checkpoint(name, {}, {}, Provenance(candidate.path, name, candidate.sha256))

    return Reader(name, "its files", lambda candidate: candidate.torch is not None, read, **more)


def test_a_reader_from_outside_can_be_asked_before_ours(monkeypatch):
    path = FIXTURES / "piper" / "single.ckpt"
    registered(monkeypatch, outside("zebra"))
    assert open_checkpoint(path).family == "vits"
    registered(monkeypatch, outside("zebra", before={"piper-ckpt": "it knows a dialect of it"}))
    assert open_checkpoint(path).family == "zebra"


def test_readers_that_each_want_to_be_first_are_named(monkeypatch):
    registered(monkeypatch, outside("a", before={"b": "it is first"}), outside("b", before={"a": "it is first"}))
    with pytest.raises(CheckpointError, match="a, b"):
        open_checkpoint(FIXTURES / "piper" / "single.ckpt")
