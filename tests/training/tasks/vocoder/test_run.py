"""Vocoders train in a project, from a base and from scratch; a stopped run goes on as if it had not been stopped."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.tasks.vits.tiny_project import fit  # noqa: E402
from tests.training.tasks.vocoder.tiny_vocoder import BASE, TINY, project  # noqa: E402

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.errors import ConfigError, GraftError, TrainingError  # noqa: E402
from voxgraft.inference.vocoder.vocoder import Vocoder  # noqa: E402
from voxgraft.training.loop.checkpoints import content_of, load, save  # noqa: E402
from voxgraft.training.loop.optimisers import take_up  # noqa: E402
from voxgraft.training.loop.processes import Processes  # noqa: E402
from voxgraft.training.loop.step import take_step  # noqa: E402
from voxgraft.training.loop.validation import Verdict  # noqa: E402
from voxgraft.training.run import train  # noqa: E402
from voxgraft.training.tasks.settle import settled_task  # noqa: E402
from voxgraft.training.tasks.vocoder import setup  # noqa: E402

# 32 samples a frame at 16 kHz.
NETWORKS = {
    "vocos": {"channels": 8, "hidden": 16, "layers": 2, "n_fft": 128, "hop": 32},
    "univnet": {"noise_channels": 4, "channels": 4, "strides": (8, 4), "dilations": (1, 3), "predictor_channels": 8},
    "hifigan": {
        "resblock": "2", "resblock_kernels": (3,), "resblock_dilations": ((1, 2),), "upsample_rates": (4, 2),
        "upsample_initial_channel": 8, "upsample_kernels": (8, 4), "istft_points": 16,
    },
}  # fmt: skip


@pytest.fixture
def tiny_sizes(monkeypatch):
    """The size `tiny` of each family made tinier."""
    from voxgraft.architectures.presets import hifigan, univnet, vocos

    for module in (hifigan, univnet, vocos):
        monkeypatch.setattr(module, "PRESETS", {"tiny": NETWORKS[module.__name__.rpartition(".")[2]]})


def weights_of(training):
    return {name: tensor.clone() for name, tensor in training.learner.weights().items()}


def test_a_base_trains_and_what_comes_of_it_speaks(tmp_path):
    result = train(project(tmp_path))
    assert result.finished
    assert result.best.mel_distance > 0
    assert result.best.stft_distance > 0
    kept = open_checkpoint(result.outcome.files["weights"])
    assert kept.family == "hifigan"
    assert kept.audio.hop == 32
    assert any(name.startswith("discriminator.") for name in kept.tensors)
    vocoder = Vocoder.load(result.outcome.files["exported"], threads=1)
    assert vocoder.settings.audio == kept.audio
    assert vocoder.speak(np.zeros((8, 11), np.float32)).shape == (11 * 32,)
    lines = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text().splitlines()]
    assert {"mel", "adversarial", "feature", "discriminator"} <= set(lines[1])
    assert list((result.folder / "samples").glob("*.wav"))


@pytest.mark.parametrize("family", sorted(NETWORKS))
def test_every_family_learns_from_scratch(tmp_path, tiny_sizes, family):
    config = project(
        tmp_path, base="none", family=family, size="tiny", steps=24, warmup=2, learning_rates={"generator": 0.003}
    )
    training = setup.begin(settled_task(config))
    before, _ = training.validate()
    terms = []
    fit(training, lambda _, found: terms.append(found))
    after, sounds = training.validate()
    name = "stft" if family == "univnet" else "mel"
    assert np.mean([t[name] for t in terms[-5:]]) < 0.8 * np.mean([t[name] for t in terms[:5]])
    assert after.score > before.score
    assert np.isfinite(sounds[0].sound).all()


def steps(training, begin, end):
    """Take these steps of a run."""
    alone = Processes()
    for batch in training.batches(begin, end, alone):
        take_step(training.learner, batch, training.config.training, training.position, training.config.seed, alone)
    return training


def test_a_stopped_run_goes_on_to_the_bit(tmp_path):
    config = settled_task(project(tmp_path, steps=4))
    straight = steps(setup.begin(config), 0, 4)
    stopped = steps(setup.begin(config), 0, 2)
    path = tmp_path / "epoch=1-step=2.ckpt"
    save(path, content_of(stopped, {}))
    content = load(path)
    resumed = setup.resume(stopped.config, path, content)
    resumed.position.load_state_dict(content["voxgraft_run"]["position"])
    resumed.learner.load_state_dict(content["voxgraft_run"])
    take_up(resumed.learner.optimisers, content["optimizer_states"])
    steps(resumed, 2, 4)
    wanted, found = weights_of(straight), weights_of(resumed)
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        assert torch.equal(found[name], tensor), name
    averages = [t.learner.average.state_dict()["average"] for t in (straight, resumed)]
    assert all(torch.equal(averages[0][name], averages[1][name]) for name in averages[0])


def test_a_run_goes_on_for_longer(tmp_path):
    config = project(tmp_path, steps=2)
    assert train(config).step == 2
    longer = config.model_copy(update={"training": config.training.model_copy(update={"steps": 3})})
    assert train(longer, resume=True).step == 3


def test_what_was_trained_is_a_base(tmp_path):
    first = train(project(tmp_path / "one", steps=2))
    config = project(tmp_path / "two", base=first.outcome.files["weights"], steps=2)
    vocoder = config.vocoder.model_copy(update={"discriminator": "auto"})
    training = setup.begin(settled_task(config.model_copy(update={"vocoder": vocoder})))
    assert training.config.vocoder.discriminator == "light"
    assert {row.action for row in training.plan.rows} == {"copy"}
    kept = open_checkpoint(first.outcome.files["weights"])
    for name, tensor in training.learner.weights().items():
        np.testing.assert_array_equal(tensor, kept.tensors[name])


def test_settings_that_are_left_out_are_the_authors(tmp_path):
    training = setup.begin(settled_task(project(tmp_path)))
    settings = training.config.vocoder
    # EveryVoice's.
    assert (settings.learning_rates.generator, settings.betas) == (1e-4, (0.9, 0.98))
    assert settings.weights.model_dump() == {"mel": 45, "stft": 0, "adversarial": 1, "feature": 2}
    assert training.learner.optimisers[0].defaults["betas"] == (0.9, 0.98)


@pytest.mark.parametrize(("field", "value"), [("hop", 64), ("n_mels", 12)])
def test_a_spectrogram_that_does_not_fit_is_named_before_training(tmp_path, tiny_sizes, field, value):
    spectrogram = TINY | {field: value}
    config = project(tmp_path, base="none", family="vocos", size="tiny", spectrogram=spectrogram)
    if field == "n_mels":
        # From scratch the network has as many bands as the spectrogram.
        setup.begin(settled_task(config))
        return
    with pytest.raises(TrainingError, match="does not fit") as fault:
        setup.begin(settled_task(config))
    assert fault.value.field == f"vocoder.spectrogram.{field}"
    assert fault.value.expected == 32


def test_a_base_of_another_shape_is_refused(tmp_path):
    config = project(tmp_path, base=BASE.with_name("text-to-spec.ckpt"))
    with pytest.raises((ConfigError, GraftError), match=r"another kind|can't be trained"):
        setup.begin(settled_task(config))


def test_nothing_left_to_learn_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="frozen"):
        setup.begin(settled_task(project(tmp_path, freeze=("generator",))))


def test_with_discriminators_the_newest_that_is_near_the_lowest_distance_is_the_best(tmp_path, monkeypatch):
    training = setup.begin(settled_task(project(tmp_path)))
    found = []
    for step, mel in ((0, 1.0), (10, 0.8), (20, 0.95), (30, 1.1)):
        monkeypatch.setattr(
            setup, "assess", lambda *_, mel=mel: (Verdict(-mel, mel_distance=mel, stft_distance=1.0), [])
        )
        training.position.step = step
        verdict, _ = training.validate()
        found.append((verdict.score, verdict.eligible))
    assert found == [(0, True), (10, True), (20, True), (30, False)]
    assert training.checkpoint()["voxgraft_run"] == {"lowest_mel": 0.8}


def test_without_discriminators_the_lowest_distance_is_the_best(tmp_path):
    training = setup.begin(settled_task(project(tmp_path, discriminator="none")))
    verdict, _ = training.validate()
    assert verdict.score == pytest.approx(-(verdict.mel_distance + verdict.stft_distance / 3))
