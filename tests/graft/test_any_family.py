"""Rules that hold for the graft of every family."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.make_graft_goldens import FAMILIES, FIXTURES

from voxgraft.architectures.families import families
from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.graft.apply import _value
from voxgraft.graft.make import make_plan
from voxgraft.graft.state import PIECES, state_policy
from voxgraft.graft.target import target_for
from voxgraft.graft.tensor_rows import sources_of
from voxgraft.project.project import require_trainable


def _planned(fixture, graft, **settings):
    pytest.importorskip("torch")
    base = open_checkpoint(FIXTURES / fixture)
    target = target_for(
        RunConfig(graft=graft, voice={"discriminator": "none"}, vocoder={"discriminator": "none"}, training=settings),
        base,
        None,
    )
    return base, target, make_plan(base, target)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_tensor_has_one_row_and_a_value_of_its_shape(name, tmp_path):
    base, target, plan = _planned(*FAMILIES[name])
    targets = [row.target for row in plan.rows if row.target is not None]
    assert sorted(targets) == sorted(target.shapes)
    used = set().union(*(sources_of(row, base.tensors) for row in plan.rows))
    dropped = {row.source for row in plan.rows if row.action == "drop"}
    assert not used & dropped
    assert used | dropped == set(base.tensors)
    assert all(row.reason and row.part != "unknown" for row in plan.rows)
    for row in plan.rows:
        if row.action in ("remap", "resize", "fold"):
            value = _value(row, base.tensors)
            assert value.shape == row.target_shape
            assert np.isfinite(value).all()
    plan.write(tmp_path / "plan.json")
    from voxgraft.graft.plan import read_plan

    assert read_plan(tmp_path / "plan.json") == plan


def test_every_family_has_a_plan():
    planned = {open_checkpoint(FIXTURES / fixture).family for fixture, _ in FAMILIES.values()}
    assert planned == set(families())


def test_speakers_and_languages_are_kept_renamed_added_and_joined():
    fixture = "everyvoice/text-to-spec.ckpt"
    settings = {
        "rename": {"ada": "one", "bo": "one", "eng": "eng-NZ"},
        "languages": ("mri", "eng-NZ"),
        "speakers": ("one", "zoe"),
    }
    base, _, plan = _planned(fixture, settings)
    rows = {row.target: row for row in plan.rows}
    speakers, languages = rows["speaker_embedding.weight"], rows["language_embedding.weight"]
    assert (speakers.rows, speakers.near) == ({}, {0: {0: 0.5, 1: 0.5}})
    assert languages.rows == {1: 0}
    assert plan.speakers == {"one": "ada+bo", "zoe": None}
    assert plan.languages == {"mri": None, "eng-NZ": "eng"}
    table = np.asarray(base.tensors["speaker_embedding.weight"])
    assert np.allclose(_value(speakers, base.tensors)[0], table.mean(0), atol=1e-6)


@pytest.mark.parametrize(
    ("graft", "said"),
    [
        ({"rename": {"nobody": "x"}}, "rename: the base has no speaker or language 'nobody'"),
        ({"from_speaker": "nobody"}, "from_speaker: the base has no speaker 'nobody'; it has 'ada', 'bo'"),
    ],
)
def test_names_that_the_base_does_not_have_are_refused(graft, said):
    plan = _planned("everyvoice/text-to-spec.ckpt", graft)[2]
    assert any(refusal.startswith(said) for refusal in plan.refusals)


@pytest.mark.parametrize(
    ("graft", "said"),
    [
        ({"speakers": ("a", "b")}, "speakers: this Glow-TTS base has no vectors"),
        ({"languages": ("x",)}, "languages: this Glow-TTS"),
    ],
)
def test_tables_that_the_base_does_not_have_are_refused(graft, said):
    plan = _planned("coqui_tts/glow_tts.pth", graft)[2]
    assert any(refusal.startswith(said) for refusal in plan.refusals)


def test_a_part_that_does_not_exist_cannot_be_frozen_and_the_parts_are_named():
    plan = _planned("coqui_tts/glow_tts.pth", {}, freeze=["encdoer"])[2]
    assert "no part 'encdoer'" in plan.refusals[0]
    assert "text_encoder" in plan.refusals[0]
    kept = _planned("coqui_tts/glow_tts.pth", {}, freeze=["text_encoder"])[2]
    assert (kept.refusals, kept.frozen) == ((), ("text_encoder",))


def test_a_frozen_part_with_something_new_is_warned_of():
    symbols = Path(__file__).parent / "golden" / "ipa.txt"
    plan = _planned("coqui_tts/glow_tts.pth", {"symbols": str(symbols)}, freeze=["text_encoder"])[2]
    assert any(w.startswith("freeze: text_encoder") for w in plan.warnings)


def test_less_than_half_is_refused_until_it_is_asked_for(single):
    tensors = {name: array for name, array in single.tensors.items() if not name.startswith(("dec.", "flow."))}
    base = replace(single, tensors=tensors)
    for asked in (False, True):
        target = target_for(RunConfig(graft={"allow_partial": asked}, voice={"discriminator": "none"}), base)
        plan = make_plan(base, target)
        assert plan.parameters_carried < 0.5
        assert bool(plan.refusals) != asked
    assert (
        "--allow-partial" in make_plan(base, target_for(RunConfig(voice={"discriminator": "none"}), base)).refusals[0]
    )


def test_recovered_parts_and_discriminators_are_counted_apart(single):
    pytest.importorskip("torch")
    from tests.graft.test_plan import folded

    base = folded(single)
    config = RunConfig(voice={"discriminator": "light"})
    target = target_for(config, base)
    plan = make_plan(base, target)
    size = dict.fromkeys(plan.recovered, 0)
    for row in plan.rows:
        if row.part in size and row.target_shape:
            size[row.part] += math.prod(row.target_shape)
    assert set(plan.recovered) == {"posterior", "duration_posterior"}
    assert dict(plan.recovered) == size
    assert plan.discriminators["new"] > 0
    assert plan.discriminators["carried"] == 0
    assert plan.parameters_carried == 1.0
    again = make_plan(single, target, tuple(plan.recovered))
    assert again.recovered == plan.recovered
    assert {row.reason for row in again.rows if row.part == "posterior"} == {"recovered by self-distillation"}


def test_the_state_policy_is_whole():
    assert state_policy("graft") == dict.fromkeys(PIECES, "reset") | {"weights": "taken"}
    assert set(state_policy("resume").values()) == {"taken"}
    assert set(state_policy("scratch").values()) == {"reset"}


def test_training_names_the_families_that_it_can_train():
    base = open_checkpoint(FIXTURES / "coqui_tts" / "fast_pitch.pth")
    with pytest.raises(GraftError, match="FastPitch can't be trained yet") as caught:
        require_trainable(base)
    assert "VITS" in caught.value.remedy
    require_trainable(open_checkpoint(FIXTURES / "piper" / "single.ckpt"))
    require_trainable(None)
