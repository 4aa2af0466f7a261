"""Exported HiFi-GANs are bases: their weights, however they are named, are those of the network that was exported."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.containers.onnx import Initialiser, Node, OnnxGraph, read_onnx
from voxgraft.checkpoints.formats.onnx_kinds import kind_of
from voxgraft.checkpoints.formats.onnx_vocoder.hifigan import recover_hifigan
from voxgraft.checkpoints.inspect import inspection_of
from voxgraft.errors import CheckpointError

FOLDER = paths.FIXTURES / "vocoders"
DILATIONS = {"second": ((1, 2), (2, 6))}


@pytest.mark.parametrize("name", ["named", "second", "folded", "normed"])
def test_it_sounds_as_the_network_that_was_exported(name):
    torch = pytest.importorskip("torch")
    from voxgraft.export.vocoder.load import load_generator

    checkpoint = open_checkpoint(FOLDER / f"hifigan-{name}.onnx")
    assert (checkpoint.family, checkpoint.provenance.format) == ("hifigan", "onnx-vocoder")
    assert checkpoint.architecture["upsample_rates"] == (4, 2)
    assert checkpoint.architecture["resblock"] == ("2" if name == "second" else "1")
    assert checkpoint.architecture["resblock_dilations"] == DILATIONS.get(name, ((1, 3, 5), (1, 2, 4)))
    with np.load(FOLDER / "reference.npz") as file:
        audio = load_generator(checkpoint)(torch.from_numpy(file["mel"]))
        np.testing.assert_allclose(audio, file[name], atol=1e-6)


@pytest.mark.parametrize("name", ["named", "second", "folded", "normed"])
def test_onnxruntime_says_the_same(name):
    from voxgraft.inference.vocoder.vocoder import Vocoder

    with np.load(FOLDER / "reference.npz") as file:
        heard = Vocoder.load(FOLDER / f"hifigan-{name}.onnx", threads=1).speak(file["mel"])
        np.testing.assert_allclose(heard, file[name][:, 0], atol=1e-4)


@pytest.mark.parametrize("name", ["named", "second", "folded"])
def test_without_any_names_the_order_tells(name):
    graph = read_onnx(FOLDER / f"hifigan-{name}.onnx")
    ids = {old: f"w{number}" for number, old in enumerate(graph.initialisers)}
    nameless = OnnxGraph(
        graph.buffer,
        {ids[old]: tensor for old, tensor in graph.initialisers.items()},
        tuple(
            Node(n.op, "", tuple(ids.get(i, i) for i in n.inputs), n.outputs, n.ints) if "Conv" in n.op else n
            for n in graph.nodes
        ),
        graph.inputs,
        graph.outputs,
        {},
        "",
    )
    wanted, found = recover_hifigan(graph), recover_hifigan(nameless)
    assert {k: t.shape for k, t in found.tensors.items()} == {k: t.shape for k, t in wanted.tensors.items()}
    for key, tensor in wanted.tensors.items():
        np.testing.assert_array_equal(found.tensors[key].load(), tensor.load())
    assert found.dilations == wanted.dilations


def test_the_plan_takes_folded_weights_apart():
    pytest.importorskip("torch")
    from voxgraft.config.run import RunConfig
    from voxgraft.graft.make import make_plan
    from voxgraft.graft.target import target_for

    base = open_checkpoint(FOLDER / "hifigan-folded.onnx")
    plan = make_plan(base, target_for(RunConfig(task="vocoder", vocoder={"discriminator": "none"}), base))
    actions = {row.action for row in plan.rows if str(row.target).endswith(("weight_g", "weight_v"))}
    assert actions == {"decompose"}
    assert plan.parameters_carried == 1
    assert not plan.refusals


def test_its_configuration_beside_it_tells_the_spectrogram(tmp_path):
    path = tmp_path / "generator.onnx"
    path.write_bytes((FOLDER / "hifigan-named.onnx").read_bytes())
    assert open_checkpoint(path).audio is None
    (tmp_path / "config.json").write_text(
        '{"sampling_rate": 16000, "n_fft": 64, "hop_size": 8, "win_size": 64, "num_mels": 8, "fmin": 20, "fmax": 7600}'
    )
    audio = open_checkpoint(path).audio
    assert (audio.sample_rate, audio.hop, audio.fmin, audio.fmax, audio.n_mels) == (16000, 8, 20, 7600, 8)


def test_what_we_export_comes_back(tmp_path):
    pytest.importorskip("torch")
    from voxgraft.export.vocoder.onnx import export_vocoder

    for source in (FOLDER / "vocos.safetensors", paths.FIXTURES / "everyvoice" / "istft.ckpt"):
        base = open_checkpoint(source)
        back = open_checkpoint(export_vocoder(base, tmp_path / f"{base.family}.onnx"))
        assert (back.family, back.audio) == (base.family, base.audio)
        assert dict(back.architecture) == dict(base.architecture)
        for name in back.tensors:
            if name in base.tensors:
                np.testing.assert_array_equal(back.tensors[name], base.tensors[name])
        assert {n.partition("weight")[0] for n in back.tensors} == {
            n.partition("weight")[0] for n in base.tensors if n.startswith("generator.")
        }


def test_inspect_asks_for_no_settings_of_piper():
    document = inspection_of(open_checkpoint(FOLDER / "hifigan-folded.onnx"))
    assert (document["family"], document["format"]) == ("hifigan", "onnx-vocoder")
    assert "onnx.json" not in str(document["abilities"])


def test_what_else_an_onnx_may_be_is_told():
    def graph(inputs, outputs, **metadata):
        return OnnxGraph(b"", dict[str, Initialiser](), (), tuple(inputs), tuple(outputs), metadata, "")

    assert kind_of(graph(["x", "x_length"], ["mel"], model_type="matcha-tts")).startswith("an acoustic model of Matcha")
    assert kind_of(graph(["mel"], ["mag", "x", "y"])).startswith("a vocoder that gives a spectrum")
    assert kind_of(graph(["input_ids"], ["logits"])) == "of no kind that is known here: input_ids → logits"


def test_an_onnx_of_another_kind_is_named(tmp_path):
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Relu", ["tokens"], ["style_out"])
    kinds = [onnx.helper.make_tensor_value_info(n, 1, [1]) for n in ("tokens", "style", "speed", "style_out")]
    path = tmp_path / "kokoro.onnx"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", kinds[:3], kinds[3:])), path)
    with pytest.raises(CheckpointError, match="Kokoro") as fault:
        open_checkpoint(path)
    assert "onnx.json" not in str(fault.value)
