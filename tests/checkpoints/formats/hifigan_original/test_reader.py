"""Files of HiFi-GAN's authors: a generator, its discriminators beside it, and the configuration."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests import paths

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError

torch = pytest.importorskip("torch")

CONFIG = {
    "resblock": "1", "upsample_rates": [8, 4], "upsample_kernel_sizes": [16, 8], "upsample_initial_channel": 8,
    "resblock_kernel_sizes": [3, 5], "resblock_dilation_sizes": [[1, 3], [1, 2]], "num_mels": 8, "n_fft": 128,
    "hop_size": 32, "win_size": 128, "sampling_rate": 16000, "fmin": 0, "fmax": 8000,
}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """What the authors' training writes, with the tensors of EveryVoice's file, which has their names."""
    base = open_checkpoint(paths.FIXTURES / "everyvoice" / "spec-to-wav.ckpt")
    state = {name: torch.from_numpy(np.array(base.tensors[name])) for name in base.tensors}

    def part(prefix):
        return {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}

    torch.save({"generator": part("generator.")}, tmp_path / "g_00000123")
    judges = {"mpd": part("discriminator.mpd."), "msd": part("discriminator.msd.")}
    adam = {"state": {}, "param_groups": [{"lr": 1.5e-4, "params": []}]}
    torch.save(judges | {"optim_g": adam, "optim_d": adam, "steps": 123, "epoch": 4}, tmp_path / "do_00000123")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path, base


def test_generator_and_discriminators_are_read(run):
    folder, base = run
    found = open_checkpoint(folder / "g_00000123")
    assert (found.family, found.provenance.format) == ("hifigan", "hifigan-original")
    assert dict(found.architecture) == dict(base.architecture)
    assert set(found.tensors) == set(base.tensors)
    for name in base.tensors:
        np.testing.assert_array_equal(found.tensors[name], base.tensors[name])
    assert (found.step, found.epoch, found.learning_rate) == (123, 4, 1.5e-4)
    audio = found.audio
    assert (audio.sample_rate, audio.hop, audio.n_fft, audio.fmax, audio.centre) == (16000, 32, 128, 8000, False)


def test_a_generator_alone_lacks_its_discriminators(run):
    folder, _ = run
    (folder / "do_00000123").unlink()
    (folder / "config.json").unlink()
    found = open_checkpoint(folder / "g_00000123")
    assert len(found.missing) == 2
    assert found.audio is None
    assert any("config.json" in note for note in found.notes)


def test_discriminators_alone_say_which_file_is_wanted(run):
    folder, _ = run
    with pytest.raises(CheckpointError, match="without its generator") as fault:
        open_checkpoint(folder / "do_00000123")
    assert "g_00000123" in fault.value.remedy
