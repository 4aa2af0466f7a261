"""Our FastSpeech 2 with EveryVoice's weights answers as EveryVoice's own does."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths

torch = pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.models.fastspeech2 import FastSpeech2  # noqa: E402
from voxgraft.models.fastspeech2.conformer import SelfAttention  # noqa: E402
from voxgraft.models.fastspeech2.variance_adaptor import averages, lay_out  # noqa: E402

FIXTURES = paths.FIXTURES / "everyvoice"
CLOSE = {"rtol": 0, "atol": 1e-4}


def restored(name: str) -> FastSpeech2:
    checkpoint = open_checkpoint(FIXTURES / f"{name}.ckpt")
    model = FastSpeech2(**checkpoint.architecture)
    model.load_state_dict({key: torch.from_numpy(np.array(checkpoint.tensors[key])) for key in checkpoint.tensors})
    return model.eval()


def reference(prefix: str) -> dict[str, torch.Tensor]:
    with np.load(FIXTURES / "reference.npz") as file:
        found = {
            key.removeprefix(f"{prefix}."): torch.from_numpy(file[key]) for key in file if key.startswith(f"{prefix}.")
        }
    return {key: value.long() if value.dtype == torch.int32 else value for key, value in found.items()}


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours.detach(), theirs, **CLOSE)


@torch.no_grad()
def test_speaking_equals_everyvoices():
    theirs = reference("inference")
    ours = restored("text-to-spec").infer(
        theirs["in.text"],
        theirs["in.src_lens"],
        speaker=theirs["in.speaker_id"],
        language=theirs["in.language_id"],
        pitch_scale=1.1,
        energy_scale=0.9,
    )
    close(ours.mask.bool(), theirs["tgt_mask"])
    close(ours.log_durations, theirs["duration_prediction"])
    close(ours.pitch, theirs["pitch_prediction"])
    close(ours.energy, theirs["energy_prediction"])
    close(ours.mel.transpose(1, 2), theirs["output"])
    close(ours.refined.transpose(1, 2), theirs["postnet_output"])


@torch.no_grad()
def test_a_training_pass_equals_everyvoices():
    theirs = reference("training")
    ours = restored("text-to-spec")(
        theirs["in.text"],
        theirs["in.src_lens"],
        theirs["in.mel"].transpose(1, 2),
        theirs["in.mel_lens"],
        theirs["in.pitch"],
        theirs["in.energy"],
        prior=theirs["in.duration"],
        speaker=theirs["in.speaker_id"],
        language=theirs["in.language_id"],
    )
    close(ours.log_scores, theirs["attn_logprob"].squeeze(1))
    close(ours.soft, theirs["attn_soft"].squeeze(1))
    assert torch.equal(ours.durations, theirs["duration_target"])
    close(ours.pitch_target, theirs["pitch_target"])
    close(ours.energy_target, theirs["energy_target"])
    close(ours.log_durations, theirs["duration_prediction"])
    close(ours.pitch, theirs["pitch_prediction"])
    close(ours.energy, theirs["energy_prediction"])
    close(ours.mel.transpose(1, 2), theirs["output"])
    close(ours.refined.transpose(1, 2), theirs["postnet_output"])


@torch.no_grad()
@pytest.mark.parametrize("prefix", ["features", "styled"])
def test_features_styles_and_pitch_by_frame_equal_everyvoices(prefix):
    theirs = reference(prefix)
    style = theirs.get("in.mel_style_reference")
    ours = restored("features").infer(
        theirs["in.pfs"],
        theirs["in.src_lens"],
        style=None if style is None else style.transpose(1, 2),
        pitch_scale=1.1,
        energy_scale=0.9,
    )
    close(ours.mask.bool(), theirs["tgt_mask"])
    close(ours.pitch, theirs["pitch_prediction"])
    close(ours.energy, theirs["energy_prediction"])
    close(ours.refined.transpose(1, 2), theirs["output"])


@torch.no_grad()
def test_forced_durations_are_kept():
    theirs = reference("inference")
    durations = torch.arange(theirs["in.text"].numel()).reshape_as(theirs["in.text"]) % 4
    ours = restored("text-to-spec").infer(
        theirs["in.text"],
        theirs["in.src_lens"],
        speaker=theirs["in.speaker_id"],
        language=theirs["in.language_id"],
        durations=durations,
    )
    assert torch.equal(ours.mask.sum(1).long(), durations.sum(1))


def test_every_part_learns():
    theirs = reference("training")
    model = restored("text-to-spec").train()
    ours = model(
        theirs["in.text"],
        theirs["in.src_lens"],
        theirs["in.mel"].transpose(1, 2),
        theirs["in.mel_lens"],
        theirs["in.pitch"],
        theirs["in.energy"],
        prior=theirs["in.duration"],
        speaker=theirs["in.speaker_id"],
        language=theirs["in.language_id"],
    )
    targets = (ours.refined, ours.mel, ours.pitch, ours.energy, ours.log_durations, ours.soft)
    sum(target.square().mean() for target in targets).backward()
    still = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert still == []
    assert model.variance_adaptor.attention.key_proj[0].conv.weight.grad.abs().sum() > 0


def test_a_model_without_an_aligner_learns_from_durations():
    model = restored("features").train()
    features, lengths = torch.randn(2, 5, 43), torch.tensor([5, 3])
    durations = torch.tensor([[2, 1, 3, 1, 1], [4, 2, 1, 0, 0]])
    frames = durations.sum(1)
    mel, values = torch.randn(2, 8, 8), torch.randn(2, 2, 8)
    ours = model(features, lengths, mel, frames, values[0], values[1], durations=durations)
    assert ours.path.sum() == frames.sum()
    assert torch.equal(ours.path.sum(2).long(), durations)
    assert ours.mel.shape == mel.shape
    assert ours.pitch_target.shape == (2, 8)
    assert ours.energy_target.shape == (2, 5)
    with pytest.raises(ValueError, match="durations"):
        model(features, lengths, mel, frames, values[0], values[1])


def test_a_speaker_must_be_said_where_there_are_several():
    theirs = reference("inference")
    with pytest.raises(ValueError, match="speaker embedding"):
        restored("text-to-spec").infer(theirs["in.text"], theirs["in.src_lens"])


def test_lay_out_repeats_symbols_and_pads_with_zeros():
    x = torch.tensor([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]])
    laid, mask = lay_out(x, torch.tensor([[2, 0, 1], [1, 0, 0]]))
    assert laid.squeeze(-1).tolist() == [[1, 1, 3], [4, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert lay_out(x, torch.zeros(2, 3, dtype=torch.long))[0].shape == (2, 1, 1)


def test_averages_leave_out_what_is_unvoiced():
    path = torch.tensor([[[1.0, 1, 1, 0], [0, 0, 0, 1]]])
    assert averages(torch.tensor([[2.0, 0, 4, 0]]), path).tolist() == [[3.0, 0.0]]


def test_attention_in_training_is_that_of_speaking_but_for_dropout():
    torch.manual_seed(2)
    # A chance under 1/256 is none: the training's own way, with nothing lost.
    attention = SelfAttention(8, 2, 0.001)
    x, padding = torch.randn(3, 6, 8), torch.arange(6) >= torch.tensor([[6], [4], [2]])
    close(attention.train()(x, padding), attention.eval()(x, padding))
