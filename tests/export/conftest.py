"""Voices that tests of this folder share."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_voice(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(exported .onnx, the model) of one speaker."""
    from tests.export.piper.tiny_voice import tiny_metadata, tiny_vits

    from voxgraft.export.piper.voice import export_piper

    model = tiny_vits()
    return export_piper(model, tiny_metadata(), tmp_path_factory.mktemp("voice")), model


@pytest.fixture(scope="session")
def tiny_voices(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(exported .onnx, the model) of three speakers."""
    from tests.export.piper.tiny_voice import tiny_metadata, tiny_vits

    from voxgraft.export.piper.voice import export_piper

    model = tiny_vits(3)
    return export_piper(model, tiny_metadata(3), tmp_path_factory.mktemp("voices")), model
