from dataclasses import replace

import pytest
from tests import paths

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import open_checkpoint
from voxgraft.graft.vocoder import hop_mismatch, vocoder_fit

FIXTURES = paths.FIXTURES
SPEC = AudioSpec(sample_rate=22050)


@pytest.fixture(scope="module")
def acoustic():
    return replace(open_checkpoint(FIXTURES / "everyvoice" / "text-to-spec.ckpt"), audio=SPEC)


@pytest.fixture(scope="module")
def vocoder():
    base = open_checkpoint(FIXTURES / "coqui_tts" / "hifigan.pth")
    return replace(base, audio=SPEC, architecture={"upsample_rates": (8, 8, 2, 2)})


def test_equal_spectrograms_fit(acoustic, vocoder):
    fit = vocoder_fit(acoustic, vocoder)
    assert (fit.refusals, fit.warnings, fit.differences) == ((), (), {})
    assert fit.to_dict()["fits"] is True


@pytest.mark.parametrize(
    ("field", "value"),
    [("sample_rate", 16000), ("n_fft", 2048), ("win", 512), ("n_mels", 100), ("fmin", 20.0), ("fmax", 8000.0),
     ("mel_scale", "htk"), ("power", 2.0), ("log_base", "10"), ("mel_norm", "none")],
)  # fmt: skip
def test_every_field_that_matters_is_refused_by_its_name(acoustic, vocoder, field, value):
    fit = vocoder_fit(acoustic, replace(vocoder, audio=replace(SPEC, **{field: value})))
    (refusal,) = fit.refusals
    assert f"{field} {getattr(SPEC, field)} against {value}" in refusal or field == "fmax"
    assert field in refusal
    assert str(value) in refusal
    assert "take a vocoder" in refusal
    assert fit.to_dict()["fits"] is False


@pytest.mark.parametrize(("field", "value"), [("centre", True), ("magnitude_floor", 1e-9), ("log_floor", 1e-4)])
def test_slight_differences_are_warnings(acoustic, vocoder, field, value):
    fit = vocoder_fit(acoustic, replace(vocoder, audio=replace(SPEC, **{field: value})))
    assert fit.refusals == ()
    assert field in fit.warnings[0]


def test_no_upper_limit_is_half_the_rate(acoustic, vocoder):
    assert vocoder_fit(acoustic, replace(vocoder, audio=replace(SPEC, fmax=11025.0))).differences == {}


def test_a_hop_that_upsampling_does_not_make_is_refused(acoustic, vocoder):
    slow = replace(vocoder, architecture={"upsample_rates": (8, 8, 2)})
    assert "128 samples" in (hop_mismatch(slow) or "")
    assert vocoder_fit(acoustic, slow).refusals[0].startswith("hop:")
    assert hop_mismatch(replace(slow, architecture={"upsample_rates": (8, 8), "istft_points": 16})) is None
    assert hop_mismatch(replace(slow, audio=None)) is None


def test_what_is_no_vocoder_is_refused(acoustic, vocoder):
    assert any("which is no vocoder" in r for r in vocoder_fit(acoustic, acoustic).refusals)
    assert any("which is no acoustic model" in r for r in vocoder_fit(vocoder, vocoder).refusals)


def test_unknown_spectrograms_are_a_warning(acoustic, vocoder):
    fit = vocoder_fit(acoustic, replace(vocoder, audio=None))
    assert fit.refusals == ()
    assert "does not say how its spectrograms are made" in fit.warnings[0]
