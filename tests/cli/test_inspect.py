"""`voxgraft inspect`: the fields that scripts rely on, one screen for people, one line for errors."""

import json
import shlex
import subprocess
import sys

import pytest
from tests.checkpoints.fixture_files import PIPER, copied

FIELDS = {
    "family", "format", "quality", "sample_rate", "symbols", "speakers", "parameters", "missing", "epoch", "step",
    "licence", "sha256", "unsafe_globals",
}  # fmt: skip


def inspect(*arguments, cwd=None):
    code = "import sys; from voxgraft.cli.main import main; sys.argv[0] = 'voxgraft'; main()"
    command = [sys.executable, "-c", code, "inspect", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def facts_of(*arguments):
    result = inspect(*arguments, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_json_of_a_full_checkpoint():
    facts = facts_of(PIPER / "multi.ckpt")
    assert set(facts) >= FIELDS
    assert facts["family"] == "vits"
    assert facts["format"] == "piper-ckpt"
    assert facts["quality"] is None
    assert facts["sample_rate"] == 16000
    assert facts["symbols"] == 256
    assert facts["speakers"] == ["0", "1", "2"]
    assert facts["missing"] == []
    assert (facts["epoch"], facts["step"]) == (7, 1234)
    assert facts["licence"] is None
    assert facts["unsafe_globals"] == []
    assert facts["parameters"] == sum(facts["parts"].values())
    assert len(facts["sha256"]) == 64
    assert "tensors" not in facts


def test_json_of_an_exported_voice(tmp_path):
    path = copied("single.onnx", tmp_path)
    (tmp_path / "MODEL_CARD").write_text("* License: CC-BY-4.0\n")
    facts = facts_of(tmp_path)
    assert facts["file"] == str(path)
    assert facts["licence"] == "CC-BY-4.0"
    assert facts["missing"] == ["posterior encoder", "duration posterior", "discriminators"]
    assert (facts["epoch"], facts["step"]) == (None, None)


def test_tensors_on_request():
    facts = facts_of(PIPER / "single.ckpt", "--tensors")
    assert sum(row["parameters"] for row in facts["tensors"]) == facts["parameters"]
    embedding = next(row for row in facts["tensors"] if row["name"] == "enc_p.emb.weight")
    assert embedding == {"name": "enc_p.emb.weight", "shape": [256, 8], "parameters": 2048, "part": "text encoder"}


def test_the_screen_for_people(tmp_path):
    path = copied("single.onnx", tmp_path)
    result = inspect(path.name, cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.splitlines()[0] == path.name
    assert len(result.stdout.splitlines()) < 35
    for word in ("vits", "piper-onnx", "16000 Hz", "posterior encoder", "text encoder", "not stated"):
        assert word in result.stdout


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04", b"\x80\x02."])
def test_errors_are_one_line_and_a_remedy(tmp_path, content):
    path = tmp_path / "x.ckpt"
    path.write_bytes(content)
    result = inspect(path, "--json")
    assert result.returncode == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) == 2
    assert "Traceback" not in result.stderr


def test_torch_is_never_imported():
    code = (
        "import sys; from voxgraft.checkpoints import open_checkpoint\n"
        f"c = open_checkpoint({str(PIPER / 'multi.ckpt')!r}); [c.tensors[n] for n in c.tensors]\n"
        f"open_checkpoint({str(PIPER / 'multi.onnx')!r})\n"
        "assert not {'torch', 'onnx', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "name", ["piper/single.ckpt", "deepspeech/cyrillic", "hugging_face/mms", "coqui_tts/glow_tts.pth"]
)
def test_every_kind_has_its_screen(name):
    result = inspect(PIPER.parent / name)
    assert result.returncode == 0, result.stderr
    assert "parameters" in result.stdout


def test_commands_are_told_on_one_line_with_the_name_that_was_given(tmp_path):
    folder = tmp_path / "a folder with a long name that says what is in it, at length and in full"
    folder.mkdir()
    path = copied("single.onnx", folder)
    result = inspect(path)
    speak = next(line for line in result.stdout.splitlines() if line.startswith("can speak"))
    assert shlex.split(speak)[4] == str(path)


def test_a_network_of_no_preset_has_one_word_for_its_quality(tmp_path):
    result = inspect(copied("single.onnx", tmp_path))
    assert "custom" in next(line for line in result.stdout.splitlines() if line.startswith(" quality"))
