"""Vocos: names, lengths, and that it can learn a sound."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from voxgraft.models.vocoders.vocos import Vocos  # noqa: E402

TINY = {"mels": 8, "channels": 12, "hidden": 20, "layers": 2, "n_fft": 64, "hop": 16}


def test_names_are_the_authors():
    names = set(Vocos(**TINY).state_dict())
    wanted = {
        f"backbone.{stem}.{kind}" for stem in ("embed", "norm", "final_layer_norm") for kind in ("weight", "bias")
    }
    for block in range(2):
        stems = ("dwconv", "norm", "pwconv1", "pwconv2")
        wanted |= {f"backbone.convnext.{block}.{stem}.{kind}" for stem in stems for kind in ("weight", "bias")}
        wanted.add(f"backbone.convnext.{block}.gamma")
    assert names == wanted | {"head.out.weight", "head.out.bias"}


@pytest.mark.parametrize("frames", [4, 5, 17])
def test_a_frame_becomes_a_hop(frames):
    mel = torch.randn(3, 8, frames)
    model = Vocos(**TINY)
    audio = model(mel)
    assert audio.shape == (3, 1, frames * 16)
    alone = torch.cat([model(one[None]) for one in mel])
    torch.testing.assert_close(audio, alone, rtol=1e-4, atol=1e-6)


def test_the_spectrum_is_what_it_speaks():
    model, mel = Vocos(**TINY).eval(), torch.randn(2, 8, 9)
    magnitude, cosine, sine = model.spectrum(mel)
    assert magnitude.min() > 0
    torch.testing.assert_close(cosine.square() + sine.square(), torch.ones_like(cosine))
    torch.testing.assert_close(model.head.transform(magnitude * cosine, magnitude * sine), model(mel))


def test_a_magnitude_that_runs_away_is_held():
    model = Vocos(**TINY)
    with torch.no_grad():
        model.head.out.bias += 1000
        magnitude, _, _ = model.spectrum(torch.randn(1, 8, 5))
    assert magnitude.max() == 100
