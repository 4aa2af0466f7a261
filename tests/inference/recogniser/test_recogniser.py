import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("onnx")

from tests.inference.recogniser.tiny_recogniser import (
    LETTERS,
    RATE,
    loudness_recogniser,
    settings_of,
    speech,
    stateful_recogniser,
)

from voxgraft.errors import AudioError, CheckpointError, TextError
from voxgraft.inference.recogniser.decoders.decode import BeamOptions
from voxgraft.inference.recogniser.decoders.decoder import Decoder, GreedySearch
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.inference.recogniser.settings import read_recogniser_settings, settings_path, write_recogniser_settings
from voxgraft.inference.recogniser.streaming import StreamingSession
from voxgraft.text.alphabet import alphabet_table


@pytest.fixture(scope="module")
def loud(tmp_path_factory):
    return Recogniser.load(loudness_recogniser(tmp_path_factory.mktemp("loud")))


@pytest.fixture(scope="module")
def stateful(tmp_path_factory):
    return Recogniser.load(stateful_recogniser(tmp_path_factory.mktemp("stateful")))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    """Sound that changes all the time."""
    rng = np.random.default_rng(seed)
    envelope = np.repeat(rng.uniform(0, 0.3, int(seconds * 20) + 1), RATE // 20)[: int(seconds * RATE)]
    return (rng.normal(size=len(envelope)) * envelope).astype(np.float32)


@pytest.mark.parametrize("beams", [1, 20])
def test_what_is_said_is_written_with_its_times(loud, beams):
    decoder = Decoder(loud.labels, BeamOptions(beams=beams), most=3)
    transcript = loud.transcribe(speech("ab ca d"), RATE, decoder)
    assert transcript.text == "ab ca d"
    assert [w.text for w in transcript.words] == ["ab", "ca", "d"]
    # 3 frames of pause, then 5 + 3 for each letter: a 3, b 11, the space 19, c 27 …
    assert [w.start for w in transcript.words] == pytest.approx([0.06, 0.54, 1.02])
    assert [w.end for w in transcript.words] == pytest.approx([0.32, 0.8, 1.12])
    assert all(w.score > 0.9 for w in transcript.words)
    assert transcript.duration == pytest.approx(len(speech("ab ca d")) / RATE)


def test_other_texts_that_could_have_been_said(loud):
    decoder = Decoder(loud.labels, BeamOptions(beam_drop=200), most=3)
    (segment,) = loud.transcribe(speech("ab ca"), RATE, decoder).segments
    assert len(segment.alternatives) == 2
    assert segment.score > segment.alternatives[0].score >= segment.alternatives[1].score
    assert len({segment.text, *(a.text for a in segment.alternatives)}) == 3


def test_other_rates_and_channels_are_brought_to_its_own(loud):
    audio = np.repeat(speech("ab ca", frames=8), 2)
    stereo = np.stack([audio, audio], axis=1)
    assert loud.transcribe(stereo, 2 * RATE).text == "ab ca"


@pytest.mark.parametrize("samples", [0, 1, 100, 319])
def test_next_to_no_sound_is_no_text(loud, samples):
    assert loud.transcribe(np.zeros(samples, np.float32), RATE).text == ""


def test_long_sound_is_cut_where_nobody_speaks(tmp_path):
    recogniser = Recogniser.load(loudness_recogniser(tmp_path, longest_seconds=4.0))
    said = speech("ab ca", frames=8)
    silence = np.zeros(RATE, np.float32)
    audio = np.concatenate([silence, said, silence, said, silence])
    path = tmp_path / "long.wav"
    soundfile.write(path, audio, RATE, subtype="FLOAT")
    found = list(recogniser.transcribe_file(path))
    assert all(segment.end - segment.start <= 4.5 for segment in found)
    assert found == list(recogniser.transcribe(audio, RATE).segments)


def test_a_text_is_aligned_and_a_wrong_one_is_clearly_worse(loud):
    audio = speech("ab ca d")
    right, words = loud.align(audio, RATE, "AB ca d")
    wrong, _ = loud.align(audio, RATE, "bb da e")
    assert [w.text for w in words] == ["ab", "ca", "d"]
    assert right.margin == pytest.approx(0, abs=1e-4)
    assert wrong.margin < -0.5
    assert wrong.score < right.score - 1


@pytest.mark.parametrize("text", ["", "жук", "ab " * 500])
def test_a_text_that_cannot_be_aligned(loud, text):
    with pytest.raises(AudioError):
        loud.align(speech("ab"), RATE, text)


@pytest.mark.parametrize("sizes", [[100_000], [160] * 700, [1, 7, 5000, 319, 321, 64_000]])
@pytest.mark.parametrize("beams", [1, 20])
def test_streaming_writes_what_the_whole_gives(stateful, sizes, beams):
    audio = noise(5)
    decoder = Decoder(stateful.labels, BeamOptions(beams=beams))
    session = StreamingSession(stateful, RATE, decoder)
    stable = ""
    for piece in np.split(audio, np.cumsum(sizes)):
        partial = session.feed(piece)
        assert partial.stable.startswith(stable)
        assert partial.text.startswith(partial.stable)
        stable = partial.stable
    streamed = session.finish()
    whole = stateful.transcribe(audio, RATE, decoder)
    assert len(whole.text) > 20
    assert streamed.text == whole.text
    assert streamed.text.startswith(stable)
    for ours, theirs in zip(streamed.words, whole.words, strict=True):
        assert ours.start == pytest.approx(theirs.start)
        assert ours.score == pytest.approx(theirs.score, abs=1e-3)


def test_a_model_that_hears_wholes_streams_through_windows(loud):
    audio = np.concatenate([speech("ab ca "), speech("de ba", frames=9), speech(" a" * 20)])
    session = StreamingSession(loud, RATE)
    partials = [session.feed(piece) for piece in np.array_split(audio, 50)]
    assert partials[25].text
    assert session.finish().text == loud.transcribe(audio, RATE).text


def test_pauses_end_segments_whatever_the_pieces(loud):
    pause = speech("", pause=60)
    audio = np.concatenate([pause, speech("ab"), pause, speech("ca e"), pause])
    found = []
    for pieces in (1, 9, 50):
        session = StreamingSession(loud, RATE)
        for piece in np.array_split(audio, pieces):
            session.feed(piece)
        found.append([(s.text, s.start, s.end, s.words) for s in session.finish().segments])
    assert [text for text, *_ in found[0]] == ["ab", "ca e"]
    assert found[0] == found[1] == found[2]


def test_an_endless_stream_keeps_little(loud):
    session = StreamingSession(loud, RATE)
    once = np.concatenate([speech("ab ca de"), speech("", pause=50)])
    texts = []
    for _ in range(30):
        session.feed(once)
        texts += [segment.text for segment in session.take_segments()]
        assert sum(map(len, session._heard)) < 200
    assert texts == ["ab ca de"] * len(texts)
    assert len(texts) >= 28


def test_a_stream_at_another_rate(loud):
    audio = np.repeat(speech("ab ca", frames=8), 3)
    session = StreamingSession(loud, 3 * RATE)
    for piece in np.array_split(audio, 20):
        session.feed(piece)
    assert session.finish().text == "ab ca"


@pytest.mark.parametrize("piece", [0, 3])
def test_an_empty_stream_is_no_text(stateful, piece):
    session = StreamingSession(stateful, RATE)
    session.feed(np.zeros(piece, np.float32))
    assert session.finish().text == ""


def test_greedy_frames_one_by_one(loud):
    log_probs = loud.log_probs(speech("aab  bb a"))
    search = GreedySearch(loud.labels)
    for frame in log_probs:
        search.push(frame[None])
    whole = GreedySearch(loud.labels)
    whole.push(log_probs)
    assert search.finish()[0].labels == whole.finish()[0].labels
    assert search.finish()[0].score == pytest.approx(whole.finish()[0].score)


def test_settings_are_found_in_the_model_where_no_file_is_beside_it(tmp_path):
    path = loudness_recogniser(tmp_path)
    settings_path(path).unlink()
    assert Recogniser.load(path).settings == settings_of()
    assert Recogniser.load(tmp_path).settings == settings_of()


def test_settings_written_again_take_the_place_of_the_earlier(tmp_path):
    path = loudness_recogniser(tmp_path)
    newer = settings_of(name="newer", about={"licence": "CC0"})
    write_recogniser_settings(path, newer)
    assert read_recogniser_settings(path) == newer
    settings_path(path).unlink()
    assert Recogniser.load(path).settings == newer


def changed(tmp_path, **changes):
    """A recogniser with some fields of its settings changed."""
    path = loudness_recogniser(tmp_path)
    beside = settings_path(path)
    beside.write_text(json.dumps(json.loads(beside.read_text("utf-8")) | changes), "utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "format"),
        ({"version": 2}, "version"),
        ({"frame_seconds": 0}, "frame_seconds"),
        ({"frame_seconds": "x"}, "frame_seconds"),
        ({"audio": None}, "audio"),
        ({"audio": {"sample_rate": 16000, "hop": 0}}, "audio"),
        ({"audio": {"sample_rate": 10**12}}, "audio.*sample_rate"),
        ({"audio": {"sample_rate": 16000, "n_fft": 10**9}}, "n_fft"),
        ({"audio": {"sample_rate": 16000, "win": 4096}}, "does not fit"),
        ({"audio": {"sample_rate": 16000, "surprise": 1}}, "unknown: surprise"),
        ({"audio": {"coefficients": 99}}, "coefficients"),
        ({"symbols": {"ids": {"a": [5]}, "rows": 2, "text_kind": "ctc"}}, "outside"),
        ({"symbols": {"ids": {"a": [0]}, "rows": 2, "text_kind": "ctc"}}, "no blank"),
        ({"states": [{"input": "h", "output": "g", "shape": [1 << 20, 1 << 20]}]}, "states"),
        ({"states": [{"input": "h", "output": "g", "shape": [4]}]}, "not what its settings say"),
        ({"context": -1}, "context"),
        ({"decoder": {"beams": 10**9}}, "beams"),
        ({"decoder": {"alpha": float("nan")}}, "alpha"),
        ({"surprise": 1}, "surprise"),
        ({"phoneme_id_map": {}}, "a voice that speaks"),
    ],
)
def test_settings_that_cannot_be_right_are_named(tmp_path, changes, message):
    with pytest.raises(CheckpointError, match=message) as fault:
        Recogniser.load(changed(tmp_path, **changes))
    assert "\n" not in fault.value.summary


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff\xfe", b"null", b"[" * 100_000])
def test_settings_that_are_no_settings(tmp_path, raw):
    path = loudness_recogniser(tmp_path)
    settings_path(path).write_bytes(raw)
    with pytest.raises(CheckpointError):
        Recogniser.load(path)


def test_symbols_of_another_model_are_found_out(tmp_path):
    recogniser = Recogniser.load(changed(tmp_path, symbols=alphabet_table(LETTERS + "xyz").to_dict()))
    with pytest.raises(CheckpointError, match="does not belong to its symbols"):
        recogniser.transcribe(speech("ab"), RATE)


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_truncated_model_is_one_clear_error(tmp_path, keep):
    path = loudness_recogniser(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError):
        Recogniser.load(path)


def test_a_voice_is_not_taken_for_a_recogniser(tmp_path):
    path = loudness_recogniser(tmp_path)
    settings_path(path).write_text(json.dumps({"phoneme_id_map": {"a": [1]}, "audio": {"sample_rate": 16000}}))
    with pytest.raises(CheckpointError, match="a voice that speaks"):
        Recogniser.load(path)


def test_places_without_a_recogniser(tmp_path):
    with pytest.raises(CheckpointError, match="no such recogniser"):
        Recogniser.load(tmp_path / "none.onnx")
    with pytest.raises(CheckpointError, match="holds no recogniser"):
        Recogniser.load(tmp_path)


def test_a_model_without_settings_says_what_is_missing(tmp_path):
    import onnx

    path = loudness_recogniser(tmp_path)
    settings_path(path).unlink()
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match=r"neither beside it nor in it"):
        Recogniser.load(path)


def test_words_of_a_model_need_word_breaks(tmp_path):
    from tests.inference.recogniser.ctc_paths import letters

    from voxgraft.inference.recogniser.decoders.word_model import WordModel
    from voxgraft.lm.model import NgramModel
    from voxgraft.lm.trie import NgramTrie

    none = np.zeros(0, np.float32)
    model = WordModel(NgramModel((), NgramTrie(0), (none,), (none,), -1, -1, -1), letters("ab"))
    with pytest.raises(TextError, match="separates words"):
        Decoder(letters("ab"), language_model=model)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_model_that_gives_no_numbers_is_an_error(tmp_path, value):
    import onnx

    path = loudness_recogniser(tmp_path)
    model = onnx.load(path)
    (bias,) = (tensor for tensor in model.graph.initializer if tensor.name == "bias")
    spoilt = onnx.numpy_helper.to_array(bias).copy()
    spoilt[2] = value
    bias.CopyFrom(onnx.numpy_helper.from_array(spoilt, "bias"))
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match="not finite"):
        Recogniser.load(path).transcribe(speech("ab"), RATE)
