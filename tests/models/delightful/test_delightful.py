"""Our DelightfulTTS makes of the same symbols the spectrogram that tts-framework's and VoiceSmith's make."""

import numpy as np
import pytest
import torch
from tests import paths

from voxgraft.architectures.dimensions.delightful import delightful_shapes
from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import open_checkpoint
from voxgraft.models.delightful import Delightful
from voxgraft.models.delightful.conformer import shifted, sinusoids

FIXTURES = paths.FIXTURES / "tts_framework"
CASES = ("delightful.ckpt", "acoustic.pt")


def model_of(name):
    checkpoint = open_checkpoint(FIXTURES / name)
    model = Delightful(**checkpoint.architecture).eval()
    model.load_state_dict({tensor: torch.tensor(checkpoint.tensors[tensor]) for tensor in checkpoint.tensors})
    return model


def spoken(name, **settings):
    said = np.load(FIXTURES / f"{name.split('.')[0]}.npz")
    symbols, speaker, language = (torch.tensor(said[key]) for key in ("x", "speakers", "langs"))
    with torch.no_grad():
        return model_of(name)(symbols, speaker[:, 0], language[:, 0], **settings), said


@pytest.mark.parametrize("name", CASES)
def test_the_spectrogram_is_the_original_s(name):
    output, said = spoken(name)
    assert output.mel.shape == said["mel"].shape
    assert said["mel"].shape[2] > 10
    np.testing.assert_allclose(output.mel.numpy(), said["mel"], atol=1e-4)
    assert int(output.durations.sum()) == said["mel"].shape[2]
    assert (output.energy is None) == (name == "acoustic.pt")


@pytest.mark.parametrize("name", CASES)
def test_the_speaker_and_the_language_are_heard(name):
    said = np.load(FIXTURES / f"{name.split('.')[0]}.npz")
    model, symbols = model_of(name), torch.tensor(said["x"])
    even = torch.full_like(symbols, 2)
    with torch.no_grad():
        mels = [
            model(symbols, torch.tensor([speaker]), torch.tensor([language]), durations=even).mel
            for speaker, language in ((1, 3), (2, 3), (1, 4))
        ]
    assert not torch.allclose(mels[0], mels[1], atol=1e-3)
    assert not torch.allclose(mels[0], mels[2], atol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_given_durations_are_kept(name):
    durations = torch.tensor([[0, 3, 1, 0, 2, 4, 1, 1, 0, 5, 2]])
    output, _ = spoken(name, durations=durations)
    assert output.mel.shape[2] == 19
    assert torch.equal(output.durations, durations)


def test_pace_makes_it_longer_and_a_sentence_of_no_frames_gets_one_each():
    usual, _ = spoken("acoustic.pt")
    slow, _ = spoken("acoustic.pt", pace=2.0)
    assert torch.equal(slow.durations, 2 * usual.durations)
    hasty, _ = spoken("acoustic.pt", pace=0.01)
    assert hasty.durations.tolist() == [[1] * 11]


@pytest.mark.parametrize("name", CASES)
def test_pitch_is_heard(name):
    even = torch.full((1, 11), 2)
    usual, _ = spoken(name, durations=even)
    high, _ = spoken(name, durations=even, pitch_factor=-4.0)
    torch.testing.assert_close(high.pitch, -4.0 * usual.pitch)
    assert not torch.allclose(high.mel, usual.mel, atol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_the_shapes_of_an_architecture_are_the_module_s(name):
    checkpoint = open_checkpoint(FIXTURES / name)
    family = family_of("delightful")
    shapes = {
        key: tuple(value.shape)
        for key, value in model_of(name).state_dict().items()
        if family.part_of(key) in family.speaking_parts
    }
    shapes.pop("pitch_adaptor.pitch_bins", None)
    assert delightful_shapes(dict(checkpoint.architecture)) == shapes


def test_shifting_moves_row_i_to_its_place():
    scores = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert shifted(scores)[0, 0].tolist() == [[2, 0, 3], [4, 5, 0], [6, 7, 8]]


def test_positions_are_sines_and_cosines_by_turns():
    positions = sinusoids(3, 4)
    np.testing.assert_allclose(positions[2], [np.sin(2), np.cos(2), np.sin(0.02), np.cos(0.02)], atol=1e-6)
