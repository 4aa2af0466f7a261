"""Encoders of other makes as bases of a recogniser: what is carried, what learns, and a whole run."""

from pathlib import Path

import numpy as np
import pytest
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE
from tests.training.tasks.ctc.conftest import POSITIONS
from tests.training.tasks.ctc.tiny_recogniser import RATE, RUSSIAN, project, sung

from voxgraft.checkpoints import open_checkpoint
from voxgraft.export.recogniser.onnx import export_recogniser
from voxgraft.graft.recogniser import graft_network, plan_recogniser, require_recogniser
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.models.ctc.networks import canonical_state
from voxgraft.project.project import open_base
from voxgraft.training.run import train
from voxgraft.training.tasks.ctc.layers import layer_rates, parameter_groups

LETTERS = (" ", "а", "б", "в", "г")


def planned(config, labels=LETTERS):
    """The graft of a project, its network's weights under canonical names, and the base."""
    base = open_base(config)
    require_recogniser(base, config)
    graft = plan_recogniser(config, base, labels)
    network = graft_network(graft, seed=0)
    return graft, network, canonical_state(graft.target.family, network, graft.target.architecture), base


@pytest.mark.parametrize(
    ("fixture", "head", "dropped"),
    [
        ("whisper", "ctc_head", {"decoder"}),
        ("xlsr", "lm_head", {"mask", "quantiser"}),
        ("mms/adapter.eng.safetensors", "lm_head", {"mask"}),
        ("parakeet", "ctc_head", set()),
    ],
)
def test_an_encoder_is_carried_whole_and_grows_a_head_for_the_alphabet(tmp_path, fixture, head, dropped):
    graft, _, weights, base = planned(project(tmp_path, HUGGING_FACE / fixture))
    assert graft.plan.refusals == ()
    # MMS keeps its three marks beside the blank.
    assert (
        weights[f"{head}.weight"].shape[0] == graft.target.symbols.rows == len(LETTERS) + (4 if "mms" in fixture else 1)
    )
    carried = [name for name in weights if not name.startswith(head)]
    assert all(np.array_equal(weights[name], base.tensors[name]) for name in carried)
    assert {row.part for row in graft.plan.rows if row.action == "drop"} - {"head"} == dropped


def test_shared_letters_keep_their_rows_and_dropped_layers_start_anew(tmp_path):
    config = project(tmp_path, HUGGING_FACE / "mms" / "adapter.eng.safetensors")
    graft, _, weights, base = planned(config, ("b", "x", "a"))
    old, new = np.asarray(base.tensors["lm_head.weight"]), weights["lm_head.weight"]
    for letter in ("b", "a", base.symbols.blank):
        assert np.array_equal(new[graft.target.symbols.ids[letter][0]], old[base.symbols.ids[letter][0]])
    assert base.symbols.ids["b"] != graft.target.symbols.ids["b"]
    config = project(tmp_path, HUGGING_FACE / "parakeet", graft={"drop_source_layers": 2})
    _, _, weights, base = planned(config)
    first, last = (f"encoder.layers.{i}.self_attn.q_proj.weight" for i in (0, 1))
    assert np.array_equal(weights[first], base.tensors[first])
    assert not np.array_equal(weights[last], base.tensors[last])


@pytest.mark.parametrize(
    ("settings", "learning"),
    [
        ({"recogniser": {"learns": "head"}}, {"head"}),
        ({"training": {"freeze": ["convolutions"]}}, {"encoder", "head"}),
        ({}, {"convolutions", "encoder", "head"}),
    ],
)
def test_what_learns_is_what_the_settings_say_and_stored_positions_never_do(tmp_path, settings, learning):
    config = project(tmp_path, HUGGING_FACE / "whisper", **settings)
    graft, network, _, _ = planned(config)
    groups = parameter_groups(network, "whisper", dict(graft.target.architecture), layer_rates(config, graft.plan))
    assert {group["part"] for group in groups} == learning


def test_from_whispers_encoder_to_a_recogniser_that_transcribes(tmp_path, whisper):
    config = project(tmp_path / "run", whisper, RUSSIAN, training={"steps": 2, "validate_every": 1, "batch": 2})
    result = train(config)
    assert result.finished
    best = next((tmp_path / "run" / "runs" / "tiny" / "best").glob("*.safetensors"))
    checkpoint = open_checkpoint(best)
    assert checkpoint.family == "whisper"
    assert not any(name.startswith("model.decoder.") for name in checkpoint.tensors)
    assert np.array_equal(checkpoint.tensors[POSITIONS], open_checkpoint(whisper).tensors[POSITIONS])
    recogniser = Recogniser.load(tmp_path / "run" / "recognisers" / "tiny")
    assert recogniser.settings.frame_seconds == pytest.approx(0.02)
    log_probs = recogniser.log_probs(sung("абба"))
    assert log_probs.shape == (29, checkpoint.architecture["symbols"])
    transcript = recogniser.transcribe(sung("абба"), RATE)
    assert set(transcript.text) <= set("".join(LETTERS))


@pytest.mark.parametrize("fixture", ["mms/adapter.eng.safetensors", "parakeet"])
def test_the_other_encoders_train_too(tmp_path, fixture):
    config = project(tmp_path, HUGGING_FACE / fixture, RUSSIAN, training={"steps": 2, "validate_every": 2, "batch": 2})
    assert train(config).finished
    recogniser = Recogniser.load(tmp_path / "recognisers" / "tiny")
    assert set("абвг") <= set(recogniser.settings.symbols.ids)
    assert np.isfinite(recogniser.log_probs(sung("абба"))).all()


@pytest.mark.parametrize(("fixture", "seconds"), [("parakeet", 0.08), ("mms/adapter.eng.safetensors", 0.02)])
def test_exported_models_hear_what_they_heard(tmp_path, fixture, seconds):
    # The export itself compares the two on random features.
    path = export_recogniser(open_checkpoint(HUGGING_FACE / fixture), tmp_path, "tiny")
    recogniser = Recogniser.load(Path(path))
    assert recogniser.settings.frame_seconds == pytest.approx(seconds)
    log_probs = recogniser.log_probs(sung("abba"))
    assert np.isfinite(log_probs).all()
    assert len(log_probs) == pytest.approx(0.58 / seconds, abs=2)
