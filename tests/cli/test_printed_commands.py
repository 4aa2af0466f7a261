"""Every command that `inspect` prints for any of the checkpoints here runs as it is printed."""

import math
import shlex
import struct
import wave
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.abilities import abilities_of
from voxgraft.cli.main import app
from voxgraft.graft.plan_project import plan_project

FIXTURES = Path(__file__).parents[1] / "fixtures"


# One of each kind; what speaks has to be exported, or is at hand.
CHECKPOINTS = (
    "coqui_tts/fast_pitch.pth", "coqui_tts/fastspeech2.pth", "coqui_tts/glow_tts.pth", "coqui_tts/hifigan.pth",
    "coqui_tts/tacotron2.pth", "coqui_tts/vits", "coqui_tts/vits_languages.pth", "coqui_tts/vits_speakers.pth",
    "deepspeech/bytes", "deepspeech/english", "everyvoice/spec-to-wav.ckpt", "everyvoice/text-to-spec.ckpt",
    "hugging_face/mms", "hugging_face/parakeet", "hugging_face/vits", "hugging_face/vits_speakers",
    "hugging_face/whisper", "hugging_face/xlsr", "piper/multi.onnx", "piper/slim_bf16.ckpt", "piper/stream.ckpt",
    "tts_framework/delightful.ckpt", "tts_framework/univnet.ckpt", "vits_original/ljs", "vits_original/vctk",
)  # fmt: skip
# Exporting takes seconds each: of these the commands are run in full.
SPOKEN = ("coqui_tts/vits", "piper/multi.onnx")


def _placeholders(folder):
    """What stands for the words in capitals."""
    (folder / "ALPHABET").write_text(" \na\nb\nc\nd\n")
    (folder / "SYMBOLS").write_text("_\n^\n$\n \na\nb\nc\nd\n")
    recordings = folder / "RECORDINGS"
    recordings.mkdir()
    lines = []
    for number in range(4):
        with wave.open(str(recordings / f"c{number}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            tone = (int(9000 * math.sin(k / (9 + number)) * (1 + math.sin(k / 900)) / 2) for k in range(32000))
            file.writeframes(b"".join(struct.pack("<h", sample) for sample in tone))
        lines.append(f"c{number}|a bad cab {'abcd'[number]}")
    (recordings / "metadata.csv").write_text("\n".join(lines))
    table = ["wav_filename,wav_filesize,transcript"]
    table += [f"RECORDINGS/c{number}.wav,64044,a bad cab {'abcd'[number]}" for number in range(4)]
    for name in ("TRAIN.csv", "DEV.csv"):
        (folder / name).write_text("\n".join(table) + "\n")


CASES = [
    pytest.param(ability, id=f"{name}-{ability.name}")
    for name in CHECKPOINTS
    for ability in abilities_of(open_checkpoint(FIXTURES / name))
    # Which acoustic model a vocoder belongs to is the user's to know.
    if ability.possible and ability.name != "match" and (ability.name not in ("speak", "export") or name in SPOKEN)
]


@pytest.mark.parametrize("ability", CASES)
def test_a_printed_command_runs(ability, tmp_path, monkeypatch):
    planned = []
    monkeypatch.setattr("voxgraft.training.tasks.ctc.coqui_stt.train", lambda config: planned.append(config))
    monkeypatch.setattr("voxgraft.cli.train.show_run", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))
    _placeholders(tmp_path)
    program, *words = shlex.split(ability.how, comments=True)
    assert program == "voxgraft"
    result = CliRunner().invoke(app, words)
    # How little of a fixture is carried depends on its size, which has no say in what a user is told.
    assert result.exit_code == 0 or "partial:" in result.output, (
        f"{ability.how}\n{result.output[-800:]}\n{result.exception}"
    )
    for config in planned:
        assert not plan_project(config).plan.refusals
