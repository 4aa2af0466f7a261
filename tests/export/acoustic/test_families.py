"""Graphs of Glow-TTS and DelightfulTTS say what the networks say, at any length."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from tests import paths

from voxgraft.checkpoints import open_checkpoint
from voxgraft.export.acoustic.families import CONTROLS, tables_of
from voxgraft.export.acoustic.framing import Framing
from voxgraft.export.acoustic.graph import acoustic_graph
from voxgraft.export.acoustic.load import load_network
from voxgraft.export.acoustic.speaking import Scales, speak

GLOW, DELIGHTFUL = paths.FIXTURES / "glow_tts", paths.FIXTURES / "tts_framework"
CASES = {
    "glow": GLOW / "voice",
    "glow of speakers": GLOW / "speakers",
    "glow of separable convolutions": GLOW / "separable",
    "glow of residual convolutions": GLOW / "residual",
    "tts-framework": DELIGHTFUL / "delightful.ckpt",
    "voicesmith": DELIGHTFUL / "acoustic.pt",
}


@pytest.mark.parametrize("name", CASES)
def test_a_graph_says_what_the_network_says(name):
    checkpoint = open_checkpoint(CASES[name])
    network, tables = load_network(checkpoint), tables_of(checkpoint.family, checkpoint.architecture)
    graph = acoustic_graph(
        checkpoint.family,
        network,
        Framing(ignored=checkpoint.architecture["symbols"]),
        several_speakers=tables.speakers > 1,
        several_languages=tables.languages > 1,
    )
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    known = [given.name for given in (*session.get_inputs(), *session.get_overridable_initializers())]
    controls = CONTROLS[checkpoint.family]
    turned = {
        key: value for key, value in (("length", 1.3), ("pitch", 1.2), ("energy", 0.8)) if f"{key}_scale" in controls
    }
    who, what = tables.speakers - 1, tables.languages - 1
    for length in (1, 3, 40):
        ids = np.random.default_rng(length).integers(1, 60, (1, length))
        feed = {f"{key}_scale": np.array([value], np.float32) for key, value in ({"noise": 0.0} | turned).items()}
        feed |= {"input": ids, "input_lengths": np.array([length]), "sid": np.array([who]), "lid": np.array([what])}
        mel, durations = session.run(None, {key: value for key, value in feed.items() if key in known})
        with torch.no_grad():
            said, taken = speak(
                checkpoint.family, network, torch.tensor(ids), torch.tensor([length]), Scales(**turned),
                torch.tensor([who]), torch.tensor([what]),
            )  # fmt: skip
        assert mel.shape == tuple(said.shape)
        np.testing.assert_allclose(mel, said.numpy(), atol=1e-4)
        assert np.array_equal(durations, taken.numpy())
        assert durations.sum() == mel.shape[2]
