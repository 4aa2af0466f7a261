"""A text-to-spec model beside its vocoder: in our own runtime without torch, and in sherpa-onnx's Matcha loader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tests.export.pair.conftest import ACOUSTIC, VOCODER

torch = pytest.importorskip("torch")

from voxgraft.checkpoints import Checkpoint, open_checkpoint  # noqa: E402
from voxgraft.config.presets import default_symbols  # noqa: E402
from voxgraft.errors import CheckpointError, TextError  # noqa: E402
from voxgraft.export.acoustic.load import load_network  # noqa: E402
from voxgraft.export.pair.side_by_side import export_side_by_side  # noqa: E402
from voxgraft.inference.acoustic.acoustic import Acoustic  # noqa: E402
from voxgraft.inference.acoustic.controls import Controls  # noqa: E402
from voxgraft.inference.acoustic.pair import SpokenPair  # noqa: E402
from voxgraft.models.networks import network_of  # noqa: E402

TEXT = "a bad bed, bob."


def of_phonemes() -> Checkpoint:
    """A model that reads espeak-ng's phonemes with pads between them, as Piper's voices do."""
    like, table = open_checkpoint(ACOUSTIC), default_symbols("en-us")
    architecture = dict(like.architecture) | {"symbols": table.rows}
    torch.manual_seed(0)
    network: Any = network_of("fastspeech2", architecture)
    with torch.no_grad():
        network.variance_adaptor.duration_predictor.linear.bias.fill_(1.5)
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return replace(like, architecture=architecture, symbols=table, tensors=tensors)


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("letters")
    return export_side_by_side(open_checkpoint(ACOUSTIC), open_checkpoint(VOCODER), folder, "letters", sherpa=True)[0]


@pytest.fixture(scope="module")
def phonemes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("espeakng_loader")
    folder = tmp_path_factory.mktemp("phonemes")
    return export_side_by_side(of_phonemes(), open_checkpoint(VOCODER), folder, "phonemes", sherpa=True)[0]


@torch.no_grad()
def test_spectrograms_and_durations_are_the_networks(letters):
    model, network = Acoustic.load(letters), load_network(open_checkpoint(ACOUSTIC))
    (spoken,) = model.mels(TEXT, Controls(pace=1.7, pitch=1.5, energy=0.6, speaker="bo", language="fra"))
    said = network.infer(
        torch.tensor([spoken.ids]),
        torch.tensor([len(spoken.ids)]),
        speaker=torch.tensor([1]),
        language=torch.tensor([1]),
        duration_scale=1.7,
        pitch_scale=1.5,
        energy_scale=0.6,
    )
    np.testing.assert_allclose(spoken.mel, said.refined[0].numpy(), atol=1e-4)
    assert spoken.durations.tolist() == said.durations[0].tolist()
    assert spoken.durations.sum() == spoken.mel.shape[1]


def by_sherpa(path: Path, codepoints: list[list[int]], speaker: int) -> np.ndarray:
    sherpa = pytest.importorskip("sherpa_onnx")
    if not hasattr(getattr(sherpa, "GenerationConfig", None), "phoneme_codepoints"):
        pytest.skip("sherpa-onnx 1 phonemises by itself")
    matcha = sherpa.OfflineTtsMatchaModelConfig(
        acoustic_model=str(path),
        vocoder=str(path.with_name("vocoder.onnx")),
        tokens=str(path.with_name("tokens.txt")),
        noise_scale=0.0,
    )
    config = sherpa.OfflineTtsConfig(model=sherpa.OfflineTtsModelConfig(matcha=matcha, num_threads=1))
    assert config.validate()
    generation = sherpa.GenerationConfig()
    generation.sid = speaker
    generation.phoneme_codepoints = codepoints
    audio = sherpa.OfflineTts(config).generate(TEXT, generation)
    assert audio.sample_rate == 16000
    return np.array(audio.samples, np.float32)


def test_sherpas_matcha_loader_says_the_same(letters):
    theirs = by_sherpa(letters, [[ord(letter) for letter in TEXT]], 1)
    ours = np.concatenate(list(SpokenPair.load(letters).speak(TEXT, Controls(speaker=1))))
    assert len(ours) > 1000
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


def test_sherpas_matcha_loader_frames_phonemes_as_the_model_does(phonemes):
    from voxgraft.text.g2p import phonemizer

    sentences = phonemizer("espeak", "en-us").sentences(TEXT)
    theirs = by_sherpa(phonemes, [[ord(symbol) for symbol in sentence] for sentence in sentences], 0)
    ours = np.concatenate(list(SpokenPair.load(phonemes).speak(TEXT)))
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


@pytest.mark.parametrize(
    ("controls", "field", "words"),
    [
        (Controls(speaker="cy"), "speaker", "one of ada, bo"),
        (Controls(language="deu"), "language", "one of eng, fra"),
        (Controls(speaker=2), "speaker", "one of ada, bo"),
        (Controls(pace=0.0), "pace", "0.05 to 20"),
        (Controls(pitch=float("nan")), "pitch", "0 to 10"),
    ],
)
def test_what_it_cant_do_is_one_error(letters, controls, field, words):
    with pytest.raises(TextError, match=words) as caught:
        list(Acoustic.load(letters).mels(TEXT, controls))
    assert caught.value.field == field


def test_an_empty_text_is_one_error(letters):
    with pytest.raises(TextError, match="nothing to say"):
        list(Acoustic.load(letters).mels(""))


def changed(path: Path, place: Path, change: dict[str, str | None]) -> Path:
    """A copy with other metadata."""
    model = onnx.load(path)
    kept = {prop.key: prop.value for prop in model.metadata_props} | change
    del model.metadata_props[:]
    for key, value in kept.items():
        if value is not None:
            model.metadata_props.add(key=key, value=value)
    onnx.save(model, place)
    return place


@pytest.mark.parametrize("text", [None, "{", "[]", '{"family": "fastspeech2"}'])
def test_a_file_that_does_not_say_what_it_is_is_one_error(text, letters, tmp_path):
    place = changed(letters, tmp_path / "x.onnx", {"voxgraft_acoustic": text})
    with pytest.raises(CheckpointError) as caught:
        Acoustic.load(place)
    assert caught.value.file == str(place)
    assert str(caught.value.field).startswith("voxgraft_acoustic")


def test_another_graph_is_one_error(letters, tmp_path):
    text = next(p.value for p in onnx.load(letters).metadata_props if p.key == "voxgraft_acoustic")
    place = changed(letters.with_name("vocoder.onnx"), tmp_path / "x.onnx", {"voxgraft_acoustic": text})
    with pytest.raises(CheckpointError, match="not the graph of a text-to-spec model") as caught:
        Acoustic.load(place)
    assert caught.value.field == "inputs"


def test_a_vocoder_of_other_spectrograms_is_one_error_that_names_the_fields(letters, tmp_path):
    from voxgraft.export.vocoder.onnx import export_vocoder

    like = open_checkpoint(VOCODER)
    assert like.audio is not None
    other = export_vocoder(replace(like, audio=replace(like.audio, fmax=None, log_base="10")), tmp_path / "other.onnx")
    with pytest.raises(CheckpointError, match="can't read these spectrograms") as caught:
        SpokenPair.load(letters, other)
    assert caught.value.field == "log_base"
    with pytest.raises(CheckpointError, match="no vocoder to render"):
        SpokenPair.load(letters, tmp_path / "none.onnx")


def test_say_speaks_with_both_files_beside_each_other(letters, tmp_path):
    import json

    from typer.testing import CliRunner

    from voxgraft.cli.main import app

    out = tmp_path / "a.wav"
    arguments = [
        "say",
        str(letters),
        TEXT,
        "-o",
        str(out),
        "--pace",
        "2",
        "--pitch",
        "1.1",
        "--speaker",
        "bo",
        "--json",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    ours = np.concatenate(list(SpokenPair.load(letters).speak(TEXT, Controls(2.0, 1.1, speaker="bo"))))
    assert json.loads(done.stdout)["seconds"] == pytest.approx(len(ours) / 16000, abs=1e-3)
    moved = letters.rename(letters.with_name("moved.onnx"))
    try:
        other = CliRunner().invoke(app, ["say", str(moved), TEXT, "--vocoder", str(VOCODER), "-o", str(out)])
        assert other.exit_code == 0, other.output
    finally:
        moved.rename(letters)


def test_as_a_checkpoint_it_is_told_what_it_is(letters):
    with pytest.raises(CheckpointError, match="a text-to-spec model that voxgraft exported"):
        open_checkpoint(letters)


@pytest.mark.parametrize(
    ("file", "tables", "controls"),
    [
        ("tts_framework/delightful.ckpt", (3, 19), {"length_scale", "pitch_scale", "energy_scale"}),
        ("tts_framework/acoustic.pt", (3, 19), {"length_scale", "pitch_scale"}),
        ("coqui_tts/glow_tts.pth", (0, 0), {"noise_scale", "length_scale"}),
    ],
)
def test_other_families_are_written_and_verified_alike(file, tables, controls, tmp_path):
    """What is written was compared with torch on several texts; here, that it says what it is, and longer texts are longer."""
    from voxgraft.export.acoustic.onnx import export_acoustic

    model = Acoustic.load(export_acoustic(open_checkpoint(ACOUSTIC.parents[1] / file), tmp_path, "model"))
    assert (len(model.settings.speakers), len(model.settings.languages)) == tables
    assert set(model.settings.controls) == controls
    short, long = (model.mel([1, 2, 3, 4, 5, 6] * count) for count in (1, 5))
    assert long.mel.shape[1] > short.mel.shape[1] == short.durations.sum()
    assert short.durations.dtype == np.int64
    slow = model.mel(short.ids, Controls(pace=20.0))
    # The Glow-TTS of the fixture makes each symbol so short that it is one frame at any pace.
    assert slow.mel.shape[1] > short.mel.shape[1] or (short.durations == 1).all()


@pytest.mark.parametrize(("family", "cut"), [("hifigan", 0), ("vocos", 16)])
def test_sherpas_matcha_loader_takes_vocoders_that_end_in_a_fourier_transform(family, cut, tmp_path):
    """Of a Vocos sherpa-onnx leaves out half a hop at either end."""
    from tests.export.pair.test_voice import TINY_VOCODERS

    torch.manual_seed(0)
    network = network_of(family, TINY_VOCODERS[family])
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    vocoder = replace(
        open_checkpoint(VOCODER), family=family, variant=None, architecture=TINY_VOCODERS[family], tensors=tensors
    )
    path = export_side_by_side(open_checkpoint(ACOUSTIC), vocoder, tmp_path, "both", sherpa=True)[0]
    theirs = by_sherpa(path, [[ord(letter) for letter in TEXT]], 0)
    ours = np.concatenate(list(SpokenPair.load(path).speak(TEXT)))
    assert np.abs(ours).max() > 0.01
    np.testing.assert_allclose(theirs, ours[cut : len(ours) - cut], atol=1e-4)
