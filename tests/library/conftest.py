import pytest
from tests.library.unruly_server import unruly_server


@pytest.fixture
def server(monkeypatch):
    """A server that misbehaves; no proxy stands in between."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with unruly_server() as running:
        yield running


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty $VOXGRAFT_HOME."""
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
