import pytest
import torch
from torch import nn

from voxgraft.training.loop.average import WeightAverage


def model(value):
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.fill_(value)
        layer.bias.fill_(-value)
    return layer


def test_the_average_is_the_formula():
    layer = model(1.0)
    average = WeightAverage(layer, 0.5)
    expected = 1.0
    for update, value in enumerate((2.0, 5.0, -3.0, 4.0, 0.0, 1.5, 9.0, 2.0, 2.5, 1.0, 0.5), 1):
        with torch.no_grad():
            layer.weight.fill_(value)
        average.update(layer)
        decay = min(0.5, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
        with average.applied(layer):
            assert layer.weight.flatten().tolist() == pytest.approx([expected, expected], rel=1e-5)
        assert layer.weight.flatten().tolist() == [value, value], "its own weights come back"
    assert (1 + 11) / (10 + 11) > 0.5, "both branches were taken"


def test_own_weights_come_back_after_a_fault():
    layer = model(1.0)
    average = WeightAverage(layer, 0.9)
    with torch.no_grad():
        layer.weight.fill_(7.0)
    with pytest.raises(KeyError), average.applied(layer):
        raise KeyError
    assert layer.weight.flatten().tolist() == [7.0, 7.0]


def test_frozen_weights_are_not_averaged_and_a_decay_of_0_is_the_weights_themselves():
    layer = model(1.0)
    layer.bias.requires_grad_(False)
    assert set(WeightAverage(layer, 0.9).state_dict()["average"]) == {"weight"}
    off = WeightAverage(layer, 0.0)
    with torch.no_grad():
        layer.weight.fill_(3.0)
    off.update(layer)
    with off.applied(layer):
        assert layer.weight.flatten().tolist() == [3.0, 3.0]


def test_it_goes_on_where_it_was():
    one, layer = WeightAverage(model(1.0), 0.9), model(1.0)
    for value in (2.0, 3.0):
        with torch.no_grad():
            layer.weight.fill_(value)
        one.update(layer)
    other = WeightAverage(model(0.0), 0.9)
    other.load_state_dict(one.state_dict())
    one.update(layer)
    other.update(layer)
    assert torch.equal(one.state_dict()["average"]["weight"], other.state_dict()["average"]["weight"])
    assert one.state_dict()["updates"] == other.state_dict()["updates"] == 3
