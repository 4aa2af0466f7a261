"""VITS gives Piper's numbers from Piper's weights, by name, in training and inference."""

from __future__ import annotations

import io

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.fixtures.make_piper_pass import provide_alignment  # noqa: E402
from tests.models.piper_pass import NETWORKS, SEED, restored, tiny_vits, training_inputs  # noqa: E402

from voxgraft.config.presets import preset  # noqa: E402
from voxgraft.models.vits import PARTS, Vits, fold_weight_norm  # noqa: E402
from voxgraft.models.vits.vits import is_frozen  # noqa: E402

SPOKEN = {"noise_scale": 0.0, "noise_w": 0.0}


@pytest.mark.parametrize("name", NETWORKS)
def test_training_pass_equals_pipers(name):
    model, wanted = restored(name)
    torch.manual_seed(SEED)
    output = model(*training_inputs(wanted, model.speakers), segment_frames=6)
    for field in ("starts", "path"):
        torch.testing.assert_close(getattr(output, field), wanted[field], rtol=0, atol=0)
    for field in ("z", "z_p", "m_p", "logs_p", "m_q", "logs_q", "audio", "duration_loss"):
        torch.testing.assert_close(getattr(output, field), wanted[field], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_speech_without_noise_equals_pipers(name):
    model, wanted = restored(name)
    speaker = wanted["speaker"] if model.speakers > 1 else None
    with torch.no_grad():
        spoken = model.infer(wanted["ids"], wanted["lengths"], speaker=speaker, **SPOKEN)
    assert wanted["spoken"].abs().max() > 0.01
    torch.testing.assert_close(spoken, wanted["spoken"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("quality", ["x_low", "low", "medium", "high"])
@pytest.mark.parametrize("speakers", [1, 3])
@pytest.mark.parametrize("stochastic", [True, False])
def test_names_and_shapes_are_pipers(quality, speakers, stochastic):
    pytest.importorskip("piper.train.vits")
    provide_alignment()
    from piper.train.vits.models import SynthesizerTrn

    keywords = preset(quality)
    gin = 512 if speakers > 1 else 0
    ours = {"symbols": 256, **keywords, "speakers": speakers, "gin_channels": gin, "stochastic_duration": stochastic}
    ours.pop("sample_rate")
    with torch.device("meta"):
        model = Vits(**ours)
        piper = SynthesizerTrn(
            n_vocab=256, spec_channels=513, segment_size=32, inter_channels=ours["inter_channels"],
            hidden_channels=ours["hidden_channels"], filter_channels=ours["filter_channels"], n_heads=2, n_layers=6,
            kernel_size=3, p_dropout=0.1, resblock=ours["resblock"], resblock_kernel_sizes=ours["resblock_kernels"],
            resblock_dilation_sizes=ours["resblock_dilations"], upsample_rates=ours["upsample_rates"],
            upsample_initial_channel=ours["upsample_initial_channel"],
            upsample_kernel_sizes=ours["upsample_kernels"], n_speakers=speakers, gin_channels=gin, use_sdp=stochastic,
        )  # fmt: skip
    assert {k: v.shape for k, v in model.state_dict().items()} == {k: v.shape for k, v in piper.state_dict().items()}


def test_clips_of_one_length_and_of_many_agree():
    """Without padding to leave out, and with: the posterior of a clip doesn't depend on its neighbours."""
    model, wanted = restored("single")
    spectrogram, lengths = wanted["spectrogram"], wanted["spectrogram_lengths"]
    both = model.encode_posterior(spectrogram, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = model.encode_posterior(spectrogram[row : row + 1, :, :length], lengths[row : row + 1])
        torch.testing.assert_close(both.m_q[row, :, :length], alone.m_q[0], rtol=1e-4, atol=1e-5)
        assert not both.m_q[row, :, length:].any()


@pytest.mark.parametrize("name", ["single", "multi"])
def test_flow_reverses(name):
    model, wanted = restored(name)
    g = model.embed_speaker(wanted["speaker"] if model.speakers > 1 else None)
    mask = (wanted["z"].abs().sum(1, keepdim=True) > 0).float()
    with torch.no_grad():
        back = model.flow(model.flow(wanted["z"], mask, g), mask, g, reverse=True)
    torch.testing.assert_close(back, wanted["z"], rtol=1e-4, atol=1e-4)


def test_duration_flow_has_the_likelihood_of_what_it_draws():
    """Forward after reverse gives back the noise, and the log-determinants cancel."""
    model, _ = restored("single")
    coupling = model.dp.flows[3]
    x, mask, condition = torch.randn(2, 2, 9), torch.ones(2, 1, 9), torch.randn(2, 8, 9)
    y, there = coupling(x, mask, condition)
    back, again = coupling(y, mask, condition, reverse=True)
    torch.testing.assert_close(back, x, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(there, -again, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(y, x)


@pytest.mark.parametrize("part", [part for part in PARTS if part != "speaker_embedding"])
def test_a_frozen_part_gets_no_gradient_and_no_dropout(part):
    model, wanted = restored("single")
    model.train().freeze([part])
    frozen = getattr(model, PARTS[part])
    assert is_frozen(frozen)
    assert not frozen.training
    output = model(*training_inputs(wanted), segment_frames=6)
    loss = output.audio.square().sum() + output.duration_loss + (output.z_p - output.m_p).square().sum()
    loss.backward()
    for name, child in model.named_children():
        graded = [p.grad is not None for p in child.parameters()]
        assert not any(graded) if child is frozen else all(graded) or name == "enc_p", name


def test_frozen_text_encoder_leaves_no_graph():
    model, wanted = restored("single")
    model.freeze(["text_encoder", "duration"])
    output = model(*training_inputs(wanted), segment_frames=6)
    assert not output.m_p.requires_grad
    assert not output.duration_loss.requires_grad
    assert output.z_p.requires_grad


def test_folding_weight_norm_changes_names_but_not_speech():
    model, wanted = restored("single")
    with torch.no_grad():
        before = model.infer(wanted["ids"], wanted["lengths"], **SPOKEN)
        fold_weight_norm(model.dec)
        after = model.infer(wanted["ids"], wanted["lengths"], **SPOKEN)
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-6)
    names = set(model.state_dict())
    assert "dec.ups.0.weight" in names
    assert not any(name.startswith("dec.") and name.endswith(("weight_g", "weight_v")) for name in names)
    assert "flow.flows.0.enc.in_layers.0.weight_v" in names


def test_several_speakers_need_one_named():
    model, wanted = restored("multi")
    with pytest.raises(ValueError, match="3 speakers"):
        model.infer(wanted["ids"], wanted["lengths"])


def test_exports_to_onnx_and_speaks_other_lengths():
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    model, wanted = restored("single")

    class Speaker(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, lengths, scales):
            return self.model.infer(ids, lengths, noise_scale=scales[0], length_scale=scales[1], noise_w=scales[2])

    file = io.BytesIO()
    scales = torch.tensor([0.0, 1.0, 0.0])
    torch.onnx.export(
        Speaker().eval(), (wanted["ids"][:1], wanted["lengths"][:1], scales), file, opset_version=15, dynamo=False,
        input_names=["input", "input_lengths", "scales"], output_names=["output"],
        dynamic_axes={"input": {1: "phonemes"}, "output": {2: "time"}},
    )  # fmt: skip
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for count, pace in ((11, 1.0), (5, 1.0), (9, 1.7)):
        ids, lengths = wanted["ids"][:1, :count], torch.tensor([count])
        scales = torch.tensor([0.0, pace, 0.0])
        with torch.no_grad():
            spoken = model.infer(ids, lengths, length_scale=pace, **SPOKEN).numpy()
        feeds = {"input": ids.numpy(), "input_lengths": lengths.numpy(), "scales": scales.numpy()}
        (exported,) = session.run(None, feeds)
        np.testing.assert_allclose(exported, spoken, atol=1e-4)


def test_same_generator_same_noise():
    model = tiny_vits().eval()
    ids, lengths = torch.randint(1, 24, (2, 9)), torch.tensor([9, 8])
    spectrogram, frames = torch.rand(2, 33, 40), torch.tensor([40, 33])
    passes = [
        model(ids, lengths, spectrogram, frames, segment_frames=6, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(passes[0].audio, passes[1].audio)
    assert not torch.equal(passes[0].z, passes[2].z)


def test_decoder_gives_the_same_with_clips_side_by_side():
    """In training a full batch is laid out otherwise than in inference."""
    model, _ = restored("single")
    z = torch.randn(6, 8, 12)
    beside = model.decode(z)
    with torch.no_grad():
        apart = model.decode(z)
    assert beside.requires_grad
    torch.testing.assert_close(beside.detach(), apart, rtol=1e-4, atol=1e-6)
