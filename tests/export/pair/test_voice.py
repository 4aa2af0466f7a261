"""A text-to-spec model and its vocoder as one voice: in our own runtime, in Piper's and in sherpa-onnx."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest
from tests.export.pair.conftest import ACOUSTIC, EVERYVOICE, VOCODER

torch = pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.errors import ExportError, TextError  # noqa: E402
from voxgraft.export.pair.pair import load_pair  # noqa: E402
from voxgraft.inference.voice.voice import Voice  # noqa: E402

# No "ch", which is one symbol of this model: Piper and sherpa-onnx read letter by letter.
TEXT = "a good demo, bob."
HOP = 32


def spoken(voice: Voice, **controls: object) -> np.ndarray:
    return np.concatenate(list(voice.speak(TEXT, normalise=False, **controls)))  # type: ignore[arg-type]


@torch.no_grad()
@pytest.mark.parametrize(("speaker", "language"), [(0, 0), (1, 1)])
def test_it_says_what_both_networks_say(pair, fused, speaker, language):
    voice = Voice.load(fused)
    (encoding,) = voice.encode(TEXT)
    said = pair.acoustic_network.infer(
        torch.tensor([encoding.ids]),
        torch.tensor([len(encoding.ids)]),
        speaker=torch.tensor([speaker]),
        language=torch.tensor([language]),
        duration_scale=1.5,
        pitch_scale=0.7,
        energy_scale=1.2,
    )
    theirs = pair.vocoder_network(said.refined).reshape(-1).numpy()
    ours = voice.speak_ids(
        encoding.ids, length_scale=1.5, pitch_scale=0.7, energy_scale=1.2, speaker=speaker, language=language
    )
    assert len(theirs) == int(said.durations.sum()) * HOP > 1000
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_pace_pitch_energy_speaker_and_language_are_heeded(fused):
    voice = Voice.load(fused)
    plain = spoken(voice)
    assert np.array_equal(plain, spoken(voice)), "it has no noise"
    assert len(spoken(voice, length_scale=2.0)) == pytest.approx(2 * len(plain), rel=0.1)
    for control in ({"pitch_scale": 3.0}, {"energy_scale": 3.0}, {"speaker": "bo"}, {"language": "fra"}):
        other = spoken(voice, **control)
        shorter = min(len(plain), len(other))
        assert len(plain) != len(other) or np.abs(plain[:shorter] - other[:shorter]).max() > 1e-4, control


def test_a_runtime_that_gives_three_scales_hears_the_usual(fused):
    """The others are optional: Piper, Home Assistant and sherpa-onnx know of three."""
    voice = Voice.load(fused)
    (encoding,) = voice.encode(TEXT)
    feed = {
        "input": np.array([encoding.ids]),
        "input_lengths": np.array([len(encoding.ids)]),
        "sid": np.array([0]),
    }
    three, six = ([0.667, 1.0, 0.8], [0.667, 1.0, 0.8, 1.0, 1.0, 0.0])
    outputs = [voice._session.run(None, feed | {"scales": np.array(s, np.float32)})[0] for s in (three, six)]
    assert np.array_equal(*outputs)
    assert outputs[0].shape[:2] == (1, 1)


def test_piper_says_the_same_and_knows_when(fused):
    package = pytest.importorskip("piper")
    theirs = package.PiperVoice.load(str(fused))
    config = package.SynthesisConfig(speaker_id=1, normalize_audio=False)
    chunks = list(theirs.synthesize(TEXT, syn_config=config, include_alignments=True))
    audio = np.concatenate([chunk.audio_float_array for chunk in chunks])
    np.testing.assert_allclose(audio, spoken(Voice.load(fused), speaker="bo"), atol=1e-4)
    assert chunks[0].sample_rate == 16000
    assert sum(int(chunk.phoneme_id_samples.sum()) for chunk in chunks) == len(audio)


def test_sherpa_says_the_same(fused):
    sherpa = pytest.importorskip("sherpa_onnx")
    if not hasattr(getattr(sherpa, "GenerationConfig", None), "phoneme_codepoints"):
        pytest.skip("sherpa-onnx 1 reads no characters for voices of Piper's")
    vits = sherpa.OfflineTtsVitsModelConfig(model=str(fused), tokens=str(fused.with_name("tokens.txt")))
    engine = sherpa.OfflineTts(sherpa.OfflineTtsConfig(model=sherpa.OfflineTtsModelConfig(vits=vits, num_threads=1)))
    generation = sherpa.GenerationConfig()
    generation.sid = 1
    generation.phoneme_codepoints = [[ord(letter) for letter in unicodedata.normalize("NFD", TEXT)]]
    audio = engine.generate(TEXT, generation)
    assert audio.sample_rate == 16000
    np.testing.assert_allclose(np.array(audio.samples), spoken(Voice.load(fused), speaker="bo"), atol=1e-4)


def test_its_settings_say_what_it_is_made_of(fused):
    document = json.loads(fused.with_name(f"{fused.name}.json").read_text("utf-8"))
    own = document["voxgraft"]
    assert fused.name == "und-ada-custom.onnx"
    assert document["speaker_id_map"] == {"ada": 0, "bo": 1}
    assert document["hop_length"] == HOP
    assert own["base"]["name"] == ACOUSTIC.name
    assert own["vocoder"]["name"] == VOCODER.name
    assert own["languages"] == ["eng", "fra"]
    assert own["controls"] == ["length_scale", "pitch_scale", "energy_scale"]


@pytest.mark.parametrize(
    ("controls", "field", "words"),
    [
        ({"speaker": "cy"}, "speaker", "one of ada, bo"),
        ({"language": "deu"}, "language", "one of eng, fra"),
        ({"pitch_scale": float("nan")}, None, "pitch_scale is out of range"),
        ({"length_scale": 0.0}, None, "length_scale is out of range"),
    ],
)
def test_what_it_cant_do_is_one_error(fused, controls, field, words):
    with pytest.raises(TextError, match=words) as caught:
        spoken(Voice.load(fused), **controls)
    assert caught.value.field == field


TINY_VOCODERS = {
    "hifigan": {
        "mels": 8,
        "resblock": "2",
        "resblock_kernels": (3,),
        "resblock_dilations": ((1, 3),),
        "upsample_rates": (4, 2),
        "upsample_initial_channel": 16,
        "upsample_kernels": (8, 4),
        "istft_points": 16,
    },
    "univnet": {
        "mels": 8,
        "channels": 4,
        "predictor_channels": 8,
        "noise_channels": 6,
        "strides": (4, 8),
        "dilations": (1, 3),
    },
    "vocos": {"mels": 8, "channels": 16, "hidden": 32, "layers": 2, "n_fft": 128, "hop": 32},
}


@pytest.mark.parametrize("family", TINY_VOCODERS)
def test_any_vocoder_can_stand_behind_it(family, tmp_path):
    """With an inverse Fourier transform at its end, with noise, with both at the rate of frames: verified as it is written."""
    from dataclasses import replace

    from voxgraft.export.pair.pair import describe_pair
    from voxgraft.export.pair.voice import export_pair
    from voxgraft.models.networks import network_of

    torch.manual_seed(0)
    network = network_of(family, TINY_VOCODERS[family])
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    vocoder = replace(
        open_checkpoint(VOCODER), family=family, variant=None, architecture=TINY_VOCODERS[family], tensors=tensors
    )
    both = load_pair(open_checkpoint(ACOUSTIC), vocoder)
    voice = Voice.load(export_pair(both, describe_pair(both), tmp_path))
    (encoding,) = voice.encode(TEXT)
    (durations,) = voice._session.run(
        ["durations"],
        {
            "input": np.array([encoding.ids]),
            "input_lengths": np.array([len(encoding.ids)]),
            "sid": np.array([0]),
            "scales": np.ones(3, np.float32),
        },
    )
    audio = spoken(voice, noise_scale=1.0, noise_w=1.0)
    assert len(audio) == durations.sum() * HOP
    assert np.abs(audio).max() > 0
    assert np.array_equal(audio, spoken(voice, noise_scale=1.0, noise_w=1.0)), (
        "the noise of a vocoder is always the same"
    )


@pytest.mark.parametrize(
    ("acoustic", "vocoder", "field", "words"),
    [
        (
            ACOUSTIC,
            EVERYVOICE.parent / "coqui_tts" / "hifigan.pth",
            "sample_rate, n_fft, hop, win, n_mels",
            "can't read",
        ),
        (ACOUSTIC, ACOUSTIC, "family", "this is no vocoder"),
        (VOCODER, VOCODER, "family", "this is no text-to-spec model"),
        (EVERYVOICE / "features.ckpt", VOCODER, "symbols", "not known"),
        (EVERYVOICE.parent / "coqui_tts" / "tacotron2.pth", VOCODER, "family", "not spoken with here"),
    ],
)
def test_a_pair_that_does_not_fit_is_one_error_that_names_the_fields(acoustic, vocoder, field, words):
    with pytest.raises(ExportError, match=words) as caught:
        load_pair(open_checkpoint(acoustic), open_checkpoint(vocoder))
    assert caught.value.field == field
    assert caught.value.file == str(acoustic if words != "this is no vocoder" else vocoder)


def test_a_tensor_that_speaks_must_be_there(tmp_path):
    """Only what training alone uses may be missing."""
    from dataclasses import replace

    from voxgraft.export.acoustic.load import load_network

    whole = open_checkpoint(ACOUSTIC)
    less = {name: whole.tensors[name] for name in whole.tensors if name != "mel_linear.bias"}
    with pytest.raises(ExportError, match="missing") as caught:
        load_network(replace(whole, tensors=less))
    assert caught.value.field == "mel_linear.bias"
    without_aligner = {name: whole.tensors[name] for name in whole.tensors if ".attention." not in name}
    load_network(replace(whole, tensors=without_aligner))


def test_as_a_checkpoint_it_is_told_what_it_is(fused):
    """To train on, the checkpoints that it was made of are needed."""
    from voxgraft.errors import CheckpointError

    with pytest.raises(CheckpointError, match="a text-to-spec model and a vocoder in one") as caught:
        open_checkpoint(fused)
    assert caught.value.got == f"{ACOUSTIC.name} with {VOCODER.name}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scales_taken": ["x"]}, "voxgraft.scales_taken"),
        ({"languages": "eng"}, "voxgraft.languages"),
        ({"controls": [1]}, "voxgraft.controls"),
    ],
)
def test_settings_that_are_damaged_are_one_error(change, field, fused, tmp_path):
    import shutil

    from voxgraft.errors import CheckpointError

    shutil.copy(fused, tmp_path / "x.onnx")
    document = json.loads(fused.with_name(f"{fused.name}.json").read_text("utf-8"))
    (tmp_path / "x.onnx.json").write_text(json.dumps(document | {"voxgraft": document["voxgraft"] | change}))
    with pytest.raises(CheckpointError) as caught:
        Voice.load(tmp_path / "x.onnx")
    assert caught.value.field == field


def test_other_runtimes_speak_the_language_that_it_was_exported_for(pair, tmp_path):
    """They know of three scales: what is not asked for is the language that was named."""
    from voxgraft.export.pair.pair import describe_pair
    from voxgraft.export.pair.voice import export_notes, export_pair

    metadata = describe_pair(pair, name="ada", language="fra")
    voice = Voice.load(export_pair(pair, metadata, tmp_path))
    assert voice.path.name == "fr_FR-ada-custom.onnx"
    (encoding,) = voice.encode(TEXT)
    feed = {
        "input": np.array([encoding.ids]),
        "input_lengths": np.array([len(encoding.ids)]),
        "sid": np.array([0]),
        "scales": np.array([0.667, 1.0, 0.8], np.float32),
    }
    by_others = voice._session.run(["output"], feed)[0].reshape(-1)
    assert np.array_equal(by_others, voice.speak_ids(encoding.ids))
    assert np.array_equal(by_others, voice.speak_ids(encoding.ids, language="fra"))
    other = voice.speak_ids(encoding.ids, language="eng")
    assert len(other) != len(by_others) or np.abs(other - by_others).max() > 1e-4
    assert not any("--language" in note for note in export_notes(metadata))
    assert any("--language" in note for note in export_notes(describe_pair(pair, name="ada")))


def test_a_model_that_reads_bytes_speaks_here_and_is_refused_for_piper(tmp_path):
    """VoiceSmith's: no runtime of Piper's voices reads bytes."""
    from dataclasses import replace

    from voxgraft.export.pair.pair import describe_pair
    from voxgraft.export.pair.voice import export_pair
    from voxgraft.models.networks import network_of

    acoustic = open_checkpoint(EVERYVOICE.parent / "tts_framework" / "acoustic.pt")
    architecture = {"mels": 6, "channels": 16, "hidden": 32, "layers": 1, "n_fft": 1024, "hop": 256}
    torch.manual_seed(0)
    tensors = {name: tensor.numpy() for name, tensor in network_of("vocos", architecture).state_dict().items()}
    vocoder = replace(
        open_checkpoint(VOCODER),
        family="vocos",
        variant=None,
        architecture=architecture,
        tensors=tensors,
        audio=acoustic.audio,
    )
    both = load_pair(acoustic, vocoder)
    metadata = describe_pair(both, name="smith", language="en")
    with pytest.raises(ExportError, match="no voices that read bytes"):
        export_pair(both, metadata, tmp_path)
    voice = Voice.load(export_pair(both, metadata, tmp_path, for_piper=False))
    (sentence,) = voice.speak("Hello.", language="en")
    assert len(sentence) > 256
    assert len(voice.languages) == 19
