"""A corpus as an EveryVoice project: its layout and numbers, and back again."""

import json

import numpy as np
import pytest
import yaml
from tests.corpus.tones import tone

from voxgraft.audio.read import read_audio
from voxgraft.checkpoints.containers.torch.unpickle import read_torch_file
from voxgraft.config.everyvoice import read_everyvoice
from voxgraft.corpus.export_everyvoice import export_everyvoice
from voxgraft.corpus.importers import import_corpus
from voxgraft.errors import CorpusError

pytest.importorskip("pyworld")
pytest.importorskip("pyloudnorm")
RATE = 16000


@pytest.fixture
def exported(corpus, write, tmp_path):
    rows = []
    for number in range(4):
        write(f"wavs/{number}.wav", x=tone(0.4 + number / 20, pitch=120 + 40 * number))
        rows.append(f"{number}|{'ann' if number < 2 else 'bob'}|Text {number} a/b é\n")
    (corpus / "metadata.csv").write_text("".join(rows))
    manifest = import_corpus(corpus)
    export_everyvoice(manifest, tmp_path / "out", sample_rate=RATE)
    return manifest, tmp_path / "out"


def test_every_file_of_the_layout_is_there_and_fits(exported):
    _, folder = exported
    done = folder / "preprocessed"
    values = {"pitch": [], "energy": []}
    for number in range(4):
        stem = f"{number}--{'ann' if number < 2 else 'bob'}--default--"
        sound, rate = read_audio(done / "audio" / f"{stem}audio-{RATE}.wav")
        mel = read_torch_file(done / "spec" / f"{stem}spec-{RATE}-mel-librosa.pt").content.load()
        prior = read_torch_file(done / "attn" / f"{stem}characters-attn-prior.pt").content.load()
        assert (rate, mel.dtype, mel.shape[0]) == (RATE, np.float32, 80)
        assert len(sound) == mel.shape[1] * 256
        assert prior.shape == (mel.shape[1], len(f"Text {number} a/b é"))
        for kind, found in values.items():
            found.append(read_torch_file(done / kind / f"{stem}{kind}.pt").content.load())
            assert len(found[-1]) == mel.shape[1]
    stats = json.loads((done / "stats.json").read_text())
    for kind, found in values.items():
        together = np.concatenate(found)
        assert (together.mean(), together.std(ddof=1)) == pytest.approx((0, 1), abs=1e-4)
        assert (stats[kind]["norm_min"], stats[kind]["norm_max"]) == pytest.approx(
            (together.min(), together.max()), abs=1e-4
        )
    assert not (folder / ".cache").exists()


def test_tokens_escape_their_joiner(exported):
    _, folder = exported
    lines = (folder / "preprocessed" / "filelist.psv").read_text().splitlines()
    assert lines[0] == "basename|language|speaker|characters|character_tokens|label"
    assert lines[1] == "0|default|ann|Text 0 a/b é|T/e/x/t/ /0/ /a/<SLASH>/b/ /é|voxgraft"


def test_what_is_written_is_read_again(exported):
    manifest, folder = exported
    again = import_corpus(folder)
    assert {(u.id, u.text, u.speaker) for u in again} == {(u.id, u.text, u.speaker) for u in manifest}
    assert sorted(u.part for u in again) == ["training"] * 3 + ["validation"]
    raw = import_corpus(folder / "voxgraft-filelist.psv")
    assert [(u.id, u.text, u.speaker) for u in raw] == [(u.id, u.text, u.speaker) for u in manifest]


def test_configurations_name_what_is_there_and_state_nothing_for_their_user(exported):
    _, folder = exported
    for kind, task in (("text-to-spec", "acoustic"), ("spec-to-wav", "vocoder")):
        asked = read_everyvoice(folder / "config" / f"everyvoice-{kind}.yaml", kind)
        assert asked.settings["task"] == task
        assert asked.settings[f"{task}.spectrogram.sample_rate"] == RATE
        assert asked.settings["training.batch"] == 1
    text = yaml.safe_load((folder / "config" / "everyvoice-shared-text.yaml").read_text())
    assert text["symbols"]["voxgraft_characters"] == sorted(set("Text0123abé/"))
    data = yaml.safe_load((folder / "config" / "everyvoice-shared-data.yaml").read_text())
    assert data["source_data"][0]["permissions_obtained"] is False


def test_nothing_is_written_over(exported):
    manifest, folder = exported
    with pytest.raises(CorpusError, match="is there already and not empty"):
        export_everyvoice(manifest, folder)
