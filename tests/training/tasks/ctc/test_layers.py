import pytest
import torch
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE
from tests.training.tasks.ctc.tiny_recogniser import project

from voxgraft.checkpoints import open_checkpoint
from voxgraft.graft.recogniser import plan_recogniser
from voxgraft.models.ctc.networks import build_network
from voxgraft.training.tasks.ctc.layers import layer_rates, parameter_groups, told_learning

CYRILLIC = (" ", "а", "б", "в", "г")
ENGLISH = (" ", *"abcdefghijklmnopqrstuvwxyz", "'")
LAYERS = ("layer_1", "layer_2", "layer_3", "lstm", "layer_5", "layer_6")


def rates(tmp_path, labels=ENGLISH, **changes):
    """Part -> (rate, first step) of a graft from the tiny English save."""
    config = project(tmp_path, DEEPSPEECH / "english", **changes)
    graft = plan_recogniser(config, open_checkpoint(DEEPSPEECH / "english"), labels)
    return {layer.part: (layer.rate, layer.from_step) for layer in layer_rates(config, graft.plan)}, graft


def test_the_same_alphabet_is_fine_tuned_alike_from_end_to_end(tmp_path):
    found, _ = rates(tmp_path)
    assert found == dict.fromkeys(LAYERS, (3e-4, 0))


def test_what_starts_anew_learns_faster(tmp_path):
    found, _ = rates(tmp_path, graft={"drop_source_layers": 2})
    assert found == dict.fromkeys(LAYERS[:4], (3e-4, 0)) | dict.fromkeys(LAYERS[4:], (3e-3, 0))


def test_under_mostly_new_labels_all_learns_fast(tmp_path):
    found, _ = rates(tmp_path, CYRILLIC, graft={"drop_source_layers": 2})
    assert found == dict.fromkeys(LAYERS, (3e-3, 0))


def test_an_output_layer_with_new_labels_is_new(tmp_path):
    found, graft = rates(tmp_path, (*ENGLISH, "é"))
    assert {row.action for row in graft.plan.rows if row.part == "layer_6"} == {"remap"}
    assert found["layer_6"] == (3e-3, 0)
    assert found["layer_5"] == (3e-4, 0)


def test_reordered_letters_keep_their_rows_and_the_rate_of_the_head(tmp_path):
    found, graft = rates(tmp_path, tuple(reversed(ENGLISH)), recogniser={"learning_rates": {"head": 2e-4}})
    assert not graft.plan.symbols.new
    assert found["layer_6"] == (2e-4, 0)


@pytest.mark.parametrize(
    ("learns", "learning"), [("head", {"layer_6"}), ("new", {"layer_5", "layer_6"}), ("all", set(LAYERS))]
)
def test_what_learns_is_chosen(tmp_path, learns, learning):
    found, _ = rates(tmp_path, CYRILLIC, graft={"drop_source_layers": 2}, recogniser={"learns": learns})
    assert {part for part, (rate, _) in found.items() if rate} == learning


def test_layers_thaw_from_the_output_on(tmp_path):
    found, _ = rates(tmp_path, CYRILLIC, recogniser={"thaw_every": 100}, training={"freeze": ["layer_2"]})
    assert {part: begin for part, (_, begin) in found.items()} == {
        "layer_6": 0, "layer_5": 100, "lstm": 200, "layer_3": 300, "layer_2": 0, "layer_1": 400,
    }  # fmt: skip
    assert found["layer_2"][0] == 0


def test_groups_hold_every_parameter_that_learns_and_no_other(tmp_path):
    config = project(tmp_path, DEEPSPEECH / "english", training={"freeze": ["layer_1"]})
    graft = plan_recogniser(config, open_checkpoint(DEEPSPEECH / "english"), ENGLISH)
    module = build_network("deepspeech", graft.target.architecture)
    groups = list(
        parameter_groups(module, "deepspeech", dict(graft.target.architecture), layer_rates(config, graft.plan))
    )
    held = [id(p) for group in groups for p in group["params"]]
    wanted = {
        id(p) for name, p in module.named_parameters() if not name.startswith("layer_1.") and name != "lstm.bias_hh_l0"
    }
    assert set(held) == wanted
    assert len(held) == len(wanted)
    assert not module.layer_1.weight.requires_grad
    assert torch.equal(module.lstm.bias_hh_l0, torch.zeros_like(module.lstm.bias_hh_l0))


MMS = HUGGING_FACE / "mms" / "adapter.eng.safetensors"


@pytest.mark.parametrize(
    ("fresh", "labels", "action"),
    [
        ("auto", None, "copy"),
        ("auto", ("é", "a"), "init"),
        ("always", None, "init"),
        ("never", ("é", "a"), "copy"),
    ],
)
def test_adapters_start_anew_for_another_alphabet_or_as_asked(tmp_path, fresh, labels, action):
    config = project(tmp_path, MMS, recogniser={"learns": "adapters", "fresh_adapters": fresh})
    graft = plan_recogniser(config, open_checkpoint(MMS), labels)
    assert {row.action for row in graft.plan.rows if row.part == "adapters" and row.target} == {action}
    assert {row.action for row in graft.plan.rows if row.part == "encoder" and row.target} == {"copy"}
    assert sum(row.action == "drop" and row.part == "adapters" for row in graft.plan.rows) == 12 * (action == "init")
    found = {layer.part: layer.rate for layer in layer_rates(config, graft.plan)}
    assert found["adapters"] == 1e-3
    assert found["encoder"] == found["features"] == 0


def test_a_base_without_adapters_gets_those_of_mms(tmp_path):
    config = project(tmp_path, HUGGING_FACE / "xlsr", recogniser={"learns": "adapters"})
    graft = plan_recogniser(config, open_checkpoint(HUGGING_FACE / "xlsr"), CYRILLIC)
    assert graft.target.architecture["adapter_attn_dim"] == 16
    module = build_network("wav2vec2", graft.target.architecture)
    x = torch.randn(1, 5, module.lm_head.in_features)
    change = module.wav2vec2["encoder"]["layers"][0].adapter_layer(x)
    assert change.abs().mean() < 0.05 * x.abs().mean(), "at first they change hardly anything"
    kept = project(tmp_path, HUGGING_FACE / "xlsr")
    assert plan_recogniser(kept, open_checkpoint(HUGGING_FACE / "xlsr"), CYRILLIC).target.architecture.get(
        "adapter_attn_dim"
    ) in (None, 0)


@pytest.mark.parametrize(("features", "learns"), [(None, False), (1e-5, True)])
def test_the_ears_of_wav2vec_learn_only_where_asked(tmp_path, features, learns):
    rates = {} if features is None else {"learning_rates": {"features": features}}
    config = project(tmp_path, MMS, recogniser=rates)
    graft = plan_recogniser(config, open_checkpoint(MMS), CYRILLIC)
    module = build_network("wav2vec2", graft.target.architecture)
    architecture = dict(graft.target.architecture)
    groups = list(parameter_groups(module, "wav2vec2", architecture, layer_rates(config, graft.plan)))
    assert ("features" in {group["part"] for group in groups}) == learns
    told = told_learning(module, groups, "wav2vec2")
    assert ("feature encoder" in told) == learns
    assert f"{sum(p.numel() for g in groups for p in g['params']):,} of" in told
