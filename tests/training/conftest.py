import pytest
from tests.training.tasks.vits.tiny_project import project

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """The user's library is left alone."""
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))


@pytest.fixture
def without_export(monkeypatch):
    """Exporting takes seconds and is tested elsewhere: an empty file stands for the voice."""

    def export(model, metadata, folder):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "voice.onnx"
        path.write_bytes(b"")
        return path

    monkeypatch.setattr("voxgraft.training.tasks.vits.export.export_piper", export)


@pytest.fixture
def started(tmp_path):
    """A run that has not stepped yet, made by `started(**training settings)`."""
    from voxgraft.training.tasks.vits.setup import begin

    def make(kind="single.ckpt", **training):
        return begin(project(tmp_path, kind, **training))

    return make
