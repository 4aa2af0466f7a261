"""`voxgraft evaluate --project`: what is spoken, and by whom, comes from the project; nothing is measured here."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from voxgraft.audio.write import write_wav
from voxgraft.cli import main as command
from voxgraft.config.load import load_config
from voxgraft.config.run import RunConfig
from voxgraft.config.run_file import write_run_config
from voxgraft.corpus.split import split
from voxgraft.project.project import project_manifest

SETTINGS = """base: {base}
seed: 5
corpus: {{validation: 2, held_out: [{held_out}]}}
evaluation: {{seeds: 2, recogniser: whisper-mine, dnsmos: no}}
"""


class Voice:
    """A voice by name alone."""

    def __init__(self, voice, speaker=None):
        self.name, self.language = str(voice), "en"

    def candidate(self):
        return self.name


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What `compare` was asked, instead of an answer."""
    calls = {}

    def compare(candidates, lines, **options):
        calls.update(candidates=candidates, texts=[line.id for line in lines], **options)
        return SimpleNamespace(to_dict=dict, scores={}, absent={}, notes=())

    monkeypatch.setattr("voxgraft.training.tasks.vits.evaluate.compare", compare)
    monkeypatch.setattr("voxgraft.training.tasks.vits.evaluate.SeededVoice", Voice)
    monkeypatch.chdir(tmp_path)
    return calls


@pytest.fixture
def project(tmp_path, monkeypatch, asked, capsys):
    """Eight clips, clip N at level N / 10, and a base that is an exported voice."""
    wavs = tmp_path / "mine" / "wavs"
    wavs.mkdir(parents=True)
    for number in range(8):
        write_wav(wavs / f"{number}.wav", np.full(1600, number / 10, np.float32), 16_000)
    (tmp_path / "mine/metadata.csv").write_text("".join(f"{n}|Text number {n}\n" for n in range(8)))
    (tmp_path / "base.onnx").write_bytes(b"")
    folder = tmp_path / "project"
    folder.mkdir()
    settle(folder)
    run(monkeypatch, capsys, "corpus", "import", "mine", "--into", "project/corpus")
    return folder


def settle(folder: Path, held_out: str = "", base: str = "../base.onnx") -> None:
    (folder / "voxgraft.yaml").write_text(SETTINGS.format(held_out=held_out, base=base))


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["voxgraft", *arguments])
    code = 0
    try:
        command.main()
    except SystemExit as end:
        code = end.code or 0
    return code, capsys.readouterr().err


def levels(clips) -> set[str]:
    return {str(round(10 * float(clip.audio[0]))) for clip in clips}


def test_the_validation_texts_of_the_run_are_spoken_and_training_recordings_are_the_target(
    project, asked, monkeypatch, capsys
):
    code, err = run(monkeypatch, capsys, "evaluate", "mine.onnx", "--project", "project", "--json")
    assert code == 0, err
    config = load_config(project)
    parts = split(project_manifest(config), 2, (), 5)
    assert asked["texts"] == [u.id for u in parts.validation]
    assert len(asked["texts"]) == 2
    assert levels(asked["target"]) == {u.id for u in parts.train}
    assert (asked["seeds"], asked["recogniser"], "dnsmos" in asked["metrics"]) == (2, "whisper-mine", False)
    assert asked["candidates"] == {"base": str(project.parent / "base.onnx"), "result": "mine.onnx"}
    assert "2 texts of the run's validation" in err


def test_held_out_texts_come_first(project, asked, monkeypatch, capsys):
    settle(project, held_out='"3", "6"')
    run(monkeypatch, capsys, "evaluate", "mine.onnx", "--project", "project", "--json")
    assert asked["texts"] == ["3", "6"]
    validation = {u.id for u in split(project_manifest(load_config(project)), 2, ("3", "6"), 5).validation}
    assert levels(asked["target"]) == {str(n) for n in range(8)} - {"3", "6"} - validation


def test_the_split_is_the_run_s_even_where_the_settings_changed_since(project, asked, monkeypatch, capsys):
    kept = project / "runs" / "voice"
    write_run_config(RunConfig(seed=8, corpus={"validation": 3}), kept / "config.yaml")
    run(monkeypatch, capsys, "evaluate", "mine.onnx", "--project", "project", "--json")
    manifest = project_manifest(load_config(project))
    assert asked["texts"] == [u.id for u in split(manifest, 3, (), 8).validation]
    assert asked["texts"] != [u.id for u in split(manifest, 2, (), 5).validation]


def test_options_win_over_the_project(project, asked, monkeypatch, capsys):
    options = ("--base", "other.onnx", "--seeds", "1", "--recogniser", "auto", "--dnsmos")
    run(monkeypatch, capsys, "evaluate", "mine.onnx", "--project", "project", *options, "--json")
    assert asked["candidates"]["base"] == "other.onnx"
    assert (asked["seeds"], asked["recogniser"], "dnsmos" in asked["metrics"]) == (1, "auto", True)


def test_a_base_that_can_not_speak_is_left_out_aloud(project, asked, monkeypatch, capsys):
    (project.parent / "base.ckpt").write_bytes(b"")
    settle(project, base="../base.ckpt")
    code, err = run(monkeypatch, capsys, "evaluate", "mine.onnx", "--project", "project", "--json")
    assert code == 0
    assert list(asked["candidates"]) == ["result"]
    assert "base.ckpt, is no exported voice" in err


def test_a_folder_without_project_or_recordings_is_one_clear_error(asked, tmp_path, monkeypatch, capsys):
    code, err = run(monkeypatch, capsys, "evaluate", "mine.onnx", "--project", "absent")
    assert (code, asked) == (1, {})
    assert "no such project" in err
    (tmp_path / "voxgraft.yaml").write_text("base: none\n")
    code, err = run(monkeypatch, capsys, "evaluate", "mine.onnx", "--project", str(tmp_path))
    assert (code, asked) == (1, {})
    assert "has no recordings" in err


def test_project_and_corpus_exclude_each_other(project, asked, monkeypatch, capsys):
    code, err = run(monkeypatch, capsys, "evaluate", "mine.onnx", "--project", "project", "--corpus", "mine")
    assert (code, asked) == (2, {})
    assert "--project" in err


@pytest.mark.parametrize(("options", "warned"), [((), True), (("--held-out", "ids.txt"), False)])
def test_a_corpus_without_held_out_ids_is_warned_of(project, asked, monkeypatch, capsys, options, warned):
    Path("ids.txt").write_text("1\n")
    code, err = run(monkeypatch, capsys, "evaluate", "mine.onnx", "--corpus", "mine", *options, "--json")
    assert code == 0, err
    assert ("may have been trained on" in err) is warned
