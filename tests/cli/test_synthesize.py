"""`voxgraft synthesize` as a person who knows EveryVoice types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests import paths
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from voxgraft.cli.main import app  # noqa: E402
from voxgraft.errors import CorpusError, ExportError, TextError, VoxgraftError  # noqa: E402

EVERYVOICE = paths.FIXTURES / "everyvoice"
ACOUSTIC, VOCODER = EVERYVOICE / "text-to-spec.ckpt", EVERYVOICE / "spec-to-wav.ckpt"
RATE, HOP = 16000, 32


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: what is exported is exported once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_library(home, monkeypatch):
    monkeypatch.setenv("VOXGRAFT_HOME", str(home))


def synthesize(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["synthesize", *map(str, arguments)])


def test_every_form_is_written_under_everyvoices_names(tmp_path):
    done = synthesize(
        "from-text", ACOUSTIC, "-t", "a bad bed, bob.", "-v", VOCODER, "-o", tmp_path, "-s", "bo", "-l", "fra", "--json",
        *(part for form in ("wav", "spec", "textgrid", "readalong-xml", "readalong-html") for part in ("-O", form)),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    stem = "a-bad-bed-bob--bo--fra--"
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == {
        f"wav/{stem}ckpt=3--v_ckpt=0--pred.wav",
        f"synthesized_spec/{stem}spec-pred-16000-mel-librosa.pt",
        f"textgrids/{stem}16000-mel-librosa.TextGrid",
        f"readalongs/{stem}16000-mel-librosa.readalong",
        f"readalongs/{stem}16000-mel-librosa.html",
    }
    mel = torch.load(next(tmp_path.rglob("*.pt")), weights_only=True)
    sound, rate = soundfile.read(next(tmp_path.rglob("*.wav")))
    assert (rate, mel.shape[0], mel.dtype) == (RATE, 8, torch.float32)
    assert len(sound) == mel.shape[1] * HOP > 500
    assert json.loads(done.stdout)["seconds"] == pytest.approx(len(sound) / RATE)


def test_a_filelist_says_who_speaks_and_pace_is_heeded(tmp_path):
    (tmp_path / "list.psv").write_text(
        "basename|language|speaker|characters\none|eng|ada|a bad bed\ntwo|fra|bo|bob had a bed\n", "utf-8"
    )
    lengths = {}
    for pace in (1, 3):
        out = tmp_path / str(pace)
        done = synthesize(
            "from-text",
            ACOUSTIC,
            "-f",
            tmp_path / "list.psv",
            "-O",
            "spec",
            "-D",
            pace,
            "-o",
            out,
            "--simple-filenames",
        )
        assert done.exit_code == 0, done.output
        files = sorted(out.rglob("*.pt"))
        assert [file.name for file in files] == ["one.pt", "two.pt"]
        lengths[pace] = sum(torch.load(file, weights_only=True).shape[1] for file in files)
    assert lengths[3] == 3 * lengths[1]


def preprocessed(folder: Path) -> Path:
    """As EveryVoice leaves it: sound cut to whole frames, and the lists."""
    (folder / "audio").mkdir(parents=True)
    rows = {"one": ("ada", "eng", "a bad bed. a bad bed."), "two": ("bo", "fra", "bob had a bed")}
    for number, (name, (speaker, language, _)) in enumerate(rows.items()):
        time = np.arange(HOP * (500 + 111 * number)) / RATE
        sound = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 6))
        soundfile.write(folder / "audio" / f"{name}--{speaker}--{language}--audio-{RATE}.wav", 0.1 * sound, RATE)
    lines = [f"{name}|{language}|{speaker}|{text}\n" for name, (speaker, language, text) in rows.items()]
    (folder / "filelist.psv").write_text("basename|language|speaker|characters\n" + "".join(lines), "utf-8")
    return folder


def test_teacher_forced_spectrograms_are_as_long_as_the_recordings(tmp_path):
    pytest.importorskip("pyworld")
    folder = preprocessed(tmp_path / "preprocessed")
    done = synthesize(
        "from-text", ACOUSTIC, "-O", "spec", "--filelist", folder / "filelist.psv", "--teacher-forcing-folder", folder, "-o", folder
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = {path.name: torch.load(path, weights_only=True).shape for path in (folder / "synthesized_spec").iterdir()}
    assert found == {
        "one--ada--eng--spec-pred-16000-mel-librosa.pt": (8, 500),
        "two--bo--fra--spec-pred-16000-mel-librosa.pt": (8, 611),
    }


def test_a_spectrogram_becomes_sound_whichever_way_it_is_kept(tmp_path):
    mel = torch.randn(8, 40, generator=torch.Generator().manual_seed(0)) - 4
    torch.save(mel, tmp_path / "a.pt")
    np.save(tmp_path / "b.npy", mel.numpy())
    torch.save(mel.T.contiguous(), tmp_path / "c.pt")
    for name, turned in (("a.pt", ()), ("b.npy", ()), ("c.pt", ("--time-oriented",))):
        done = synthesize("from-spec", "-i", tmp_path / name, "-m", VOCODER, *turned)
        assert done.exit_code == 0, done.output
    sounds = [soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("a.pt", "b.npy", "c.pt")]
    assert len(sounds[0]) == 40 * HOP
    assert np.array_equal(sounds[0], sounds[1])
    assert np.array_equal(sounds[0], sounds[2])


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("-t", "a bed", "-O", "spec", "-s", "cy"), TextError, "one of ada, bo"),
        (("-t", "a bed", "-O", "spec", "-l", "deu"), TextError, "one of eng, fra"),
        (("-t", "a bed", "-O", "spec", "--pitch", "99"), TextError, "pitch is out of range"),
        (("-t", "a bed"), ExportError, "needs a vocoder"),
        (("-t", "a bed", "-v", ACOUSTIC), ExportError, "this is no vocoder"),
        (("-t", "a bed", "-v", EVERYVOICE.parent / "coqui_tts" / "hifigan.pth"), VoxgraftError, "can't read these"),
        (("-t", "a bed", "-O", "spec", "-T", "TMP/nowhere"), CorpusError, "there is no such|no such"),
        (("-f", "TMP/none.psv", "-O", "spec"), CorpusError, "no such filelist"),
        (("-f", "TMP/bad.csv", "-O", "spec"), CorpusError, "headings, among them `text`"),
    ],
)
def test_a_mistake_is_one_error_and_nothing_is_written(arguments, kind, words, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    named = [str(part).replace("TMP", str(tmp_path)) for part in arguments]
    done = synthesize("from-text", ACOUSTIC, *named, "-o", tmp_path / "out")
    assert isinstance(done.exception, kind), done.output
    assert any(word in str(done.exception) for word in words.split("|"))
    assert not list((tmp_path / "out").rglob("*")) if (tmp_path / "out").exists() else True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda mel: mel[:7], "(8, frames)"),
        (lambda mel: mel * np.nan, "no numbers (NaN or Inf)"),
        (lambda mel: mel[0], "(8, frames)"),
    ],
)
def test_what_is_no_spectrogram_is_one_error(change, words, tmp_path):
    np.save(tmp_path / "x.npy", change(np.zeros((8, 20), np.float32)))
    done = synthesize("from-spec", "-i", tmp_path / "x.npy", "-m", VOCODER)
    assert isinstance(done.exception, CorpusError)
    assert words in str(done.exception)
    assert done.exception.file == str(tmp_path / "x.npy")
    assert not (tmp_path / "x.npy.wav").exists()


def test_text_is_shown_as_a_text_to_spec_model_reads_it(tmp_path):
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.export.acoustic.onnx import export_acoustic

    exported = export_acoustic(open_checkpoint(ACOUSTIC), tmp_path, "model")
    shown = [
        json.loads(CliRunner().invoke(app, ["text", "a bad echo", "--voice", str(model), "--json"]).stdout)
        for model in (ACOUSTIC, exported)
    ]
    assert shown[0] == shown[1]
    assert shown[0]["unknown"] == {}
    assert len(shown[0]["ids"][0]) == 9, "ch is one symbol"
    vocoder = CliRunner().invoke(app, ["text", "a", "--voice", str(VOCODER)])
    assert isinstance(vocoder.exception, ExportError)
    assert vocoder.exception.field == "symbols"
