"""The .onnx.json: what must be there, what may be, and one error that names the field."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checkpoints.fixture_files import PIPER

from voxgraft.checkpoints.formats.piper.voice_config import MAX_BYTES, parse_voice_config, read_voice_config
from voxgraft.errors import CheckpointError

GOOD = json.loads((PIPER / "multi.onnx.json").read_text())


def test_a_good_configuration():
    config = read_voice_config(PIPER / "multi.onnx.json")
    assert config.audio.sample_rate == 16000
    assert config.speakers(3) == ("speaker0", "speaker1", "speaker2")
    assert config.symbols(256).ids["a"] == (20,)
    assert config.symbols(256).voice == "en-us"
    assert config.audio_spec().hop == 256


def test_what_newer_and_older_trainers_write(tmp_path):
    extra = {
        "vowel_clusters": [["a", "ɪ"]], "phoneme_map": {}, "default_speaker_id": 0, "something": {"new": 1},
        "phoneme_id_map": {"a": 3}, "speaker_id_map": {"b": 1}, "dataset": "set",
    }  # fmt: skip
    config = parse_voice_config(GOOD | extra, tmp_path / "x.json")
    table = config.symbols(256)
    assert table.clusters == ("aɪ",)
    assert table.ids["a"] == (3,)
    assert config.speakers(3) == ("0", "b", "2")
    assert config.speakers(1) == ("set",)
    text = parse_voice_config({k: v for k, v in GOOD.items() if k != "espeak"} | {"phoneme_type": "text"}, tmp_path)
    assert text.symbols(256).text_kind == "text"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"num_symbols": None}, "num_symbols"),
        ({"num_symbols": 0}, "num_symbols"),
        ({"num_symbols": 10}, "phoneme_id_map"),
        ({"num_speakers": "many"}, "num_speakers"),
        ({"num_speakers": 2}, "speaker_id_map"),
        ({"audio": {}}, "audio.sample_rate"),
        ({"audio": {"sample_rate": 1}}, "audio.sample_rate"),
        ({"espeak": {}}, "espeak.voice"),
        ({"espeak": None}, "espeak.voice"),
        ({"phoneme_id_map": {"a": [-1]}}, "phoneme_id_map"),
        ({"phoneme_id_map": {"a": []}}, "phoneme_id_map"),
        ({"phoneme_id_map": {"a": ["x"]}}, "phoneme_id_map"),
        ({"phoneme_id_map": [1]}, "phoneme_id_map"),
        ({"inference": {"length_scale": 0}}, "inference.length_scale"),
        ({"vowel_clusters": [[1, 2]]}, "vowel_clusters"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, change, named):
    with pytest.raises(CheckpointError) as caught:
        parse_voice_config(GOOD | change, tmp_path / "x.onnx.json")
    assert named in caught.value.summary
    assert "x.onnx.json" in caught.value.summary


@pytest.mark.parametrize("field", ["audio", "num_symbols", "num_speakers", "phoneme_id_map", "espeak"])
def test_a_missing_field_is_named(tmp_path, field):
    with pytest.raises(CheckpointError, match=field):
        parse_voice_config({k: v for k, v in GOOD.items() if k != field}, tmp_path)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": \xff}', "not UTF-8"),
        (json.dumps(GOOD).encode("utf-16"), "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "valid dictionary"),
        (b" " * (MAX_BYTES + 1), "far too large"),
    ],
)
def test_a_damaged_file_is_one_clear_error(tmp_path, raw, problem):
    path = tmp_path / "x.onnx.json"
    path.write_bytes(raw)
    with pytest.raises(CheckpointError, match=problem) as caught:
        read_voice_config(path)
    assert str(path) in caught.value.summary


def test_an_absent_file(tmp_path):
    with pytest.raises(CheckpointError, match="can't be read"):
        read_voice_config(tmp_path / "x.onnx.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(field=st.sampled_from(sorted(GOOD)), value=JSON)
@settings(max_examples=150, deadline=None)
def test_any_value_anywhere_is_read_or_refused(tmp_path_factory, field, value):
    try:
        config = parse_voice_config(GOOD | {field: value}, PIPER / "x.json")
    except CheckpointError:
        return
    config.symbols(config.num_symbols)
    assert len(config.speakers(config.num_speakers if config.num_speakers < 100 else 1)) >= 1
