"""Exported voices: every tensor found, whatever the exporter called or folded; damage refused."""

import json
import re

import numpy as np
import pytest
from tests.checkpoints.fixture_files import PIPER, copied

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.containers.protobuf import BYTES, FieldBudget, read_fields
from voxgraft.errors import CheckpointError

NAMES = ("single", "high", "multi")


def folded(checkpoint, name):
    """A tensor of a training checkpoint with its weight norm folded: w = g · v / |v|."""
    if name in checkpoint.tensors:
        return checkpoint.tensors[name]
    direction, gain = checkpoint.tensors[f"{name}_v"], checkpoint.tensors[f"{name}_g"]
    return gain * direction / np.sqrt((direction**2).sum(axis=(1, 2), keepdims=True))


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_equals_the_training_checkpoints(name):
    voice, trained = open_checkpoint(PIPER / f"{name}.onnx"), open_checkpoint(PIPER / f"{name}.ckpt")
    for tensor in voice.tensors:
        np.testing.assert_allclose(
            voice.tensors[tensor], folded(trained, tensor), rtol=2e-5, atol=1e-6, err_msg=f"{name}: {tensor}"
        )
    used = {
        re.sub(r"weight_[gv]$", "weight", key)
        for key in trained.tensors
        if not key.startswith(("enc_q.", "discriminator", "dp.post_", "dp.flows.1."))
    }
    assert set(voice.tensors) == used
    assert voice.missing == ("posterior encoder", "duration posterior", "discriminators")


@pytest.mark.parametrize("name", NAMES)
def test_the_architecture_equals_the_recorded_one(name):
    voice, trained = open_checkpoint(PIPER / f"{name}.onnx"), open_checkpoint(PIPER / f"{name}.ckpt")
    assert voice.architecture == trained.architecture
    assert voice.notes == ()


def test_facts_of_a_voice_with_speakers():
    voice = open_checkpoint(PIPER / "multi.onnx")
    assert voice.speakers == ("speaker0", "speaker1", "speaker2")
    assert voice.audio is not None
    assert voice.audio.sample_rate == 16000
    assert voice.symbols is not None
    assert voice.symbols.ids["a"] == (20,)
    assert voice.symbols.rows == 256
    assert voice.inference == {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8}
    assert voice.architecture["gin_channels"] == 8
    assert all(voice.tensors[name].dtype == np.float32 for name in voice.tensors)


def resaved(path, change):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(path)
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_without_scopes_is_read_too(tmp_path, name):
    def forget_scopes(model):
        for i, node in enumerate(model.graph.node):
            node.name = f"{node.op_type}_{i}"

    path = resaved(copied(f"{name}.onnx", tmp_path), forget_scopes)
    voice, whole = open_checkpoint(path), open_checkpoint(PIPER / f"{name}.onnx")
    assert set(voice.tensors) == set(whole.tensors)
    for tensor in whole.tensors:
        np.testing.assert_array_equal(voice.tensors[tensor], whole.tensors[tensor], err_msg=tensor)
    assert voice.architecture == whole.architecture


@pytest.mark.parametrize("name", NAMES)
def test_anonymous_parameters_are_found_by_what_consumes_them(tmp_path, name):
    """As where an exporter merged equal tensors: the merged name says nothing."""

    def forget_names(model):
        anonymous = {}
        for number, tensor in enumerate(model.graph.initializer):
            if not tensor.name.endswith(("emb_rel_k", "emb_rel_v")):
                anonymous[tensor.name] = f"onnx::{number}"
                tensor.name = f"onnx::{number}"
        for node in model.graph.node:
            for i, source in enumerate(node.input):
                node.input[i] = anonymous.get(source, source)

    path = resaved(copied(f"{name}.onnx", tmp_path), forget_names)
    voice, whole = open_checkpoint(path), open_checkpoint(PIPER / f"{name}.onnx")
    assert set(voice.tensors) == set(whole.tensors)
    for tensor in whole.tensors:
        np.testing.assert_array_equal(voice.tensors[tensor], whole.tensors[tensor], err_msg=tensor)


def test_a_folded_scale_of_the_last_duration_flow_is_undone(tmp_path):
    """torch 2.0 folds exp(-logs) whole; newer ones leave the exp."""
    onnx = pytest.importorskip("onnx")

    def fold_exp(model):
        exp = next(node for node in model.graph.node if node.name == "/dp/flows.0/Exp")
        source = next(tensor for tensor in model.graph.initializer if tensor.name == exp.input[0])
        scale = np.exp(onnx.numpy_helper.to_array(source))
        model.graph.initializer.append(onnx.numpy_helper.from_array(scale, exp.output[0]))
        model.graph.node.remove(exp)

    path = resaved(copied("single.onnx", tmp_path), fold_exp)
    name = "dp.flows.0.logs"
    np.testing.assert_allclose(
        open_checkpoint(path).tensors[name], open_checkpoint(PIPER / "single.onnx").tensors[name], atol=1e-6
    )


def test_weights_in_another_file_are_refused(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = copied("single.onnx", tmp_path)
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(CheckpointError, match="another file"):
        open_checkpoint(path)


def test_a_shape_that_its_data_does_not_fill_is_refused(tmp_path):
    def grow(model):
        model.graph.initializer[0].dims[0] = 2**40

    with pytest.raises(CheckpointError, match="fill the shape"):
        open_checkpoint(resaved(copied("single.onnx", tmp_path), grow))


def test_weights_spelt_as_floats_instead_of_raw_bytes(tmp_path):
    """As other tools than torch write them, or in double precision."""
    onnx = pytest.importorskip("onnx")

    def respell(model):
        for number, tensor in enumerate(model.graph.initializer):
            if tensor.data_type == onnx.TensorProto.FLOAT and tensor.dims:
                array = onnx.numpy_helper.to_array(tensor)
                tensor.ClearField("raw_data")
                if number % 2:
                    tensor.float_data.extend(array.ravel().tolist())
                else:
                    tensor.data_type = onnx.TensorProto.DOUBLE
                    tensor.raw_data = array.astype("<f8").tobytes()

    path = resaved(copied("single.onnx", tmp_path), respell)
    voice, whole = open_checkpoint(path), open_checkpoint(PIPER / "single.onnx")
    for tensor in whole.tensors:
        assert voice.tensors[tensor].dtype == np.float32
        np.testing.assert_array_equal(voice.tensors[tensor], whole.tensors[tensor], err_msg=tensor)


def test_an_optimised_graph_without_some_weights_is_refused_by_name(tmp_path):
    def lose(model):
        for tensor in model.graph.initializer:
            if tensor.name == "dec.conv_pre.weight":
                tensor.name = "lost"

    with pytest.raises(CheckpointError, match=r"dec\.conv_pre\.weight"):
        open_checkpoint(resaved(copied("single.onnx", tmp_path), lose))


def test_another_onnx_model_is_told_apart(tmp_path):
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    ends = [onnx.helper.make_tensor_value_info(name, 1, [1]) for name in "xy"]
    path = tmp_path / "other.onnx"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", ends[:1], ends[1:])), path)
    # It is not asked for settings that no such model has.
    with pytest.raises(CheckpointError, match="not a Piper voice"):
        open_checkpoint(path)


def test_the_configuration_must_be_there(tmp_path):
    path = copied("single.onnx", tmp_path)
    (tmp_path / "single.onnx.json").rename(tmp_path / "single.json")
    assert open_checkpoint(path).symbols is not None
    (tmp_path / "single.json").unlink()
    with pytest.raises(CheckpointError, match=r"single\.onnx\.json is not there"):
        open_checkpoint(path)


def test_contradictions_are_settled_for_the_tensors_and_noted(tmp_path):
    path = copied("multi.onnx", tmp_path)
    config = json.loads((PIPER / "multi.onnx.json").read_text())
    (tmp_path / "multi.onnx.json").write_text(json.dumps(config | {"num_symbols": 200, "num_speakers": 7}))
    voice = open_checkpoint(path)
    assert voice.architecture["symbols"] == 256
    assert len(voice.speakers) == 3
    assert len([note for note in voice.notes if "the tensors win" in note]) == 2


def test_a_voice_cut_off_anywhere_is_one_clear_error(tmp_path):
    raw = (PIPER / "single.onnx").read_bytes()
    boundaries = {span[0] for span in spans(raw)} | {len(raw) * k // 20 for k in range(1, 20)} | {1, 2, len(raw) - 1}
    path = copied("single.onnx", tmp_path)
    for cut in sorted(boundaries - {0, len(raw)})[:: max(len(boundaries) // 120, 1)]:
        path.write_bytes(raw[:cut])
        with pytest.raises(CheckpointError) as caught:
            open_checkpoint(path)
        assert str(path) in caught.value.summary, cut


def spans(raw):
    """Where each message begins, two levels deep."""
    for number, wire, value in read_fields(raw, (0, len(raw)), FieldBudget(10**6)):
        if wire == BYTES:
            yield value
            if number == 7:
                yield from (v for _, w, v in read_fields(raw, value, FieldBudget(10**6)) if w == BYTES)
