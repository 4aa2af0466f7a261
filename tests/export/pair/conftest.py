"""A tiny pair: EveryVoice's own text-to-spec model and vocoder, from its fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import paths

EVERYVOICE = paths.FIXTURES / "everyvoice"
ACOUSTIC, VOCODER = EVERYVOICE / "text-to-spec.ckpt", EVERYVOICE / "spec-to-wav.ckpt"


@pytest.fixture(scope="session")
def pair() -> Any:
    """Loaded, two speakers and two languages."""
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.export.pair.pair import load_pair

    return load_pair(open_checkpoint(ACOUSTIC), open_checkpoint(VOCODER))


@pytest.fixture(scope="session")
def fused(pair: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As one voice."""
    from voxgraft.export.pair.pair import describe_pair
    from voxgraft.export.pair.voice import export_pair

    return export_pair(pair, describe_pair(pair, name="ada"), tmp_path_factory.mktemp("fused"))
