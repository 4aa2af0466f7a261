"""Runs of a recogniser from beginning to end, at a size that takes a second or two."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.training.stopping import before_step, stop_before
from tests.training.tasks.ctc.tiny_recogniser import ENGLISH, PITCHES, RUSSIAN, project, sung, table
from tests.training.tasks.vits.test_resume import same

from voxgraft.architectures.names.deepspeech import tensors_for_module
from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.load import load_config
from voxgraft.config.run import TrainingConfig
from voxgraft.corpus.prepare.features import features_of
from voxgraft.errors import ConfigError, CorpusError, GraftError, TrainingError
from voxgraft.graft.plan import read_plan
from voxgraft.graft.plan_project import plan_project
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.models.ctc.networks import NETWORKS, build_network
from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.loop import fit
from voxgraft.training.loop.checkpoints import load
from voxgraft.training.loop.validation import Verdict
from voxgraft.training.run import train
from voxgraft.training.tasks.ctc import setup
from voxgraft.training.tasks.ctc.examples import make_batch
from voxgraft.training.tasks.ctc.validate import transcribe
from voxgraft.training.tasks.settle import settled_task


def begun(config):
    """A run that has not stepped yet; its folder is made as `train` makes it."""
    return setup.begin(settled_task(config))


def best_of(folder):
    return open_checkpoint(next((folder / "best").glob("*.safetensors")))


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_one_batch_is_learned_by_heart(tmp_path):
    started = begun(project(tmp_path, recogniser={"n_hidden": 48, "dropout": 0.0}))
    learner, examples = started.learner, started.data.train
    optimiser = torch.optim.AdamW(learner.network.parameters(), lr=3e-3)
    batch = make_batch(examples, range(len(examples)))
    for _ in range(500):
        optimiser.zero_grad()
        loss = learner.loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learner.network.parameters(), 5.0)
        optimiser.step()
        if loss.item() < 0.01:
            break
    hearing = transcribe(learner.network, examples, started.model.labels, torch.device("cpu"))
    assert hearing.cer == hearing.wer == 0.0, [(row.said, row.heard) for row in hearing.rows]
    assert [row.heard for row in hearing.rows] == list(ENGLISH)


def test_the_loss_of_the_parts_adds_up_to_that_of_the_batch(tmp_path):
    learner = begun(project(tmp_path, recogniser={"dropout": 0.0})).learner
    batch = make_batch(learner.examples, [0, 2, 4])
    parts = learner.loss(batch.part(0, 1)) + learner.loss(batch.part(1, 3))
    torch.testing.assert_close(learner.loss(batch), parts)
    labels = sum(len(learner.examples[clip].labels) for clip in (0, 2, 4))
    assert batch.total == labels
    assert 1.0 < learner.loss(batch).item() < 30.0, "nats a label"


def test_from_scratch_to_a_tested_exported_recogniser(tmp_path, capsys):
    result = train(project(tmp_path))
    said = capsys.readouterr().err
    assert "the alphabet of the corpus, 5 labels: ' abcd'" in said
    assert result.finished
    assert result.outcome.values["cer"][0] >= 0
    assert result.outcome.values["cer"][1] <= result.outcome.values["cer"][0] <= result.outcome.values["cer"][2]
    assert result.outcome.values["base_cer"] is None
    assert json.loads((result.folder / "test.json").read_text())["result"]["worst"][0]["said"] in ENGLISH
    kept = load_config(result.folder / "config.yaml")
    assert (result.folder / "alphabet.txt").read_text("utf-8") == " \na\nb\nc\nd\n"
    assert kept.graft.alphabet == str(result.folder / "alphabet.txt")
    assert kept.task == "recogniser"
    best = best_of(result.folder)
    assert best.symbols.symbols == (" ", "a", "b", "c", "d", "<blank>")
    recogniser = Recogniser.load(tmp_path / "recognisers" / "tiny" / "tiny.onnx")
    network = build_network("deepspeech", best.architecture).eval()
    network.load_state_dict({n: torch.tensor(a) for n, a in tensors_for_module(best.tensors).items()})
    x = sung("dab")
    with torch.no_grad():
        features = features_of(x, NETWORKS["deepspeech"].features)
        heard = torch.log_softmax(network(torch.from_numpy(features)[None]), -1)[0]
    np.testing.assert_allclose(recogniser.log_probs(x), heard.numpy(), atol=1e-4)


@pytest.mark.usefixtures("without_export")
def test_transfer_drops_layers_maps_letters_and_leaves_the_base_as_it_was(tmp_path):
    before = {path: path.read_bytes() for path in (DEEPSPEECH / "english").iterdir()}
    result = train(project(tmp_path, DEEPSPEECH / "english", RUSSIAN, graft={"drop_source_layers": 2}))
    assert {path: path.read_bytes() for path in (DEEPSPEECH / "english").iterdir()} == before
    plan = read_plan(result.folder / "plan.json")
    actions = {row.part: row.action for row in plan.rows if row.target is not None}
    assert actions["layer_5"] == "init"
    assert actions["layer_6"] == "remap"
    assert {actions[part] for part in ("layer_1", "layer_2", "layer_3", "lstm")} == {"copy"}
    assert set(plan.symbols.mapped) == {" ", "<blank>"}
    assert set(plan.symbols.new) == {"а", "б", "в", "г"}
    assert result.outcome.values["base_cer"] is not None, "the base is tested by its own letters"
    assert result.outcome.values["base_cer"][0] != result.outcome.values["cer"][0]


@pytest.mark.parametrize("dropped", [1, 3, 4, 5])
def test_a_graft_holds_the_bases_weights_but_for_the_layers_that_are_dropped(tmp_path, dropped):
    started = begun(project(tmp_path, DEEPSPEECH / "cyrillic", RUSSIAN, graft={"drop_source_layers": dropped}))
    base = tensors_for_module(open_checkpoint(DEEPSPEECH / "cyrillic").tensors)
    layers = ("layer_1", "layer_2", "layer_3", "lstm", "layer_5", "layer_6")
    for name, tensor in started.learner.network.state_dict().items():
        kept = name.split(".")[0] in layers[: 6 - dropped]
        if "bias_hh" not in name and "layer_6" not in name:
            assert np.array_equal(tensor.numpy(), base[name]) == kept, name


@pytest.mark.usefixtures("without_export")
def test_the_same_alphabet_is_carried_whole(tmp_path):
    started = begun(project(tmp_path, DEEPSPEECH / "english"))
    base = tensors_for_module(open_checkpoint(DEEPSPEECH / "english").tensors)
    same({n: torch.tensor(a) for n, a in base.items()}, dict(started.learner.network.state_dict()))


def test_reordered_letters_go_with_their_rows(tmp_path):
    alphabet = tmp_path / "alphabet.txt"
    alphabet.write_text("d\nc\nb\na\n \n", "utf-8")
    started = begun(project(tmp_path, DEEPSPEECH / "english", graft={"alphabet": str(alphabet)}))
    base = open_checkpoint(DEEPSPEECH / "english")
    rows = base.tensors["layer_6/weights"].T
    own = started.learner.network.layer_6.weight.detach().numpy()
    for place, symbol in enumerate("dcba "):
        np.testing.assert_array_equal(own[place], rows[base.symbols.ids[symbol][0]])
    np.testing.assert_array_equal(own[5], rows[-1])


def test_bytes_from_an_alphabet_are_transfer_and_from_bytes_fine_tuning(tmp_path):
    transfer = begun(project(tmp_path / "a", DEEPSPEECH / "english", RUSSIAN, graft={"bytes": True}))
    assert transfer.learner.network.layer_6.out_features == 256
    tuned = begun(project(tmp_path / "b", DEEPSPEECH / "bytes", RUSSIAN))
    assert tuned.plan.counts.keys() == {"copy"}
    assert tuned.model.labels.bytes


@pytest.mark.usefixtures("without_export")
def test_the_best_is_never_worse_than_the_graft(tmp_path, monkeypatch, capsys):
    """Training ruins the base here: what is kept and tested is the graft before its first step."""
    cers = iter((0.5, 0.6, 0.5000001, 0.7))
    monkeypatch.setattr(
        setup.RecogniserTraining, "validate", lambda self: (Verdict(-(cer := next(cers)), True, cer, wer=cer), [])
    )
    training = {"steps": 3, "validate_every": 1, "decay": "none", "warmup": 0}
    config = project(
        tmp_path, DEEPSPEECH / "english", training=training, recogniser={"learning_rates": {"encoder": 9.0}}
    )
    result = train(config)
    assert (result.best.step, result.best.cer) == (0, 0.5)
    wanted = tensors_for_module(open_checkpoint(DEEPSPEECH / "english").tensors)
    kept = tensors_for_module(best_of(result.folder).tensors)
    same({n: torch.tensor(a) for n, a in kept.items()}, {n: torch.tensor(a) for n, a in wanted.items()})
    assert result.outcome.values["cer"] == result.outcome.values["base_cer"]
    last = load(checkpoints_in(result.folder / "checkpoints")[-1])["state_dict"]["layer_1/weights"]
    assert not np.allclose(last, open_checkpoint(DEEPSPEECH / "english").tensors["layer_1/weights"], atol=1.0)
    assert "step 0: CER 50.0 %" in capsys.readouterr().err


@pytest.mark.usefixtures("without_export")
def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path, monkeypatch):
    lively = {
        "recogniser": {"augment": ["volume[p=0.5,dbfs=-30~5]"], "thaw_every": 2},
        "training": {"validate_every": 2, "steps": 7, "plateau": 1, "plateau_factor": 0.5},
    }
    whole = train(project(tmp_path / "whole", DEEPSPEECH / "english", **lively))
    config = project(tmp_path / "stopped", DEEPSPEECH / "english", **lively)
    with monkeypatch.context() as patch:
        stop_before(patch, 2)
        stopped = train(config)
    assert (stopped.finished, stopped.step, stopped.outcome.values["cer"]) == (False, 3, None)
    torch.manual_seed(99)
    resumed = train(config, resume=True)
    assert (resumed.finished, resumed.step) == (True, 7)
    one, other = (load(checkpoints_in(run.folder / "checkpoints")[-1]) for run in (whole, resumed))
    for content in (one, other):
        best = content["voxgraft_run"]["validation"]["best"]
        best.pop("exported")
    same(one["state_dict"], other["state_dict"])
    same(one["optimizer_states"], other["optimizer_states"])
    same(one["voxgraft_run"], other["voxgraft_run"])
    assert metrics(whole.folder) == metrics(resumed.folder)
    assert whole.outcome.values["cer"] == resumed.outcome.values["cer"]


@pytest.mark.usefixtures("without_export")
def test_the_best_that_a_checkpoint_knows_survives_a_kill(tmp_path, monkeypatch):
    """A better one was found after the last checkpoint, then the run is killed, and what is done again turns out worse."""
    cers = iter((0.5, 0.6, 0.3, 0.7, 0.8, 0.9, 0.4))
    monkeypatch.setattr(
        setup.RecogniserTraining, "validate", lambda self: (Verdict(-(cer := next(cers)), True, cer, wer=cer), [])
    )
    config = project(tmp_path, DEEPSPEECH / "english", training={"validate_every": 1, "steps": 5})
    with monkeypatch.context() as patch:
        stop_before(patch, 0)
        train(config)

    def kill():
        raise RuntimeError("killed")

    with pytest.MonkeyPatch.context() as patch:
        before_step(patch, 2, kill)
        with pytest.raises(RuntimeError, match="killed"):
            train(config, resume=True)
    assert {path.name for path in (tmp_path / "runs" / "tiny" / "best").iterdir()} == {
        "epoch=0-step=0.safetensors", "epoch=0-step=2.safetensors",
    }  # fmt: skip
    result = train(config, resume=True)
    assert (result.best.step, result.best.cer) == (5, 0.4)
    assert [path.name for path in (result.folder / "best").iterdir()] == ["epoch=1-step=5.safetensors"]


@pytest.mark.usefixtures("without_export")
def test_a_graft_that_was_best_before_the_run_was_stopped_is_so_after(tmp_path, monkeypatch):
    cers = iter((0.5, *(0.6 + place / 100 for place in range(20))))
    monkeypatch.setattr(
        setup.RecogniserTraining, "validate", lambda self: (Verdict(-(cer := next(cers)), True, cer, wer=cer), [])
    )
    config = project(tmp_path, DEEPSPEECH / "english", training={"validate_every": 1, "steps": 6})
    with monkeypatch.context() as patch:
        stop_before(patch, 2)
        stopped = train(config)
    assert (stopped.step, stopped.best.step) == (3, 0)
    result = train(config, resume=True)
    assert (result.step, result.best.step, result.best.cer) == (5, 0, 0.5)
    assert result.outcome.values["cer"] == result.outcome.values["base_cer"]


@pytest.mark.usefixtures("without_export")
@pytest.mark.parametrize("batch", [3, 5, 64])
def test_every_clip_of_a_real_epoch_is_learned_from(tmp_path, monkeypatch, batch):
    seen = []
    original = fit.take_step
    monkeypatch.setattr(
        fit, "take_step", lambda learner, batch, *rest: seen.append(batch.clips) or original(learner, batch, *rest)
    )
    train(project(tmp_path, recogniser={"epochs": 2}, training={"batch": batch, "validate_every": 50}))
    epoch = len(seen) // 2
    assert epoch == -(-8 // batch)
    for steps in (seen[:epoch], seen[epoch:]):
        assert {clip for clips in steps for clip in clips} == set(range(8))
        # The last batch is filled up, so that no step is of a few clips alone.
        assert len({len(clips) for clips in steps}) == 1


@pytest.mark.usefixtures("without_export")
def test_the_comparison_would_see_a_difference(tmp_path):
    one = train(project(tmp_path / "one"))
    other = train(project(tmp_path / "other").model_copy(update={"seed": 1}))
    with pytest.raises(AssertionError):
        same(*(load(checkpoints_in(run.folder / "checkpoints")[-1])["state_dict"] for run in (one, other)))


def test_a_base_of_another_width_or_kind_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "corpora_of", lambda config: pytest.fail("the corpus was read"))
    config = project(tmp_path, DEEPSPEECH / "english", recogniser={"n_hidden": 2048})
    with pytest.raises(GraftError, match=r"expected 8, got 2048") as caught:
        train(config)
    assert "Leave the setting out" in caught.value.remedy
    with pytest.raises(ConfigError, match="the base is of another kind"):
        train(project(tmp_path, DEEPSPEECH / "english").model_copy(update={"task": "voice"}))
    assert not (tmp_path / "runs").exists()


def trained_on(folder, texts):
    """A run from the tiny English save on other texts; letters without a tone of their own get one."""
    for letter in set("".join(texts)) - {" "}:
        PITCHES.setdefault(letter, 2000)
    config = project(folder, DEEPSPEECH / "english")
    named = {"train": (str(table(folder / "other", "other", texts)),)}
    return config.model_copy(update={"recogniser": config.recogniser.model_copy(update=named)})


def test_another_alphabet_is_derived_where_the_bases_lacks_letters(tmp_path, capsys):
    started = begun(trained_on(tmp_path, ("абба", "vad")))
    assert "the base's alphabet lacks 57.1 % of the characters of the corpus" in capsys.readouterr().err
    assert set(started.model.symbols.ids) == {" ", *"абvad", "<blank>"}


def test_a_slip_of_the_pen_is_an_error_that_names_the_clip(tmp_path):
    with pytest.raises(CorpusError, match=r"1 \(U\+0031\) ×1 in other-160 \(other\.csv line 162\)") as caught:
        train(trained_on(tmp_path, (*ENGLISH * 20, "ab1")))
    assert "--skip-bad" in caught.value.remedy
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("without_export")
def test_steps_come_from_epochs_and_what_is_left_to_us_fits_them(tmp_path):
    config = project(tmp_path, recogniser={"epochs": 5}, training={"batch": 3})
    kept = {name: getattr(config.training, name) for name in ("batch", "precision", "device")}
    started = begun(config.model_copy(update={"training": TrainingConfig(**kept)}))
    assert started.config.training.steps == 5 * 3, "8 clips make 3 batches: the last one is not lost"
    assert started.config.training.warmup == 1
    assert started.config.training.validate_every == 3
    clips = [clip for step in range(3) for clip in setup.schedule_of(started.data.train, started.config).clips(step)]
    assert set(clips) == set(range(8))


def test_a_length_in_passes_and_in_steps_is_an_error_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match="set twice, in passes over the corpus and in steps") as caught:
        train(project(tmp_path, recogniser={"epochs": 2}, training={"steps": 50}))
    assert "got 2 and 50" in caught.value.summary
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("without_export")
def test_minutes_shorten_a_run(tmp_path):
    started = begun(project(tmp_path, training={"minutes": 0.0001, "steps": 500}))
    assert started.position.steps == started.config.training.steps < 20


@pytest.mark.usefixtures("without_export")
def test_texts_are_set_aside_for_dev_and_test_where_no_files_are_named(tmp_path):
    config = project(tmp_path)
    recogniser = config.recogniser.model_copy(update={"dev": (), "test": (), "set_aside": 0.2})
    material = begun(config.model_copy(update={"recogniser": recogniser})).data
    parts = [{example.text for example in part} for part in (material.train, material.dev, material.test)]
    assert [len(part) for part in parts] == [5, 1, 2]
    assert set.union(*parts) == set(ENGLISH)


def test_clips_too_short_for_their_text_are_named_while_training(tmp_path, capsys):
    learner = begun(project(tmp_path)).learner
    batch = make_batch(learner.examples, [0, 1])
    batch.lengths[0] = 3
    batch = replace(batch, frames=(3, batch.frames[1]))
    assert torch.isfinite(learner.loss(batch)).all()
    said = capsys.readouterr().err
    assert "train-0 is too short for its transcript (5 frames are needed)" in said
    learner.loss(batch)
    assert "too short" not in capsys.readouterr().err


def test_a_loss_that_explodes_ends_the_run_with_what_to_change(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "voxgraft.training.tasks.ctc.module.ctc_losses", lambda logits, *_: logits.sum((1, 2)) * float("nan")
    )
    config = project(tmp_path, training={"steps": 30, "validate_every": 100})
    with pytest.raises(TrainingError, match="the training has diverged") as caught:
        train(config)
    assert "lower learning rates" in caught.value.remedy


@pytest.mark.usefixtures("without_export")
def test_what_plan_shows_is_what_training_does(tmp_path):
    config = trained_on(tmp_path, ("абба", "vad"))
    planned = plan_project(config).plan
    assert begun(config).plan == planned
    assert {"а", "б"} <= set(planned.symbols.new)
    assert plan_project(project(tmp_path / "scratch")).target.architecture["n_hidden"] == 16
