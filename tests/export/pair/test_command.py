"""`voxgraft export` of a text-to-spec model, in every form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.export.pair.conftest import ACOUSTIC, VOCODER
from typer.testing import CliRunner

pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint
from voxgraft.cli.main import app
from voxgraft.errors import ExportError


def export(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("piper", {"und-ada-custom.onnx", "und-ada-custom.onnx.json", "tokens.txt"}),
        ("onnx", {"ada.onnx", "vocoder.onnx", "tokens.txt"}),
        ("sherpa", {"ada.onnx", "vocoder.onnx", "tokens.txt"}),
        ("weights", {"ada.safetensors"}),
    ],
)
def test_every_form_is_written(form, files, tmp_path):
    done = export(ACOUSTIC, "--vocoder", VOCODER, "--to", form, "--out", tmp_path, "--name", "ada", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["to"] == form
    assert {Path(file).name for file in report["files"]} == files
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == files
    assert any("sherpa-onnx" in note for note in report["notes"]) == (form in ("piper", "sherpa"))


def test_onnx_alone_needs_no_vocoder(tmp_path):
    assert export(ACOUSTIC, "--to", "onnx", "--out", tmp_path, "--name", "ada").exit_code == 0
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"ada.onnx", "tokens.txt"}


def test_a_vocoder_that_sherpa_has_no_loader_for_is_one_error(tmp_path):
    from dataclasses import replace

    from voxgraft.export.pair.side_by_side import export_side_by_side

    univnet = replace(open_checkpoint(VOCODER), family="univnet", architecture={"mels": 8, "strides": (4, 8)})
    with pytest.raises(ExportError, match="no loader for such a vocoder") as caught:
        export_side_by_side(open_checkpoint(ACOUSTIC), univnet, tmp_path, "ada", sherpa=True)
    assert caught.value.field == "vocoder"
    assert not list(tmp_path.iterdir())


def test_what_takes_no_vocoder_says_so(tmp_path):
    done = export(VOCODER, "--vocoder", VOCODER, "--out", tmp_path)
    assert done.exit_code == 2
    assert "belongs to a text-to-spec model" in done.output
    alone = export(ACOUSTIC, "--to", "piper", "--out", tmp_path)
    assert isinstance(alone.exception, ExportError)
    assert alone.exception.field == "vocoder"
    assert not list(tmp_path.iterdir())
