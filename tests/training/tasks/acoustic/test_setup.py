"""From settings and a base to what learns: tables by name, rates by part, bins that follow the corpus."""

import numpy as np
import pytest
import torch
from tests.training.tasks.acoustic.tiny_acoustic import BASE, corpus, fit, project, scratch

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.errors import ConfigError, GraftError, TrainingError
from voxgraft.training.tasks.acoustic.bins import with_bins
from voxgraft.training.tasks.acoustic.setup import begin


def rates(training):
    return {group["part"]: group["rate"] for group in training.learner.optimisers[0].param_groups}


def test_what_a_base_knows_is_changed_gently_and_what_is_new_learns_faster(tmp_path):
    assert set(rates(begin(project(tmp_path / "same"))).values()) == {2e-4}
    found = rates(begin(project(tmp_path / "more", graft={"speakers": ["bo", "eve", "ada"]})))
    assert found["speakers"] == 5e-4
    assert found["encoder"] == 2e-4
    assert set(rates(begin(scratch(tmp_path / "none"))).values()) == {1e-3}


def test_rates_that_are_named_stay_and_frozen_parts_do(tmp_path):
    asked = {"learning_rates": {"encoder": 0, "decoder": 3e-4}}
    training = begin(project(tmp_path, acoustic=asked, training={"freeze": ["aligner", "postnet"]}))
    found = rates(training)
    assert found["decoder"] == 3e-4
    assert not {"encoder", "aligner"} & set(found)
    before = {name: tensor.clone() for name, tensor in training.learner.network.state_dict().items()}
    fit(training)
    after = training.learner.network.state_dict()
    for name, tensor in before.items():
        still = name.startswith(("encoder.", "postnet.", "variance_adaptor.attention.")) or name.endswith("_bins")
        assert torch.equal(tensor, after[name]) == (still or name == "position_embedding.inv_freq"), name


def test_speakers_and_languages_follow_their_names_and_new_ones_begin_as_the_mean(tmp_path):
    graft = {"speakers": ["eve", "bo", "ada"], "languages": ["fra", "eng", "deu"]}
    training = begin(project(tmp_path, graft=graft))
    base = open_checkpoint(BASE)
    for what, order in (("speaker", (None, 1, 0)), ("language", (1, 0, None))):
        theirs = np.asarray(base.tensors[f"{what}_embedding.weight"])
        ours = getattr(training.learner.network, f"{what}_embedding").weight.detach().numpy()
        for row, origin in enumerate(order):
            np.testing.assert_allclose(ours[row], theirs.mean(0) if origin is None else theirs[origin], rtol=1e-6)


def test_symbols_follow_their_names(tmp_path):
    base = open_checkpoint(BASE)
    kept = [symbol for symbol in base.symbols.ids if symbol not in ("<EPS>", "ch")]
    path = tmp_path / "symbols.txt"
    path.write_text("\n".join([*kept, "z"]).replace("\x80", "_") + "\n", "utf-8")
    training = begin(project(tmp_path, graft={"symbols": str(path)}))
    ours = training.learner.network.text_input_layer.weight.detach().numpy()
    theirs = np.asarray(base.tensors["text_input_layer.weight"])
    table = training.target.symbols
    for symbol in ("a", "w", "e"):
        np.testing.assert_array_equal(ours[table.ids[symbol][0]], theirs[base.symbols.ids[symbol][0]])
    assert rates(training)["symbols"] == 5e-4


def test_a_model_of_one_speaker_learns_several_from_where_it_is(tmp_path):
    first = begin(scratch(tmp_path / "one"))
    alone = tmp_path / "one.safetensors"
    write_safetensors(alone, first._described(0))
    manifest = corpus(tmp_path / "two" / "recordings", languages=(None,))
    training = begin(project(tmp_path / "two", base=alone, manifest=manifest))
    assert training.target.speakers == ("ada", "bo")
    assert not training.learner.network.speaker_embedding.weight.any()
    # Recordings that name no language are in that of the settings.
    graft = {"languages": ["eng", "fra"]}
    again = begin(project(tmp_path / "three", base=alone, manifest=manifest, graft=graft, language="fra"))
    assert {example.language for example in again.data.train} == {1}
    assert not again.learner.network.language_embedding.weight.any()


def test_bins_follow_the_corpus_and_vectors_their_values(tmp_path):
    training = begin(project(tmp_path))
    base, adaptor = open_checkpoint(BASE), training.learner.network.variance_adaptor
    for name, bounds in (
        ("pitch", training.data.statistics.pitch_bounds),
        ("energy", training.data.statistics.energy_bounds),
    ):
        bins = getattr(adaptor, f"{name}_bins")
        assert (float(bins[0]), float(bins[-1])) == pytest.approx(bounds)
        theirs = np.asarray(base.tensors[f"variance_adaptor.{name}_embedding.weight"])
        old = torch.from_numpy(np.array(base.tensors[f"variance_adaptor.{name}_bins"]))
        # In the middle of a bin, a value has the vector that the base has for it.
        middles = (bins[:-1] + bins[1:]) / 2
        ours = getattr(adaptor, f"{name}_embedding")(torch.bucketize(middles, bins)).detach().numpy()
        np.testing.assert_array_equal(ours, theirs[torch.bucketize(middles, old).numpy()])
    reasons = {row.target: row.reason for row in training.plan.rows}
    assert reasons["variance_adaptor.pitch_bins"] == "follows the new corpus' statistics"
    assert "follow the bins' values" in reasons["variance_adaptor.pitch_embedding.weight"]


def test_equal_bins_change_nothing(tmp_path):
    plan = begin(project(tmp_path)).plan
    bins = np.linspace(-3, 3, 7)
    assert with_bins(plan, "variance_adaptor.energy_embedding.weight", bins, bins) == plan


@pytest.mark.parametrize(("weights", "told"), [({"mle": 1}, "mel"), ({"mel": -1}, "0 or more")])
def test_weights_of_losses_that_are_not_there_are_refused(tmp_path, weights, told):
    with pytest.raises(ConfigError) as caught:
        begin(project(tmp_path, acoustic={"weights": weights}))
    assert told in caught.value.expected
    assert caught.value.field.startswith("acoustic.weights.")


def test_a_part_that_is_not_there_can_not_be_frozen(tmp_path):
    with pytest.raises(GraftError, match="no part 'vocoder'"):
        begin(project(tmp_path, training={"freeze": ["vocoder"]}))


def test_from_scratch_rates_rise_over_a_share_of_the_run_unless_it_is_said(tmp_path):
    assert begin(scratch(tmp_path / "a", training={"steps": 300})).config.training.warmup == 30
    assert begin(scratch(tmp_path / "b", training={"steps": 300, "warmup": 5})).config.training.warmup == 5
    assert begin(project(tmp_path / "c")).config.training.warmup == 20


def test_recordings_of_the_source_are_mixed_in(tmp_path):
    source = tmp_path / "source.jsonl"
    corpus(tmp_path / "source", texts=("held a ball", "wow", "lard")).write(source)
    training = begin(project(tmp_path, acoustic={"source": str(source), "source_share": 0.34}))
    assert len(training.data.train) == training.data.own + 3
    assert [row[0] for row in training.data.rows].count("source") == 3
    fit(training)


def test_a_base_of_phonological_features_is_refused_in_words(tmp_path):
    manifest = corpus(tmp_path / "recordings", speakers=(None,), languages=(None,))
    with pytest.raises(TrainingError, match="phonological features"):
        begin(project(tmp_path, base=BASE.with_name("features.ckpt"), manifest=manifest))


def test_a_model_from_scratch_begins_at_the_mean_of_recordings_and_a_base_does_not(tmp_path):
    training = begin(scratch(tmp_path / "scratch"))
    mels = np.concatenate([np.asarray(example.features().mel) for example in training.data.train], axis=1)
    bias = training.learner.network.mel_linear.bias.detach().numpy()
    # Some of the recordings are enough to know where mels lie.
    np.testing.assert_allclose(bias, mels.mean(1), atol=1.0)
    assert training.validate()[0].mel_distance < 0.5 * np.abs(mels).mean()
    base = np.asarray(open_checkpoint(BASE).tensors["mel_linear.bias"])
    np.testing.assert_array_equal(begin(project(tmp_path / "base")).learner.network.mel_linear.bias.detach(), base)
