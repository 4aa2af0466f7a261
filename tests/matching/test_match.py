"""Matching a vocoder to a text-to-spec model, from recordings to a page: tiny models, a few steps."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests import paths
from tests.training.tasks.acoustic.tiny_acoustic import corpus

torch = pytest.importorskip("torch")
pytest.importorskip("pyworld")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.config.run import RunConfig  # noqa: E402
from voxgraft.errors import CheckpointError, CorpusError, TrainingError  # noqa: E402
from voxgraft.evaluation.compare import Comparison  # noqa: E402
from voxgraft.evaluation.metrics.transcript import ErrorCount  # noqa: E402
from voxgraft.evaluation.scores import VOCODER_METRICS, ClipScore, Scores  # noqa: E402
from voxgraft.matching.match import match, what_it_tells  # noqa: E402
from voxgraft.project.run_folder import MANIFEST  # noqa: E402

EVERYVOICE = paths.FIXTURES / "everyvoice"
ACOUSTIC, VOCODER = EVERYVOICE / "text-to-spec.ckpt", EVERYVOICE / "spec-to-wav.ckpt"
QUICK = {
    "training.steps": 2, "training.batch": 2, "training.precision": "fp32", "training.device": "cpu",
    "training.validate_every": 100, "vocoder.segment": 2048, "vocoder.discriminator": "light",
}  # fmt: skip


@pytest.fixture
def project(tmp_path):
    corpus(tmp_path, seconds=0.7).write(tmp_path / MANIFEST)
    return RunConfig(
        name="tiny",
        task="acoustic",
        output=str(tmp_path),
        corpus={"validation": 1, "held_out": ["1", "4"], "loudness": None, "trim": False},
        acoustic={"vocoder": str(VOCODER)},
        evaluation={"recogniser": "none", "dnsmos": False},
    )


def test_a_vocoder_is_matched_and_measured_on_what_it_did_not_learn(project, tmp_path):
    before = VOCODER.read_bytes()
    fast = {
        "vocoder.learning_rates.generator": 3e-3,
        "training.warmup": 0,
        "training.ema": 0.0,
        "training.decay": "none",
    }
    found = match(project, text_to_spec=str(ACOUSTIC), values=QUICK | fast)
    told = found.to_dict()
    assert told["finished"]
    assert found.run.folder == tmp_path / "runs" / "tiny-matched-vocoder"
    assert {name for name in told["before"] if told["before"][name]} == {"mel_distance", "mr_stft", "flatness"}
    assert told["after"]["mel_distance"][0] != told["before"]["mel_distance"][0]
    assert [line.id for line in found.comparison.held_out] == ["1", "4"]
    run = json.loads((tmp_path / "runs" / "tiny-matched-vocoder" / "plan.json").read_text())
    assert run["parameters_carried"] == 1.0
    assert "Mel distance" in found.report.read_text()
    assert VOCODER.read_bytes() == before
    [folder] = (tmp_path / "corpus" / "synthesized_spec").iterdir()
    assert folder.name.startswith(open_checkpoint(ACOUSTIC).provenance.sha256[:16])
    again = match(project, text_to_spec=str(ACOUSTIC), values=QUICK | fast)
    assert again.to_dict()["after"] == told["after"]


def test_it_learns_slowly_and_leaves_the_first_layers_alone(project):
    found = match(project, text_to_spec=str(ACOUSTIC), values=QUICK)
    written = (found.run.folder / "config.yaml").read_text()
    assert "generator: 1.0e-05" in written
    assert "freeze_discriminator: 3" in written


def test_what_is_missing_stops_it_before_anything_is_trained(project, tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        match(project, text_to_spec=str(tmp_path / "gone.ckpt"), values=QUICK)
    with pytest.raises(CheckpointError, match="no such file"):
        match(project, text_to_spec=str(ACOUSTIC), vocoder=str(tmp_path / "gone.ckpt"), values=QUICK)
    with pytest.raises(CheckpointError, match="no run"):
        match(project, values=QUICK)
    assert not (tmp_path / "runs").exists()


def test_models_that_do_not_fit_are_told_by_the_field(project, tmp_path):
    with pytest.raises(TrainingError, match="don't fit") as caught:
        match(
            project, text_to_spec=str(ACOUSTIC), vocoder=str(paths.FIXTURES / "coqui_tts" / "hifigan.pth"), values=QUICK
        )
    assert caught.value.field is not None
    assert not (tmp_path / "runs").exists()


def test_without_recordings_there_is_nothing_to_match_on(project, tmp_path):
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(CorpusError, match="no recordings"):
        match(project, text_to_spec=str(ACOUSTIC), values=QUICK)


def _comparison(change: float, cer: float) -> Comparison:
    rows = [
        ClipScore(str(n), "text", 0, 1.0, characters=ErrorCount(int(100 * cer), 100), mel_distance=1.0 + n / 10)
        for n in range(6)
    ]
    better = [replace(row, mel_distance=row.mel_distance + change) for row in rows]
    right = [replace(row, characters=ErrorCount(0, 100)) for row in rows]
    scores = {"base": rows, "result": better, "recordings": right}
    return Comparison({role: Scores(tuple(r), VOCODER_METRICS) for role, r in scores.items()}, {}, (), (0,))


def test_it_says_what_the_numbers_mean():
    assert what_it_tells(_comparison(-0.1, 0.0)) == ["matched: Mel distance 1.250 to 1.150"]
    assert what_it_tells(_comparison(0.0, 0.0))[0].startswith("no difference that could not be chance")
    assert "no vocoder mends that" in what_it_tells(_comparison(-0.1, 0.5))[1]
