"""Checkpoints for Piper's own trainer, and slim ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.export.piper.piper_trainer import vits_model
from tests.export.piper.tiny_voice import TINY, tiny_metadata, tiny_vits

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.piper.metadata import metadata_of
from voxgraft.export.piper.trainer_checkpoint import FRESH, write_piper_checkpoint, write_slim_checkpoint
from voxgraft.models.discriminators import LightDiscriminator, PiperDiscriminator

ARCHITECTURE = TINY | {"speakers": 1, "gin_channels": 0, "stochastic_duration": True}


@pytest.fixture(scope="module")
def model():
    return tiny_vits()


@pytest.fixture(scope="module")
def written(model, tmp_path_factory):
    """(path, notes) of a checkpoint without trained discriminators."""
    path = tmp_path_factory.mktemp("trainer") / "epoch=3-step=70.ckpt"
    notes = write_piper_checkpoint(path, model.state_dict(), None, tiny_metadata(), ARCHITECTURE, epoch=3, step=70)
    return path, notes


def test_has_the_keys_of_a_lightning_checkpoint(written):
    path, notes = written
    content = torch.load(path, weights_only=True, mmap=True)
    assert set(content) == {
        "callbacks", "epoch", "global_step", "hparams_name", "hyper_parameters", "loops", "lr_schedulers",
        "optimizer_states", "pytorch-lightning_version", "state_dict", "voxgraft",
    }  # fmt: skip
    assert len(content["optimizer_states"]) == len(content["lr_schedulers"]) == 2
    assert (content["epoch"], content["global_step"]) == (3, 70)
    assert notes == (FRESH,)


def test_piper_loads_it_strictly_and_speaks_the_same(written, model):
    path, _ = written
    theirs = vits_model().load_from_checkpoint(path, map_location="cpu", strict=True).eval()
    ids = torch.tensor([[1, 0, 20, 0, 59, 0, 24, 0, 27, 0, 10, 0, 2]])
    lengths = torch.tensor([ids.shape[1]])
    with torch.no_grad():
        expected = theirs(ids, lengths, [0.0, 1.0, 0.0])
        found = model.eval().infer(ids, lengths, noise_scale=0.0, noise_w=0.0)
    assert expected.shape == found.shape
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert theirs.hparams.sample_rate == 16000
    assert theirs.hparams.num_symbols == 256


def test_piper_loads_several_speakers(tmp_path):
    path = tmp_path / "voices.ckpt"
    architecture = ARCHITECTURE | {"speakers": 3, "gin_channels": 8}
    write_piper_checkpoint(path, tiny_vits(3).state_dict(), None, tiny_metadata(3), architecture)
    assert vits_model().load_from_checkpoint(path, strict=True).model_g.emb_g.weight.shape == (3, 8)


def test_parameters_and_optimisers_agree(written):
    path, _ = written
    content = torch.load(path, weights_only=True, mmap=True)
    theirs = vits_model().load_from_checkpoint(path)
    optimisers, schedulers = theirs.configure_optimizers()
    for optimiser, state in zip(optimisers, content["optimizer_states"], strict=True):
        assert set(optimiser.state_dict()["param_groups"][0]) == set(state["param_groups"][0])
        optimiser.load_state_dict(state)
    for scheduler, state in zip(schedulers, content["lr_schedulers"], strict=True):
        assert set(scheduler.state_dict()) == set(state)
        scheduler.load_state_dict(state)


def test_command_line_of_piper_knows_every_setting(written):
    """It refuses a checkpoint whose hyper-parameters its model doesn't name."""
    import inspect

    settings = torch.load(written[0], weights_only=True, mmap=True)["hyper_parameters"]
    assert set(settings) <= set(inspect.signature(vits_model().__init__).parameters) - {"self", "kwargs"}


def test_trained_discriminators_are_kept(model, tmp_path):
    torch.manual_seed(1)
    judge = PiperDiscriminator()
    path = tmp_path / "a.ckpt"
    notes = write_piper_checkpoint(path, model.state_dict(), judge.state_dict(), tiny_metadata(), ARCHITECTURE)
    assert notes == ()
    state = torch.load(path, weights_only=True, mmap=True)["state_dict"]
    for name, tensor in judge.state_dict().items():
        assert torch.equal(state[f"model_d.{name}"], tensor), name


def test_light_discriminators_are_not_passed_off_as_pipers(model, tmp_path):
    judge = LightDiscriminator().state_dict()
    path = tmp_path / "a.ckpt"
    assert write_piper_checkpoint(path, model.state_dict(), judge, tiny_metadata(), ARCHITECTURE) == (FRESH,)


def test_own_reader_opens_it_with_everything_known(written, model):
    checkpoint = open_checkpoint(written[0])
    assert checkpoint.symbols == tiny_metadata().symbols
    assert (checkpoint.epoch, checkpoint.step) == (3, 70)
    assert checkpoint.architecture["hidden_channels"] == 16
    assert not checkpoint.provenance.unsafe_globals
    np.testing.assert_array_equal(np.asarray(checkpoint.tensors["enc_p.emb.weight"]), model.enc_p.emb.weight.detach())
    metadata = metadata_of(checkpoint)
    expected = tiny_metadata()
    for field in ("name", "licences", "base", "corpus_sha256", "consent", "language", "scales"):
        assert getattr(metadata, field) == getattr(expected, field), field


@pytest.mark.filterwarnings("ignore:Found keys")
def test_slim_checkpoint_holds_weights_only(model, tmp_path):
    path = tmp_path / "slim.ckpt"
    write_slim_checkpoint(path, model.state_dict(), tiny_metadata(), ARCHITECTURE, epoch=1, step=9)
    content = torch.load(path, weights_only=True)
    assert not any(name.startswith("model_d.") for name in content["state_dict"])
    weights = sum(tensor.nbytes for tensor in model.state_dict().values())
    assert path.stat().st_size < weights * 1.5
    assert open_checkpoint(path).step == 9
    unloaded = vits_model().load_from_checkpoint(path, strict=False)
    assert torch.equal(unloaded.model_g.enc_p.emb.weight, model.enc_p.emb.weight)


def test_part_that_is_missing_is_named(model, tmp_path):
    incomplete = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("enc_q.")}
    with pytest.raises(ExportError, match=r"enc_q\..*tensors are not what Piper's trainer expects"):
        write_piper_checkpoint(tmp_path / "a.ckpt", incomplete, None, tiny_metadata(), ARCHITECTURE)
    assert not list(tmp_path.iterdir())


def test_full_disk_leaves_what_was_there(model, tmp_path, monkeypatch):
    path = tmp_path / "slim.ckpt"
    path.write_bytes(b"the last good one")

    def full(*_):
        raise RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ExportError, match="can't be written"):
        write_slim_checkpoint(path, model.state_dict(), tiny_metadata(), ARCHITECTURE)
    assert path.read_bytes() == b"the last good one"
    assert [file.name for file in tmp_path.iterdir()] == ["slim.ckpt"]


@pytest.mark.slow
def test_pipers_trainer_resumes_it(written, tmp_path):
    """Two steps of `Trainer.fit(ckpt_path=...)` with Piper's module, from the counters that the file holds."""
    module = vits_model()
    import lightning
    from piper.train.vits.dataset import Batch

    torch.manual_seed(0)
    frames, text = 48, 21
    batch = Batch(
        phoneme_ids=torch.randint(3, 100, (2, text)),
        phoneme_lengths=torch.tensor([text, text - 4]),
        spectrograms=torch.rand(2, 513, frames),
        spectrogram_lengths=torch.tensor([frames, frames - 6]),
        audios=torch.rand(2, 1, frames * 256) - 0.5,
        audio_lengths=torch.tensor([frames * 256, (frames - 6) * 256]),
        speaker_ids=None,
    )
    path, _ = written
    theirs = module.load_from_checkpoint(path)
    before = theirs.model_g.dec.conv_pre.weight.detach().clone()
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=4, limit_train_batches=2, limit_val_batches=0, num_sanity_val_steps=0,
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(theirs, torch.utils.data.DataLoader([batch] * 2, batch_size=None), ckpt_path=str(path))
    assert trainer.current_epoch == 4
    assert trainer.global_step == 70 + 2 * 2
    assert not torch.equal(theirs.model_g.dec.conv_pre.weight, before)
