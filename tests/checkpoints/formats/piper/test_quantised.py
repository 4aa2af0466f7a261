"""Quantised voices speak, so they are read: their weights are what they compute with."""

import shutil

import numpy as np
import pytest
from tests.checkpoints.fixture_files import PIPER

from voxgraft.checkpoints import open_checkpoint

quantization = pytest.importorskip("onnxruntime.quantization")
SOURCE = PIPER / "single.onnx"


class Sentence(quantization.CalibrationDataReader):
    def __init__(self):
        ids = np.array([[1, 0, 20, 0, 30, 0, 25, 0, 2]], dtype=np.int64)
        scales = np.array([0.667, 1, 0.8], dtype=np.float32)
        self.feeds = iter([{"input": ids, "input_lengths": np.array([9], dtype=np.int64), "scales": scales}])

    def get_next(self):
        return next(self.feeds, None)


def dynamic(path, kind, per_channel):
    quantization.quantize_dynamic(SOURCE, path, weight_type=kind, per_channel=per_channel)


def static(path, form, per_channel):
    quantization.quantize_static(
        SOURCE, path, Sentence(), quant_format=form, per_channel=per_channel, op_types_to_quantize=["Conv"]
    )


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize(
    ("make", "how"),
    [
        (dynamic, quantization.QuantType.QUInt8),
        (dynamic, quantization.QuantType.QInt8),
        (static, quantization.QuantFormat.QDQ),
        (static, quantization.QuantFormat.QOperator),
    ],
)
def test_weights_in_eight_bits_are_what_the_voice_computes_with(tmp_path, make, how, per_channel):
    path = tmp_path / "voice.onnx"
    make(path, how, per_channel)
    shutil.copy(PIPER / "single.onnx.json", tmp_path / "voice.onnx.json")
    whole, small = open_checkpoint(SOURCE), open_checkpoint(path)
    assert set(small.tensors) == set(whole.tensors)
    assert any("quantised to 8 bits" in note for note in small.notes)
    for name in whole.tensors:
        largest = np.abs(whole.tensors[name]).max()
        np.testing.assert_allclose(small.tensors[name], whole.tensors[name], atol=largest / 126 + 1e-6, err_msg=name)


def test_weights_in_sixteen_bits(tmp_path):
    float16 = pytest.importorskip("onnxruntime.transformers.float16")
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "voice.onnx"
    onnx.save(float16.convert_float_to_float16(onnx.load(SOURCE), keep_io_types=True), path)
    shutil.copy(PIPER / "single.onnx.json", tmp_path / "voice.onnx.json")
    whole, small = open_checkpoint(SOURCE), open_checkpoint(path)
    assert set(small.tensors) == set(whole.tensors)
    assert any("16 bits" in note for note in small.notes)
    for name in whole.tensors:
        np.testing.assert_allclose(small.tensors[name], whole.tensors[name], rtol=2e-2, atol=2e-3, err_msg=name)
