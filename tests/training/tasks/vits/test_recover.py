import numpy as np
import pytest
import torch
from tests.training.tasks.vits.tiny_project import project, spelt, tones

from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.tasks.voice import RecoveryConfig
from voxgraft.graft.apply import apply_plan, build
from voxgraft.graft.make import make_plan
from voxgraft.graft.target import target_like
from voxgraft.models.vits.masks import sequence_mask
from voxgraft.training.tasks.vits import recover as recovery
from voxgraft.training.tasks.vits.recover import (
    Plateau,
    cache_file,
    make_bank,
    mel_distance,
    needs_recovery,
    open_recovered,
    recover,
)
from voxgraft.training.tasks.vits.setup import begin

TEXTS = [np.array([1, 0, 20, 0, 59, 0, 24, 0, 27, 0, 10, 0, 2]), np.array([1, 0, 59, 0, 20, 0, 59, 0, 2])]
QUICK = RecoveryConfig(steps=30, batch=4, crop=8, check_every=10, learning_rate=3e-3, patience=9)


@pytest.fixture(autouse=True)
def _short_bank(monkeypatch):
    monkeypatch.setattr(recovery, "BANK_SECONDS", 4.0)


@pytest.fixture
def base(tmp_path):
    return open_checkpoint(spelt("single.onnx", tmp_path / "base"))


def network(base, seed=0):
    target = target_like(base)
    model = build(target, seed)
    apply_plan(make_plan(base, target), base, model)
    return model


def likelihood(model, bank):
    """Mean log-likelihood of what the voice said, in nats a value; without the constant."""
    found = []
    for pair in bank:
        mask = torch.ones(1, 1, pair.latent.shape[-1])
        with torch.no_grad():
            mean, log_deviation = model.enc_q(pair.spectrogram[None], mask)
        found.append((-log_deviation - 0.5 * (pair.latent - mean).square() * torch.exp(-2 * log_deviation)).mean())
    return float(torch.stack(found).mean())


def duration_loss(model, bank):
    torch.manual_seed(0)
    model.eval()
    total = 0.0
    with torch.no_grad():
        for pair in bank:
            text = model.encode_text(pair.ids[None], torch.tensor([len(pair.ids)]))
            total += float(model.duration_loss(text, pair.durations[None]))
    return total / len(bank)


def test_what_an_exported_voice_lacks_is_found_and_nothing_else_changes(base):
    model = network(base)
    unseen = make_bank(model, TEXTS, base.audio, seed=7)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    less, longer = likelihood(model, unseen), duration_loss(model, unseen)
    result = recover(base, model, TEXTS, [tones(1.0, 180)], QUICK, seed=0)
    assert likelihood(model, unseen) > less + 0.1
    assert duration_loss(model, unseen) < longer
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed
    assert all(name.startswith(("enc_q.", "dp.post_", "dp.flows.1.")) for name in changed)
    assert any(name.startswith("enc_q.") for name in changed)
    assert any(name.startswith("dp.post_flows.") for name in changed)
    assert result.mel_distance == pytest.approx(mel_distance(model, [tones(1.0, 180)], base.audio))
    assert not needs_recovery(result.checkpoint)
    assert result.checkpoint.provenance == base.provenance, "it is still the same base"
    assert result.checkpoint.symbols == base.symbols


def test_the_bank_is_pairs_of_what_was_said_and_the_latent_it_was_decoded_from(base):
    model = network(base)
    before = torch.random.get_rng_state()
    bank = make_bank(model, TEXTS, base.audio, seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert sum(pair.latent.shape[-1] for pair in bank) * 256 / 16000 >= 4.0
    for pair in bank:
        frames = pair.latent.shape[-1]
        assert pair.spectrogram.shape == (513, frames)
        assert int(pair.durations.sum()) == frames
        assert len(pair.durations) == len(pair.ids)
    pair = bank[0]
    from voxgraft.models.spectral import linear_spectrogram

    with torch.no_grad():
        audio = model.decode(pair.latent[None] * sequence_mask(torch.tensor([frames_of(pair)]), frames_of(pair)))
    torch.testing.assert_close(linear_spectrogram(audio[:, 0], base.audio)[0], pair.spectrogram)
    again = make_bank(model, TEXTS, base.audio, seed=0)
    assert torch.equal(again[0].latent, pair.latent)
    assert not torch.equal(make_bank(model, TEXTS, base.audio, seed=1)[0].latent[:, :3], pair.latent[:, :3])


def frames_of(pair):
    return pair.latent.shape[-1]


def test_texts_shorter_than_a_crop_are_no_obstacle(base):
    wide = QUICK.model_copy(update={"crop": 5000, "steps": 2})
    assert recover(base, network(base), TEXTS, [], wide, seed=0).mel_distance is None


def test_it_happens_once_for_a_base_and_its_settings(tmp_path, monkeypatch, capsys):
    config = project(tmp_path, "single.onnx", discriminator="none")
    first = begin(config)
    assert "recovering it" in capsys.readouterr().err
    monkeypatch.setattr("voxgraft.training.tasks.vits.setup.recover", lambda *_: pytest.fail("recovered again"))
    second = begin(config)
    assert "taken from the cache" in capsys.readouterr().err
    for name, tensor in first.learner.generator.state_dict().items():
        assert torch.equal(tensor, second.learner.generator.state_dict()[name]), name
    copied = tmp_path / "elsewhere"
    other = spelt("single.onnx", copied)
    assert open_recovered(open_checkpoint(other), config.voice.recovery) is not None, "by content, wherever it lies"
    more = config.voice.recovery.model_copy(update={"steps": 5})
    assert open_recovered(open_checkpoint(other), more) is None


def test_another_base_has_another_place(base, tmp_path):
    many = open_checkpoint(spelt("multi.onnx", tmp_path / "many"))
    assert cache_file(base, QUICK) != cache_file(many, QUICK)


def test_a_recovery_that_is_interrupted_leaves_nothing(base, monkeypatch):
    monkeypatch.setattr(recovery, "_recover_durations", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        recover(base, network(base), TEXTS, [], QUICK, seed=0)
    folder = cache_file(base, QUICK).parent
    assert not folder.exists() or list(folder.iterdir()) == []
    assert open_recovered(base, QUICK) is None


def test_a_damaged_cache_is_made_again(base, capsys):
    recover(base, network(base), TEXTS, [], QUICK.model_copy(update={"steps": 1}), seed=0)
    path = cache_file(base, QUICK.model_copy(update={"steps": 1}))
    path.write_bytes(path.read_bytes()[:5000])
    assert open_recovered(base, QUICK.model_copy(update={"steps": 1})) is None
    assert str(path) in capsys.readouterr().err


def test_many_speakers_are_recovered_each(tmp_path):
    base = open_checkpoint(spelt("multi.onnx", tmp_path / "base"))
    model = network(base)
    bank = make_bank(model, TEXTS, base.audio, seed=0)
    assert {pair.speaker for pair in bank} == {0, 1, 2}
    result = recover(base, model, TEXTS, [tones(1.0, 180)], QUICK.model_copy(update={"steps": 2}), seed=0)
    assert not needs_recovery(result.checkpoint)


def test_a_plateau_is_so_many_checks_without_a_real_gain():
    plateau = Plateau(2)
    assert [plateau.reached(d) for d in (2.0, 1.5, 1.499, 1.2, 1.199, 1.198)] == [False] * 5 + [True]
    falling = Plateau(1)
    assert not any(falling.reached(2.0 * 0.9**n) for n in range(20))


def test_recovery_stops_on_the_plateau(base, monkeypatch):
    checks = []

    def no_better(model, recordings, spec):
        checks.append(1)
        return 1.0

    monkeypatch.setattr(recovery, "mel_distance", no_better)
    settings = QUICK.model_copy(update={"steps": 200, "check_every": 2, "patience": 3})
    recover(base, network(base), TEXTS, [tones(1.0, 180)], settings, seed=0)
    assert len(checks) == 4, "the first, and three that were no better"
