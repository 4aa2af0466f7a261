import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """The user's library is left alone."""
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))
