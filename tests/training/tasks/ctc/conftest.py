import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tests.checkpoints.formats.hugging_face.hugging_face_files import folder_copy

from voxgraft.training.tasks.ctc import setup

POSITIONS = "model.encoder.embed_positions.weight"


@pytest.fixture
def whisper(tmp_path):
    """The tiny Whisper with positions for four seconds."""
    folder = folder_copy("whisper", tmp_path / "base")
    tensors = load_file(folder / "model.safetensors")
    tensors[POSITIONS] = np.random.default_rng(0).normal(0, 0.3, (200, 8)).astype(np.float32)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.fixture
def without_export(monkeypatch):
    """Exporting takes a second and is tested by itself."""
    monkeypatch.setattr(setup, "export_recogniser", lambda checkpoint, folder, name: folder / f"{name}.onnx")
