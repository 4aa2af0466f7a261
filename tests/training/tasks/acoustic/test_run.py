"""A run of a text-to-spec model from its settings to its best weights, stopped and gone on with."""

import json

import numpy as np
import pytest
import torch
from tests.training.stopping import stop_before
from tests.training.tasks.acoustic.tiny_acoustic import project, scratch
from tests.training.tasks.vits.test_resume import last, metrics, same

from voxgraft.checkpoints import open_checkpoint
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.errors import TrainingError
from voxgraft.models.networks import network_of
from voxgraft.training.run import train
from voxgraft.training.tasks import kept_durations

OFTEN = {"validate_every": 2}


@pytest.fixture(autouse=True)
def _two_intervals(monkeypatch):
    """Clips are aligned again within these few steps."""
    monkeypatch.setattr(kept_durations, "FIRST_INTERVAL", 2)


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path, monkeypatch):
    whole = train(project(tmp_path / "whole", training=OFTEN))
    config = project(tmp_path / "stopped", training=OFTEN)
    with monkeypatch.context() as patch:
        stop_before(patch, 2)
        stopped = train(config)
    assert (stopped.finished, stopped.step, whole.step) == (False, 3, 6)
    torch.manual_seed(99)
    resumed = train(config, resume=True)
    assert (resumed.finished, resumed.step) == (True, 6)
    same(last(whole.folder), last(resumed.folder))
    assert metrics(whole.folder) == metrics(resumed.folder)


def test_pieces_take_the_steps_of_the_whole_batch(tmp_path):
    """But for normalisations over the batch, which see the clips of a piece, and dropout: here they hold still."""
    still = {"freeze": ["text_encoder", "decoder", "postnet"]}
    without = {"weights": {"postnet": 0}}
    whole = train(project(tmp_path / "whole", training=still, acoustic=without))
    pieces = train(project(tmp_path / "pieces", training=still | {"accumulate": 3}, acoustic=without))
    ours, theirs = (last(run.folder)["state_dict"] for run in (whole, pieces))
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-5)


def test_the_best_says_all_that_speaking_and_going_on_need(tmp_path):
    result = train(project(tmp_path, training=OFTEN))
    best = open_checkpoint(result.outcome.files["weights"])
    assert best.family == "fastspeech2"
    assert best.speakers == ("ada", "bo")
    assert best.languages == ("eng", "fra")
    assert best.audio.hop == 32
    assert best.symbols.ids["a"]
    statistics = VarianceStatistics.from_dict(best.config["statistics"])
    assert set(statistics.pitch) == {"ada", "bo"}
    network = network_of(best.family, best.architecture)
    network.load_state_dict({name: torch.from_numpy(np.array(best.tensors[name])) for name in best.tensors})
    bins = network.variance_adaptor.pitch_bins
    assert (float(bins[0]), float(bins[-1])) == pytest.approx(statistics.pitch_bounds)
    lines = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    validations = [line for line in lines if line["kind"] == "validation"]
    assert [line["step"] for line in validations] == [0, 2, 4, 6]
    assert all(line["mel_distance"] > 0 and line["duration_error"] > 0 for line in validations)
    assert {"mel", "postnet", "pitch", "energy", "duration", "attn_ctc", "attn_bin"} < set(lines[1])


def test_a_run_checkpoint_is_a_base_and_its_schedule_goes_on(tmp_path, capsys):
    first = train(project(tmp_path / "first", acoustic={"phase": "restart", "ramp_steps": 12}))
    checkpoint = next((first.folder / "checkpoints").glob("*.ckpt"))
    assert open_checkpoint(checkpoint).config["loss_schedule"] == pytest.approx(0.5)
    assert "begins at 0 %" in capsys.readouterr().err
    train(project(tmp_path / "second", base=checkpoint, acoustic={"ramp_steps": 12}, training={"steps": 1}))
    assert "begins at 50 % of its weight, in full from step 6 on (acoustic.phase: continue)" in capsys.readouterr().err


def test_a_model_from_scratch_learns_its_mels(tmp_path):
    result = train(scratch(tmp_path, training={"steps": 8, "ema": 0}))
    lines = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    mels = [line["mel"] for line in lines if line["kind"] == "train"]
    assert mels[-1] < 0.8 * mels[0]
    assert open_checkpoint(result.outcome.files["weights"]).architecture["encoder_layers"] == 2


def test_training_that_diverges_names_the_rates(tmp_path):
    rates = {"learning_rates": {"decoder": 1e30, "encoder": 1e30}}
    with pytest.raises(TrainingError) as caught:
        train(project(tmp_path, acoustic=rates, training={"steps": 40, "warmup": 0, "gradient_clip": 1e9}))
    assert caught.value.field == "acoustic.learning_rates"
