import json
from dataclasses import replace

import pytest
from tests.graft.tiny_vits import SYMBOLS, as_checkpoint, make_vits

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import CheckpointError, GraftError
from voxgraft.graft.make import make_plan, scratch_plan
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.target import Target, target_for
from voxgraft.graft.tensor_rows import sources_of
from voxgraft.text.symbols import SymbolTable

PLAIN = {"voice": {"discriminator": "none"}}


def plan_for(base: Checkpoint, corpus_speakers=(), target_changes=None, **settings) -> tuple[GraftPlan, Target]:
    target = target_for(RunConfig(**(PLAIN | settings)), base, corpus_speakers)
    target = replace(target, **(target_changes or {}))
    return make_plan(base, target), target


def folded(base: Checkpoint) -> Checkpoint:
    """What an exported voice holds: no posterior halves, weight norm folded."""
    from voxgraft.graft.apply import effective_weight

    tensors = {}
    for name, tensor in base.tensors.items():
        if name.startswith(("enc_q.", "dp.post_", "dp.flows.1.")) or name.endswith("weight_g"):
            continue
        layer = name.removesuffix(".weight_v")
        if layer == name:
            tensors[name] = tensor
        else:
            tensors[f"{layer}.weight"] = effective_weight(base.tensors, layer)
    return replace(base, tensors=tensors)


CASES = {
    "same": ("single", (), {}),
    "one to many": ("single", ("ann", "ben"), {}),
    "one kept and one new": ("single", ("ann",), {"graft": {"keep_speakers": True}}),
    "many to one": ("many", ("bob",), {}),
    "many to one by name": ("many", (), {"graft": {"from_speaker": "cy"}}),
    "many kept and one new": ("many", ("ann",), {"graft": {"keep_speakers": True}}),
    "many to others": ("many", ("cy", "zoe", "ada"), {"graft": {"from_speaker": "bob"}}),
    "piper discriminator": ("single", (), {"voice": {"discriminator": "piper"}}),
    "refused network": ("single", (), {"quality": "high"}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("exported", [False, True])
def test_every_tensor_is_accounted_for_exactly_once(case, exported, request):
    fixture, speakers, settings = CASES[case]
    base = request.getfixturevalue(fixture)
    base = folded(base) if exported else base
    if "discriminator" in str(settings):
        pytest.importorskip("voxgraft.models.discriminators")
    plan, target = plan_for(base, speakers, **settings)
    targets = [row.target for row in plan.rows if row.target is not None]
    assert sorted(targets) == sorted(target.shapes)
    used = set().union(*(sources_of(row, base.tensors) for row in plan.rows))
    dropped = [row.source for row in plan.rows if row.action == "drop"]
    assert len(set(dropped)) == len(dropped)
    assert not used & set(dropped)
    assert used | set(dropped) == set(base.tensors)
    assert all(row.reason for row in plan.rows)
    assert (
        sum(sum(actions.values()) for actions in plan.by_part.values()) == len(plan.rows) == sum(plan.counts.values())
    )
    assert bool(plan.refusals) == (case == "refused network")


def test_an_identical_model_is_copied_whole(single):
    plan, target = plan_for(single)
    assert plan.counts == {"copy": len(target.shapes)}
    assert plan.parameters_carried == 1.0
    assert plan.warnings == ()


def test_an_exported_voice_is_carried_whole_as_far_as_it_speaks(single):
    plan, _ = plan_for(folded(single))
    assert plan.parameters_carried == 1.0
    assert plan.refusals == ()
    new = {row.part for row in plan.rows if row.action == "init"}
    assert new == {"posterior", "duration_posterior"}
    assert plan.by_part["posterior"].keys() == plan.by_part["duration_posterior"].keys() == {"init"}
    reasons = {row.part: row.reason for row in plan.rows if row.action == "init"}
    assert all("recovered by self-distillation" in reason for reason in reasons.values())


def test_one_to_many_starts_every_speaker_as_the_base(single):
    plan, _ = plan_for(single, ("ann", "ben"))
    new = {row.target: row for row in plan.rows if row.action == "init"}
    assert new["dec.cond.weight"].fill == new["flow.flows.0.enc.cond_layer.weight_g"].fill == "zero"
    assert new["flow.flows.0.enc.cond_layer.weight_v"].fill == new["emb_g.weight"].fill == "own"
    assert plan.speakers == {"ann": "sam", "ben": "sam"}
    assert 0 < plan.parameters_carried < 1


def test_many_to_one_folds_every_conditioning_layer(many):
    plan, _ = plan_for(many, ("bob",))
    folds = {row.target: row.fold for row in plan.rows if row.action == "fold"}
    # Decoder and durations once; four flows of four layers; the posterior encoder's sixteen.
    assert len(folds) == 1 + 1 + 4 * 4 + 16
    assert {fold.row for fold in folds.values() if fold} == {1}
    assert plan.parameters_carried == 1.0
    assert plan.speakers == {"bob": "bob"}
    assert any("'ada', 'cy'" in warning for warning in plan.warnings)


def test_many_to_one_without_a_name_is_refused_with_the_names(many):
    plan, _ = plan_for(many, ("stranger",))
    assert len(plan.refusals) == 1
    assert "'ada', 'bob', 'cy'" in plan.refusals[0]
    assert "from_speaker" in plan.refusals[0]


def test_speakers_keep_their_vectors_by_name(many):
    plan, _ = plan_for(many, ("zoe", "cy"))
    row = next(row for row in plan.rows if row.target == "emb_g.weight")
    assert (row.action, row.rows, row.near, row.fill) == ("remap", {1: 2}, {}, "mean")
    assert plan.speakers == {"zoe": None, "cy": "cy"}
    plan, _ = plan_for(many, ("zoe", "cy"), graft={"from_speaker": "bob"})
    row = next(row for row in plan.rows if row.target == "emb_g.weight")
    assert row.near == {0: {1: 1.0}}


def test_an_unknown_start_speaker_is_refused(many):
    plan, _ = plan_for(many, ("zoe", "cy"), graft={"from_speaker": "bib"})
    assert "no speaker 'bib'" in plan.refusals[0]


def test_changed_symbols_are_counted(single):
    table = SymbolTable({s: (i,) for i, s in enumerate("_^$ gfäx")}, 10, "espeak", voice="de")
    plan, target = plan_for(replace(single), target_changes={"symbols": table, "shapes": _shapes(10)})
    row = next(row for row in plan.rows if row.target == "enc_p.emb.weight")
    assert row.action == "remap"
    assert row.rows == {0: 0, 1: 1, 2: 2, 3: 3, 4: 10, 5: 9}
    assert row.near is not None
    assert row.near[6] == {4: 1.0}
    assert set(row.near[7]) == {6, 9, 10}
    assert plan.symbols.new == ("ä", "x")
    assert plan.symbols.near["ä"] == {"a": 1.0}
    assert plan.symbols.dropped == ("a", "b", "c", "d", "e", ".", ",")
    assert plan.languages == {"de": "en-us"}
    missed = 2 * target.architecture["hidden_channels"]
    total = missed / (1 - plan.parameters_carried)
    assert total == pytest.approx(_speaking_parameters(target) - 2 * 8)
    assert any("2 new symbols" in warning for warning in plan.warnings)


def _shapes(symbols: int) -> dict[str, tuple[int, ...]]:
    return {n: tuple(t.shape) for n, t in make_vits(0, 1, symbols=symbols).state_dict().items()}


def _speaking_parameters(target: Target) -> int:
    silent = ("enc_q.", "dp.post_", "dp.flows.1.")
    sizes = {name: 1 for name in target.shapes if not name.startswith(silent)}
    for name in sizes:
        for length in target.shapes[name]:
            sizes[name] *= length
    return sum(sizes.values())


@pytest.mark.parametrize(
    ("quality", "rate", "said"),
    [
        ("high", 22050, ["Quality medium fits", "resblock"]),
        ("low", 22050, ["22050 Hz", "16000 Hz", "Quality medium fits"]),
        ("x_low", 22050, ["Quality medium fits", "filter_channels"]),
        ("medium", 16000, ["16000 Hz", "Quality low fits"]),
    ],
)
def test_another_quality_or_rate_is_refused_with_what_fits(single, quality, rate, said):
    from voxgraft.audio.spec import AudioSpec
    from voxgraft.config.presets import preset

    keywords = preset("medium")
    del keywords["sample_rate"]
    base = replace(single, architecture=keywords, audio=AudioSpec(sample_rate=rate), quality=None)
    plan, _ = plan_for(base, quality=quality)
    for words in said:
        assert any(words in refusal for refusal in plan.refusals)


def test_a_base_of_another_family_is_refused(single):
    plan, _ = plan_for(replace(single, family="vits"))
    target = plan_for(single)[1]
    assert make_plan(replace(single, family="hifigan"), target).refusals == (
        "family: the base is a hifigan model, vits is wanted: take a vits base",
    )
    with pytest.raises(CheckpointError, match="unknown family"):
        make_plan(single, replace(target, family="tacotron"))
    assert plan.refusals == ()


def test_unknown_tensors_are_named_and_dropped(single):
    import numpy as np

    base = replace(single, tensors={**single.tensors, "telemetry.weight": np.ones(3, np.float32)})
    plan, _ = plan_for(base)
    row = next(row for row in plan.rows if row.source == "telemetry.weight")
    assert (row.action, row.part) == ("drop", "unknown")
    assert any("telemetry.weight" in warning for warning in plan.warnings)


def test_a_base_without_symbols_needs_them(single):
    with pytest.raises(GraftError, match="symbols"):
        plan_for(replace(single, symbols=None))


def test_a_discriminator_is_carried_whole_or_not_at_all(single):
    pytest.importorskip("voxgraft.models.discriminators")
    import numpy as np

    wanted = plan_for(single, voice={"discriminator": "piper"})[1]
    judge = {n: np.ones(s, np.float32) for n, s in wanted.shapes.items() if n.startswith("discriminator.")}
    whole = replace(single, tensors={**single.tensors, **judge})
    plan, _ = plan_for(whole, voice={"discriminator": "piper"})
    assert plan.by_part["discriminator"] == {"copy": len(judge)}
    some = dict(list(judge.items())[:-1])
    plan, _ = plan_for(replace(single, tensors={**single.tensors, **some}), voice={"discriminator": "piper"})
    assert plan.by_part["discriminator"] == {"init": len(judge), "drop": len(some)}


def test_a_plan_is_pure_data(many, tmp_path):
    plan, _ = plan_for(many, ("bob",))
    again, _ = plan_for(many, ("bob",))
    assert plan == again
    plan.write(tmp_path / "plan.json")
    saved = json.loads((tmp_path / "plan.json").read_text("utf-8"))
    assert saved["counts"] == plan.counts
    assert len(saved["rows"]) == len(plan.rows)


def test_from_scratch_everything_is_new():
    config = RunConfig(language="de", voice={"quality": "x_low", "discriminator": "none"})
    target = target_for(config, None)
    plan = scratch_plan(target)
    assert plan.counts == {"init": len(target.shapes)}
    assert plan.parameters_carried == 0.0
    assert (target.quality, target.sample_rate, target.symbols.voice) == ("x_low", 16000, "de")


def test_checkpoint_notes_become_warnings():
    base = as_checkpoint(make_vits(1, 1).state_dict(), notes=("dilations assumed",))
    assert plan_for(base)[0].warnings == ("dilations assumed",)
    assert base.symbols is SYMBOLS


def test_a_base_without_a_language_is_read_as_english_and_says_so(single):
    base = replace(single, symbols=replace(SYMBOLS, voice=None))
    plan, target = plan_for(base)
    assert target.symbols.voice == "en-us"
    assert any("read as en-us" in warning for warning in plan.warnings)
    plan, target = plan_for(base, language="de")
    assert target.symbols.voice == "de"
    assert any("read as de" in warning for warning in plan.warnings)
