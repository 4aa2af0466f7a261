"""The discriminators of vocoders judge as those whose weights they take; every loss is that of the original."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths

torch = pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.models.discriminators import (  # noqa: E402
    MultiPeriodDiscriminator,
    MultiResolutionDiscriminator,
    MultiScaleDiscriminator,
    discriminators,
)
from voxgraft.models.discriminators.losses import adversarial_loss, discriminator_loss, feature_loss  # noqa: E402
from voxgraft.models.discriminators.scale import LAYERS  # noqa: E402
from voxgraft.models.discriminators.together import KINDS, Discriminators  # noqa: E402
from voxgraft.models.spectral_norm import SpectralConv1d, approach_spectra  # noqa: E402
from voxgraft.models.vocoders.hifigan import HifiGan  # noqa: E402

EVERYVOICE = paths.FIXTURES / "everyvoice"
NARROWER = 128


def narrow_layers():
    return tuple((o // NARROWER, k, s, 1) for o, k, s, _ in LAYERS)


@pytest.fixture
def checkpoint():
    return open_checkpoint(EVERYVOICE / "spec-to-wav.ckpt")


def weights(checkpoint, prefix):
    names = [name for name in checkpoint.tensors if name.startswith(prefix)]
    return {name.removeprefix(prefix): torch.from_numpy(np.array(checkpoint.tensors[name])) for name in names}


@pytest.fixture
def judges(checkpoint):
    judges = Discriminators(
        {
            "mpd": MultiPeriodDiscriminator((2, 3), (1, 1, 4, 8, 8)),
            "msd": MultiScaleDiscriminator(2, narrow_layers()),
        }
    )
    judges.load_state_dict(weights(checkpoint, "discriminator."))
    return judges


@pytest.fixture
def wanted():
    with np.load(EVERYVOICE / "gan.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file}


@pytest.mark.parametrize("part", ["mpd", "msd"])
def test_scores_and_losses_are_everyvoices(judges, wanted, part):
    of_real, of_fake = judges[part](wanted["audio"]), judges[part](wanted["fake"])
    for kind, found in (("real", of_real), ("fake", of_fake)):
        for number, (score, _) in enumerate(found):
            torch.testing.assert_close(score, wanted[f"{part}.{kind}.{number}"], rtol=1e-4, atol=1e-5)
    losses = {
        # EveryVoice's has the weight of 2 in it.
        "feature": 2 * feature_loss(of_real, of_fake),
        "adversarial": adversarial_loss(of_fake),
        "discriminator": discriminator_loss(of_real, of_fake),
    }
    for name, loss in losses.items():
        torch.testing.assert_close(loss, wanted[f"{part}.{name}"], rtol=1e-4, atol=1e-5)


def test_gradients_are_everyvoices(judges, wanted, checkpoint):
    generator = HifiGan(**checkpoint.architecture)
    generator.load_state_dict(weights(checkpoint, "generator."))
    fake = generator(wanted["mel"])
    of_real, of_fake = judges(wanted["audio"]), judges(fake)
    loss = adversarial_loss(of_fake) + 2 * feature_loss(of_real, of_fake)
    (found,) = torch.autograd.grad(loss, generator.conv_pre.bias)
    torch.testing.assert_close(found, wanted["gradient.generator"], rtol=1e-3, atol=1e-5)
    loss = discriminator_loss(judges(wanted["audio"]), judges(fake.detach()))
    layers = judges["mpd"].discriminators[1].convs[0].bias, judges["msd"].discriminators[0].convs[0].weight_orig
    found = torch.autograd.grad(loss, layers)
    for gradient, part in zip(found, ("mpd", "msd"), strict=True):
        torch.testing.assert_close(gradient, wanted[f"gradient.{part}"], rtol=1e-3, atol=1e-6)


def test_full_size_names_and_shapes_are_those_of_the_checkpoints():
    with torch.device("meta"):
        shapes = {name: tuple(t.shape) for name, t in discriminators("hifigan").state_dict().items()}
        univnet = {name: tuple(t.shape) for name, t in discriminators("univnet").state_dict().items()}
    assert shapes["msd.discriminators.0.convs.4.weight_orig"] == (1024, 32, 41)
    assert shapes["msd.discriminators.0.convs.6.weight_v"] == (5120,)
    assert shapes["msd.discriminators.2.convs.5.weight_g"] == (1024, 1, 1)
    assert shapes["mpd.discriminators.4.conv_post.weight_v"] == (1, 1024, 3, 1)
    of_msd = sum(np.prod(s) for n, s in shapes.items() if n.startswith("msd.") and not n.endswith(("_u", "0._v")))
    of_mpd = sum(np.prod(s) for n, s in shapes.items() if n.startswith("mpd."))
    assert (of_mpd, of_msd) == pytest.approx((41.1e6, 29.6e6), rel=0.01)
    of_mrd = sum(np.prod(s) for n, s in univnet.items() if n.startswith("mrd."))
    of_mpd = sum(np.prod(s) for n, s in univnet.items() if n.startswith("mpd."))
    assert (of_mrd, of_mpd) == pytest.approx((0.28e6, 17.44e6), rel=0.01)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"hifigan"}))
def test_every_kind_judges_a_batch(kind):
    torch.manual_seed(0)
    judges, audio = discriminators(kind), 0.1 * torch.randn(2, 1, 2048)
    with torch.no_grad():
        found, alone = judges(audio), judges(audio[:1])
    assert len(found) >= 6
    for (score, features), (single, _) in zip(found, alone, strict=True):
        assert score.shape[0] == 2
        assert len(features) >= 5
        torch.testing.assert_close(score[:1], single, rtol=1e-3, atol=1e-5)


def test_clips_side_by_side_are_judged_as_alone():
    torch.manual_seed(0)
    judge, audio = MultiScaleDiscriminator(2, narrow_layers()), 0.3 * torch.randn(5, 1, 1000)
    together = judge(audio)
    assert together[0][1][-1].dim() == 4
    with torch.no_grad():
        alone = judge(audio)
    for (score, _), (single, features) in zip(together, alone, strict=True):
        assert features[-1].dim() == 3
        torch.testing.assert_close(score.detach(), single, rtol=1e-4, atol=1e-6)


def test_silence_has_a_finite_gradient():
    audio = torch.zeros(1, 1, 4096, requires_grad=True)
    for score, _ in MultiResolutionDiscriminator(width=4)(audio):
        score.sum().backward()
    assert torch.isfinite(audio.grad).all()


def test_spectral_norm_comes_near_the_largest_singular_value():
    torch.manual_seed(0)
    conv = SpectralConv1d(torch.nn.Conv1d(6, 8, 5))
    for _ in range(60):
        approach_spectra(conv)
    largest = torch.linalg.svdvals(conv.weight_orig.flatten(1))[0]
    torch.testing.assert_close(conv.effective_weight() * largest, conv.weight_orig, rtol=1e-3, atol=1e-4)


def test_spectral_norm_is_torchs():
    torch.manual_seed(0)
    plain = torch.nn.Conv1d(4, 6, 3)
    ours = SpectralConv1d(plain)
    theirs = torch.nn.utils.spectral_norm(plain)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 9)
    theirs.train()
    expected = theirs(x)
    approach_spectra(ours)
    torch.testing.assert_close(ours(x), expected)
    torch.testing.assert_close(ours.weight_u, theirs.weight_u)
