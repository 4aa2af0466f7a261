"""An exported voice: its file, its weights, and the runtimes that people use."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.export.piper.tiny_voice import tiny_metadata, tiny_vits

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.piper import graph, verify, voice
from voxgraft.export.piper.graph import OPSET, folded_copy
from voxgraft.export.piper.voice import check_fits, export_piper, runtime_metadata
from voxgraft.files import name_beside
from voxgraft.inference.voice.voice import Voice

TEXT = "The quick brown fox jumps over the lazy dog."


@pytest.fixture
def traced_once(tiny_voice, monkeypatch):
    """Tracing is most of an export's time; where only what comes after it matters, take the graph of `tiny_voice`."""
    import onnx

    def traced(_):
        graph = onnx.load(str(tiny_voice[0]))
        del graph.metadata_props[:]
        return graph

    monkeypatch.setattr(graph, "trace", traced)


def state_of(model) -> dict[str, np.ndarray]:
    return {name: tensor.clone().numpy() for name, tensor in model.state_dict().items()}


def test_files_and_signature(tiny_voice):
    import onnx

    path, _ = tiny_voice
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "en_US-tiny-low.onnx",
        "en_US-tiny-low.onnx.json",
        "tokens.txt",
    ]
    graph = onnx.load(str(path))
    assert graph.opset_import[0].version == OPSET == 15
    assert [i.name for i in graph.graph.input] == ["input", "input_lengths", "scales"]
    assert [i.name for i in graph.graph.output] == ["output"]
    shape = [d.dim_param or d.dim_value for d in graph.graph.output[0].type.tensor_type.shape.dim]
    assert shape == ["batch", 1, "time"]
    properties = {p.key: p.value for p in graph.metadata_props}
    assert properties == runtime_metadata(tiny_metadata())
    assert json.loads(properties["voxgraft"])["consent"] == "given in writing"


def test_speaker_input_only_where_there_are_several(tiny_voices):
    import onnx

    path, _ = tiny_voices
    assert [i.name for i in onnx.load(str(path)).graph.input] == ["input", "input_lengths", "scales", "sid"]


def test_model_and_threads_stay_as_they_are(tmp_path, traced_once):
    model = tiny_vits().train()
    before = state_of(model)
    torch.set_num_threads(2)
    export_piper(model, tiny_metadata(), tmp_path)
    assert torch.get_num_threads() == 2
    after = state_of(model)
    assert list(before) == list(after)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())


def test_every_weight_of_inference_keeps_its_name(tiny_voices):
    import onnx
    from onnx import numpy_helper

    path, model = tiny_voices
    stored = {i.name: numpy_helper.to_array(i) for i in onnx.load(str(path)).graph.initializer}
    folded = dict(folded_copy(model).named_parameters())
    assert set(stored) <= set(folded)
    unused = {name for name in folded if name not in stored}
    assert all(name.startswith(("dp.post_", "dp.flows.1.")) for name in unused)
    assert all(np.array_equal(stored[name], folded[name].numpy()) for name in stored)


def test_own_export_opens_again_and_nothing_is_lost(tiny_voices):
    path, model = tiny_voices
    checkpoint = open_checkpoint(path)
    folded = dict(folded_copy(model).named_parameters())
    for name in checkpoint.tensors:
        np.testing.assert_array_equal(np.asarray(checkpoint.tensors[name]), folded[name].numpy(), err_msg=name)
    assert checkpoint.speakers == ("speaker0", "speaker1", "speaker2")
    assert checkpoint.architecture["upsample_rates"] == (8, 8, 4)
    assert "enc_q" in " ".join(checkpoint.missing) or "posterior" in " ".join(checkpoint.missing)


def test_equal_weights_keep_their_own_names(tmp_path):
    """A model from scratch has many zero tensors; none may stand in for another."""
    import onnx

    torch.manual_seed(0)
    model = tiny_vits()
    with torch.no_grad():
        for flow in (0, 2, 4, 6):
            model.flow.flows[flow].post.weight.zero_()
            model.flow.flows[flow].post.bias.zero_()
    path = export_piper(model, tiny_metadata(), tmp_path)
    names = {i.name for i in onnx.load(str(path)).graph.initializer}
    assert {f"flow.flows.{flow}.post.bias" for flow in (0, 2, 4, 6)} <= names


def test_noise_changes_what_is_said(tiny_voice):
    path, _ = tiny_voice
    voice = Voice.load(path, seed=1)
    ids = voice.symbols.encode("həloʊ").ids
    quiet = voice.speak_ids(ids, noise_scale=0.0, noise_w=0.0)
    noisy = voice.speak_ids(ids, noise_scale=2.0, noise_w=0.0)
    assert np.abs(quiet - noisy[: len(quiet)]).max() > 1e-3


def test_length_scale_stretches(tiny_voice):
    path, _ = tiny_voice
    voice = Voice.load(path)
    ids = voice.symbols.encode("həloʊ").ids
    once = voice.speak_ids(ids, noise_scale=0.0, noise_w=0.0, length_scale=1.0)
    longer = voice.speak_ids(ids, noise_scale=0.0, noise_w=0.0, length_scale=4.0)
    assert len(longer) > 1.5 * len(once)


def test_speakers_differ(tiny_voices):
    path, _ = tiny_voices
    voice = Voice.load(path)
    ids = voice.symbols.encode("həloʊ").ids
    first, last = (voice.speak_ids(ids, noise_scale=0.0, noise_w=0.0, speaker=s) for s in ("speaker0", "speaker2"))
    shorter = min(len(first), len(last))
    assert np.abs(first[:shorter] - last[:shorter]).max() > 1e-4


def test_deterministic_durations_export_too(tmp_path):
    path = export_piper(tiny_vits(stochastic_duration=False), tiny_metadata(), tmp_path)
    assert Voice.load(path).sample_rate == 16000


@pytest.mark.filterwarnings("error")
def test_export_is_quiet(tmp_path, capfd):
    export_piper(tiny_vits(), tiny_metadata(), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_mismatch_leaves_nothing(tmp_path, monkeypatch, traced_once):
    (tmp_path / "en_US-tiny-low.onnx").write_bytes(b"the voice before")
    honest = verify._by_torch
    monkeypatch.setattr(verify, "_by_torch", lambda *a: honest(*a) + 0.01)
    with pytest.raises(ExportError, match="doesn't say the same"):
        export_piper(tiny_vits(), tiny_metadata(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["en_US-tiny-low.onnx"]
    assert (tmp_path / "en_US-tiny-low.onnx").read_bytes() == b"the voice before"


def test_other_lengths_are_a_mismatch(tmp_path, monkeypatch, traced_once):
    honest = verify._by_torch
    monkeypatch.setattr(verify, "_by_torch", lambda *a: np.append(honest(*a), 0))
    with pytest.raises(ExportError, match="samples"):
        export_piper(tiny_vits(), tiny_metadata(), tmp_path)


def test_model_that_broke_down_is_not_exported(tmp_path, traced_once):
    model = tiny_vits()
    with torch.no_grad():
        model.dec.conv_pre.bias[0] = float("nan")
    with pytest.raises(ExportError, match="not finite"):
        export_piper(model, tiny_metadata(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_leftovers_of_a_killed_export_are_cleared(tmp_path, traced_once):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ours = name_beside(tmp_path.parent / "en_US-tiny-low.onnx").name
    leftover = tmp_path / ours.replace(f"-{os.getpid()}-", f"-{dead.pid}-")
    leftover.mkdir()
    (leftover / "en_US-tiny-low.onnx").write_bytes(b"half")
    (leftover / "stray").write_bytes(b"half")
    export_piper(tiny_vits(), tiny_metadata(), tmp_path)
    assert not leftover.exists()
    assert not (tmp_path / "stray").exists()


def test_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ExportError, match="can't write"):
        export_piper(tiny_vits(), tiny_metadata(), tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"speakers": ("a", "b")}, "speakers"),
        ({"audio": AudioSpec(16000, hop=300)}, "hop"),
        ({"symbols": None}, "symbols"),
    ],
)
def test_metadata_of_another_model_is_refused(changes, field):
    from dataclasses import replace

    if "symbols" in changes:
        changes = {"symbols": replace(tiny_metadata().symbols, rows=300)}
    with pytest.raises(ExportError) as fault:
        check_fits(tiny_vits(), tiny_metadata(**changes))
    assert fault.value.field == field


def test_disk_full_leaves_nothing(tmp_path, monkeypatch, traced_once):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(voice, "write_atomically", full)
    with pytest.raises(ExportError, match="No space left"):
        export_piper(tiny_vits(), tiny_metadata(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_voices_with_other_symbols_keep_their_tokens(tmp_path, traced_once):
    from dataclasses import replace

    table = tiny_metadata().symbols
    other = replace(table, ids={symbol: ids for symbol, ids in table.ids.items() if symbol != "ŋ"})
    first = export_piper(tiny_vits(), tiny_metadata(), tmp_path)
    second = export_piper(tiny_vits(), tiny_metadata(name="other", symbols=other), tmp_path)
    again = export_piper(tiny_vits(), tiny_metadata(name="third"), tmp_path)
    tokens = sorted(file.name for file in tmp_path.glob("*tokens.txt"))
    assert tokens == ["en_US-other-low.tokens.txt", "tokens.txt"]
    assert "ŋ" in (tmp_path / "tokens.txt").read_text("utf-8")
    assert "ŋ" not in (tmp_path / "en_US-other-low.tokens.txt").read_text("utf-8")
    assert len({first, second, again}) == 3
