"""Export to LJSpeech's layout, and what a corpus holds in numbers."""

import pytest

from voxgraft.corpus.checks.statistics import describe
from voxgraft.corpus.export import export_ljspeech
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.errors import CorpusError


@pytest.fixture
def manifest(write) -> Manifest:
    one = write("one.flac", 1.0, 22050)
    two = write("two.mp3", 2.0, 16000)
    return Manifest(
        (
            Utterance("ann/one", str(one), "Hi | there", 1.2, 22050, speaker="ann"),
            Utterance("bob/one", str(two), "Bye", 2.2, 16000, speaker="bob"),
            Utterance("ann_one", str(one), "Bye", 1.2, 22050, speaker="ann"),
        )
    )


def test_what_is_exported_can_be_imported(manifest, tmp_path):
    export_ljspeech(manifest, tmp_path / "out")
    again = import_corpus(tmp_path / "out")
    assert [(u.id, u.text, u.speaker) for u in again] == [
        ("ann_one", "Hi there", "ann"),
        ("bob_one", "Bye", "bob"),
        ("ann_one-2", "Bye", "ann"),
    ]
    assert [u.sample_rate for u in again] == [22050, 16000, 22050]


def test_an_id_that_leads_elsewhere_stays_inside(manifest, tmp_path):
    evil = Manifest((Utterance("../../evil", manifest.utterances[0].audio, "Hi", 1.2, 22050),))
    export_ljspeech(evil, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.rglob("*.wav")) == ["_.._evil.wav"]
    assert (tmp_path / "out/metadata.csv").read_text() == "_.._evil|Hi\n"


def test_nothing_is_overwritten(manifest, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("x")
    with pytest.raises(CorpusError, match="there already"):
        export_ljspeech(manifest, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine"]


def test_numbers(manifest):
    facts = describe(manifest)
    assert facts["clips"] == 3
    assert facts["seconds"] == pytest.approx(4.6)
    assert facts["speakers"] == {"ann": 2, "bob": 1}
    assert facts["sample_rates"] == {"22050": 2, "16000": 1}
    assert facts["distinct_texts"] == 2
    assert facts["words"] == 4
    assert describe(Manifest(()))["longest"] is None
