"""A training pass of our DelightfulTTS is tts-framework's and VoiceSmith's on one clip; in a batch it stays what it is alone."""

import numpy as np
import pytest
import torch
from tests import paths
from tests.models.delightful.test_delightful import CASES, model_of

from voxgraft.architectures.families import family_of
from voxgraft.models.delightful import delightful_losses
from voxgraft.models.delightful.conformer import shifted, shifted_each, shifted_places
from voxgraft.models.delightful.losses import WEIGHTS, similarity
from voxgraft.models.vits.masks import sequence_mask

SYMBOLS, FRAMES = (11, 7), (29, 18)


def original(name):
    with np.load(paths.FIXTURES / "tts_framework" / "training.npz") as file:
        kinds = ("in", name.split(".")[0])
        return [{k.split(".", 1)[1]: torch.tensor(file[k]) for k in file if k.startswith(f"{kind}.")} for kind in kinds]


def learned(name):
    given, theirs = original(name)
    if name == "acoustic.pt":
        given["pitches"] = given["pitches"].where(given["pitches"] != 0, 0.5)
    passed = model_of(name).learn(
        given["x"],
        given["src_lens"],
        given["mels"],
        given["mel_lens"],
        given["pitches"],
        given["energies"].squeeze(1),
        given["speakers"][:, 0],
        given["langs"][:, 0],
        prior=given["attn_priors"].mT,
    )
    return given, theirs, passed


def batch(seed=0):
    """Two clips of different lengths, 0 in the padding."""
    draw = torch.Generator().manual_seed(seed)
    n, t = max(SYMBOLS), max(FRAMES)
    lengths, frames = torch.tensor(SYMBOLS), torch.tensor(FRAMES)
    mask = sequence_mask(frames, t)
    mel, pitch = torch.randn(2, 6, t, generator=draw) * mask, torch.randn(2, t, generator=draw) * mask[:, 0]
    prior = torch.rand(2, t, n, generator=draw)
    ids = torch.randint(1, 200, (2, n), generator=draw)
    energy = torch.randn(2, t, generator=draw) * mask[:, 0]
    return {
        "ids": ids, "lengths": lengths, "mel": mel, "frames": frames, "pitch": pitch, "energy": energy,
        "speaker": torch.tensor([1, 2]), "language": torch.tensor([3, 4]), "prior": prior,
    }  # fmt: skip


def alone(given, row):
    n, t = SYMBOLS[row], FRAMES[row]
    cut = {key: value[row : row + 1] for key, value in given.items()}
    for key in ("mel", "pitch", "energy"):
        cut[key] = cut[key][..., :t]
    cut["ids"], cut["prior"] = cut["ids"][:, :n], cut["prior"][:, :t, :n]
    return cut


def losses_of(passed, given):
    return delightful_losses(passed, given["mel"], given["lengths"].tolist(), given["frames"].tolist())


@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
def test_a_training_pass_is_the_original_s(name):
    _, theirs, ours = learned(name)
    same = {
        "mel": "y_pred", "log_durations": "log_duration_prediction", "durations": "attn_hard_dur",
        "pitch": "pitch_prediction", "pitch_target": "pitch_target", "energy": "energy_pred",
        "energy_target": "energy_target", "utterance": "u_prosody_pred", "utterance_target": "u_prosody_ref",
        "phoneme": "p_prosody_pred", "phoneme_target": "p_prosody_ref", "soft": "attn_soft",
        "log_scores": "attn_logprob",
    }  # fmt: skip
    for mine, named in same.items():
        if named in theirs:
            expected = theirs[named].reshape(getattr(ours, mine).shape).to(getattr(ours, mine).dtype)
            torch.testing.assert_close(
                getattr(ours, mine), expected, atol=1e-4, rtol=1e-4, msg=lambda m, k=mine: f"{k}: {m}"
            )
    assert ("energy_pred" in theirs) == (ours.energy is not None)


@torch.no_grad()
def test_losses_are_the_original_s():
    given, theirs, ours = learned("delightful.ckpt")
    terms = delightful_losses(ours, given["mels"], given["src_lens"].tolist(), given["mel_lens"].tolist())
    assert set(terms) == set(WEIGHTS)
    for name, value in terms.items():
        if name != "ssim":
            torch.testing.assert_close(
                value, theirs[f"loss.{name}"], atol=1e-4, rtol=1e-4, msg=lambda m, k=name: f"{k}: {m}"
            )


@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("reference", [False, True])
def test_a_clip_in_a_batch_is_the_clip_alone(name, reference):
    model, given = model_of(name), batch()
    model.reference_prosody = reference
    together = model.learn(**given)
    for row in range(2):
        passed = model.learn(**alone(given, row))
        n, t = SYMBOLS[row], FRAMES[row]
        for field in passed._fields:
            ours, own = getattr(together, field), getattr(passed, field)
            if ours is None:
                continue
            cut = ours[row : row + 1]
            cut = cut[tuple(slice(0, size) for size in own.shape)]
            torch.testing.assert_close(cut, own, atol=1e-5, rtol=1e-4, msg=lambda m, k=field: f"{k}: {m}")
        assert together.durations[row].sum() == t
        assert not together.durations[row, n:].any()
        assert not together.mel[row, :, t:].any()


@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
def test_what_lies_in_the_padding_changes_nothing(name):
    model, given = model_of(name), batch()
    usual = losses_of(model.learn(**given), given)
    rubbish = dict(given)
    rubbish["mel"] = torch.where(sequence_mask(given["frames"], 29) > 0, given["mel"], torch.tensor(9.0))
    rubbish["ids"] = given["ids"].clone()
    rubbish["ids"][1, SYMBOLS[1] :] = 77
    for key, value in losses_of(model.learn(**rubbish), rubbish).items():
        torch.testing.assert_close(value, usual[key], atol=1e-5, rtol=1e-5, msg=lambda m, k=key: f"{k}: {m}")


@pytest.mark.parametrize("name", CASES)
def test_every_part_learns_but_targets_that_tts_framework_leaves_alone(name):
    for reference in (True, False):
        model, given = model_of(name).train(), batch()
        model.reference_prosody = reference
        torch.manual_seed(0)
        terms = losses_of(model.learn(**given), given)
        sum(WEIGHTS[key] * value for key, value in terms.items()).backward()
        still = {key for key, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
        # Normalised right after, a constant for all channels goes.
        still = {key for key in still if not key.endswith(("norms.5.bias",))}
        parts = {family_of("delightful").part_of(key) for key in still}
        assert parts <= (set() if reference else {"prosody_encoders"}), sorted(still)[:6]


def test_ssim_is_bounded_and_teaches_far_from_the_recording():
    torch.manual_seed(0)
    wanted, mask = torch.randn(2, 12, 30), sequence_mask(torch.tensor([30, 18]), 30)
    assert torch.allclose(similarity(wanted, wanted, mask), torch.ones(2), atol=1e-5)
    for far in (wanted.neg(), wanted + 40, torch.randn(2, 12, 30)):
        ours = far.clone().requires_grad_()
        found = similarity(ours, wanted, mask)
        assert bool((found.abs() <= 1 + 1e-5).all())
        found.sum().backward()
        assert float(ours.grad.abs().sum()) > 0
        assert not ours.grad[1, :, 18:].any()
    short = similarity(wanted[..., :5], wanted[..., :5].neg(), mask[..., :5])
    assert short.tolist() == [1, 1]


def test_shifting_each_clip_is_shifting_it_alone():
    torch.manual_seed(0)
    rows, columns = torch.tensor([5, 3]), torch.tensor([4, 2])
    scores = torch.randn(2, 2, 5, 4)
    places = shifted_places(sequence_mask(rows, 5), sequence_mask(columns, 4))
    found = shifted_each(scores, places)
    for clip, (n, t) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        torch.testing.assert_close(found[clip, :, :n, :t], shifted(scores[clip : clip + 1, :, :n, :t])[0])


@torch.no_grad()
def test_pitch_in_hertz_is_learned_in_deviations():
    given = batch()
    plain, hertz = model_of("delightful.ckpt"), model_of("delightful.ckpt")
    mean, deviation = 180.0, 35.0
    # The same network, its pitch counted in Hz.
    hertz.pitch_scale.copy_(torch.tensor([mean, deviation]))
    last, emb = hertz.pitch_adaptor_conv.pitch_predictor.linear_layer, hertz.pitch_adaptor_conv.pitch_emb
    last.weight *= deviation
    last.bias.copy_(last.bias * deviation + mean)
    emb.weight /= deviation
    ours, theirs = hertz.learn(**given), plain.learn(**given)
    torch.testing.assert_close(ours.pitch, theirs.pitch, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours.pitch_target, theirs.pitch_target)
    said = hertz(given["ids"][:1], given["speaker"][:1], given["language"][:1])
    assert float((said.pitch - mean).abs().max()) < 20 * deviation


def test_the_state_of_the_schedule_is_in_the_checkpoint_and_a_file_without_it_loads():
    model = model_of("delightful.ckpt")
    model.loss_step.fill_(1500)
    state = model.state_dict()
    assert int(state["loss_step"]) == 1500
    assert set(state) >= {"pitches_stat", "pitch_scale"}
    again = model_of("delightful.ckpt")
    assert int(again.loss_step) == 0
    again.load_state_dict(state)
    assert int(again.loss_step) == 1500


@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
def test_given_durations_pitch_and_energy_are_obeyed_in_a_batch(name):
    model, given = model_of(name), batch()
    passed = model.learn(**given)
    forced = {"durations": passed.durations, "pitch": passed.pitch_target, "energy": passed.energy_target}
    said = model(given["ids"], given["speaker"], given["language"], lengths=given["lengths"], **forced)
    assert said.mel.shape == given["mel"].shape
    assert torch.equal(said.durations, passed.durations)
    if not model.reference_prosody:
        torch.testing.assert_close(said.mel, passed.mel, atol=1e-4, rtol=1e-4)
    row = model(given["ids"][1:, :7], given["speaker"][1:], given["language"][1:], durations=passed.durations[1:, :7])
    both = model(
        given["ids"], given["speaker"], given["language"], lengths=given["lengths"], durations=passed.durations
    )
    torch.testing.assert_close(both.mel[1:, :, :18], row.mel, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
def test_half_precision_changes_little(name):
    model, given = model_of(name), batch()
    full = model.learn(**given)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model.learn(**given, durations=full.durations)
    usual, found = losses_of(full, given), losses_of(half, given)
    for key, value in found.items():
        torch.testing.assert_close(value, usual[key], rtol=0.05, atol=0.03, msg=lambda m, k=key: f"{k}: {m}")
