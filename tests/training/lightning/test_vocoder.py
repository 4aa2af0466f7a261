"""VocoderModule with a Lightning Trainer: fit, resume, accumulation, clipping, precision; and what it opens."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths
from tests.training.tasks.vits.tiny_project import corpus

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from lightning import Trainer  # noqa: E402

import voxgraft  # noqa: E402
from voxgraft import VocoderModule, open_checkpoint  # noqa: E402
from voxgraft.errors import TrainingError  # noqa: E402

EVERYVOICE = paths.FIXTURES / "everyvoice"
BASE = EVERYVOICE / "spec-to-wav.ckpt"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("recordings"), seconds=0.4)


def trainer(folder, **given):
    return Trainer(
        default_root_dir=folder,
        **{"max_epochs": 1, "limit_train_batches": 2} | given,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def module(**given):
    return VocoderModule(checkpoint_path_v1=BASE, segment=2048, discriminator="light", **given)


def batches(one, recordings, batch=3):
    return one.train_dataloader(recordings, batch=batch, cache=recordings / "cache", loudness=None, trim=False)


def weights(one):
    return {name: tensor.detach().clone() for name, tensor in one.state_dict().items()}


def same(ours, theirs):
    assert set(ours) == set(theirs)
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_it_fits_is_saved_restored_and_speaks(tmp_path, recordings):
    one = module()
    before = weights(one)
    fitting = trainer(tmp_path)
    fitting.fit(one, train_dataloaders=batches(one, recordings))
    # With manual optimisation it would be twice as many.
    assert fitting.global_step == 2
    moved = {name for name, tensor in weights(one).items() if not torch.equal(tensor, before[name])}
    assert moved == set(before)
    fitting.save_checkpoint(tmp_path / "one.ckpt")
    again = VocoderModule.load_from_checkpoint(tmp_path / "one.ckpt")
    assert same(weights(again), weights(one))
    assert again.settings == one.settings
    mel = torch.randn(8, 20) - 4
    audio = again.synthesise(mel)
    assert audio.shape == (20 * 32,)
    assert torch.equal(audio, one.synthesise(mel))
    opened = open_checkpoint(tmp_path / "one.ckpt")
    assert (opened.family, opened.step, opened.audio.hop) == ("hifigan", 2, 32)


def test_a_resume_equals_an_uninterrupted_run(tmp_path, recordings):
    straight, stopped, resumed = module(), module(), module()
    trainer(tmp_path, max_epochs=2).fit(straight, train_dataloaders=batches(straight, recordings))
    first = trainer(tmp_path, max_epochs=1)
    first.fit(stopped, train_dataloaders=batches(stopped, recordings))
    first.save_checkpoint(tmp_path / "first.ckpt")
    second = trainer(tmp_path, max_epochs=2)
    second.fit(resumed, train_dataloaders=batches(resumed, recordings), ckpt_path=tmp_path / "first.ckpt")
    assert second.global_step == 4
    assert same(weights(resumed), weights(straight))
    assert not same(weights(stopped), weights(straight))


def test_accumulated_batches_are_one_step_of_their_mean(tmp_path, recordings):
    one = module()
    loader = batches(one, recordings, batch=2)
    parts = [loader.dataset[step] for step in (0, 1)]
    fitting = trainer(tmp_path, accumulate_grad_batches=2)
    fitting.fit(one, train_dataloaders=loader)
    assert fitting.global_step == 1
    two = module()
    optimiser = two.configure_optimizers()["optimizer"]
    for part in parts:
        generator, discriminator, _ = two.learner.whole_losses(part)
        ((generator + discriminator) / 2).backward()
    optimiser.step()
    for name, tensor in weights(two).items():
        torch.testing.assert_close(weights(one)[name], tensor, rtol=1e-4, atol=1e-7)


def test_the_trainers_clipping_is_of_each_network(tmp_path, recordings):
    one, norms = module(), []

    class Watching(type(one)):
        def optimizer_step(self, *args, **kwargs):
            super().optimizer_step(*args, **kwargs)
            for network in (self.generator, self.discriminator):
                norms.append(float(torch.stack([p.grad.norm() for p in network.parameters()]).norm()))

    one.__class__ = Watching
    trainer(tmp_path, limit_train_batches=1, gradient_clip_val=0.25).fit(
        one, train_dataloaders=batches(one, recordings)
    )
    assert norms == pytest.approx([0.25, 0.25], rel=1e-3)


def test_bf16_trains(tmp_path, recordings):
    one = module()
    before = weights(one)
    trainer(tmp_path, precision="bf16-mixed").fit(one, train_dataloaders=batches(one, recordings))
    after = weights(one)
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    assert not same(before, after)


def test_the_rate_falls_with_each_epoch(tmp_path, recordings):
    one = module(decay_per_epoch=0.5)
    fitting = trainer(tmp_path, max_epochs=2)
    fitting.fit(one, train_dataloaders=batches(one, recordings))
    assert [g["lr"] for g in fitting.optimizers[0].param_groups] == pytest.approx([2.5e-5, 2.5e-5])


@pytest.mark.parametrize(
    "name",
    ["everyvoice/spec-to-wav.ckpt", "everyvoice/istft.ckpt", "tts_framework/univnet.ckpt", "tts_framework/vocoder.pt"],
)
def test_files_of_others_are_restored_without_further_arguments(name):
    one = VocoderModule.load_from_checkpoint(paths.FIXTURES / name)
    base = open_checkpoint(paths.FIXTURES / name)
    for tensor in base.tensors:
        if tensor.startswith("generator."):
            np.testing.assert_array_equal(one.state_dict()[tensor], base.tensors[tensor])
    audio = one.synthesise(torch.randn(base.architecture["mels"], 9))
    assert audio.shape == (9 * base.audio.hop,)
    assert one.plan.parameters_carried == 1


def test_a_network_from_scratch_fits_too():
    one = VocoderModule(family="vocos", size="tiny", discriminator="none")
    assert sum(p.numel() for p in one.generator.parameters()) == pytest.approx(1.65e6, rel=0.01)
    assert one.discriminator is None
    assert one.synthesise(torch.zeros(2, 80, 7)).shape == (2, 7 * 256)


def test_without_a_corpus_it_says_what_to_give(tmp_path):
    with pytest.raises(TrainingError, match="nothing to train on"):
        trainer(tmp_path).fit(module())


def test_it_is_public():
    assert voxgraft.VocoderModule is VocoderModule
