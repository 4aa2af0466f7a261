"""obtain: from the catalogue into the library, from anywhere, once."""

import hashlib
import http.server
import json
import os
import shutil
import threading
import time
import zipfile

import pytest
from tests.checkpoints.fixture_files import PIPER

from voxgraft.errors import CheckpointError
from voxgraft.library.catalogue import Base, Part, base_from
from voxgraft.library.entry import Slot
from voxgraft.library.obtain import _key, obtain, wanted_bases
from voxgraft.library.resolve import resolve
from voxgraft.library.store import DOWNLOADS, Library

CKPT, VOICE = PIPER / "single.ckpt", PIPER / "single.onnx"
HASH = hashlib.sha256(CKPT.read_bytes()).hexdigest()


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))
    return Library()


def base(*parts, **fields):
    return Base("tts_models/de/anna/vits-x", parts, family="vits", slot=Slot("de", "F"), **fields)


def downloads(library):
    folder = library.folder / DOWNLOADS
    return [path.name for path in folder.iterdir() if not path.name.startswith(".")] if folder.exists() else []


def test_a_base_is_fetched_verified_described_and_kept(library):
    found = base(Part("epoch=1-step=2.ckpt", (str(CKPT),), CKPT.stat().st_size, HASH), licence="CC0-1.0", generic=True)
    entry = obtain(found, library).entry
    assert (entry.name, str(entry.slot), entry.licence, entry.generic) == (found.name, "de F ?", "CC0-1.0", True)
    assert entry.main == "epoch=7-step=1234.ckpt", "after its content"
    assert entry.source == str(CKPT)
    assert library.verify(entry) == []
    assert downloads(library) == []
    assert CKPT.exists(), "a local source is copied"
    assert resolve(found.name) == library.path(entry)
    gone = base(Part("x", ("/nowhere",)))
    assert obtain(gone, library).entry == entry, "what is there is not fetched again"


def test_a_voice_of_several_files_and_one_that_is_optional(library):
    parts = (
        Part("single.onnx", (str(VOICE),)),
        Part("single.onnx.json", (f"file://{VOICE}.json",)),
        Part("MODEL_CARD", ("/nowhere/MODEL_CARD",), optional=True),
    )
    done = obtain(base(*parts, kind="voice"), library)
    assert [file.name for file in done.entry.files] == ["single.onnx", "single.onnx.json"]
    assert any("MODEL_CARD is not there, and not needed" in remark for remark in done.remarks)


def test_an_archive(library, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for path in (VOICE, VOICE.with_name("single.onnx.json")):
            file.write(path, f"release/{path.name}")
    done = obtain(base(Part("release.zip", (str(tmp_path / "x.zip"),)), kind="release", archive=True), library)
    assert done.entry.main == "single.onnx"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (base(by_hand="https://drive.google.com/x"), "only a browser"),
        (base(), "no link"),
        (Base("tts_models/de/a/b", (Part("a", (str(CKPT),)),), family="nothing_known"), "can't open this family"),
        (base(Part("a.ckpt", (str(CKPT),), sha256="0" * 64)), "SHA-256"),
        (base(Part("a.ckpt", (str(PIPER / "single.onnx.json"),))), "not a checkpoint that voxgraft knows"),
        (base(Part("a.zip", (str(CKPT.with_name("reference.npz")),)), archive=True), "holds no voice"),
    ],
)
def test_what_can_not_be_had_leaves_nothing(library, found, words):
    with pytest.raises(CheckpointError, match=words):
        obtain(found, library)
    assert library.entries() == []
    left = [path for name in downloads(library) for path in (library.folder / DOWNLOADS / name).iterdir()]
    assert [path.name for path in left if path.suffix != ".lock"] == []


def test_an_address_of_any_site(library):
    (found,) = wanted_bases(f"file://{CKPT}", "de", "M")
    entry = obtain(found, library).entry
    assert (entry.name, str(entry.slot)) == ("tts_models/de/single/vits", "de M ?")
    (named,) = wanted_bases(f"file://{CKPT}", "de", name="tts_models/de/mine/x")
    assert obtain(named, library).entry.name == "tts_models/de/mine/x"


def test_a_mirror_takes_over(library):
    part = {"file": "a.ckpt", "urls": ["/nowhere/a.ckpt", str(CKPT)], "sha256": HASH}
    found = base_from("tts_models/de/a/b", {"parts": [part], "family": "vits", "language": "de"}, "here")
    assert obtain(found, library).entry.sha256 == HASH


@pytest.fixture
def served(tmp_path):
    """A server of the checkpoint that says no language, and the paths that it was asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *details):
            super().__init__(*details, directory=str(PIPER))

        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/single.ckpt", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", [None, "tts_models/de/mine/x"])
def test_what_only_lacks_its_language_is_not_fetched_again(library, served, name):
    url, asked = served
    (found,) = wanted_bases(url)
    with pytest.raises(CheckpointError, match="which language") as fault:
        obtain(found, library)
    assert "--language" in fault.value.remedy
    assert "kept" in fault.value.remedy
    assert library.disk_use() >= CKPT.stat().st_size
    first = len(asked)
    (found,) = wanted_bases(url, "de", name=name)
    entry = obtain(found, library).entry
    assert entry.slot.language == "de"
    assert len(asked) == first, "what is there is taken up"
    assert downloads(library) == []


def test_an_entry_of_the_catalogue_without_a_language_takes_the_one_that_is_said(library):
    (library.folder.parent / "catalogue.d").mkdir(parents=True)
    listed = {"tts_models/xx/anna/x": {"family": "vits", "urls": [str(CKPT)]}}
    (library.folder.parent / "catalogue.d" / "mine.json").write_text(json.dumps(listed))
    (found,) = wanted_bases("tts_models/xx/anna/x")
    with pytest.raises(CheckpointError, match="which language"):
        obtain(found, library)
    (found,) = wanted_bases("tts_models/xx/anna/x", "de", "F")
    assert str(obtain(found, library).entry.slot) == "de F ?"


def test_an_archive_without_room_to_unpack_is_kept(library, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for path in (VOICE, VOICE.with_name("single.onnx.json")):
            file.write(path, path.name)
    found = base(Part("release.zip", (str(tmp_path / "x.zip"),)), kind="release", archive=True)
    with monkeypatch.context() as patch:
        free = shutil.disk_usage(tmp_path)._replace(free=VOICE.stat().st_size)
        patch.setattr("voxgraft.library.archive.shutil.disk_usage", lambda _: free)
        patch.setattr("voxgraft.library.download._check_disk", lambda *_: None)
        with pytest.raises(CheckpointError, match="not free"):
            obtain(found, library)
    (tmp_path / "x.zip").unlink()
    assert obtain(found, library).entry.main == "single.onnx"


def test_what_nobody_went_on_with_for_a_month_is_deleted_at_the_next_fetch(library):
    def kept(name, days):
        folder = library.folder / DOWNLOADS / name
        folder.mkdir(parents=True)
        (folder / ".a.ckpt.part").write_bytes(b"begun")
        for path in (folder / ".a.ckpt.part", folder):
            os.utime(path, (time.time() - days * 86_400,) * 2)

    found = base(Part("a.ckpt", ("/nowhere/a.ckpt",)))
    own = _key(found)
    for name, days in (("old", 40), ("young", 20), (own, 40)):
        kept(name, days)
    before = library.disk_use()
    with pytest.raises(CheckpointError, match="can't be fetched"):
        obtain(found, library)
    assert sorted(downloads(library)) == sorted(["young", own])
    assert library.disk_use() == before - len(b"begun")
