"""Recordings of every kind on their way into a recogniser's run, whole and broken, as `train-stt` takes them."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.training.tasks.ctc.tiny_recogniser import ENGLISH, LETTER_SECONDS, RATE, project, sung, tables

from voxgraft.errors import CorpusError
from voxgraft.training.tasks.ctc import setup
from voxgraft.training.tasks.ctc.coqui_stt import train_stt
from voxgraft.training.tasks.settle import settled_task

SMALL = ["corpus.shortest=0.1", "training.device=cpu", "training.batch=4"]


@pytest.fixture(autouse=True)
def _without_export(monkeypatch):
    monkeypatch.setattr(setup, "export_recogniser", lambda checkpoint, folder, name: folder / f"{name}.onnx")


@pytest.fixture
def named(tmp_path):
    """The tables of a tiny corpus."""
    return tables(tmp_path / "csv", ENGLISH)


def replaced(named, row, name, content=None, *, part="train", text=None):
    """Give a row of a table another recording: bytes, or what writes it to a path."""
    table = Path(named[part][0])
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    path = table.parent / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        content(path)
    size = path.stat().st_size if path.exists() else 0
    rows[row - 1] = [name, str(size), rows[row - 1][2] if text is None else text]
    with open(table, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def written(sound, rate=RATE, cut=None, **options):
    """Something that writes a sound, and then cuts the file to this share."""

    def write(path):
        soundfile.write(path, sound, rate, **options)
        if cut is not None:
            path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])

    return write


def arguments(folder, named):
    files = [argument for part in ("train", "dev", "test") for argument in (f"--{part}_files", *named[part])]
    return ["--checkpoint_dir", str(folder / "new"), *files, "--n_hidden", "8", "--epochs", "1"]


def begun(folder, named, **corpus):
    """The material of a run that has not stepped."""
    config = project(folder, recogniser=named, corpus=corpus)
    return setup.begin(settled_task(config)).data


KINDS = {
    "stereo.wav": written(np.stack([sung(ENGLISH[0]), sung(ENGLISH[0], 1)], axis=1)),
    "phone.wav": written(sung(ENGLISH[0])[::2], RATE // 2),
    "studio.wav": written(np.repeat(sung(ENGLISH[0]), 3), 3 * RATE, subtype="PCM_24"),
    "small.mp3": written(sung(ENGLISH[0]), format="MP3"),
    "small.flac": written(sung(ENGLISH[0])),
    "small.ogg": written(sung(ENGLISH[0]), format="OGG"),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_recording_is_heard_alike(tmp_path, named, name):
    plain = begun(tmp_path / "plain", named).train[0]
    replaced(named, 2, name, KINDS[name])
    other = begun(tmp_path / "other", named).train[0]
    assert other.heard.utterance.audio.endswith(name)
    assert other.heard.utterance.duration == pytest.approx(len(ENGLISH[0]) * LETTER_SECONDS + 0.1, abs=0.08)
    tones = [np.abs(np.fft.rfft(one.heard.sound, 1 << 14)) for one in (plain, other)]
    assert np.corrcoef(*tones)[0, 1] > 0.95, "the same tones, whatever holds them"


BROKEN = {
    "zero.wav": (written(np.zeros(0)), "holds no sound"),
    "empty.wav": (b"", "is empty"),
    "words.wav": (b"these are words", "is not audio that can be read"),
    "cut.wav": (written(sung(ENGLISH[2]), cut=0.5), "is cut off"),
    "cut.flac": (written(sung(ENGLISH[2]), cut=0.5), "is damaged"),
    "cut.mp3": (written(np.tile(sung(ENGLISH[2]), 6), cut=0.5, format="MP3"), "is cut off"),
    "strange.wav": (written(np.full(RATE, np.nan), subtype="FLOAT"), "not numbers"),
    "gone.wav": (None, "missing audio"),
    "short.wav": (written(sung("ab")[:1200]), "3 frames of output, its 7 labels need 7"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_recording_is_named_with_file_and_line_and_nothing_is_written(tmp_path, named, name):
    content, problem = BROKEN[name]
    replaced(named, 4, name, content)
    with pytest.raises(CorpusError) as caught:
        train_stt(arguments(tmp_path, named), ["corpus.shortest=0.01", *SMALL[1:]])
    assert caught.value.file == named["train"][0]
    assert f"1 recording can't be used: line 4: {name.split('.')[0]}: " in caught.value.summary
    assert problem in caught.value.summary
    assert "--skip-bad" in caught.value.remedy
    assert not (tmp_path / "new" / "runs").exists()


def test_with_skip_bad_the_rest_goes_on_and_each_is_told(tmp_path, named, capsys):
    for row, (name, (content, _)) in enumerate(list(BROKEN.items())[:5], 2):
        replaced(named, row, name, content)
    replaced(named, 7, "train-5.wav", text="cadç")
    result = train_stt(
        arguments(tmp_path, named), [*SMALL, "corpus.skip_bad=true", "graft.alphabet=" + letters(tmp_path)]
    )
    said = capsys.readouterr().err
    assert result.finished
    for row, name in enumerate(list(BROKEN)[:5], 2):
        assert f"left out: line {row}: {name.split('.')[0]}: unreadable audio: {BROKEN[name][1]}" in said
    assert "left out: line 7: train-5: outside the alphabet: no label writes ç (U+00E7) ×1" in said
    assert "2 utterances to learn from" in said


def letters(folder):
    path = folder / "alphabet.txt"
    path.write_text(" \na\nb\nc\nd\n", "utf-8")
    return str(path)


@pytest.mark.parametrize("part", ["dev", "test"])
def test_what_dev_and_test_hold_is_judged_too(tmp_path, named, part, capsys):
    replaced(named, 3, "cut.flac", BROKEN["cut.flac"][0], part=part)
    replaced(named, 4, "tick.wav", written(np.full(20, 0.1)), part=part)
    with pytest.raises(CorpusError, match=r"line 3: cut: unreadable audio .*; line 4: tick: too short") as caught:
        train_stt(arguments(tmp_path, named), SMALL)
    assert caught.value.file == named[part][0]
    assert len(getattr(begun(tmp_path / "run", named, skip_bad=True), part)) == 1
    assert "left out: line 3: cut: " in capsys.readouterr().err


def test_a_set_with_nothing_left_is_told_as_that(tmp_path, named):
    for row in (2, 3, 4):
        replaced(named, row, f"cut{row}.flac", BROKEN["cut.flac"][0], part="dev")
    with pytest.raises(CorpusError, match="none of the 3 recordings for dev can be used"):
        begun(tmp_path / "run", named, skip_bad=True)


def test_characters_are_summed_up_with_counts_clips_and_lines(tmp_path, named):
    for row, text in ((3, "çab"), (5, "çéb"), (9, "é ab")):
        replaced(named, row, f"train-{row - 2}.wav", text=text)
    command = [*arguments(tmp_path, named), "--alphabet_config_path", letters(tmp_path)]
    with pytest.raises(CorpusError) as caught:
        train_stt(command, SMALL)
    assert "3 recordings can't be used: 2 characters that no label writes, in 3 clips" in caught.value.summary
    assert "ç (U+00E7) ×2 in train-1 (train.csv line 3), train-3 (train.csv line 5)" in caught.value.summary
    assert "give an alphabet with these characters" in caught.value.remedy


def test_lengths_outside_the_limits_are_left_out_and_told(tmp_path, named, capsys):
    material = begun(tmp_path / "run", named, shortest=0.5, longest=0.9)
    assert [one.text for one in material.train] == ["abba", "acca", "cadc"]
    assert "outside corpus.shortest 0.5 to corpus.longest 0.9 s: train-1 (0.46 s)" in capsys.readouterr().err
    with pytest.raises(CorpusError, match=r"none of the 8 recordings is as long as wanted .*expected 5 to 15 s"):
        begun(tmp_path / "run", named, shortest=5.0)


def test_sizes_that_differ_leaks_and_letters_without_use_are_told_and_stop_nothing(tmp_path, named, capsys):
    table = Path(named["train"][0])
    size = (table.parent / "train-0.wav").stat().st_size
    assert f",{size}," in table.read_text("utf-8")
    table.write_text(table.read_text("utf-8").replace(f",{size},", ",7,"), "utf-8")
    config = project(tmp_path / "run", DEEPSPEECH / "english", recogniser=named)
    setup.begin(settled_task(config))
    said = capsys.readouterr().err
    assert f"warning: wrong size: train-0: '7' bytes are written, the file has {size}" in said
    assert "warning: text in two sets: 3 of 3 utterances of dev share it with train" in said
    assert "warning: unused labels: " in said


def test_what_is_odd_about_an_alphabet_is_told_with_its_line_before_training(tmp_path, named, capsys):
    path = tmp_path / "alphabet.txt"
    path.write_text(" \na\n\nb\nc\nd\n[UNK]\n", "utf-8")
    config = project(tmp_path / "run", recogniser=named, graft={"alphabet": str(path)})
    setup.begin(settled_task(config))
    said = capsys.readouterr().err
    assert "warning: alphabet.txt line 3: alphabet: is an empty line" in said
    assert "warning: alphabet.txt line 7: alphabet: [UNK] is a mark" in said
