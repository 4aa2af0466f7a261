"""Which checkpoint is meant, and what the user adds to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.export.piper.tiny_voice import tiny_metadata

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import Checkpoint, Provenance
from voxgraft.errors import CheckpointError, ExportError
from voxgraft.export.source import describe_voice, find_source
from voxgraft.project.run_folder import RunFolder


def make_run(folder, best=(), last=()):
    for part, names in (("best", best), ("checkpoints", last)):
        (folder / part).mkdir(parents=True)
        for name in names:
            (folder / part / name).write_bytes(b"")
    (folder / "config.yaml").write_text("name: x\n")
    return folder


def checkpoint_of(path, **changes) -> Checkpoint:
    fields = {
        "family": "vits",
        "architecture": {},
        "tensors": {},
        "provenance": Provenance(path, "piper-ckpt", "0" * 64, "CC0", None, None),
        "symbols": replace(tiny_metadata().symbols, voice=None),
        "audio": AudioSpec(sample_rate=16000),
        "quality": "low",
        "speakers": ("default",),
    }
    return Checkpoint(**(fields | changes))


def test_best_of_a_run_and_its_last(tmp_path):
    run = make_run(tmp_path / "r", ["epoch=1-step=40.ckpt"], ["epoch=1-step=9.ckpt", "epoch=2-step=100.ckpt"])
    source = find_source(run)
    assert source.path == run / "best" / "epoch=1-step=40.ckpt"
    assert source.last == run / "checkpoints" / "epoch=2-step=100.ckpt"
    assert source.run == RunFolder(run)


def test_last_of_a_run_without_a_best(tmp_path):
    run = make_run(tmp_path / "r", last=["epoch=0-step=9.ckpt", "epoch=0-step=10.ckpt", ".epoch=0-step=11.ckpt.x1"])
    assert find_source(run).path.name == "epoch=0-step=10.ckpt"


def test_run_without_checkpoints_is_refused(tmp_path):
    with pytest.raises(ExportError, match="no checkpoint yet"):
        find_source(make_run(tmp_path / "r"))


def test_name_of_nothing_is_refused(tmp_path):
    with pytest.raises(CheckpointError):
        find_source(tmp_path / "nothing.ckpt")


def test_language_must_be_known(tmp_path):
    checkpoint = checkpoint_of(tmp_path / "ann.ckpt")
    with pytest.raises(ExportError, match="which language") as fault:
        describe_voice(checkpoint)
    assert "--language en-us" in fault.value.remedy
    metadata = describe_voice(checkpoint, language="de", consent="yes")
    assert (metadata.voice_name, metadata.symbols.voice, metadata.consent) == ("de_DE-ann-low", "de", "yes")
    assert metadata.base.sha256 == "0" * 64
    assert metadata.licences == ("CC0",)


def test_lightnings_file_name_is_no_voices_name(tmp_path):
    checkpoint = checkpoint_of(tmp_path / "ann" / "epoch=3-step=9.ckpt")
    assert describe_voice(checkpoint, language="de").voice_name == "de_DE-ann-low"


@pytest.mark.parametrize("missing", ["symbols", "audio"])
def test_checkpoint_that_says_too_little_is_refused(tmp_path, missing):
    with pytest.raises(ExportError, match="doesn't say"):
        describe_voice(checkpoint_of(tmp_path / "ann.ckpt", **{missing: None}))


def test_odd_provenance_is_left_out(tmp_path):
    odd = {"voxgraft": {"name": "../x", "licences": 7, "base": [], "consent": 3, "corpus_sha256": None}}
    metadata = describe_voice(checkpoint_of(tmp_path / "ann.ckpt", config=odd), language="de")
    assert (metadata.name, metadata.licences, metadata.consent) == ("ann", ("CC0",), None)


def test_a_project_is_its_run(tmp_path):
    (tmp_path / "voxgraft.yaml").write_text("name: mine\n")
    make_run(tmp_path / "runs" / "mine", best=["epoch=1-step=20.ckpt"], last=["epoch=1-step=30.ckpt"])
    found = find_source(tmp_path)
    assert found.run == RunFolder(tmp_path / "runs" / "mine")
    assert found.path.name == "epoch=1-step=20.ckpt"
