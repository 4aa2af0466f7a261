"""Names that a wrapper wrote into are read as if it had never been there: every format, wherever in the name."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from tests import paths
from tests.checkpoints.formats.nemo.test_reader import archive, state

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.containers.wrappers import unwrapped_name, unwrapped_names
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors

torch = pytest.importorskip("torch")

FIXTURES = paths.FIXTURES
TORCH = [
    "piper/single.ckpt",
    "piper/multi.ckpt",
    "piper/slim_bf16.ckpt",
    "coqui_tts/vits/model.pth",
    "coqui_tts/vits_speakers.pth",
    "coqui_tts/fast_pitch.pth",
    "coqui_tts/fastspeech2.pth",
    "coqui_tts/glow_tts.pth",
    "coqui_tts/tacotron2.pth",
    "coqui_tts/hifigan.pth",
    "coqui_tts/univnet.pth",
    "coqui_tts/multiband_melgan.pth",
    "vits_original/ljs/G_0.pth",
    "vits_original/vctk/G_10.pth",
    "everyvoice/text-to-spec.ckpt",
    "everyvoice/features.ckpt",
    "everyvoice/spec-to-wav.ckpt",
    "everyvoice/istft.ckpt",
    "tts_framework/delightful.ckpt",
    "tts_framework/univnet.ckpt",
    "tts_framework/hifigan.ckpt",
    "tts_framework/acoustic.pt",
    "tts_framework/vocoder.pt",
]
STATES = ("state_dict", "model", "gen", "generator", "discriminator")


def inside(name: str, wrapper: str) -> str:
    first, dot, rest = name.partition(".")
    return first + dot + wrapper + rest if dot else name


WRAPPINGS = {
    "compiled": lambda name: f"_orig_mod.{name}",
    "in data parallel": lambda name: f"module.{name}",
    "compiled in data parallel": lambda name: f"module._orig_mod.{name}",
    "sharded": lambda name: f"_fsdp_wrapped_module.{inside(name, '_fsdp_wrapped_module.')}",
    "parts compiled": lambda name: inside(name, "_orig_mod."),
    "parts in data parallel": lambda name: inside(name, "module."),
    "in a Lightning module": lambda name: f"model.{name}",
    "compiled in a Lightning module": lambda name: f"model._orig_mod.{name}",
}


@pytest.fixture(params=WRAPPINGS, scope="module")
def wrap(request):
    return WRAPPINGS[request.param]


def assert_same(path: Path, original: Path) -> None:
    found, wanted = open_checkpoint(path), open_checkpoint(original)
    assert (found.family, found.architecture) == (wanted.family, wanted.architecture)
    assert found.shapes == wanted.shapes
    assert found.missing == wanted.missing
    name = next(iter(wanted.tensors))
    np.testing.assert_array_equal(found.tensors[name], wanted.tensors[name])


@pytest.mark.parametrize("fixture", TORCH)
def test_a_file_of_torch_save(fixture, wrap, tmp_path):
    source = FIXTURES / fixture
    content = torch.load(source, weights_only=False)
    for key in STATES:
        if isinstance(content.get(key), dict):
            content[key] = {wrap(name): tensor for name, tensor in content[key].items()}
    shutil.copytree(source.parent, tmp_path / "x", ignore=shutil.ignore_patterns(source.name, "*.npz"))
    torch.save(content, tmp_path / "x" / source.name)
    assert_same(tmp_path / "x" / source.name, source)


@pytest.mark.parametrize("holder", ["net_g", "trainer.voice"])
def test_a_voice_in_an_attribute_of_any_name(holder, tmp_path):
    source = FIXTURES / "piper" / "slim_bf16.ckpt"
    content = torch.load(source, weights_only=False)
    names = content["state_dict"].items()
    content["state_dict"] = {f"{holder}.{name.removeprefix('model_g.')}": tensor for name, tensor in names}
    torch.save(content, tmp_path / "v.ckpt")
    assert_same(tmp_path / "v.ckpt", source)


def test_a_voice_that_was_exported_here(wrap, tmp_path):
    plain, wrapped = tmp_path / "plain.safetensors", tmp_path / "wrapped.safetensors"
    write_safetensors(plain, open_checkpoint(FIXTURES / "piper" / "multi.ckpt"))
    with safe_open(plain, "np") as file:
        metadata = file.metadata()
    save_file({wrap(name): value for name, value in load_file(plain).items()}, wrapped, metadata)
    assert_same(wrapped, plain)


@pytest.mark.parametrize("fixture", ["mms", "parakeet", "vits", "vits_speakers", "whisper", "xlsr"])
def test_a_hugging_face_folder(fixture, wrap, tmp_path):
    source = FIXTURES / "hugging_face" / fixture
    folder = tmp_path / fixture
    shutil.copytree(source, folder)
    for path in folder.glob("model*.safetensors"):
        save_file({wrap(name): value for name, value in load_file(path).items()}, path)
    for path in folder.glob("pytorch_model.bin"):
        torch.save({wrap(name): value for name, value in torch.load(path).items()}, path)
    for path in folder.glob("*.index.json"):
        index = json.loads(path.read_text())
        index["weight_map"] = {wrap(name): shard for name, shard in index["weight_map"].items()}
        path.write_text(json.dumps(index))
    assert_same(folder, source)


def test_shards_of_which_one_alone_looks_wrapped(tmp_path):
    whole = {"model.encoder.a": np.ones(2, np.float32), "model.encoder.b": np.ones(3, np.float32)}
    save_file(whole, tmp_path / "model-1.safetensors")
    save_file({"proj_out.weight": np.ones(4, np.float32)}, tmp_path / "model-2.safetensors")
    places = {**dict.fromkeys(whole, "model-1.safetensors"), "proj_out.weight": "model-2.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    from voxgraft.checkpoints.containers.weight_files import weights_of_folder

    weights = weights_of_folder({path.name: path for path in tmp_path.iterdir()})
    assert set(weights.tensors) == {*whole, "proj_out.weight"}


def test_an_archive_of_nemo(wrap, tmp_path):
    plain, wrapped = tmp_path / "plain.nemo", tmp_path / "wrapped.nemo"
    archive(plain)
    archive(wrapped, weights={wrap(name): tensor for name, tensor in state().items()})
    assert_same(wrapped, plain)


@pytest.mark.parametrize("wrapper", ["_orig_mod", "module"])
def test_an_exported_voice(wrapper, tmp_path):
    onnx = pytest.importorskip("onnx")
    source = FIXTURES / "piper" / "single.onnx"
    model = onnx.load(source)
    kept = {entry.name for entry in (*model.graph.input, *model.graph.output)}

    def dotted(name):
        return (
            f"{wrapper}.{inside(name, f'{wrapper}.')}" if "." in name and "/" not in name and name not in kept else name
        )

    for tensor in model.graph.initializer:
        tensor.name = dotted(tensor.name)
    for node in model.graph.node:
        node.name = f"/{wrapper}{node.name}" if node.name.startswith("/") else node.name
        node.input[:] = map(dotted, node.input)
        node.output[:] = map(dotted, node.output)
    onnx.save_model(model, tmp_path / "v.onnx")
    shutil.copy(f"{source}.json", tmp_path / "v.onnx.json")
    assert_same(tmp_path / "v.onnx", source)


def test_what_is_no_wrapper_stays():
    genuine = "variance_adaptor.pitch_predictor.conv.0.layers.0.module.model.0.weight"
    assert unwrapped_name(genuine) == genuine
    assert unwrapped_name(f"module.{genuine}") == genuine
    assert unwrapped_name("vocoder_module.a.conv_module.b") == "vocoder_module.a.conv_module.b"
    assert unwrapped_names(["model.encoder.a", "proj_out.weight"])["model.encoder.a"] == "model.encoder.a"


def test_names_that_would_become_one_stay_two():
    names = ["enc.weight", "_orig_mod.enc.weight", "module.dec.weight"]
    assert list(unwrapped_names(names).values()) == ["enc.weight", "_orig_mod.enc.weight", "dec.weight"]
