"""VITS with Coqui's tensors speaks as Coqui's own code does."""

from importlib import import_module

import numpy as np
import pytest
from tests.checkpoints.formats.coqui.coqui_files import COQUI, SPOKEN, altered

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.abilities import abilities_of
from voxgraft.errors import ExportError
from voxgraft.export.piper.load import load_vits

torch = pytest.importorskip("torch")


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "path", "speaker"), [("vits", "vits", None), ("vits_speakers", "vits_speakers.pth", 1)]
)
def test_speech_without_noise_equals_coquis(name, path, speaker):
    reference = np.load(COQUI / "reference.npz")
    checkpoint = open_checkpoint(COQUI / path)
    model = import_module("voxgraft.models.vits").Vits(**checkpoint.architecture).eval()
    state = {n: torch.from_numpy(np.array(checkpoint.tensors[n])) for n in checkpoint.tensors}
    judges = {n for n in state if n.startswith("discriminator.")}
    absent = model.load_state_dict({n: t for n, t in state.items() if n not in judges}, strict=False)
    assert absent.unexpected_keys == []
    assert all(n.startswith(("enc_q.", "dp.post_")) for n in absent.missing_keys)
    assert bool(absent.missing_keys) == (name == "vits_speakers")
    ids = torch.from_numpy(reference[f"{name}_ids"])
    who = None if speaker is None else torch.tensor([speaker])
    spoken = model.infer(ids, torch.tensor([ids.shape[1]]), speaker=who, **SPOKEN).squeeze().numpy()
    assert spoken.shape == reference[name].shape
    assert np.abs(reference[name]).max() > 0.05
    np.testing.assert_allclose(spoken, reference[name], atol=1e-4)


def test_discriminators_fit_the_ones_that_train_here():
    from voxgraft.models.discriminators.piper import PiperDiscriminator

    checkpoint = open_checkpoint(COQUI / "vits")
    ours = {f"discriminator.{n}": tuple(t.shape) for n, t in PiperDiscriminator().state_dict().items()}
    theirs = {n: shape for n, shape in checkpoint.tensors.shapes.items() if n.startswith("discriminator.")}
    assert len(theirs) == 18
    assert {n: ours.get(n) for n in theirs} == theirs


def without_languages(content, torch):
    state = content["model"]
    for name in ("emb_l.weight", "duration_predictor.cond_lang.weight", "duration_predictor.cond_lang.bias"):
        state.pop(name, None)


@pytest.mark.parametrize(
    ("change", "told"), [(lambda c, t: None, "embedded languages"), (without_languages, "a voice vector")]
)
def test_what_our_network_has_no_place_for_is_never_spoken_wrongly(tmp_path, change, told):
    checkpoint = open_checkpoint(altered("vits_languages", tmp_path / "x.pth", change))
    speak = next(ability for ability in abilities_of(checkpoint) if ability.name == "speak")
    assert not speak.possible
    assert told in speak.how
    with pytest.raises(ExportError, match=told):
        load_vits(checkpoint)


def test_a_voice_of_coquis_loads_whole_through_the_plan():
    loaded = load_vits(open_checkpoint(COQUI / "vits_speakers.pth"))
    assert all(name.startswith(("enc_q.", "dp.post_")) for name in loaded.absent)
