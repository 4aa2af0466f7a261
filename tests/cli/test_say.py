"""The verbs `say` and `text` as a person runs them."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
import soundfile
from tests import paths

pytest.importorskip("espeakng_loader")

TINY = paths.FIXTURES / "piper"
VOXGRAFT = [sys.executable, "-c", "from voxgraft.cli.main import main; main()"]


def voxgraft(*arguments, cwd, stdin=b""):
    return subprocess.run([*VOXGRAFT, *arguments], cwd=cwd, input=stdin, capture_output=True, timeout=120)


def test_say_writes_a_wav_and_reports(tmp_path):
    done = voxgraft("say", str(TINY / "multi.onnx"), "A cab. Bad.", "--speaker", "speaker1", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["sentences"] == 2
    info = soundfile.info(tmp_path / "say.wav")
    assert report["seconds"] == pytest.approx(info.duration, abs=1e-3)
    assert report["file"] == "say.wav"
    assert info.samplerate == report["sample_rate"] == 16000
    assert report["unknown"]
    assert b"doesn't know" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["say.wav"]


def test_the_same_seed_writes_the_same_file(tmp_path):
    for name in ("a.wav", "b.wav"):
        assert (
            voxgraft("say", str(TINY / "single.onnx"), "bad", "-o", name, "--seed", "5", cwd=tmp_path).returncode == 0
        )
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_text_from_standard_input_and_speech_to_standard_output(tmp_path):
    done = voxgraft("say", str(TINY / "single.onnx"), "-", "-o", "-", "--seed", "1", cwd=tmp_path, stdin=b"A bad cab.")
    assert done.returncode == 0, done.stderr
    assert done.stdout[:4] == b"RIFF"
    raw = voxgraft(
        "say", str(TINY / "single.onnx"), "A bad cab.", "-o", "-", "--raw", "--seed", "1", cwd=tmp_path
    ).stdout
    assert raw == done.stdout[-len(raw) :]
    audio, rate = soundfile.read(io.BytesIO(raw), samplerate=16000, channels=1, format="RAW", subtype="PCM_16")
    assert (rate, audio.ndim) == (16000, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["no-such-voice", "hi"], b"", "there is no such voice"),
        (["VOICE", ""], b"", "nothing to say"),
        (["VOICE", "-"], b"\xff\xfe", "not UTF-8"),
        (["VOICE", "hi", "--speaker", "x"], b"", "no such speaker"),
        (["VOICE", "hi", "-o", "here/is/a/file/x.wav"], b"", "can't be written"),
    ],
)
def test_a_mistake_is_one_line_and_a_remedy(tmp_path, arguments, stdin, message):
    (tmp_path / "here").touch()
    arguments = [str(TINY / "single.onnx") if part == "VOICE" else part for part in arguments]
    done = voxgraft("say", *arguments, cwd=tmp_path, stdin=stdin)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    assert len(lines) == 2
    assert done.stdout == b""
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_the_settings_must_be_there(tmp_path):
    shutil.copy(TINY / "single.onnx", tmp_path / "v.onnx")
    done = voxgraft("say", "v.onnx", "hi", cwd=tmp_path)
    assert done.returncode == 1
    assert b"v.onnx.json" in done.stderr


def test_interrupting_leaves_nothing_behind(tmp_path):
    text = tmp_path / "long.txt"
    text.write_text("A bad cab. " * 100_000)
    with open(text, "rb") as stdin:
        command = [*VOXGRAFT, "say", str(TINY / "single.onnx"), "-", "-o", "out.wav"]
        # Tests that run in the background inherit that interrupts are ignored.
        interruptible = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(command, cwd=tmp_path, stdin=stdin, stderr=subprocess.PIPE, preexec_fn=interruptible)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.wav.*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    try:
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode != 0
    assert b"Traceback" not in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["long.txt"]


def test_text_prints_one_document(tmp_path):
    done = voxgraft("text", "Hi,\u00a0you.", "--lang", "en-us", "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {
        "raw": "Hi,\u00a0you.",
        "normalised": "Hi, you.",
        "phonemes": ["hˈaɪ, juː."],
        "ids": [[1, 0, 20, 0, 120, 0, 14, 0, 74, 0, 8, 0, 3, 0, 22, 0, 33, 0, 122, 0, 10, 0, 2]],
        "unknown": {},
    }


def test_text_as_a_voice_reads_it(tmp_path):
    done = voxgraft("text", "bad", "--voice", str(TINY / "single.onnx"), "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["unknown"] == {"ˈ": 1, "æ": 1}


def test_text_as_a_table(tmp_path):
    done = voxgraft("text", "Ja", "--lang", "de", cwd=tmp_path)
    assert done.returncode == 0
    assert "jˈɑː" in done.stdout.decode()


def test_speaking_imports_no_torch(tmp_path):
    code = "import sys; from voxgraft.inference.voice.voice import Voice; import voxgraft.cli.say; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_text_to_spec_model_speaks_through_its_vocoder(tmp_path):
    pytest.importorskip("torch")
    pair = [paths.FIXTURES / "everyvoice" / name for name in ("text-to-spec.ckpt", "spec-to-wav.ckpt")]
    home = os.environ | {"VOXGRAFT_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    command = [*VOXGRAFT, "say", str(pair[0]), "a good demo", "--vocoder", str(pair[1]), "--json"]
    lengths = {}
    for pace in ("1", "2"):
        turned = ["--pace", pace, "--pitch", "1.2", "--energy", "0.9", "--speaker", "bo", "--language", "fra"]
        done = subprocess.run([*command, *turned], cwd=tmp_path, env=home, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        lengths[pace] = json.loads(done.stdout)["seconds"]
    assert lengths["2"] == pytest.approx(2 * lengths["1"], rel=0.2)
