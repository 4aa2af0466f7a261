from types import SimpleNamespace

import pytest
from tests.graft.tiny_vits import make_vits

import voxgraft.training.tasks.vits.texts as texts
from voxgraft.training.tasks.vits.texts import KeptTexts

torch = pytest.importorskip("torch")


def batch(clips, lengths):
    """As much of a batch as texts need: the same clip always has the same ids."""
    ids = torch.zeros(len(clips), max(lengths), dtype=torch.long)
    for row, clip, length in zip(ids, clips, lengths, strict=True):
        row[:length] = torch.arange(clip, clip + length) % 15 + 1
    return SimpleNamespace(ids=ids, id_lengths=torch.tensor(lengths), clips=tuple(clips), symbols=tuple(lengths))


def test_kept_encodings_equal_fresh_ones_in_other_company():
    model = make_vits(0, 1).freeze(["text_encoder"])
    kept = KeptTexts()
    kept.encode(model, batch([0, 1], [5, 9]))
    again = kept.encode(model, batch([2, 0, 1], [7, 5, 9]))
    fresh = model.encode_text(*(getattr(batch([2, 0, 1], [7, 5, 9]), name) for name in ("ids", "id_lengths")))
    for name in ("hidden", "m_p", "logs_p", "mask"):
        wanted = getattr(fresh, name) * fresh.mask
        assert torch.allclose(getattr(again, name), wanted, atol=1e-6), name


def test_what_is_frozen_is_encoded_once(monkeypatch):
    model = make_vits(0, 1).freeze(["text_encoder"])
    kept = KeptTexts()
    kept.encode(model, batch([0, 1], [5, 9]))
    monkeypatch.setattr(model, "encode_text", lambda *_: pytest.fail("encoded again"))
    kept.encode(model, batch([1, 0], [9, 5]))


def test_a_text_encoder_that_learns_is_asked_every_time():
    model = make_vits(0, 1)
    kept = KeptTexts()
    before = kept.encode(model, batch([0], [5])).m_p
    with torch.no_grad():
        model.enc_p.proj.bias.add_(1)
    assert not torch.allclose(kept.encode(model, batch([0], [5])).m_p, before)


def test_no_more_is_kept_than_allowed(monkeypatch):
    model = make_vits(0, 1).freeze(["text_encoder"])
    monkeypatch.setattr(texts, "MOST_BYTES", 3 * 8 * 5 * 4)
    kept = KeptTexts()
    first = kept.encode(model, batch([0, 1], [5, 5])).m_p
    assert len(kept._kept) == 1
    assert torch.allclose(kept.encode(model, batch([0, 1], [5, 5])).m_p, first, atol=1e-6)
