"""A step of a vocoder: pieces add up, the generator hears its discriminators, and each network is clipped by its own gradients."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from tests.training.tasks.vocoder.tiny_vocoder import TINY, project  # noqa: E402

from voxgraft.audio.spec import AudioSpec  # noqa: E402
from voxgraft.config.tasks.vocoder import VocoderConfig, VocoderWeights  # noqa: E402
from voxgraft.graft.shapes import discriminator_module  # noqa: E402
from voxgraft.models.discriminators import Discriminators, MultiPeriodDiscriminator, MultiScaleDiscriminator  # noqa: E402
from voxgraft.models.discriminators.losses import adversarial_loss, feature_loss  # noqa: E402
from voxgraft.models.networks import network_of  # noqa: E402
from voxgraft.models.vocoders.speak import noise_channels  # noqa: E402
from voxgraft.training.loop.learner import Position  # noqa: E402
from voxgraft.training.loop.processes import Processes  # noqa: E402
from voxgraft.training.loop.step import gradients, take_step  # noqa: E402
from voxgraft.training.tasks.vocoder.batches import Batch  # noqa: E402
from voxgraft.training.tasks.vocoder.module import VocoderLearner  # noqa: E402
from voxgraft.training.tasks.vocoder.usual import settled, usual_of  # noqa: E402

SPEC = AudioSpec(magnitude_floor=1e-9, **TINY)
FRAMES = 48
ARCHITECTURES = {
    "hifigan": {
        "resblock": "2", "resblock_kernels": (3,), "resblock_dilations": ((1, 2),), "upsample_rates": (8, 4),
        "upsample_initial_channel": 8, "upsample_kernels": (16, 8),
    },
    "univnet": {"noise_channels": 4, "channels": 4, "strides": (8, 4), "dilations": (1, 3), "predictor_channels": 8},
    "vocos": {"channels": 8, "hidden": 16, "layers": 2, "n_fft": 128, "hop": 32},
}  # fmt: skip
STAGES = ((4, 15, 1, 1), (8, 41, 2, 4), (8, 5, 1, 1))


def judges():
    return Discriminators(
        {"mpd": MultiPeriodDiscriminator((2, 3), (2, 4, 4, 4, 4)), "msd": MultiScaleDiscriminator(2, STAGES)}
    )


def learner(family="hifigan", **given):
    torch.manual_seed(0)
    whole = network_of(family, {"mels": 8, **ARCHITECTURES[family]})
    whole.discriminator = judges()
    settings = settled(VocoderConfig(**given), usual_of(family), from_scratch=True)
    return VocoderLearner(whole, SPEC, settings, ema=0.9, steps_per_epoch=10)


def batch_for(learner, clips=4):
    draw = torch.Generator().manual_seed(1)
    return Batch(
        mel=torch.randn(clips, 8, FRAMES, generator=draw) - 4,
        audio=0.3 * torch.randn(clips, FRAMES * 32, generator=draw),
        noise=torch.randn(clips, noise_channels(learner.generator), FRAMES, generator=draw),
        clips=tuple(range(clips)),
        total=clips,
    )


def gradients_of(learner, batch, pieces=1):
    learner.begin_step(batch, Position(10), 1.0, Processes())
    gradients(learner, batch, Position(10, pieces=pieces))
    return {name: p.grad.clone() for name, p in learner.whole.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("family", sorted(ARCHITECTURES))
def test_pieces_add_up(family):
    found = []
    for pieces in (1, 4):
        one = learner(family)
        # In single precision logarithms of near silence drown in rounding.
        one.whole.double()
        batch = batch_for(one)._each(torch.Tensor.double)
        found.append(gradients_of(one, batch, pieces=pieces))
    assert set(found[0]) == set(found[1]) == {name for name, _ in one.whole.named_parameters()}
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-6, atol=1e-9 + 1e-8 * float(gradient.abs().max()))


@pytest.mark.parametrize("family", sorted(ARCHITECTURES))
def test_the_generator_learns_from_its_discriminators(family):
    """With no other loss, its gradient is that of what they say of its sound; and theirs is of both kinds of sound."""
    alone = learner(family, weights=VocoderWeights(mel=0, stft=0, adversarial=1, feature=2))
    batch = batch_for(alone)
    found = gradients_of(alone, batch)
    fake = alone.generator(*((batch.mel, batch.noise) if family == "univnet" else (batch.mel,)))
    of_real, of_fake = alone.discriminator(batch.audio.unsqueeze(1)), alone.discriminator(fake)
    loss = adversarial_loss(of_fake) + 2 * feature_loss(of_real, of_fake)
    named = dict(alone.generator.named_parameters())
    wanted = torch.autograd.grad(loss, list(named.values()))
    for name, gradient in zip(named, wanted, strict=True):
        assert gradient.abs().sum() > 0
        torch.testing.assert_close(
            found[f"generator.{name}"], gradient, rtol=1e-3, atol=1e-4 * float(gradient.abs().max()) + 1e-9
        )
    assert all(found[f"discriminator.{name}"].abs().sum() > 0 for name, _ in alone.discriminator.named_parameters())


def test_a_step_towards_the_discriminators_raises_what_they_say():
    alone = learner(
        weights=VocoderWeights(mel=0, stft=0, adversarial=1, feature=0),
        learning_rates={"generator": 1e-3, "discriminator": 0},
    )
    batch = batch_for(alone)

    def score():
        with torch.no_grad():
            return float(adversarial_loss(alone.discriminator(alone.generator(batch.mel))))

    before = score()
    for step in range(8):
        alone.begin_step(batch, Position(10, step=step), 1.0, Processes())
        gradients(alone, batch, Position(10))
        alone.optimisers[0].step()
    assert score() < before - 0.01


def test_each_network_is_clipped_by_its_own_gradients(tmp_path):
    """A generator with huge gradients is clipped, whatever the discriminators' are, and the other way round."""
    config = project(tmp_path)
    found, unclipped = (learner(weights=VocoderWeights(mel=1e6, stft=0, adversarial=1, feature=2)) for _ in range(2))
    batch = batch_for(found)
    settings = config.training.model_copy(update={"gradient_clip": 0.5})
    own = gradients_of(unclipped, batch)
    terms = take_step(found, batch, settings, Position(10), 0, Processes())
    norms = {
        prefix: float(torch.stack([p.grad.norm() for p in network.parameters()]).norm())
        for prefix, network in found.networks.items()
    }
    assert norms == pytest.approx({"": 0.5, "discriminator_": 0.5}, rel=1e-3)
    for prefix, name in (("", "generator."), ("discriminator_", "discriminator.")):
        whole = float(torch.stack([g.norm() for n, g in own.items() if n.startswith(name)]).norm())
        assert float(terms[f"{prefix}gradient_norm"]) == pytest.approx(whole, rel=1e-2)


def test_discriminators_come_in_when_they_are_wanted():
    late = learner(adversarial_from=3)
    batch = batch_for(late)
    for step, judged in ((2, False), (3, True)):
        late.begin_step(batch, Position(10, step=step), 1.0, Processes())
        losses, terms = late.losses(batch)
        assert (len(losses) == 2, "discriminator" in terms, "discriminator_" in late.networks) == (judged,) * 3


def test_new_discriminators_learn_alone_at_first():
    found = learner()
    found.adversarial_from = 2
    batch = batch_for(found)
    for step, learns in ((1, False), (2, True)):
        found.begin_step(batch, Position(10, step=step), 1.0, Processes())
        loss, judged, terms = found.whole_losses(batch)
        assert judged is not None
        beyond = float((loss - 45 * terms["mel"]).detach())
        assert (abs(beyond) > 1) == learns


def test_first_layers_stay_as_they_are():
    found = learner(freeze_discriminator=3)
    frozen = {name for name, p in found.discriminator.named_parameters() if not p.requires_grad}
    wanted = {f"mpd.discriminators.{d}.convs.{n}." for d in range(2) for n in range(3)}
    # The tiny ones by scale have three convolutions before the last.
    wanted |= {f"msd.discriminators.{d}.convs.{n}." for d in range(2) for n in range(3)}
    assert {name.rpartition(".")[0] + "." for name in frozen} == wanted


def test_one_more_layer_of_those_by_scale_stays():
    torch.manual_seed(0)
    whole = network_of("hifigan", {"mels": 8, **ARCHITECTURES["hifigan"]})
    with torch.device("meta"):
        whole.discriminator = discriminator_module("hifigan")
    from voxgraft.training.tasks.vocoder.module import freeze_first_layers

    freeze_first_layers(whole.discriminator, 3)
    kept = {n.rpartition(".")[0] for n, p in whole.discriminator.named_parameters() if not p.requires_grad}
    assert kept == {f"mpd.discriminators.{d}.convs.{n}" for d in range(5) for n in range(3)} | {
        f"msd.discriminators.{d}.convs.{n}" for d in range(3) for n in range(4)
    }


def test_rates_fall_with_each_epoch():
    found = learner(decay_per_epoch=0.5)
    for step, rate in ((9, 2e-4), (10, 1e-4), (25, 5e-5)):
        found.begin_step(None, Position(100, step=step), 1.0, Processes())
        assert [group["lr"] for o in found.optimisers for group in o.param_groups] == pytest.approx([rate, rate])
