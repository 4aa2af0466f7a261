"""A voice learns from its base's own spectrogram, says so in its files, and refuses one that its network can't have."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.tasks.vits.tiny_project import project

from voxgraft.audio.spectrogram import linear_spectrogram
from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import VoxgraftError
from voxgraft.graft.target import target_for
from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.run import train
from voxgraft.training.tasks.vits.data import data_of, spec_of
from voxgraft.training.tasks.vits.setup import begin


def with_parameters(config, **changes):
    """The project with a base whose file states other hyper-parameters."""
    content = torch.load(config.base, weights_only=False)
    content["hyper_parameters"] = dict(content["hyper_parameters"]) | changes
    torch.save(content, config.base)
    return config


def spec_for(config):
    base = open_checkpoint(config.base)
    return base, target_for(config, base, ())


def test_the_cached_spectrograms_are_the_bases(tmp_path):
    config = with_parameters(project(tmp_path), win_length=512)
    _, target = spec_for(config)
    data = data_of(config, target)
    assert data.spec.win == 512
    clip = data.train[0].prepared
    audio = clip.audio
    found = clip.spectrogram_between(0, 20)
    np.testing.assert_allclose(found, linear_spectrogram(audio, data.spec)[:, :20], atol=0.05, rtol=0.02)
    other = linear_spectrogram(audio, replace(data.spec, win=1024))[:, :20]
    assert np.abs(found - other).max() > 0.5


@pytest.mark.usefixtures("without_export")
def test_what_a_run_writes_keeps_the_spectrogram_and_a_resume_goes_on_with_it(tmp_path):
    spoken = {"win_length": 512, "mel_channels": 60, "mel_fmin": 50.0, "mel_fmax": 7000.0}
    config = with_parameters(project(tmp_path, steps=1, batch=2), **spoken)
    own = open_checkpoint(config.base).audio
    assert (own.win, own.n_mels, own.fmin, own.fmax) == (512, 60, 50.0, 7000.0)
    done = train(config)
    path = checkpoints_in(done.folder / "checkpoints")[-1]
    assert open_checkpoint(path).audio == own
    parameters = torch.load(path, weights_only=False)["hyper_parameters"]
    assert parameters | spoken == parameters
    longer = config.model_copy(update={"training": config.training.model_copy(update={"steps": 2})})
    assert train(longer, resume=True).step == 2
    assert open_checkpoint(checkpoints_in(done.folder / "checkpoints")[-1]).audio == own


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"filter_length": 2048}, "does not fit its network"),
        ({"hop_length": 128}, "this graft is refused: .*hop"),
        ({"win_length": 2000}, "no such spectrogram"),
        ({"mel_fmin": 9000.0}, "no such spectrogram"),
    ],
)
def test_a_spectrogram_that_the_network_cant_have_is_refused(tmp_path, changes, words):
    config = with_parameters(project(tmp_path), **changes)
    with pytest.raises(VoxgraftError, match=words):
        begin(config)


def test_another_quality_has_the_spectrogram_of_its_network(tmp_path):
    config = with_parameters(project(tmp_path), hop_length=128)
    voice = config.voice.model_copy(update={"quality": "low"})
    _, target = spec_for(RunConfig(**config.model_dump(exclude_unset=True) | {"voice": voice}))
    assert (spec_of(target).hop, spec_of(target).bins) == (256, 513)


@pytest.mark.usefixtures("without_export")
def test_a_window_holds_the_segment_at_every_hop(tmp_path, capsys):
    config = with_parameters(project(tmp_path, steps=1, batch=2), upsample_rates=(8, 8, 2), hop_length=128)
    config = config.model_copy(update={"voice": config.voice.model_copy(update={"window": 32, "segment": 8192})})
    assert train(config).step == 1
    assert "windows have 64 frames, as many as a segment, and not 32 (voice.window)" in capsys.readouterr().err
