"""Our Glow-TTS with Coqui TTS' weights answers as Coqui's own does."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths

torch = pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.models.glow_tts import GlowTts, glow_losses  # noqa: E402

FIXTURES = paths.FIXTURES / "glow_tts"
CASES = ("voice", "speakers", "gated", "residual", "separable")
CLOSE = {"rtol": 1e-5, "atol": 1e-4}


def restored(name: str) -> GlowTts:
    checkpoint = open_checkpoint(FIXTURES / name)
    model = GlowTts(**checkpoint.architecture)
    model.load_state_dict({key: torch.from_numpy(np.array(checkpoint.tensors[key])) for key in checkpoint.tensors})
    return model.eval()


def reference(prefix: str) -> dict[str, torch.Tensor]:
    with np.load(FIXTURES / "reference.npz") as file:
        return {k.removeprefix(f"{prefix}."): torch.tensor(file[k]) for k in file if k.startswith(f"{prefix}.")}


def speaker(theirs: dict[str, torch.Tensor], clips: int) -> torch.Tensor | None:
    found = theirs.get("speaker_ids", theirs.get("d_vectors"))
    return None if found is None else found[:clips]


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours.detach(), theirs, **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
def test_speaking_equals_coqui_s(name):
    theirs, model = reference(name), restored(name)
    lengths = torch.tensor([theirs["ids"].shape[1]])
    for folded in (False, True):
        said = model.infer(theirs["ids"], lengths, speaker=speaker(theirs, 1))
        assert torch.equal(said.durations[:, :-1], theirs["durations"][:, :-1].long())
        assert int(said.durations.sum()) == said.mel.shape[2]
        close(said.mel, theirs["mel"])
        slow = model.infer(theirs["ids"], lengths, speaker=speaker(theirs, 1), length_scale=1.7)
        close(slow.mel, theirs["slow"])
        assert slow.mel.shape[2] == int(slow.frames)
        if not folded:
            model.fold()


@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
def test_a_training_pass_and_its_losses_equal_coqui_s(name):
    theirs, model = reference(name), restored(name)
    passed = model(theirs["batch"], theirs["lengths"], theirs["batch_mel"], theirs["frames"], speaker(theirs, 2))
    close(passed.latent, theirs["latent"])
    torch.testing.assert_close(passed.log_determinant, theirs["log_determinant"], rtol=1e-4, atol=1e-3)
    assert torch.equal(passed.durations, theirs["aligned"])
    losses = glow_losses(passed, theirs["frames"], theirs["lengths"])
    close(losses["likelihood"], theirs["likelihood"])
    close(losses["duration"], theirs["duration"])


@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
def test_speaking_in_the_time_of_a_recording_equals_coqui_s(name):
    theirs, model = reference(name), restored(name)
    ids, lengths, mel = theirs["batch"][:1], theirs["lengths"][:1], theirs["batch_mel"][:1, :, :36]
    said = model.teacher_forced(ids, lengths, mel, torch.tensor([36]), speaker(theirs, 1))
    close(said.mel, theirs["forced"])


@torch.no_grad()
@pytest.mark.parametrize("name", ["voice", "speakers", "residual"])
def test_it_takes_exactly_the_time_of_a_recording(name):
    theirs, model = reference(name), restored(name)
    said = model.teacher_forced(
        theirs["batch"], theirs["lengths"], theirs["batch_mel"], theirs["frames"], speaker(theirs, 2)
    )
    assert theirs["frames"].tolist() == [37, 24]
    assert said.mel.shape == theirs["batch_mel"].shape
    assert bool(said.mel[0, :, 36].any())
    assert not said.mel[1, :, 24:].any()
    assert said.durations.sum(1).tolist() == [37, 24]


@torch.no_grad()
@pytest.mark.parametrize("name", ["voice", "speakers", "gated"])
def test_a_clip_in_a_batch_is_the_clip_alone(name):
    theirs, model = reference(name), restored(name)
    together = model(theirs["batch"], theirs["lengths"], theirs["batch_mel"], theirs["frames"], speaker(theirs, 2))
    spoken = model.infer(theirs["batch"], theirs["lengths"], speaker=speaker(theirs, 2))
    for row in range(2):
        n, t = int(theirs["lengths"][row]), int(theirs["frames"][row])
        own = speaker(theirs, 2)
        own = None if own is None else own[row : row + 1]
        ids, length = theirs["batch"][row : row + 1, :n], torch.tensor([n])
        alone = model(ids, length, theirs["batch_mel"][row : row + 1, :, :t], torch.tensor([t]), own)
        close(together.latent[row : row + 1, :, : t // 2 * 2], alone.latent)
        assert torch.equal(together.durations[row : row + 1, :n], alone.durations)
        said = model.infer(ids, length, speaker=own)
        assert int(spoken.frames[row]) == int(said.frames)
        close(spoken.mel[row : row + 1, :, : int(said.frames)], said.mel)


def test_the_flow_goes_back_where_it_came_from():
    model, mel, mask = restored("speakers"), torch.randn(1, 6, 20), torch.ones(1, 1, 20)
    g = model.embed_speaker(torch.tensor([1]))
    latent, _ = model.decoder(mel, mask, g)
    assert not torch.allclose(latent, mel, atol=0.1)
    close(model.decoder.backward_flow(latent, mask, g), mel)


def test_a_new_flow_is_fitted_to_recordings_as_coqui_s():
    theirs, trained = reference("init"), restored("separable")
    assert trained.initialised
    for name, tensor in trained.named_parameters():
        if name.endswith((".logs", "flows.0.bias", "flows.3.bias")):
            tensor.data.zero_()
    assert not trained.initialised
    trained.initialise(theirs["mel"], torch.tensor([16, 12]))
    close(torch.cat([trained.decoder.flows[i].logs for i in (0, 3)]), theirs["logs"])
    close(torch.cat([trained.decoder.flows[i].bias for i in (0, 3)]), theirs["bias"])
    assert trained.initialised


def test_what_is_fitted_has_mean_0_and_variance_1():
    model = GlowTts(symbols=5, mels=4, num_flow_blocks_dec=1, hidden_channels_dec=4, num_block_layers=1)
    mel, frames = 3 * torch.randn(2, 4, 30) + 1, torch.tensor([30, 20])
    model.initialise(mel, frames)
    latent, _ = model.decoder.flows[0](*squeezed_of(mel, frames))
    real = torch.cat([latent[0], latent[1, :, :10]], dim=1)
    torch.testing.assert_close(real.mean(1), torch.zeros(8), atol=1e-4, rtol=0)
    torch.testing.assert_close(real.var(1, correction=0), torch.ones(8), atol=1e-3, rtol=0)
    assert model.training


def squeezed_of(mel: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    from voxgraft.models.glow_tts.flow import squeezed
    from voxgraft.models.vits.masks import sequence_mask

    mask = sequence_mask(frames, mel.shape[2])
    return squeezed(mel * mask, mask, 2)


@pytest.mark.parametrize("name", CASES)
def test_every_part_learns(name):
    theirs, model = reference(name), restored(name).train()
    torch.manual_seed(0)
    passed = model(theirs["batch"], theirs["lengths"], theirs["batch_mel"], theirs["frames"], speaker(theirs, 2))
    sum(glow_losses(passed, theirs["frames"], theirs["lengths"]).values()).backward()
    still = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # A projection of keys only shifts all weights alike.
    assert [key for key in still if not key.endswith("conv_k.bias")] == []


def test_noise_is_drawn_and_scaled():
    theirs, model = reference("speakers"), restored("speakers")
    lengths, who = torch.tensor([theirs["ids"].shape[1]]), speaker(theirs, 1)
    torch.manual_seed(0)
    with torch.no_grad():
        mels = [model.infer(theirs["ids"], lengths, speaker=who, noise_scale=s).mel for s in (0.0, 0.1, 0.5)]
    assert 0 < float((mels[1] - mels[0]).abs().mean()) < float((mels[2] - mels[0]).abs().mean())


def test_a_speaker_must_be_named():
    theirs, model = reference("speakers"), restored("speakers")
    with pytest.raises(ValueError, match="say which one"):
        model.infer(theirs["ids"], torch.tensor([theirs["ids"].shape[1]]))


def test_what_it_is_not_is_told():
    with pytest.raises(ValueError, match="rel_pos_transformer"):
        GlowTts(symbols=5, mels=4, encoder_type="rnn")


@torch.no_grad()
def test_half_precision_changes_little():
    theirs, model = reference("voice"), restored("voice")
    given = (theirs["batch"], theirs["lengths"], theirs["batch_mel"], theirs["frames"])
    full = model(*given)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model(*given, durations=full.durations)
    usual, found = (glow_losses(passed, theirs["frames"], theirs["lengths"]) for passed in (full, half))
    for name, value in found.items():
        torch.testing.assert_close(value, usual[name], rtol=0.02, atol=0.01)
