"""Models by their name on the hub: from the cache without a network, and one clear error where they can't be had."""

import builtins
import os
import shutil

import pytest
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError, MissingExtra
from voxgraft.library.hub import fetch_from_hub, is_hub_name
from voxgraft.library.resolve import resolve

pytest.importorskip("huggingface_hub.constants")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub, and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path


def keep(cache, name, fixture):
    """A model in the cache as the hub's own library lays it out."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    shutil.copytree(HUGGING_FACE / fixture, repository / "blobs")
    for blob in (repository / "blobs").iterdir():
        (snapshot / blob.name).symlink_to(os.path.relpath(blob, snapshot))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    return snapshot


@pytest.mark.parametrize("base", ["hub:org/mms", "hf://org/mms", f"hub:org/mms@{COMMIT}", "hub:org/mms@main"])
def test_a_model_in_the_cache_needs_no_network(cache, base):
    snapshot = keep(cache, "org/mms", "mms")
    assert resolve(base) == snapshot
    assert open_checkpoint(resolve(base)).languages == ("eng",)


def test_one_file_of_it(cache):
    snapshot = keep(cache, "org/mms", "mms")
    assert resolve("hub:org/mms/adapter.fra.safetensors") == snapshot / "adapter.fra.safetensors"
    assert open_checkpoint(resolve("hub:org/mms/adapter.fra.safetensors")).languages == ("fra",)


@pytest.mark.parametrize("base", ["hub:org/absent", "hub:org/mms@other", "hub:org/mms/adapter.xyz.safetensors"])
def test_what_is_not_there_is_one_clear_error(cache, base):
    keep(cache, "org/mms", "mms")
    with pytest.raises(CheckpointError) as caught:
        resolve(base)
    assert base in caught.value.summary
    assert "network" in caught.value.remedy


@pytest.mark.parametrize(
    "base", ["hub:", "hub:org", "hub:a/b/c/d", "hub:../../etc", "hub:org/na me", "hf://org/../x/y"]
)
def test_names_that_are_none(cache, base):
    with pytest.raises(CheckpointError):
        fetch_from_hub(base)
    assert list(cache.iterdir()) == []


def test_only_such_names_are_asked_for():
    assert is_hub_name("hub:org/name")
    assert not any(map(is_hub_name, ("org/name", "en_US-joe-medium", "hubert.pt", "")))


def test_without_the_package_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.startswith("huggingface_hub"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match="huggingface_hub") as caught:
        fetch_from_hub("hub:org/name")
    assert "voxgraft[hf]" in caught.value.remedy
