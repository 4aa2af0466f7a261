"""What `voxgraft say` makes of a text-to-spec model and a vocoder: one voice, once."""

from __future__ import annotations

import pytest
from tests.export.pair.conftest import ACOUSTIC, EVERYVOICE, VOCODER

pytest.importorskip("torch")

from voxgraft.errors import CheckpointError, ExportError
from voxgraft.export.speakable import speakable
from voxgraft.inference.voice.voice import Voice


@pytest.fixture(autouse=True)
def _own_library(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path))


def test_a_pair_is_exported_once_for_all_its_languages(tmp_path, capsys):
    first = speakable(str(ACOUSTIC), "fra", str(VOCODER))
    written = first.stat().st_mtime_ns
    again = speakable(str(ACOUSTIC), None, str(VOCODER))
    assert again == first
    assert again.stat().st_mtime_ns == written
    assert capsys.readouterr().err.count("that is done once") == 1
    assert Voice.load(first).languages == ["eng", "fra"]


@pytest.mark.parametrize(
    ("acoustic", "vocoder", "kind", "words"),
    [
        (ACOUSTIC, None, ExportError, "needs a vocoder"),
        (VOCODER, None, ExportError, "this is a vocoder"),
        (
            EVERYVOICE.parent / "piper" / "single.onnx",
            VOCODER,
            ExportError,
            "only a text-to-spec model takes a vocoder",
        ),
        (ACOUSTIC, "no-such-vocoder.ckpt", CheckpointError, "there is no such file"),
    ],
)
def test_what_is_missing_or_too_much_is_one_error(acoustic, vocoder, kind, words, tmp_path):
    with pytest.raises(kind, match=words):
        speakable(str(acoustic), None, None if vocoder is None else str(vocoder))
    assert not list(tmp_path.glob("spoken/*"))
