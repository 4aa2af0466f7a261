import numpy as np
import pytest
import torch
from tests.export.piper.tiny_voice import tiny_vits

from voxgraft.models.vits import TextEncoding
from voxgraft.models.vits.masks import path_from_durations, sequence_mask
from voxgraft.training.tasks.vits.windows import lay_out


def posterior_and_flow(model, spectrogram):
    mask = torch.ones_like(spectrogram[:, :1])
    mean, _ = model.enc_q(spectrogram, mask)
    return mean, model.flow(mean, mask)


def receptive_field(function, size=240):
    """Frames to each side of the middle one that change it."""
    middle = size // 2
    x = torch.rand(1, 513, size, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    function(x)[0, :, middle].sum().backward()
    seen = x.grad[0].abs().sum(0).nonzero()[:, 0]
    return max(middle - int(seen.min()), int(seen.max()) - middle)


@pytest.fixture(scope="module")
def model():
    return tiny_vits().eval().double()


def test_a_window_is_what_the_whole_clip_is_where_its_context_covers_the_receptive_field(model):
    context = receptive_field(lambda x: posterior_and_flow(model, x)[1])
    assert 32 <= context <= 64, "sixteen layers of the posterior and four times four of the flow, two frames each"
    spectrogram = torch.rand(1, 513, 260, generator=torch.Generator().manual_seed(1)).double()
    begin, width = 60, 150
    whole = posterior_and_flow(model, spectrogram)
    window = posterior_and_flow(model, spectrogram[..., begin : begin + width])
    inside = slice(begin + context, begin + width - context)
    for of_clip, of_window in zip(whole, window, strict=True):
        torch.testing.assert_close(of_window[..., context:-context], of_clip[..., inside], rtol=1e-9, atol=1e-9)
    at_the_edge = (window[1][..., 0] - whole[1][..., begin]).abs().max()
    assert at_the_edge > 1e-6, "the edge of a window lacks its surroundings: this test can tell"


def test_a_windows_end_at_the_clips_own_end_lacks_nothing(model):
    context = receptive_field(lambda x: posterior_and_flow(model, x)[1])
    spectrogram = torch.rand(1, 513, 200, generator=torch.Generator().manual_seed(1)).double()
    whole = posterior_and_flow(model, spectrogram)
    window = posterior_and_flow(model, spectrogram[..., 80:])
    for of_clip, of_window in zip(whole, window, strict=True):
        torch.testing.assert_close(of_window[..., context:], of_clip[..., 80 + context :], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_laying_out_a_window_is_expanding_the_prior_by_the_path(seed):
    draw = np.random.default_rng(seed)
    counts = [7, 4, 9]
    durations = torch.zeros(3, 9)
    for row, count in enumerate(counts):
        # Zero frames occur: the search may skip no symbol, but an aligned text can have very short ones.
        durations[row, :count] = torch.from_numpy(draw.integers(0, 6, count)).float()
        durations[row, count - 1] = 3
    lengths = durations.sum(1).long()
    text_mask = sequence_mask(torch.tensor(counts), 9)
    values = torch.from_numpy(draw.normal(size=(2, 3, 5, 9))).float()
    text = TextEncoding(torch.zeros(3, 1, 9), values[0], values[1], text_mask)
    mask = sequence_mask(lengths, int(lengths.max()))
    path = path_from_durations(durations[:, None], text_mask, mask)
    whole = text.m_p @ path, text.logs_p @ path
    begins = torch.tensor([int(draw.integers(0, length - 2)) for length in lengths])
    window = sequence_mask((lengths - begins).clamp(max=6), 6)
    found = lay_out(text, durations, begins, window)
    for laid, expanded in zip(found, whole, strict=True):
        for row, begin in enumerate(begins.tolist()):
            real = int(window[row].sum())
            torch.testing.assert_close(laid[row, :, :real], expanded[row, :, begin : begin + real], rtol=0, atol=1e-6)
            assert not laid[row, :, real:].any()
