"""The training step of a voice."""

from dataclasses import replace

import pytest
import torch
from tests.training.tasks.vits.tiny_project import EVERYTHING_LEARNS, batch_of, fit
from torch import nn

from voxgraft.errors import TrainingError
from voxgraft.models.vits import PARTS
from voxgraft.models.vits.masks import segments
from voxgraft.training.loop import step as loop_step
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.learning_rate import learning_rate_factor
from voxgraft.training.loop.optimisers import LEAST_SIZE, USUAL_SIZE, take_up
from voxgraft.training.tasks.vits import module as vits


class Seen:
    """What holds after each step."""

    def __init__(self, look):
        self.look = look
        self.found = []

    def __call__(self, training, terms):
        self.found.append(self.look(training, terms))


def rates(training, _):
    """Of each part, for a tensor of the usual size."""
    optimisers = training.learner.optimisers
    return [{g.get("part", "discriminator"): g["lr"] / g["size"] for g in o.param_groups} for o in optimisers]


def states(training):
    return [o.state_dict() for o in training.learner.optimisers]


def counts(training):
    """Steps that the optimisers have counted."""
    return {int(state["step"]) for o in training.learner.optimisers for state in o.state.values()}


def weights(network):
    return {name: parameter.detach().clone() for name, parameter in network.state_dict().items()}


def test_learning_rates_are_set_before_each_step(started):
    own = EVERYTHING_LEARNS | {"decoder": 3e-4, "flow": 5e-5, "discriminator": 7e-4}
    seen = Seen(rates)
    fit(started(warmup=2, decay="cosine", learning_rates=own), seen)
    assert len(seen.found) == 6
    for step, (generator, discriminator) in enumerate(seen.found):
        factor = learning_rate_factor(step, 6, 2, "cosine")
        expected = {part: own[part] * factor for part in own if part != "discriminator"}
        assert generator == pytest.approx(expected)
        assert discriminator == pytest.approx({"discriminator": 7e-4 * factor})
    assert seen.found[0][0]["decoder"] < seen.found[2][0]["decoder"] > seen.found[5][0]["decoder"]


def test_learning_rates_of_the_settings_win_over_those_that_a_saved_optimiser_brings(started):
    first = fit(started(warmup=0, decay="none", learning_rates=EVERYTHING_LEARNS | {"decoder": 3e-4}))
    ready = started(warmup=0, decay="none", learning_rates=EVERYTHING_LEARNS | {"decoder": 9e-4, "discriminator": 8e-4})
    take_up(ready.learner.optimisers, states(first))
    seen = Seen(rates)
    fit(ready, seen)
    for generator, discriminator in seen.found:
        assert generator["decoder"] == pytest.approx(9e-4)
        assert discriminator == pytest.approx({"discriminator": 8e-4})
    # What a resume takes all the same: the moments and their count.
    assert counts(ready) == {12}


def test_a_step_is_counted_once_a_batch(started):
    seen = Seen(lambda training, _: training.position.step)
    training = fit(started(), seen)
    assert seen.found == [1, 2, 3, 4, 5, 6]
    assert counts(training) == {6}


def test_each_network_is_clipped_by_itself(started):
    def norms(training, _):
        return [
            float(nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None]))
            for network in training.learner.networks.values()
        ]

    seen, before = Seen(norms), Seen(lambda _, terms: [v for n, v in terms.items() if n.endswith("norm")])
    fit(started(gradient_clip=0.5), seen, before)
    for clipped, whole in zip(seen.found, before.found, strict=True):
        assert min(whole) > 0.5, "there was something to clip"
        assert clipped == pytest.approx([0.5, 0.5], rel=1e-3)


def test_parts_with_a_learning_rate_of_0_and_parts_named_in_freeze_keep_every_bit(started):
    ready = started(learning_rates=EVERYTHING_LEARNS | {"text_encoder": 0}, freeze=["duration", "posterior"])
    before = weights(ready.learner.generator)
    module = fit(ready).learner
    changed = {part: [] for part in PARTS}
    for name, value in module.generator.state_dict().items():
        part = next(part for part, prefix in PARTS.items() if name.startswith(f"{prefix}."))
        changed[part].append(not torch.equal(value, before[name]))
    assert not any(changed["text_encoder"] + changed["duration"] + changed["posterior"])
    assert all(changed["flow"])
    assert all(changed["decoder"])
    with module.average.applied(module.generator) as averaged:
        for name, value in averaged.state_dict().items():
            if name.startswith(("enc_p.", "dp.", "enc_q.")):
                assert torch.equal(value, before[name])


def test_a_part_with_a_higher_learning_rate_goes_further(started):
    ready = started(learning_rates=EVERYTHING_LEARNS | {"decoder": 1e-3}, steps=2, rates_by_size=False)
    before = weights(ready.learner.generator)
    module = fit(ready).learner
    after = module.generator.state_dict()
    far = {
        prefix: max(float((after[n] - before[n]).abs().max()) for n in before if n.startswith(prefix))
        for prefix in ("dec.", "flow.")
    }
    # AdamW's first steps go about as far as the learning rate says, whatever the gradient.
    assert far["dec."] == pytest.approx(10 * far["flow."], rel=0.3)


def test_small_and_large_weights_change_by_the_same_share_of_themselves(started):
    ready = started(learning_rates=EVERYTHING_LEARNS, steps=1, warmup=0, ema=0)
    before = weights(ready.learner.generator)
    after = fit(ready).learner.generator.state_dict()

    def share(name):
        # AdamW's first step takes every weight as far as its rate says, but for those whose gradient is all but 0.
        return float((after[name] - before[name]).abs().median() / before[name].square().mean().sqrt())

    sizes = {n: float(w.square().mean().sqrt()) for n, w in before.items() if n.startswith("dec.")}
    moved = {name: share(name) for name, size in sizes.items() if size > LEAST_SIZE}
    assert max(sizes.values()) > 5 * min(sizes[name] for name in moved), "there are small ones and large ones"
    expected = EVERYTHING_LEARNS["decoder"] / USUAL_SIZE
    assert moved == pytest.approx(dict.fromkeys(moved, expected), rel=0.1)


def test_a_resume_keeps_the_shares_that_the_run_began_with(started):
    first = fit(started(steps=2, learning_rates=EVERYTHING_LEARNS))
    ready = started(steps=2, learning_rates=EVERYTHING_LEARNS)
    with torch.no_grad():
        for parameter in ready.learner.generator.parameters():
            parameter.mul_(2)
    take_up(ready.learner.optimisers, states(first))
    seen = Seen(lambda training, _: [g["size"] for g in training.learner.optimisers[0].param_groups])
    fit(ready, seen)
    assert seen.found[0] == [g["size"] for g in first.learner.optimisers[0].param_groups]


def heard_by_the_decoder(ready, monkeypatch):
    """The latents that the decoder is given in a pass over the first batch, and what they are drawn around."""
    heard, found = [], []
    generator = ready.learner.generator
    decode, encode = generator.decode, generator.enc_q.forward
    monkeypatch.setattr(generator, "decode", lambda z, g: heard.append(z.detach()) or decode(z, g))
    monkeypatch.setattr(generator.enc_q, "forward", lambda *a: found.append(encode(*a)) or found[-1])
    batch = batch_of(ready)
    terms = ready.learner.whole_losses(batch)[2]
    mean, log_deviation = found[-1]
    frames = ready.learner.segment
    mean, deviation = (segments(t.detach(), batch.offsets, frames) for t in (mean, log_deviation.exp() * batch.noise))
    return heard[0][: len(batch)], mean, deviation, terms["kl"].item()


def test_the_decoder_learns_from_latents_spread_as_the_voice_will_be_spoken_with(started, monkeypatch):
    ready = started(weights={"from_text": 0})
    heard, mean, deviation, kl = heard_by_the_decoder(ready, monkeypatch)
    assert ready.config.voice.latent_noise == 0.333, "the default noise_scale of voices"
    torch.testing.assert_close(heard, mean + 0.333 * deviation)
    heard, mean, deviation, whole = heard_by_the_decoder(
        started(weights={"from_text": 0}, latent_noise=1.0), monkeypatch
    )
    torch.testing.assert_close(heard, mean + deviation)
    assert kl == whole, "the prior answers for all of the posterior in any case"


def gradients(learner, batch, pieces):
    totals = loop_step.gradients(learner, batch, Position(6, pieces=pieces))
    found = {
        f"{prefix}{name}": parameter.grad.clone()
        for prefix, network in learner.networks.items()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }
    return found, {name: float(value) for name, value in totals.items()}


@pytest.fixture
def doubled(started, monkeypatch):
    """A run and its first batch in float64, to the end: where the step widens to float32, it is wider already."""
    ready = started(discriminator_warmup=0)
    batch = batch_of(ready)
    wide = {n: t.double() for n, t in vars(batch).items() if isinstance(t, torch.Tensor) and t.is_floating_point()}
    narrow = torch.Tensor.float
    monkeypatch.setattr(torch.Tensor, "float", lambda x: x if x.dtype == torch.float64 else narrow(x))
    for network in ready.learner.networks.values():
        network.double()
    return ready.learner, replace(batch, **wide)


@pytest.mark.parametrize("pieces", [2, 3])
def test_a_batch_in_pieces_has_the_gradients_of_the_whole(doubled, pieces):
    # In float32 the summands, far larger than their sum, round by as much as some gradients are large.
    learner, batch = doubled
    whole, terms = gradients(learner, batch, 1)
    parts, sums = gradients(learner, batch, pieces)
    assert whole.keys() == parts.keys()
    assert any(name.startswith("discriminator_") for name in whole)
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-7, atol=1e-9 * float(gradient.abs().max()) + 1e-11)
    assert sums == pytest.approx(terms, rel=1e-9)


def test_running_out_of_memory_is_survived_by_smaller_pieces_with_the_same_result(started, monkeypatch, capsys):
    expected = weights(fit(started(steps=3)).learner.generator)
    original = vits.VitsLearner.losses

    def losses(self, batch):
        if len(batch) > 1 and self._step >= 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return original(self, batch)

    monkeypatch.setattr(vits.VitsLearner, "losses", losses)
    training = fit(started(steps=3))
    module = training.learner
    assert training.position.pieces == training.position.state_dict()["pieces"] == 3
    assert capsys.readouterr().err.count("out of memory") == 2
    for name, value in module.generator.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)


def test_memory_that_runs_out_half_way_leaves_no_gradient_behind(started, monkeypatch):
    expected = weights(fit(started(steps=1)).learner.generator)
    original, calls = vits.VitsLearner.losses, []

    def losses(self, batch):
        calls.append(len(batch))
        if calls == [3, 1, 2] or calls == [3]:
            raise MemoryError
        return original(self, batch)

    monkeypatch.setattr(vits.VitsLearner, "losses", losses)
    module = fit(started(steps=1)).learner
    assert calls == [3, 1, 2, 1, 1, 1]
    for name, value in module.generator.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)


def test_a_single_clip_that_does_not_fit_is_a_clear_error(started, monkeypatch):
    def losses(self, batch):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(vits.VitsLearner, "losses", losses)
    with pytest.raises(TrainingError, match="single clip") as caught:
        fit(started())
    assert "corpus.longest" in caught.value.remedy


def test_other_faults_are_not_taken_for_memory(started, monkeypatch):
    def losses(self, batch):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(vits.VitsLearner, "losses", losses)
    with pytest.raises(RuntimeError, match="shapes"):
        fit(started())


def clear(learner):
    for network in learner.networks.values():
        network.zero_grad()


def test_new_discriminators_learn_alone_before_the_generator_learns_from_them(started):
    ready = started(discriminator_warmup=3)
    module, batch = ready.learner, batch_of(ready)
    assert module.adversarial_from == 3

    def generator_gradient(weight):
        module.settings = module.settings.model_copy(
            update={"weights": module.settings.weights.model_copy(update={"adversarial": weight, "feature": 0.0})}
        )
        clear(module)
        total, against, _ = module.whole_losses(batch)
        total.backward()
        assert not any(p.grad is not None and p.grad.any() for p in module.discriminator.parameters())
        against.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in module.discriminator.parameters())
        return torch.cat([p.grad.flatten() for p in module.generator.dec.parameters()])

    module._step = 2
    assert torch.equal(generator_gradient(1.0), generator_gradient(0.0))
    module._step = 3
    assert not torch.equal(generator_gradient(1.0), generator_gradient(0.0))


def test_a_discriminator_that_is_carried_over_counts_at_once(started):
    ready = started(discriminator="none")
    assert ready.learner.adversarial_from == 0
    total, against, terms = ready.learner.whole_losses(batch_of(ready))
    assert against is None
    assert terms.keys() == {"mel", "kl", "duration", "from_text"}
    assert total.requires_grad


def test_the_way_from_text_is_trained_only_where_it_has_a_weight(started):
    ready = started(discriminator="none", weights={"mel": 0, "kl": 0, "duration": 0, "from_text": 1})
    total, _, terms = ready.learner.whole_losses(batch_of(ready))
    assert total.item() == pytest.approx(terms["from_text"].item(), rel=1e-5)
    total.backward()
    assert any(p.grad.any() for p in ready.learner.generator.dec.parameters())
    assert any(p.grad is not None and p.grad.any() for p in ready.learner.generator.flow.parameters())
    assert not any(p.grad is not None and p.grad.any() for p in ready.learner.generator.enc_q.parameters())
    without = started(discriminator="none", weights={"from_text": 0})
    assert "from_text" not in without.learner.whole_losses(batch_of(without))[2]


def test_a_window_over_the_whole_clip_has_the_losses_of_whole_clips(started):
    windowed = started(window=10_000)
    whole = started(window=None)
    batch = batch_of(windowed)
    assert batch.certain.sum() == batch.window_lengths.sum()
    # Whole clips are aligned by the latent that was drawn, windows by its mean: alike but not the same.
    whole.learner.generator.align = lambda text, z_p, mask: _path(windowed.learner, batch, text, mask)
    expected = windowed.learner.whole_losses(batch)[2]
    found = whole.learner.whole_losses(batch_of(whole))[2]
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value.item() == pytest.approx(expected[name].item(), rel=1e-5), name


def _path(module, batch, text, mask):
    from voxgraft.models.vits.masks import path_from_durations

    durations = module.alignments.durations(batch.clips, batch.ids.device)
    return path_from_durations(durations[:, None], text.mask, mask)


def test_whole_clips_train_too(started):
    training = fit(started(window=None, steps=2, learning_rates=EVERYTHING_LEARNS))
    assert training.position.step == 2
    assert all(torch.isfinite(p).all() for p in training.learner.generator.parameters())


def test_bf16_leaves_weights_and_losses_in_float32(started):
    seen = Seen(lambda _, terms: terms)
    module = fit(started(precision="bf16", steps=2, learning_rates=EVERYTHING_LEARNS), seen).learner
    exact = Seen(lambda _, terms: terms)
    fit(started(precision="fp32", steps=2, learning_rates=EVERYTHING_LEARNS), exact)
    assert module.autocast is torch.bfloat16
    assert {p.dtype for p in module.generator.parameters()} == {torch.float32}
    assert seen.found[0]["mel"] == pytest.approx(exact.found[0]["mel"], rel=0.05)
    assert seen.found[0]["mel"] != exact.found[0]["mel"]


def poison(monkeypatch, when):
    original = vits.VitsLearner.losses

    def losses(self, piece):
        (total, *others), terms = original(self, piece)
        return [total * (float("nan") if when(self._step) else 1.0), *others], terms

    monkeypatch.setattr(vits.VitsLearner, "losses", losses)


def test_a_step_whose_gradients_are_no_numbers_changes_nothing(started, monkeypatch):
    poison(monkeypatch, lambda step: step == 1)
    left_out = Seen(lambda _, terms: terms["left_out"])
    after = Seen(lambda training, _: weights(training.learner.generator))
    training = fit(started(steps=3), left_out, after)
    assert left_out.found == [0.0, 1.0, 0.0]
    assert counts(training) == {2}
    first, second, third = after.found
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(second[name], third[name]) for name in first)


def test_one_batch_is_learnt(started):
    """Overfit: the same clips and windows again and again must come to sound as they do."""
    ready = started(
        steps=40,
        batch=2,
        discriminator="none",
        warmup=0,
        decay="none",
        gradient_clip=1000,
        learning_rates=dict.fromkeys(("text_encoder", "flow", "posterior", "decoder"), 3e-3),
    )
    batch = batch_of(ready)
    module = ready.learner
    (optimiser,) = module.optimisers
    for group in optimiser.param_groups:
        group["lr"] = group["rate"]
    mel = []
    for _ in range(40):
        optimiser.zero_grad()
        total, _, terms = module.whole_losses(batch)
        total.backward()
        optimiser.step()
        mel.append(float(terms["mel"].detach()))
    assert mel[-1] < 0.6 * mel[0], mel[::10]
