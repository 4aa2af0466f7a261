"""The one-pass step has the gradients of two separate passes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from tests.models.piper_pass import restored, tiny_vits  # noqa: E402

from voxgraft.audio.spec import AudioSpec  # noqa: E402
from voxgraft.models.discriminators import LightDiscriminator  # noqa: E402
from voxgraft.models.discriminators.losses import adversarial_loss, discriminator_loss, feature_loss, kl_loss  # noqa: E402
from voxgraft.models.spectral import linear_spectrogram, mel_spectrogram, spectrogram_to_mel  # noqa: E402
from voxgraft.models.vits.masks import segments  # noqa: E402
from voxgraft.training.loop.adversarial import adversarial_losses  # noqa: E402
from voxgraft.training.tasks.vits.reconstruction import reconstruction_terms  # noqa: E402

SPEC = AudioSpec(sample_rate=16000, n_fft=64, hop=8, win=64, n_mels=8)
FRAMES = 30
PIPER_WEIGHTS = {"mel": 45.0, "kl": 1.0, "duration": 1.0, "adversarial": 1.0, "feature": 2.0}


@pytest.fixture
def networks():
    torch.manual_seed(0)
    generator, _ = restored("single")
    return generator.double(), LightDiscriminator((2, 3), (4, 8), (32, 64), 4).double()


@pytest.fixture
def batch():
    draw = torch.Generator().manual_seed(0)
    frames = torch.tensor([60, 47, 52, 40])
    audio = torch.zeros(4, 60 * SPEC.hop, dtype=torch.float64)
    for row, count in zip(audio, frames.tolist(), strict=True):
        row[: count * SPEC.hop] = 0.3 * torch.randn(count * SPEC.hop, generator=draw, dtype=torch.float64)
    return {
        "ids": torch.randint(1, 24, (4, 12), generator=draw),
        "lengths": torch.tensor([12, 9, 11, 7]),
        "spectrogram": linear_spectrogram(audio, SPEC),
        "spectrogram_lengths": frames,
        "audio": audio,
    }


def plain_gradients(generator, discriminator, batch):
    """HiFi-GAN's and VITS's steps as the papers have them: a pass of the discriminators for each network."""
    output = generator(
        batch["ids"], batch["lengths"], batch["spectrogram"], batch["spectrogram_lengths"], segment_frames=FRAMES,
        generator=torch.Generator().manual_seed(3),
    )  # fmt: skip
    real = segments(batch["audio"].unsqueeze(1), output.starts * SPEC.hop, FRAMES * SPEC.hop)
    mel = spectrogram_to_mel(segments(batch["spectrogram"], output.starts, FRAMES), SPEC)
    of_real, of_fake = discriminator(real), discriminator(output.audio)
    loss = (
        45 * (mel_spectrogram(output.audio.squeeze(1), SPEC) - mel).abs().mean()
        + kl_loss(output.z_p, output.logs_q, output.m_p, output.logs_p, output.mask)
        + output.duration_loss
        + adversarial_loss(of_fake)
        + 2 * feature_loss(of_real, of_fake)
    )
    loss.backward()
    discriminator.zero_grad()
    against = discriminator_loss(discriminator(real), discriminator(output.audio.detach()))
    against.backward()
    return loss, against, gradients(generator), gradients(discriminator)


def gradients(model):
    taken = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return taken


def step(generator, discriminator, batch, weights=PIPER_WEIGHTS, autocast=None, draw=3):
    """Losses of whole clips as Piper's trainer has them, from the terms that our step is made of."""
    with torch.autocast("cpu", dtype=autocast, enabled=autocast is not None):
        output = generator(
            batch["ids"], batch["lengths"], batch["spectrogram"], batch["spectrogram_lengths"], segment_frames=FRAMES,
            generator=torch.Generator().manual_seed(draw) if draw is not None else None,
        )  # fmt: skip
    terms = reconstruction_terms(output, batch["spectrogram"], SPEC, FRAMES)
    total = sum(weights[name] * value for name, value in terms.items())
    if discriminator is None:
        return SimpleNamespace(generator=total, discriminator=None, terms=terms)
    real = segments(batch["audio"].unsqueeze(1), output.starts * SPEC.hop, FRAMES * SPEC.hop)
    with torch.autocast("cpu", dtype=autocast, enabled=autocast is not None):
        found = adversarial_losses(discriminator, real, output.audio, weights["adversarial"], weights["feature"])
    return SimpleNamespace(
        generator=total + found.for_generator, discriminator=found.for_discriminator, terms=terms | dict(found.terms)
    )


@pytest.mark.parametrize("generator_first", [True, False])
def test_gradients_equal_a_plain_reference(networks, batch, generator_first):
    generator, discriminator = networks
    loss, against, of_generator, of_discriminator = plain_gradients(generator, discriminator, batch)
    losses = step(generator, discriminator, batch)
    order = (losses.generator, losses.discriminator)
    for each in order if generator_first else reversed(order):
        each.backward()
    assert float(losses.generator) == pytest.approx(float(loss), rel=1e-9)
    assert float(losses.discriminator) == pytest.approx(float(against), rel=1e-9)
    for wanted, got in ((of_generator, gradients(generator)), (of_discriminator, gradients(discriminator))):
        assert wanted.keys() == got.keys()
        assert max(float(gradient.abs().max()) for gradient in wanted.values()) > 1e-3
        for name, gradient in wanted.items():
            torch.testing.assert_close(got[name], gradient, rtol=1e-6, atol=1e-8, msg=name)


def test_discriminators_without_weight_learn_but_do_not_teach(networks, batch):
    generator, discriminator = networks
    step(generator, None, batch).generator.backward()
    alone = gradients(generator)
    losses = step(generator, discriminator, batch, weights=PIPER_WEIGHTS | {"adversarial": 0.0, "feature": 0.0})
    losses.generator.backward()
    assert not gradients(discriminator)
    losses.discriminator.backward()
    assert gradients(discriminator)
    for name, gradient in gradients(generator).items():
        torch.testing.assert_close(gradient, alone[name], rtol=0, atol=0)


def test_a_frozen_generator_still_trains_discriminators(networks, batch):
    generator, discriminator = networks
    generator.requires_grad_(False)
    losses = step(generator, discriminator, batch)
    assert not losses.generator.requires_grad
    losses.discriminator.backward()
    assert gradients(discriminator)


def test_bfloat16_is_near_float32(batch):
    torch.manual_seed(0)
    generator, discriminator = tiny_vits().eval(), LightDiscriminator((2, 3), (4, 8), (32, 64), 4)
    batch = {name: value.float() if value.is_floating_point() else value for name, value in batch.items()}
    full, half = (step(generator, discriminator, batch, autocast=dtype) for dtype in (None, torch.bfloat16))
    assert half.generator.dtype == torch.float32
    assert float(half.terms["mel"]) == pytest.approx(float(full.terms["mel"]), rel=0.02)
    half.generator.backward()
    half.discriminator.backward()
    assert all(torch.isfinite(p.grad).all() for p in generator.parameters() if p.grad is not None)


def test_one_batch_can_be_learnt(batch):
    torch.manual_seed(0)
    generator, discriminator = tiny_vits().train(), LightDiscriminator((2, 3), (4, 8), (32, 64), 4)
    batch = {name: value.float() if value.is_floating_point() else value for name, value in batch.items()}
    optimisers = [torch.optim.AdamW(m.parameters(), 2e-3) for m in (generator, discriminator)]
    seen = []
    for _ in range(60):
        losses = step(generator, discriminator, batch, draw=None)
        for optimiser, loss in zip(optimisers, (losses.generator, losses.discriminator), strict=True):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        seen.append(float(losses.terms["mel"]))
    assert sum(seen[-5:]) < 0.7 * sum(seen[:5])
