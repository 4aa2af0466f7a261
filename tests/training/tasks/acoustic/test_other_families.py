"""Glow-TTS from a folder of Coqui TTS and DelightfulTTS from files of tts-framework and VoiceSmith: planned, trained, stopped,
gone on with, and spoken."""

import json

import numpy as np
import pytest
import torch
from tests import paths
from tests.training.stopping import stop_before
from tests.training.tasks.acoustic.tiny_acoustic import corpus, project, scratch
from tests.training.tasks.vits.test_resume import last, metrics, same

from voxgraft.checkpoints import open_checkpoint
from voxgraft.graft.plan_project import plan_project
from voxgraft.models.networks import network_of
from voxgraft.training.run import train
from voxgraft.training.tasks import kept_durations
from voxgraft.training.tasks.acoustic.batches import make_batch
from voxgraft.training.tasks.acoustic.data import data_of
from voxgraft.training.tasks.acoustic.families.registry import acoustic_family
from voxgraft.training.tasks.acoustic.setup import begin

COQUI = paths.FIXTURES / "glow_tts" / "voice"
TTS_FRAMEWORK = paths.FIXTURES / "tts_framework" / "delightful.ckpt"
VOICESMITH = paths.FIXTURES / "tts_framework" / "acoustic.pt"
BASES = {"coqui": COQUI, "tts-framework": TTS_FRAMEWORK, "voicesmith": VOICESMITH}
OFTEN = {"validate_every": 2, "steps": 4}


@pytest.fixture(autouse=True)
def _two_intervals(monkeypatch):
    monkeypatch.setattr(kept_durations, "FIRST_INTERVAL", 2)


def of_base(folder, base, **changes):
    """A project with recordings of one speaker of no language that is named."""
    spoken = corpus(folder / "recordings", speakers=(None,), languages=(None,))
    return project(folder, base=BASES[base], manifest=spoken, **{"language": "en", **changes})


def network(checkpoint):
    found = network_of(checkpoint.family, checkpoint.architecture)
    found.load_state_dict({name: torch.from_numpy(np.array(checkpoint.tensors[name])) for name in checkpoint.tensors})
    return found.eval()


@pytest.mark.parametrize("name", ["coqui", "tts-framework"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(name, tmp_path, monkeypatch):
    whole = train(of_base(tmp_path / "whole", name, training=OFTEN))
    config = of_base(tmp_path / "stopped", name, training=OFTEN)
    with monkeypatch.context() as patch:
        stop_before(patch, 2)
        assert not train(config).finished
    torch.manual_seed(99)
    resumed = train(config, resume=True)
    assert (resumed.finished, resumed.step) == (True, 4)
    same(last(whole.folder), last(resumed.folder))
    assert metrics(whole.folder) == metrics(resumed.folder)


@pytest.mark.parametrize("name", BASES)
def test_what_was_trained_speaks_and_takes_the_time_of_recordings(name, tmp_path):
    config = of_base(tmp_path, name, training=OFTEN | {"steps": 2})
    result = train(config)
    best = open_checkpoint(result.outcome.files["weights"])
    own, family = network(best), acoustic_family(best.family)
    mel, durations = family.synthesise(own, torch.tensor([3, 5, 4, 7]))
    slow, _ = family.synthesise(own, torch.tensor([3, 5, 4, 7]), pace=0.5)
    assert mel.shape[0] == best.audio.n_mels
    assert abs(int(durations.sum()) - mel.shape[1]) <= 1
    assert slow.shape[1] > mel.shape[1]
    data = data_of(config, begun(config, tmp_path).target)
    batch = make_batch(data.train, [0, 1, 2])
    for pitch, energy in ((False, False), (True, True)):
        forced = family.teacher_forced(own, batch, force_pitch=pitch, force_energy=energy)
        assert forced.shape == batch.mel.shape
        for row, frames in enumerate(batch.mel_frames):
            assert bool(forced[row, :, frames - 1].any())
            assert not forced[row, :, frames:].any()
    found = family.align(own, batch)
    assert found.sum(1).tolist() == list(batch.mel_frames)
    predicted, real = family.durations(own, batch)
    assert predicted.shape == real.shape == batch.ids.shape
    assert not predicted[0, batch.symbols[0] :].any()


def begun(config, folder):
    return begin(config.model_copy(update={"output": str(folder), "name": "again"}))


@pytest.mark.parametrize("name", BASES)
def test_a_graft_carries_all_that_speaks_and_plans_no_tensor_twice(name, tmp_path):
    graft = plan_project(of_base(tmp_path, name))
    assert graft.plan.refusals == ()
    assert graft.plan.parameters_carried > 0.97
    dropped = {row.source for row in graft.plan.rows if row.action == "drop"}
    assert dropped <= {"pitch_adaptor.pitch_bins"}
    new = {row.target for row in graft.plan.rows if row.action == "init"}
    assert new <= {"loss_step", "pitches_stat", "pitch_scale", "pitch_adaptor.pitch_bins"}


@pytest.mark.parametrize("name", BASES)
def test_pieces_of_a_step_add_up_to_it(name, tmp_path):
    training = begun(of_base(tmp_path, name), tmp_path)
    learner = training.learner
    own = learner.network.eval()
    batch = make_batch(training.data.train, [0, 1, 2, 3])
    batch = batch.with_durations(learner.family.align(own, batch))
    whole = learner.family.losses(own, batch, learner.progress)
    halves = [batch.part(0, 1), batch.part(1, 4)]
    parts = [learner.family.losses(own, half, learner.progress) for half in halves]
    for term, value in whole.items():
        summed = sum(part[term] * len(half) / 4 for part, half in zip(parts, halves, strict=True))
        torch.testing.assert_close(summed, value, rtol=1e-4, atol=1e-5, msg=lambda m, t=term: f"{t}: {m}")


def test_a_new_flow_is_fitted_to_the_first_recordings_and_an_old_one_is_left_alone(tmp_path):
    fresh = begin(scratch(tmp_path / "a", acoustic={"family": "glow_tts", "size": "tiny"}))
    assert fresh.learner.network.initialised
    base = open_checkpoint(COQUI)
    grafted = begin(of_base(tmp_path / "b", "coqui"))
    for name, tensor in grafted.learner.network.named_parameters():
        if name.startswith("decoder."):
            assert np.array_equal(tensor.detach().numpy(), base.tensors[name]), name


@pytest.mark.parametrize("family", ["glow_tts", "delightful"])
def test_a_model_from_scratch_learns(family, tmp_path):
    acoustic = {"family": family, "size": "tiny"}
    result = train(scratch(tmp_path, acoustic=acoustic, training={"steps": 5, "batch": 8, "ema": 0, "warmup": 0}))
    lines = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    term = {"glow_tts": "likelihood", "delightful": "mel"}[family]
    found = [line[term] for line in lines if line["kind"] == "train"]
    assert found[-1] < found[0] - 0.05


def test_settings_change_the_run_and_not_the_base(tmp_path):
    """`--restore_path` with another `lr` and `run_name`, as Coqui TTS' handbook has it."""
    rates = dict.fromkeys(("encoder", "variance", "decoder"), 1e-5)
    config = of_base(
        tmp_path, "coqui", training={"steps": 2, "ema": 0}, name="glow-tts-finetune", acoustic={"learning_rates": rates}
    )
    result = train(config)
    assert result.folder.name == "glow-tts-finetune"
    base, found = open_checkpoint(COQUI), open_checkpoint(next((result.folder / "checkpoints").glob("*.ckpt")))
    moved = {name: float(np.abs(found.tensors[name] - base.tensors[name]).max()) for name in base.tensors}
    # Adam moves each number by about its rate a step.
    assert 0 < max(moved.values()) < 3e-5
    assert found.symbols.ids == base.symbols.ids
    assert found.audio == base.audio
    assert found.audio.normalisation == "range"


def test_the_rows_of_voicesmith_s_pitch_go_where_their_pitch_is_now(tmp_path):
    training, base = begun(of_base(tmp_path, "voicesmith"), tmp_path), open_checkpoint(VOICESMITH)
    adaptor = training.learner.network.pitch_adaptor
    assert (float(adaptor.pitch_bins[0]), float(adaptor.pitch_bins[-1])) == pytest.approx(
        training.data.statistics.pitch_bounds
    )
    old, new = base.tensors["pitch_adaptor.pitch_bins"], adaptor.pitch_bins.numpy()
    rows, table = base.tensors["pitch_adaptor.pitch_embedding.embeddings"], adaptor.pitch_embedding["embeddings"]
    for row in range(1, len(new)):
        middle = (new[row - 1] + new[row]) / 2
        assert np.array_equal(table[row].detach().numpy(), rows[np.searchsorted(old, middle)])


def test_pitch_in_hertz_and_the_schedule_are_in_the_checkpoint(tmp_path, capsys):
    config = of_base(tmp_path, "tts-framework", training={"steps": 2}, acoustic={"phase": "done"})
    result = train(config)
    assert "attn_bin begins in full (acoustic.phase: done)" in capsys.readouterr().err
    found = open_checkpoint(next((result.folder / "checkpoints").glob("*.ckpt")))
    assert int(found.tensors["loss_step"]) == 1961
    low, high = found.tensors["pitches_stat"]
    mean, deviation = found.tensors["pitch_scale"]
    assert low < 0 < high
    assert 100 < mean < 400
    assert deviation > 0
    again = of_base(tmp_path, "tts-framework", training={"steps": 1})
    again = again.model_copy(update={"base": str(found.provenance.path), "name": "again"})
    train(again)
    assert "begins in full (acoustic.phase: continue)" in capsys.readouterr().err


def test_a_file_that_was_made_ready_to_speak_is_a_base_as_any_other(tmp_path):
    """As Coqui TTS' store_inverse leaves it: weight norms folded, inverses kept."""
    content = torch.load(COQUI / "model.pth", weights_only=True)
    state, gain, direction = content["model"], "parametrizations.weight.original0", "parametrizations.weight.original1"
    for stem in [name.removesuffix(gain) for name in state if name.endswith(gain)]:
        state[f"{stem}weight"] = torch._weight_norm(state.pop(stem + direction), state.pop(stem + gain), 0)
    for name in [name for name in state if name.startswith("decoder.flows") and state[name].shape == (4, 4)]:
        state[f"{name}_inv"] = torch.linalg.inv(state[name])
    torch.save(content, tmp_path / "model.pth")
    (tmp_path / "config.json").write_bytes((COQUI / "config.json").read_bytes())
    made = []
    for folder in (tmp_path, COQUI):
        training = begun(
            of_base(tmp_path / folder.name, "coqui").model_copy(update={"base": str(folder)}), tmp_path / folder.name
        )
        assert training.plan.parameters_carried == 1
        own = training.learner.network.eval()
        made.append(own.infer(torch.tensor([[3, 5, 4]]), torch.tensor([3])).mel)
    torch.testing.assert_close(made[0], made[1])


@pytest.mark.parametrize("language", ["en", "en-us", None])
def test_recordings_that_name_no_language_are_in_that_of_the_texts(language, tmp_path):
    training = begun(of_base(tmp_path, "tts-framework", language=language), tmp_path)
    rows = {example.language for example in training.data.train}
    assert [training.target.languages[row] for row in rows] == ["en"]
