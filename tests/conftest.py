"""One thread a process: the tests run side by side, and threads that wait for each other would slow all of them.

What a test expects holds on a busy machine too: no example has a deadline of its own, and what hangs is ended by the
clock in pyproject.toml, which tests marked slow get more of. `--shuffle SEED` shows tests that depend on one another.
"""

import os
import random

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

SLOW_SECONDS = 3600

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", metavar="SEED", type=int, help="run the tests in an order drawn from this seed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS))
    seed = config.getoption("--shuffle")
    if seed is not None:
        random.Random(seed).shuffle(items)
