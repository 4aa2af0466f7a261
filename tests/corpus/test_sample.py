"""The bundled corpus is what its licence file says it is."""

from pathlib import Path

from voxgraft.corpus import sample
from voxgraft.corpus.checks.check import check
from voxgraft.corpus.split import split, text_key


def test_sixty_clips_twelve_held_out():
    manifest = sample.bundled()
    assert len(manifest) == 60
    assert len({text_key(u.text) for u in manifest}) == 60
    assert {u.sample_rate for u in manifest} == {16000}
    assert all(3 <= u.duration <= 8 for u in manifest)
    assert 280 < manifest.seconds < 330
    parts = split(manifest, 8, sample.held_out_ids())
    assert [len(part) for part in (parts.train, parts.validation, parts.held_out)] == [40, 8, 12]


def test_it_passes_its_own_check():
    assert [f for f in check(sample.bundled()) if f.clip != "*"] == []


def test_size_and_licence():
    files = [p for p in Path(sample.FOLDER).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 8_000_000
    assert max(p.stat().st_size for p in files) < 1_000_000
    licence = (sample.FOLDER / "LICENSE").read_text("utf-8")
    assert "CC-BY-SA-3.0" in licence
    assert "Allison Smith" in licence
