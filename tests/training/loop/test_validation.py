import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from voxgraft.config.run import TrainingConfig
from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.validation import Best, Kept, Sample, Validation, Verdict, best_of, is_better
from voxgraft.training.tasks.vits.validate import JudgedSpeech, MelDistance, rank, speak


class Run:
    """A run that is judged as `verdicts` say, one a step."""

    def __init__(self, folder, verdicts, **settings):
        self.verdicts = list(verdicts)
        self.kept, self.lines = [], []
        layer = nn.Linear(1, 1)
        self.validation = Validation(
            folder / "runs" / "tiny",
            SimpleNamespace(write=lambda step, kind, values: self.lines.append((step, kind, values))),
            TrainingConfig(**{"validate_every": 1, "patience": 99} | settings),
            validate=lambda: (self.verdicts.pop(0), [Sample(np.zeros(160, np.float32), 16000)]),
            keep=self.keep,
        )
        average = WeightAverage(layer, 0.5)
        with torch.no_grad():
            layer.weight.fill_(5.0)
            average.state_dict()["average"]["weight"].fill_(3.0)
        self.learner = SimpleNamespace(network=layer, average=average)
        self.position = Position(100)
        self.folder = folder

    def keep(self, step):
        self.kept.append((step, self.learner.network.weight.item()))
        return Kept(self.folder / f"weights-{step}", self.folder / "voices" / f"voice-{step}")

    def go(self, steps, processes=Processes()):
        for _ in range(steps):
            if not self.validation.exhausted:
                self.position.step += 1
                if self.validation.due(self.position):
                    self.validation.run(self.learner, self.position, processes)
        return self


def heard(similarity, cer, base_cer=0.04, margin=0.04):
    return rank(similarity, cer, base_cer, margin)


def test_the_best_is_the_most_alike_of_those_that_are_understood(tmp_path):
    run = Run(tmp_path, [heard(0.5, 0.05), heard(0.9, 0.3), heard(0.7, 0.08), heard(0.6, 0.0), heard(0.8, 0.081)]).go(5)
    assert run.validation.best == Best(
        0.7, cer=0.08, speaker_similarity=0.7, step=3, weights="weights-3", exported="voices/voice-3"
    )
    assert run.kept == [(1, 3.0), (3, 3.0)], "the averaged weights are what is exported, each best at once"
    assert run.learner.network.weight.item() == 5.0, "training goes on with its own"
    assert json.loads((tmp_path / "runs" / "tiny" / "best.json").read_text())["step"] == 3
    assert [(step, kind, line["best"]) for step, kind, line in run.lines] == [
        (n, "validation", n in (1, 3)) for n in range(1, 6)
    ]
    assert len(list((tmp_path / "runs" / "tiny" / "samples").iterdir())) == 5


def test_where_none_is_understood_the_one_that_comes_nearest_stands_in_until_one_is(tmp_path):
    run = Run(tmp_path, [heard(0.6, 0.5), heard(0.6, 0.2), heard(0.62, 0.3), heard(0.3, 0.08)]).go(3)
    assert (run.validation.best.step, run.validation.best.eligible) == (2, False)
    run.go(1)
    assert (run.validation.best.step, run.validation.best.eligible) == (4, True)


def test_the_margin_is_held_against_the_base():
    assert rank(0.7, 0.08, 0.04, 0.04).eligible
    assert not rank(0.7, 0.0801, 0.04, 0.04).eligible
    assert rank(0.7, 0.9, None, 0.04).eligible, "where the base could not be heard there is nothing to compare with"
    assert is_better(Verdict(0.1), Best(0.9, eligible=False))
    assert not is_better(Verdict(0.9, eligible=False), Best(0.1))
    assert not is_better(Verdict(0.1), Best(0.1)), "the first of equals stays"


def test_patience_ends_the_run(tmp_path, capsys):
    run = Run(tmp_path, [heard(s, 0.0) for s in (0.5, 0.4, 0.6, 0.5, 0.5, 0.9)], patience=2).go(6)
    assert run.position.step == 5
    assert run.validation.exhausted
    assert "nothing better in 2 validations" in capsys.readouterr().err


def test_it_takes_place_every_so_many_steps_and_at_the_end(tmp_path):
    run = Run(tmp_path, [heard(0.5, 0.0)] * 9, validate_every=4)
    run.position.steps = 10
    run.go(10)
    assert [step for step, _, _ in run.lines] == [4, 8, 10]


def test_only_the_first_process_validates_and_the_others_learn_of_it(tmp_path):
    run = Run(tmp_path, [], patience=1)
    run.go(1, SimpleNamespace(is_first=False, broadcast=lambda _: 1))
    assert run.validation.exhausted
    assert run.lines == []
    assert list(tmp_path.iterdir()) == []


def test_learning_rates_fall_on_a_plateau_on_every_process(tmp_path, capsys):
    settings = {"plateau": 2, "plateau_factor": 0.5}
    run = Run(tmp_path, [heard(s, 0.0) for s in (0.5, 0.4, 0.4, 0.4, 0.4, 0.9)], **settings).go(6)
    assert run.position.rate_scale == 0.25
    assert capsys.readouterr().err.count("learning rates × 0.5") == 2
    other = Run(tmp_path, [], **settings).go(1, SimpleNamespace(is_first=False, broadcast=lambda _: 2))
    assert other.position.rate_scale == 0.5


def test_its_state_goes_on(tmp_path):
    run = Run(tmp_path, [heard(0.5, 0.0), heard(0.4, 0.0)]).go(2)
    other = Run(tmp_path / "other", [])
    other.validation.load_state_dict(run.validation.state_dict())
    assert other.validation.best == run.validation.best
    assert other.validation.state_dict() == run.validation.state_dict()


@pytest.fixture
def generator(started):
    return started(discriminator="none").learner.generator


def test_a_voice_says_the_same_each_time_and_nothing_else_changes(generator):
    generator.train()
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    scales = {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8}
    first = speak(generator, [[1, 0, 20, 0, 2], [1, 0, 59, 0, 24, 0, 2]], scales, 0)
    again = speak(generator, [[1, 0, 20, 0, 2], [1, 0, 59, 0, 24, 0, 2]], scales, 0)
    assert [len(clip) > 0 for clip in first] == [True, True]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert generator.training


def test_a_listener_measures_the_base_first_and_holds_others_against_it(generator):
    told = iter([(0.49, 0.04), (0.7, 0.07), (0.8, 0.2)])
    loudest = []

    class Judge:
        def score(self, clips, sample_rate, texts):
            similarity, cer = next(told)
            loudest.append(max(float(np.abs(clip).max()) for clip in clips))
            assert (sample_rate, texts, len(clips)) == (16000, ["abc"], 1)
            return SimpleNamespace(speaker_similarity=similarity, cer=cer)

    scales = {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8}
    listener = JudgedSpeech(
        Judge(), ["abc"], [[1, 0, 20, 0, 2]], sample_rate=16000, scales=scales, speaker=0, margin=0.04
    )
    base = listener.measure_base(generator)
    assert (base.cer, listener.base_cer) == (0.04, 0.04)
    assert listener(generator)[0] == Verdict(0.7, cer=0.07, speaker_similarity=0.7)
    assert not listener(generator)[0].eligible
    assert loudest == pytest.approx([1.0] * 3, abs=1e-6), "as loud as runtimes make it"


def test_without_a_judge_the_nearest_decoder_is_best(generator):
    distances = iter([2.0, 1.5])
    gauge = MelDistance(
        lambda _: next(distances),
        [[1, 0, 20, 0, 2]],
        sample_rate=16000,
        scales={"noise_scale": 0, "length_scale": 1, "noise_w": 0},
        speaker=0,
    )
    before = gauge.measure_base(generator)
    after, clips = gauge(generator)
    assert (before.score, after.score, after.cer, after.eligible) == (-2.0, -1.5, None, True)
    assert len(clips) == 1
    assert is_better(after, Best(before.score))


def test_bests_of_older_runs_are_read():
    voice = {
        "step": 3,
        "score": 0.7,
        "eligible": True,
        "cer": 0.1,
        "voice": "/old/place/voices/tiny/en_US-tiny-low.onnx",
    }
    assert best_of(voice) == Best(0.7, cer=0.1, step=3, exported="voices/tiny/en_US-tiny-low.onnx")
    weights = {
        "step": 2,
        "score": -0.7,
        "eligible": True,
        "cer": 0.7,
        "wer": 1.0,
        "voice": "/x/best/epoch=0-step=2.safetensors",
    }
    assert best_of(weights) == Best(-0.7, cer=0.7, wer=1.0, step=2, weights="epoch=0-step=2.safetensors")
