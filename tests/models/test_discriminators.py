"""Discriminators: Piper's judgements from Piper's weights; one contract for all."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.fixtures.make_piper_pass import provide_alignment  # noqa: E402
from tests.models.piper_pass import FOLDER, numbered_weights  # noqa: E402

from voxgraft.models.discriminators import LightDiscriminator, PiperDiscriminator  # noqa: E402
from voxgraft.models.discriminators.period import PeriodDiscriminator, phases  # noqa: E402
from voxgraft.models.weight_norm import shared_weights  # noqa: E402


@pytest.fixture(scope="module")
def piper():
    model = PiperDiscriminator().eval()
    numbered_weights(model)
    return model


def test_judgements_are_pipers(piper):
    with np.load(FOLDER / "discriminators.npz") as wanted, torch.no_grad():
        judged = piper(torch.from_numpy(wanted["audio"]))
        assert len(judged) == 6
        for part, (score, features) in enumerate(judged):
            np.testing.assert_allclose(score, wanted[f"score.{part}"], rtol=1e-3, atol=1e-3)
            levels = [float(x.abs().mean()) for x in features]
            np.testing.assert_allclose(levels, wanted[f"levels.{part}"], rtol=1e-3)


def test_names_and_shapes_are_pipers():
    pytest.importorskip("piper.train.vits")
    provide_alignment()
    from piper.train.vits.models import MultiPeriodDiscriminator

    with torch.device("meta"):
        ours, theirs = PiperDiscriminator().state_dict(), MultiPeriodDiscriminator().state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
    assert sum(v.numel() for v in ours.values()) == pytest.approx(46.7e6, rel=0.01)


@pytest.mark.parametrize("make", [lambda: PeriodDiscriminator(3, (4, 4, 8)), LightDiscriminator])
def test_a_clip_is_judged_alike_alone_and_in_a_full_batch(make):
    """The layout changes with the size of the batch; the judgement doesn't."""
    torch.manual_seed(0)
    model, audio = make(), torch.randn(9, 1, 2050)
    together, alone = (model(x) for x in (audio, audio[:1]))
    for (score, _), (single, _) in zip(*((j,) if isinstance(j, tuple) else j for j in (together, alone)), strict=True):
        assert score.shape[0] == 9
        torch.testing.assert_close(score[:1], single, rtol=1e-4, atol=1e-5)


def test_scale_discriminator_is_the_same_in_both_layouts(piper):
    audio = torch.randn(8, 1, 800)
    scale = piper.discriminators[0]
    beside, _ = scale(audio)
    with torch.no_grad():
        apart, _ = scale(audio)
    assert beside.requires_grad
    torch.testing.assert_close(beside.detach(), apart, rtol=1e-3, atol=1e-3)


def test_phases_extend_by_reflection():
    audio = torch.arange(7.0).view(1, 1, 7)
    assert phases(audio, 3).tolist() == [[[[0, 1, 2], [3, 4, 5], [6, 5, 4]]]]


def test_shared_weights_are_computed_once_and_let_go():
    model, audio = LightDiscriminator(), torch.randn(2, 1, 2050)
    plain = [score for score, _ in model(audio)]
    with shared_weights(model):
        conv = model.discriminators[0].convs[0]
        assert conv.effective_weight() is conv.effective_weight()
        shared = [score for score, _ in model(audio)]
    assert conv.shared is None
    for a, b in zip(plain, shared, strict=True):
        assert torch.equal(a, b)


def test_light_is_light():
    assert sum(p.numel() for p in LightDiscriminator().parameters()) < 2e6
