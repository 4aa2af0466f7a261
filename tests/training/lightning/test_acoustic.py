"""AcousticModule with a Lightning Trainer: fit, resume, accumulation, clipping, precision; and what it opens."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths
from tests.training.tasks.acoustic.tiny_acoustic import BASE, corpus

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from lightning import Trainer  # noqa: E402

from voxgraft import AcousticModule, open_checkpoint  # noqa: E402
from voxgraft.corpus.prepare.variance import VarianceStatistics  # noqa: E402
from voxgraft.errors import ConfigError, TrainingError  # noqa: E402


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    return corpus(folder), folder / "cache"


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


def batches(one, recordings, batch=3):
    manifest, cache = recordings
    return one.train_dataloader(manifest, batch=batch, cache=cache, loudness=None, trim=False)


def weights(one):
    return {name: tensor.detach().clone() for name, tensor in one.state_dict().items()}


def same(ours, theirs):
    assert set(ours) == set(theirs)
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_it_fits_is_saved_restored_and_speaks(tmp_path, recordings):
    one = AcousticModule(checkpoint_path_v1=BASE)
    loader = batches(one, recordings)
    before = weights(one)
    fitting = trainer(tmp_path)
    fitting.fit(one, train_dataloaders=loader)
    assert fitting.global_step == 2
    still = {name for name, tensor in weights(one).items() if torch.equal(tensor, before[name])}
    assert all(name.endswith(("_bins", "inv_freq")) for name in still), still
    fitting.save_checkpoint(tmp_path / "one.ckpt")
    again = AcousticModule.load_from_checkpoint(tmp_path / "one.ckpt")
    assert same(weights(again), weights(one))
    assert again.settings.acoustic.source_share == one.settings.acoustic.source_share
    mel = again.synthesise("hello", speaker="bo", language="fra")
    assert mel.shape[0] == 8
    assert torch.equal(mel, one.synthesise("hello", speaker=1, language=1))
    opened = open_checkpoint(tmp_path / "one.ckpt")
    assert (opened.family, opened.step, opened.speakers, opened.languages) == (
        "fastspeech2", 2, ("ada", "bo"), ("eng", "fra"),
    )  # fmt: skip
    assert set(VarianceStatistics.from_dict(opened.config["statistics"]).pitch) == {"ada", "bo"}


def test_a_resume_equals_an_uninterrupted_run(tmp_path, recordings):
    straight, stopped, resumed = (AcousticModule(checkpoint_path_v1=BASE, ramp_steps=9) for _ in range(3))
    trainer(tmp_path, max_epochs=2).fit(straight, train_dataloaders=batches(straight, recordings))
    first = trainer(tmp_path, max_epochs=1)
    first.fit(stopped, train_dataloaders=batches(stopped, recordings))
    first.save_checkpoint(tmp_path / "first.ckpt")
    second = trainer(tmp_path, max_epochs=2)
    second.fit(resumed, train_dataloaders=batches(resumed, recordings), ckpt_path=tmp_path / "first.ckpt")
    assert second.global_step == 4
    assert same(weights(resumed), weights(straight))
    assert resumed.schedule == straight.schedule
    assert not same(weights(stopped), weights(straight))


def test_the_schedule_of_the_losses_lies_in_the_checkpoint(tmp_path, recordings):
    one = AcousticModule(checkpoint_path_v1=BASE, ramp_steps=4, phase="restart")
    fitting = trainer(tmp_path)
    fitting.fit(one, train_dataloaders=batches(one, recordings))
    fitting.save_checkpoint(tmp_path / "one.ckpt")
    again = AcousticModule.load_from_checkpoint(tmp_path / "one.ckpt", ramp_steps=4)
    trainer(tmp_path).fit(again, train_dataloaders=batches(again, recordings))
    assert [again.schedule.at(step).ramp for step in (0, 1, 2)] == [0.5, 0.75, 1.0]


def test_accumulated_batches_are_one_step_and_the_gradient_is_clipped(tmp_path, recordings):
    one, norms = AcousticModule(checkpoint_path_v1=BASE), []

    class Watching(AcousticModule):
        def optimizer_step(self, *args, **kwargs):
            super().optimizer_step(*args, **kwargs)
            norms.append(float(torch.stack([p.grad.norm() for p in self.parameters() if p.grad is not None]).norm()))

    one.__class__ = Watching
    fitting = trainer(tmp_path, accumulate_grad_batches=2, gradient_clip_val=0.25)
    fitting.fit(one, train_dataloaders=batches(one, recordings))
    assert fitting.global_step == 1
    assert norms == pytest.approx([0.25], rel=1e-3)


def test_bf16_trains(tmp_path, recordings):
    one = AcousticModule(checkpoint_path_v1=BASE)
    loader, before = batches(one, recordings), weights(one)
    trainer(tmp_path, precision="bf16-mixed").fit(one, train_dataloaders=loader)
    after = weights(one)
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    assert not same(before, after)


def test_files_of_others_are_restored_without_further_arguments():
    one = AcousticModule.load_from_checkpoint(BASE)
    base = open_checkpoint(BASE)
    ours = one.network.state_dict()
    for name in base.tensors:
        np.testing.assert_array_equal(ours[name], base.tensors[name])
    assert one.synthesise("hello").shape[0] == 8


def test_the_corpus_decides_the_bins_until_the_network_has_trained(tmp_path, recordings):
    one = AcousticModule(checkpoint_path_v1=BASE)
    loader = batches(one, recordings)
    bins = one.network.variance_adaptor.pitch_bins
    assert (float(bins[0]), float(bins[-1])) == pytest.approx(one.statistics.pitch_bounds)
    trainer(tmp_path).fit(one, train_dataloaders=loader)
    trained = weights(one)
    batches(one, recordings)
    assert same(weights(one), trained)


def test_a_network_from_scratch_reads_the_symbols_that_it_is_given(tmp_path, recordings):
    symbols = tmp_path / "symbols.txt"
    symbols.write_text("\n".join("_abdehklorw") + "\n", "utf-8")
    spectrogram = {"sample_rate": 16000, "n_fft": 256, "win": 256, "hop": 128, "n_mels": 16, "fmax": None}
    one = AcousticModule(symbols=symbols, size="tiny", spectrogram=spectrogram, speakers=("ada", "bo"))
    trainer(tmp_path, limit_train_batches=1).fit(one, train_dataloaders=batches(one, recordings))
    assert one.synthesise("held", speaker="ada").shape[0] == 16


def test_what_is_not_there_is_named(recordings):
    one = AcousticModule(checkpoint_path_v1=BASE)
    with pytest.raises(TrainingError, match="no such speaker"):
        one.synthesise("hello", speaker="eve")
    with pytest.raises(TrainingError, match="nothing to train on"):
        one.train_dataloader()
    with pytest.raises(ConfigError):
        AcousticModule(checkpoint_path_v1=BASE, weigths={})


def test_a_file_of_another_kind_is_refused():
    vocoder = paths.FIXTURES / "everyvoice" / "spec-to-wav.ckpt"
    with pytest.raises(TrainingError, match="can't be trained"):
        AcousticModule.load_from_checkpoint(vocoder)
