"""Exported recognisers hear what TensorFlow heard, run from end to end by onnxruntime."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from tests.checkpoints.fixture_files import DEEPSPEECH

from voxgraft.checkpoints import open_checkpoint
from voxgraft.cli.main import load_verb
from voxgraft.errors import ExportError
from voxgraft.export.recogniser import onnx as exporting
from voxgraft.export.recogniser.onnx import export_recogniser, verify_recogniser
from voxgraft.export.recogniser.pack import write_recogniser_pack
from voxgraft.graft.recogniser import whole_network
from voxgraft.inference.recogniser.decoders.decode import log_softmax
from voxgraft.inference.recogniser.recogniser import Recogniser


def reference(name):
    with np.load(DEEPSPEECH / name / "reference.npz") as file:
        return (file["audio"] / 32767).astype(np.float32), file["mfcc"], file["logits"]


@pytest.mark.parametrize("name", ["english", "bytes", "norm"])
def test_from_sound_to_outputs_as_tensorflow(tmp_path, name):
    path = export_recogniser(open_checkpoint(DEEPSPEECH / name), tmp_path, "tiny")
    audio, _, logits = reference(name)
    recogniser = Recogniser.load(path)
    np.testing.assert_allclose(recogniser.log_probs(audio), log_softmax(logits), atol=1e-4)
    assert recogniser.settings.frame_seconds == 0.02
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tiny.onnx", "tiny.onnx.json"]


@pytest.mark.parametrize("pieces", [(27,), (1,) * 27, (5, 16, 6)])
def test_piece_by_piece_is_the_whole(tmp_path, pieces):
    recogniser = Recogniser.load(export_recogniser(open_checkpoint(DEEPSPEECH / "cyrillic"), tmp_path, "tiny"))
    _, mfcc, logits = reference("cyrillic")
    padded = np.pad(mfcc, ((9, 9), (0, 0)))
    states, found, start = recogniser.first_states(), [], 0
    for length in pieces:
        outputs, states = recogniser.run(padded[start : start + length + 18], states)
        found.append(outputs)
        start += length
    np.testing.assert_allclose(np.concatenate(found), log_softmax(logits), atol=1e-4)
    assert [state.shape for state in states] == [(1, 1, 12)] * 2


def test_several_at_once_are_each_alone(tmp_path, monkeypatch):
    recogniser = Recogniser.load(export_recogniser(open_checkpoint(DEEPSPEECH / "english"), tmp_path, "tiny"))
    audio, _, _ = reference("english")
    many = [audio[:length] for length in (len(audio), 5000, 100, 4800, 0, 2000, len(audio) - 300)]
    alone = [recogniser.log_probs(one) for one in many]
    sizes = []
    monkeypatch.setattr(
        recogniser, "_run_together", lambda batch, run=recogniser._run_together: sizes.append(len(batch)) or run(batch)
    )
    for found, expected in zip(recogniser.log_probs_of(many), alone, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert sizes[0] < len(many)
    assert max(sizes) > 1


def test_what_differs_is_not_written(tmp_path, monkeypatch):
    checkpoint = open_checkpoint(DEEPSPEECH / "english")
    path = export_recogniser(checkpoint, tmp_path / "good", "tiny")
    network = whole_network(checkpoint)
    assert verify_recogniser(path, network) < 1e-4
    with torch.no_grad():
        network.layer_6.bias[3] += 0.01
    with pytest.raises(ExportError, match="doesn't hear the same"):
        verify_recogniser(path, network)
    traced = exporting._traced
    monkeypatch.setattr(exporting, "_traced", lambda graph: traced(graph)[:-2000])
    with pytest.raises(ExportError):
        export_recogniser(checkpoint, tmp_path / "bad", "tiny")
    assert not any((tmp_path / "bad").iterdir())


def test_a_network_that_is_sure_of_itself_is_exported(tmp_path):
    """Its least likely labels have logarithms of -1000, whose last digits are never the same."""
    checkpoint = open_checkpoint(DEEPSPEECH / "english")
    sure = {name: np.array(tensor) for name, tensor in checkpoint.tensors.items()}
    sure["layer_6/weights"] = 200 * sure["layer_6/weights"]
    path = export_recogniser(replace(checkpoint, tensors=sure), tmp_path, "tiny")
    audio, _, _ = reference("english")
    assert Recogniser.load(path).log_probs(audio).min() < -100


def test_a_base_without_its_alphabet_is_not_exported(tmp_path):
    nameless = replace(open_checkpoint(DEEPSPEECH / "english"), symbols=None)
    with pytest.raises(ExportError, match=r"with its alphabet") as caught:
        export_recogniser(nameless, tmp_path, "tiny")
    assert "alphabet.txt" in caught.value.remedy


def test_a_pack_holds_all_that_its_next_owner_needs(tmp_path):
    checkpoint = open_checkpoint(DEEPSPEECH / "english")
    test = {"result": {"wer": [0.5, 0.4, 0.6], "cer": [0.25, 0.2, 0.3]}, "base": None}
    pack = write_recogniser_pack(checkpoint, tmp_path, "tiny", test=test, archive=True)
    assert {file.name for file in pack.files} == {
        "tiny.onnx", "tiny.onnx.json", "tiny.safetensors", "alphabet.txt", "card.md",
    }  # fmt: skip
    assert pack.archive.stat().st_size > sum(file.stat().st_size for file in pack.files)
    again = open_checkpoint(pack.folder / "tiny.safetensors")
    assert again.symbols == checkpoint.symbols
    assert again.features == checkpoint.features
    for name, array in checkpoint.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], array)
    card = (pack.folder / "card.md").read_text("utf-8")
    assert "| this recogniser | 50.0 (40.0–60.0) | 25.0 (20.0–30.0) |" in card
    assert (pack.folder / "alphabet.txt").read_text("utf-8").splitlines()[:2] == [" ", "a"]


def test_the_command_tells_recognisers_from_voices(tmp_path):
    verb = load_verb("export")
    told = CliRunner().invoke(verb, [str(DEEPSPEECH / "english"), "--out", str(tmp_path), "--name", "tiny", "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["voice"] == str(tmp_path / "tiny" / "tiny.onnx")
    refused = CliRunner().invoke(verb, [str(DEEPSPEECH / "english"), "--to", "trainer", "--out", str(tmp_path)])
    assert refused.exit_code == 2
    assert "this is a recogniser" in refused.output
