import pytest
from tests.graft.tiny_vits import as_checkpoint, make_vits


@pytest.fixture(scope="session")
def single():
    """A base of one speaker, whole but for discriminators."""
    return as_checkpoint(make_vits(1, 1).state_dict())


@pytest.fixture(scope="session")
def many():
    """A base of three speakers."""
    return as_checkpoint(make_vits(2, 3).state_dict(), ("ada", "bob", "cy"), sha256="1" * 64)
