"""HiFi-GAN's generator with Coqui TTS' weights sounds as Coqui's does."""

from __future__ import annotations

import numpy as np
import pytest
from tests.checkpoints.formats.coqui.coqui_files import COQUI

from voxgraft.checkpoints import open_checkpoint

torch = pytest.importorskip("torch")

from voxgraft.models.vocoders.hifigan import HifiGan  # noqa: E402
from voxgraft.models.weight_norm import fold_weight_norm  # noqa: E402

TINY = {
    "mels": 8, "resblock_kernels": (3, 5), "upsample_rates": (4, 2), "upsample_initial_channel": 8, "upsample_kernels": (8, 4),
}  # fmt: skip
DILATIONS = {"1": ((1, 3, 5), (1, 3, 5)), "2": ((1, 2), (2, 6))}


def restored() -> HifiGan:
    checkpoint = open_checkpoint(COQUI / "hifigan.pth")
    model = HifiGan(**checkpoint.architecture)
    names = [name for name in checkpoint.tensors if name.startswith("generator.")]
    model.load_state_dict(
        {n.removeprefix("generator."): torch.from_numpy(np.array(checkpoint.tensors[n])) for n in names}
    )
    return model.eval()


@torch.no_grad()
@pytest.mark.parametrize(("wanted", "margin"), [("hifigan", 0), ("hifigan_padded", 5)])
def test_audio_equals_coquis(wanted, margin):
    reference = np.load(COQUI / "reference.npz")
    audio = restored()(torch.from_numpy(reference["hifigan_mel"]), margin)
    assert audio.shape == (1, 1, (6 + 2 * margin) * 256)
    assert 0.05 < np.abs(reference[wanted]).max() < 0.9
    np.testing.assert_allclose(audio.numpy(), reference[wanted], atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("resblock", ["1", "2"])
@pytest.mark.parametrize("normed_ends", [True, False])
@pytest.mark.parametrize("post_bias", [True, False])
def test_each_kind_has_the_names_and_the_length_that_it_says(resblock, normed_ends, post_bias):
    model = HifiGan(
        **TINY, resblock=resblock, resblock_dilations=DILATIONS[resblock], normed_ends=normed_ends, post_bias=post_bias
    ).eval()
    names = set(model.state_dict())
    assert ("conv_pre.weight_v" in names, "conv_post.weight_v" in names) == (normed_ends, normed_ends)
    assert ("conv_post.bias" in names) == post_bias
    assert (f"resblocks.3.{'convs2' if resblock == '1' else 'convs'}.1.weight_g") in names
    audio = model(torch.randn(2, 8, 5))
    assert audio.shape == (2, 1, 40)
    assert audio.abs().max() <= 1


@pytest.mark.parametrize("normed_ends", [True, False])
def test_a_training_batch_sounds_as_its_clips_do_alone(normed_ends):
    model = HifiGan(**TINY, resblock="1", resblock_dilations=DILATIONS["1"], normed_ends=normed_ends)
    mels = torch.randn(5, 8, 7)
    together = model(mels)
    assert together.requires_grad
    with torch.no_grad():
        alone = torch.cat([model(mel[None]) for mel in mels])
    torch.testing.assert_close(together.detach(), alone, rtol=1e-4, atol=1e-6)


@torch.no_grad()
def test_folding_leaves_the_sound():
    model, mel = restored(), torch.randn(1, 16, 4)
    before = model(mel)
    torch.testing.assert_close(fold_weight_norm(model)(mel), before, rtol=1e-4, atol=1e-6)
    assert "conv_pre.weight" in model.state_dict()
