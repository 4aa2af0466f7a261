"""The compiled alignment search equals the torch one and brute force."""

from __future__ import annotations

from itertools import combinations

import pytest

torch = pytest.importorskip("torch")

from tests.models.path_oracle import maximum_path_torch  # noqa: E402

from voxgraft.errors import CorpusError  # noqa: E402
from voxgraft.models.alignment import log_likelihoods, maximum_path  # noqa: E402


def mask_of(symbols, frames, shape):
    mask = torch.zeros(shape)
    for row, n, t in zip(mask, symbols, frames, strict=True):
        row[:n, :t] = 1
    return mask


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_torch_reference_on_ragged_batches(seed):
    torch.manual_seed(seed)
    symbols, frames = [7, 1, 12, 9], [30, 11, 12, 25]
    mask = mask_of(symbols, frames, (4, 12, 30))
    scores = torch.randn(4, 12, 30) * 3
    path = maximum_path(scores, mask)
    assert torch.equal(path, maximum_path_torch(scores, mask))
    assert torch.equal(path.sum(1), mask[:, 0])
    assert (path.sum(2)[mask[:, :, 0] == 1] >= 1).all()


def test_finds_the_best_of_all_paths():
    scores = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(0))
    best = max(
        sum(float(scores[0, sum(frame >= cut for cut in cuts), frame]) for frame in range(8))
        for cuts in combinations(range(1, 8), 3)
    )
    path = maximum_path(scores, torch.ones(1, 4, 8))
    assert float((path * scores).sum()) == pytest.approx(best, abs=1e-5)


def test_scores_are_left_alone():
    scores = torch.randn(1, 3, 6)
    before = scores.clone()
    maximum_path(scores, torch.ones(1, 3, 6))
    assert torch.equal(scores, before)


def test_more_symbols_than_frames_is_the_corpus_fault():
    with pytest.raises(CorpusError, match="expected at least 5 frames"):
        maximum_path(torch.zeros(2, 5, 9), mask_of([5, 5], [9, 4], (2, 5, 9)))


def test_log_likelihoods_are_those_of_the_normal_distribution():
    mean, log_deviation, z = torch.randn(2, 3, 4), 0.3 * torch.randn(2, 3, 4), torch.randn(2, 3, 6)
    normal = torch.distributions.Normal(mean.unsqueeze(-1), log_deviation.exp().unsqueeze(-1))
    wanted = normal.log_prob(z.unsqueeze(2)).sum(1)
    torch.testing.assert_close(log_likelihoods(z, mean, log_deviation), wanted, rtol=1e-4, atol=1e-4)
