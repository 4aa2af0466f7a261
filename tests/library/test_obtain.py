"""obtain: from the catalogue into the library, from anywhere, once."""

import hashlib
import zipfile

import pytest
from tests.checkpoints.fixture_files import PIPER

from voxgraft.errors import CheckpointError
from voxgraft.library.catalogue import Base, Part, base_from
from voxgraft.library.entry import Slot
from voxgraft.library.obtain import obtain, wanted_bases
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
        (base(Part("a.ckpt", (str(PIPER / "single.onnx.json"),))), "no checkpoint that is known"),
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
