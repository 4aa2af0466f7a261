"""Voices on onnxruntime, against piper-tts where it is installed. The tiny voices: tests/fixtures/make_piper.py."""

import json
import shutil

import numpy as np
import pytest
from tests import paths

from voxgraft.config.presets import default_symbols
from voxgraft.errors import CheckpointError, TextError
from voxgraft.inference.voice.voice import Voice, full_scale, to_pcm

pytest.importorskip("espeakng_loader")

TINY = paths.FIXTURES / "piper"
TEXT = "Hello there, friend. “How are you?” [[ tuːm ]] Fine — I think… Dr. Who paid $3.50!"


def tiny(tmp_path, name, **changes):
    """A tiny voice with the full table of symbols, changed as told."""
    path = tmp_path / f"{name}.onnx"
    shutil.copy(TINY / path.name, path)
    config = json.loads((TINY / f"{name}.onnx.json").read_text("utf-8"))
    config["phoneme_id_map"] = {symbol: list(ids) for symbol, ids in default_symbols().ids.items()}
    (tmp_path / f"{name}.onnx.json").write_text(json.dumps(config | changes), "utf-8")
    return path


@pytest.mark.parametrize("name", ["single", "multi", "high"])
def test_without_noise_the_audio_equals_pipers_to_one_step(tmp_path, name):
    piper = pytest.importorskip("piper")
    path = tiny(tmp_path, name)
    quiet = piper.SynthesisConfig(noise_scale=0, noise_w_scale=0)
    theirs = [chunk.audio_int16_array for chunk in piper.PiperVoice.load(path).synthesize(TEXT, quiet)]
    ours = [to_pcm(audio) for audio in Voice.load(path).speak(TEXT, noise_scale=0, noise_w=0)]
    assert [len(audio) for audio in ours] == [len(audio) for audio in theirs]
    assert len(ours) == 4
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(ours, theirs, strict=True)) <= 1


def test_every_speaker_equals_pipers(tmp_path):
    piper = pytest.importorskip("piper")
    path = tiny(tmp_path, "multi")
    theirs, ours = piper.PiperVoice.load(path), Voice.load(path)
    heard = []
    for number, name in enumerate(ours.speakers):
        config = piper.SynthesisConfig(noise_scale=0, noise_w_scale=0, speaker_id=number, length_scale=1.5)
        (chunk,) = theirs.synthesize("Hello there.", config)
        for speaker in (name, number, str(number)):
            (audio,) = ours.speak("Hello there.", noise_scale=0, noise_w=0, length_scale=1.5, speaker=speaker)
            assert np.abs(to_pcm(audio).astype(int) - chunk.audio_int16_array).max() <= 1
        heard.append(audio[:256].tobytes())
    assert len(set(heard)) == 3


def test_ids_give_the_models_own_audio(tmp_path):
    reference = np.load(TINY / "reference.npz")
    voice = Voice.load(TINY / "single.onnx")
    audio = voice.speak_ids([1, 0, 20, 0, 59, 0, 24, 0, 27, 0, 10, 0, 2], noise_scale=0, noise_w=0)
    assert audio.dtype == np.float32
    np.testing.assert_allclose(audio, reference["single"].reshape(-1), atol=1e-4)


def test_the_same_seed_says_it_the_same_way_and_another_does_not(tmp_path):
    path = tiny(tmp_path, "single")
    once, again = Voice.load(path, seed=7), Voice.load(path, seed=7)
    first = np.concatenate(list(once.speak("One. Two.")))
    assert np.array_equal(first, np.concatenate(list(again.speak("One. Two."))))
    assert np.array_equal(first, np.concatenate(list(once.reseeded(7).speak("One. Two."))))
    other = np.concatenate(list(once.reseeded(8).speak("One. Two.")))
    assert len(other) != len(first) or not np.array_equal(other, first)


def test_speech_comes_sentence_by_sentence(tmp_path):
    voice = Voice.load(tiny(tmp_path, "single"))
    speech = voice.speak("Hi. " * 100_000)
    assert len(next(speech)) > 0
    assert len(next(speech)) > 0


def test_a_grapheme_voice_equals_pipers(tmp_path):
    piper = pytest.importorskip("piper")
    path = tiny(tmp_path, "single", phoneme_type="text")
    (audio,) = Voice.load(path).speak("hello. you!", noise_scale=0, noise_w=0)
    quiet = piper.SynthesisConfig(noise_scale=0, noise_w_scale=0)
    (chunk,) = piper.PiperVoice.load(path).synthesize("hello. you!", quiet)
    assert np.abs(to_pcm(audio).astype(int) - chunk.audio_int16_array).max() <= 1


def test_unknown_symbols_are_counted():
    (encoding,) = Voice.load(TINY / "single.onnx").encode("bad")
    assert encoding.unknown == {"ˈ": 1, "æ": 1}


@pytest.mark.parametrize("text", ["", "  ", "\n\n"])
def test_nothing_to_say_is_no_speech(tmp_path, text):
    assert list(Voice.load(tiny(tmp_path, "single")).speak(text)) == []


@pytest.mark.parametrize("speaker", ["nobody", "3", 3, -1, "-1", "²", ""])
def test_an_unknown_speaker_is_refused_before_anything_is_said(tmp_path, speaker):
    voice = Voice.load(tiny(tmp_path, "multi"))
    with pytest.raises(TextError, match="speaker0, speaker1, speaker2"):
        next(voice.speak("Hi.", speaker=speaker))


def test_full_scale_raises_to_one_and_leaves_silence_alone():
    assert np.array_equal(full_scale(np.array([0.25, -0.5], np.float32)), np.array([0.5, -1.0], np.float32))
    assert np.array_equal(full_scale(np.full(3, 1e-9, np.float32)), np.zeros(3, np.float32))
    assert full_scale(np.zeros(0, np.float32)).shape == (0,)


def test_an_onnx_that_is_no_voice_says_what_it_takes(tmp_path):
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [value("x", onnx.TensorProto.FLOAT, [1])],
        [value("y", onnx.TensorProto.FLOAT, [1])],
    )
    path = tiny(tmp_path, "single")
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 15)], ir_version=8)
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match=r"not a Piper voice.*input_lengths.*got x tensor\(float\)"):
        Voice.load(path)


@pytest.mark.parametrize("keep", [0, 1, 1000, 300_000])
def test_a_truncated_onnx_is_one_clear_error(tmp_path, keep):
    path = tiny(tmp_path, "single")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError) as fault:
        Voice.load(path)
    assert fault.value.file == str(path)
    assert "\n" not in fault.value.summary


def test_bytes_that_are_no_onnx_are_one_clear_error(tmp_path):
    path = tiny(tmp_path, "single")
    path.write_bytes(b"PK\x03\x04" + bytes(1000))
    with pytest.raises(CheckpointError, match="can't open"):
        Voice.load(path)


def test_settings_of_another_voice_fail_clearly_when_spoken(tmp_path):
    path = tiny(tmp_path, "single", num_symbols=4000, phoneme_id_map={"^": [1], "$": [2], "_": [0], "b": [3000]})
    with pytest.raises(CheckpointError, match="failed on a sentence") as fault:
        list(Voice.load(path).speak("b"))
    assert "belong together" in fault.value.remedy


def test_settings_with_speakers_for_a_model_without_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="several speakers"):
        Voice.load(tiny(tmp_path, "single", num_speakers=2))


def constant(tmp_path, values):
    """A voice whose every sentence is `values`."""
    onnx = pytest.importorskip("onnx")
    kinds = {"input": onnx.TensorProto.INT64, "input_lengths": onnx.TensorProto.INT64, "scales": onnx.TensorProto.FLOAT}
    inputs = [
        onnx.helper.make_tensor_value_info(name, kind, shape)
        for (name, kind), shape in zip(kinds.items(), ([1, "T"], [1], [3]), strict=True)
    ]
    output = onnx.helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, [1, 1, 1, len(values)])
    said = onnx.numpy_helper.from_array(np.array([[[values]]], np.float32), "said")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["said"], ["output"])], "g", inputs, [output], [said]
    )
    path = tiny(tmp_path, "single")
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 15)], ir_version=8), str(path))
    return path


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_voice_that_gives_no_numbers_is_an_error(tmp_path, value):
    voice = Voice.load(constant(tmp_path, [0.5, value, 0.5]))
    with pytest.raises(CheckpointError, match="not finite") as fault:
        list(voice.speak("Hello."))
    assert fault.value.file == str(voice.path)


def test_a_voice_that_gives_no_samples_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match="no sound"):
        list(Voice.load(constant(tmp_path, [])).speak("Hello."))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_tempo_without_time_is_an_error(scale):
    voice = Voice.load(TINY / "single.onnx")
    with pytest.raises(TextError, match="length_scale"):
        voice.speak_ids([1, 0, 2], length_scale=scale)


@pytest.mark.parametrize("name", ["noise_scale", "noise_w"])
@pytest.mark.parametrize("scale", [-1.0, float("nan"), float("inf")])
def test_noise_that_is_no_number_is_an_error(name, scale):
    with pytest.raises(TextError, match=name):
        Voice.load(TINY / "single.onnx").speak_ids([1, 0, 2], **{name: scale})


def test_a_voices_own_tempo_without_time_is_an_error_of_its_settings(tmp_path):
    path = tiny(tmp_path, "single", inference={"length_scale": 0})
    with pytest.raises(CheckpointError) as fault:
        list(Voice.load(path).speak("Hello."))
    assert fault.value.file == f"{path}.json"
    assert fault.value.field == "inference.length_scale"
