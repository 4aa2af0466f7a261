import pytest
import torch

from voxgraft.errors import TrainingError
from voxgraft.training.loop.optimisers import LEAST_SIZE, USUAL_SIZE, relative_size, take_up


def adamw(*groups):
    return torch.optim.AdamW([{"params": group} for group in groups], lr=1e-3)


def test_moments_of_another_layout_are_one_clear_error():
    one, other = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))
    saved = adamw([one, other]).state_dict()
    with pytest.raises(TrainingError, match="other groups") as caught:
        take_up([adamw([one], [other])], [saved])
    assert (caught.value.expected, caught.value.got) == ("2 groups", "1 groups")
    assert "--base" in caught.value.remedy


@pytest.mark.parametrize(
    ("value", "share"), [(USUAL_SIZE, 1.0), (-2 * USUAL_SIZE, 2.0), (0.0, LEAST_SIZE / USUAL_SIZE)]
)
def test_the_share_is_the_size_over_the_usual_one(value, share):
    assert relative_size(torch.full((4, 3), value)) == pytest.approx(share)
