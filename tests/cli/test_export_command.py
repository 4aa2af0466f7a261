"""`voxgraft export`: what is written, what is said, exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests import paths

pytest.importorskip("torch")
pytest.importorskip("onnx")

from voxgraft.checkpoints import open_checkpoint
from voxgraft.cli import main as command
from voxgraft.inference.voice.voice import Voice

FIXTURES = paths.FIXTURES / "piper"


def run(monkeypatch, capfd, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["voxgraft", "export", *map(str, arguments)])
    try:
        command.main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    captured = capfd.readouterr()
    return code, captured.out, captured.err


def test_a_piper_checkpoint_becomes_a_voice(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(monkeypatch, capfd, FIXTURES / "single.ckpt", "--language", "en-us", "--name", "ann", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["to"] == "piper"
    assert document["name"].startswith("en_US-ann-")
    assert all(Path(file).is_file() for file in document["files"])
    voice = Voice.load(document["voice"])
    assert len(voice.speak_ids((1, 0, 20, 0, 2))) > 0
    assert json.loads(Path(f"{document['voice']}.json").read_text("utf-8"))["espeak"]["voice"] == "en-us"


def test_a_voice_is_exported_again_with_its_speakers(tmp_path, monkeypatch, capfd):
    code, out, _ = run(monkeypatch, capfd, FIXTURES / "multi.onnx", "--out", tmp_path)
    assert code == 0
    path = Path(out.strip())
    assert path.parent == tmp_path
    before, after = Voice.load(FIXTURES / "multi.onnx"), Voice.load(path)
    assert before.speakers == after.speakers
    ids = (1, 0, 20, 0, 24, 0, 2)
    for speaker in (0, len(before.speakers) - 1):
        quiet = {"noise_scale": 0.0, "noise_w": 0.0, "speaker": speaker}
        assert abs(before.speak_ids(ids, **quiet) - after.speak_ids(ids, **quiet)).max() < 1e-4


def test_pack_with_scores_and_zip(tmp_path, monkeypatch, capfd):
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps({"result": {"cer": [0.05, 0.04, 0.06]}}))
    code, out, _ = run(
        monkeypatch, capfd, FIXTURES / "single.onnx", "--to", "pack", "--out", tmp_path / "packs", "--zip",
        "--scores", scores, "--consent", "her own voice", "--json",
    )  # fmt: skip
    assert code == 0
    document = json.loads(out)
    names = {Path(file).name for file in document["files"]}
    assert {"card.md", "tokens.txt", f"{document['name']}.safetensors", f"{document['name']}.zip"} <= names
    card = Path(document["voice"]).with_name("card.md").read_text("utf-8")
    assert "her own voice" in card
    assert "5.0 (4.0–6.0)" in card


def test_trainer_checkpoint_of_a_whole_checkpoint(tmp_path, monkeypatch, capfd):
    code, out, err = run(
        monkeypatch, capfd, FIXTURES / "single.ckpt", "--language", "en-us", "--to", "trainer", "--out", tmp_path
    )
    assert code == 0
    assert "discriminators in this checkpoint are fresh" in err
    path = Path(out.strip())
    assert path.with_name("config.json").is_file()
    before, after = open_checkpoint(FIXTURES / "single.ckpt"), open_checkpoint(path)
    assert {n for n in after.tensors if not n.startswith("discriminator.")} == {
        n for n in before.tensors if not n.startswith("discriminator.")
    }
    assert after.missing == ()


def test_run_exports_its_best(tmp_path, monkeypatch, capfd):
    run_folder = tmp_path / "project" / "runs" / "ann"
    for part in ("best", "checkpoints"):
        (run_folder / part).mkdir(parents=True)
    (run_folder / "config.yaml").write_text("name: ann\n")
    shutil.copy(FIXTURES / "single.ckpt", run_folder / "best" / "epoch=0-step=5.ckpt")
    code, out, _ = run(monkeypatch, capfd, run_folder, "--language", "en-us", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["source"].endswith("best/epoch=0-step=5.ckpt")
    assert Path(document["voice"]).parent == tmp_path / "project" / "voices"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere.ckpt"], 1, "error:"),
        ([FIXTURES / "single.ckpt"], 1, "--language en-us"),
        ([FIXTURES / "single.onnx", "--to", "trainer"], 1, "An exported voice lacks what only training uses"),
        ([FIXTURES / "single.onnx", "--name", "../up"], 1, "letters, digits"),
        ([FIXTURES / "single.onnx", "--zip"], 2, "--to pack"),
        ([FIXTURES / "single.onnx", "--to", "mp3"], 2, "mp3"),
        ([FIXTURES / "single.onnx", "--to", "pack", "--scores", "broken.json"], 1, "not a file of scores"),
    ],
)
def test_mistakes_end_in_one_message_and_change_nothing(tmp_path, monkeypatch, capfd, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    Path("broken.json").write_bytes(b"\xff{")
    found, out, err = run(monkeypatch, capfd, *arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["broken.json"]
