"""HiFi-GAN with EveryVoice's weights sounds as EveryVoice's own does, with and without a Fourier transform at its end."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths

torch = pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.models.vocoders.hifigan import HifiGan  # noqa: E402

FIXTURES = paths.FIXTURES / "everyvoice"
PREFIX = "generator."


def restored(name: str) -> HifiGan:
    checkpoint = open_checkpoint(FIXTURES / f"{name}.ckpt")
    model = HifiGan(**checkpoint.architecture)
    tensors = {key: torch.from_numpy(np.array(checkpoint.tensors[key])) for key in checkpoint.tensors if PREFIX in key}
    model.load_state_dict({key.removeprefix(PREFIX): tensor for key, tensor in tensors.items()})
    return model.eval()


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "heard"),
    [("spec-to-wav", "vocoder.audio"), ("exported", "vocoder.audio"), ("istft", "istft.audio")],
)
def test_audio_equals_everyvoices(name, heard):
    with np.load(FIXTURES / "reference.npz") as file:
        mel, audio = torch.from_numpy(file["vocoder.in.mel"]), torch.from_numpy(file[heard])
    torch.testing.assert_close(restored(name)(mel), audio, rtol=0, atol=1e-4)


@torch.no_grad()
def test_a_batch_is_heard_as_one_by_one_through_a_fourier_transform():
    model = restored("istft")
    mels = torch.randn(3, 8, 20, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([model(mel.unsqueeze(0)) for mel in mels])
    torch.testing.assert_close(model(mels), alone, rtol=0, atol=1e-5)
    assert alone.shape == (3, 1, 20 * 8 * 4)
