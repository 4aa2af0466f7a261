"""Weight normalisation: the formula, folding, and clips side by side."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from voxgraft.models.side_by_side import lay_side_by_side, take_apart  # noqa: E402
from voxgraft.models.weight_norm import fold_weight_norm, gain_of, normed  # noqa: E402

CONVOLUTIONS = [
    lambda: nn.Conv1d(4, 6, 5, dilation=2, padding=4),
    lambda: nn.Conv1d(4, 8, 5, 3, groups=2, padding=2),
    lambda: nn.ConvTranspose1d(4, 3, 8, 4, padding=2),
]


@pytest.mark.parametrize("make", CONVOLUTIONS)
def test_starts_equal_to_the_plain_layer_and_stays_so_when_folded(make):
    plain, x = make(), torch.randn(5, 4, 20)
    layer = normed(copy.deepcopy(plain))
    torch.testing.assert_close(layer(x), plain(x))
    layer.weight_g.data *= 1.5
    wanted = layer(x)
    torch.testing.assert_close(fold_weight_norm(layer)(x), wanted)
    assert set(layer.state_dict()) == {"weight", "bias"}


@pytest.mark.parametrize("make", CONVOLUTIONS)
def test_clips_side_by_side_give_the_same(make):
    layer, x = normed(make()), torch.randn(5, 4, 20)
    torch.testing.assert_close(take_apart(layer(lay_side_by_side(x))), layer(x), rtol=1e-4, atol=1e-5)


def test_gain_is_the_norm_over_all_axes_but_the_first():
    weight = torch.randn(3, 4, 5)
    torch.testing.assert_close(gain_of(weight)[:, 0, 0], torch.stack([row.norm() for row in weight]))
