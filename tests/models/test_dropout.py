import pytest

torch = pytest.importorskip("torch")

from voxgraft.models.dropout import Dropout, dropout  # noqa: E402


def test_as_many_are_lost_as_is_asked_for_and_the_mean_stays():
    torch.manual_seed(0)
    x = torch.ones(400, 500)
    for chance in (0.1, 0.2, 0.5):
        found = dropout(x, chance, True)
        assert float((found == 0).float().mean()) == pytest.approx(chance, abs=0.005)
        assert float(found.mean()) == pytest.approx(1, abs=0.01)


def test_what_is_lost_is_so_for_the_gradient_too_and_follows_the_seed():
    x = torch.randn(7, 9, requires_grad=True)
    torch.manual_seed(3)
    found = dropout(x, 0.5, True)
    found.sum().backward()
    assert torch.equal(x.grad, torch.where(found == 0, 0.0, 2.0))
    torch.manual_seed(3)
    assert torch.equal(dropout(x, 0.5, True), found)
    assert not torch.equal(dropout(x, 0.5, True), found)


def test_neighbours_do_not_fall_together():
    """Eight bytes come from one draw: none of them says anything of the next."""
    torch.manual_seed(1)
    lost = (dropout(torch.ones(80_000), 0.5, True) == 0).float() - 0.5
    for apart in (1, 2, 4, 8):
        assert abs(float((lost[apart:] * lost[:-apart]).mean())) < 0.005


def test_outside_of_training_nothing_is_lost():
    x = torch.randn(5)
    assert Dropout(0.5).eval()(x) is x
    assert dropout(x, 0.0, True) is x
