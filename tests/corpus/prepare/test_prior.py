import numpy as np
import pytest
from tests import paths

pytest.importorskip("torch")

from voxgraft.corpus.prepare.prior import beta_binomial_prior


@pytest.mark.parametrize(("symbols", "frames"), [(1, 3), (7, 12), (20, 61)])
def test_the_prior_equals_scipys_as_everyvoice_calls_it(symbols, frames):
    with np.load(paths.FIXTURES / "everyvoice" / "losses.npz") as file:
        theirs = file[f"prior.{symbols}.{frames}"]
    np.testing.assert_allclose(beta_binomial_prior(symbols, frames), theirs, rtol=1e-5, atol=1e-7)


def test_it_goes_from_the_first_symbol_to_the_last_and_is_kept():
    prior = beta_binomial_prior(40, 300)
    best = prior.argmax(1)
    assert best[0] == 0
    assert best[-1] == 39
    assert (np.diff(best) >= 0).all()
    assert beta_binomial_prior(40, 300) is prior
    assert not prior.flags.writeable
