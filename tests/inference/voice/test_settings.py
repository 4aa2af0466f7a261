import json

import pytest

from voxgraft.errors import CheckpointError
from voxgraft.inference.voice.settings import read_settings

GOOD = {
    "audio": {"sample_rate": 22050},
    "espeak": {"voice": "de"},
    "phoneme_id_map": {"_": [0], "^": [1], "$": [2], "a": [3, 4]},
    "num_symbols": 256,
    "num_speakers": 1,
}


def written(tmp_path, content):
    path = tmp_path / "v.onnx.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_the_voices_own_map_kind_and_scales_are_honoured(tmp_path):
    own = {"inference": {"noise_scale": 0.3, "length_scale": 2, "noise_w": 0}, "phoneme_type": "text", "espeak": {}}
    settings = read_settings(written(tmp_path, GOOD | own))
    assert (settings.noise_scale, settings.length_scale, settings.noise_w) == (0.3, 2.0, 0.0)
    assert settings.symbols.text_kind == "text"
    assert settings.symbols.encode("a").ids == (1, 0, 3, 4, 0, 2)


def test_what_is_left_out_is_as_in_piper(tmp_path):
    settings = read_settings(written(tmp_path, {k: v for k, v in GOOD.items() if not k.startswith("num")}))
    assert (settings.noise_scale, settings.length_scale, settings.noise_w) == (0.667, 1.0, 0.8)
    assert settings.symbols.text_kind == "espeak"
    assert settings.symbols.voice == "de"
    assert settings.symbols.rows == 5
    assert settings.speaker_count == 1


def test_speakers_come_in_the_order_of_their_ids(tmp_path):
    named = {"num_speakers": 3, "speaker_id_map": {"zoe": 0, "adam": 2, "mia": 1}, "default_speaker_id": 2}
    settings = read_settings(written(tmp_path, GOOD | named))
    assert list(settings.speakers) == ["zoe", "mia", "adam"]
    assert settings.default_speaker == 2


def test_speakers_without_names_are_numbered(tmp_path):
    assert read_settings(written(tmp_path, GOOD | {"num_speakers": 2})).speakers == {"0": 0, "1": 1}


def test_vowel_clusters_are_read(tmp_path):
    settings = read_settings(written(tmp_path, GOOD | {"vowel_clusters": [["a", "ɪ"], "oʊ"]}))
    assert settings.symbols.clusters == ("aɪ", "oʊ")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"audio": {}}, "audio.sample_rate"),
        ({"audio": []}, "audio"),
        ({"audio": {"sample_rate": "22050"}}, "audio.sample_rate"),
        ({"audio": {"sample_rate": 10**12}}, "audio.sample_rate"),
        ({"audio": {"sample_rate": True}}, "audio.sample_rate"),
        ({"phoneme_id_map": None}, "phoneme_id_map"),
        ({"phoneme_id_map": []}, "phoneme_id_map"),
        ({"phoneme_id_map": {"a": "x"}}, "phoneme_id_map['a']"),
        ({"phoneme_id_map": {"a": [-1]}}, "phoneme_id_map['a']"),
        ({"phoneme_id_map": {"a": [10**9]}}, "phoneme_id_map"),
        ({"num_symbols": 0}, "num_symbols"),
        ({"num_symbols": 10**9}, "num_symbols"),
        ({"num_speakers": -1}, "num_speakers"),
        ({"num_speakers": 10**9}, "num_speakers"),
        ({"speaker_id_map": []}, None),
        ({"speaker_id_map": ["a"]}, "speaker_id_map"),
        ({"speaker_id_map": {"a": 7}}, "speaker_id_map['a']"),
        ({"espeak": {}}, "espeak.voice"),
        ({"espeak": {"voice": 3}}, "espeak.voice"),
        ({"phoneme_type": 3}, "phoneme_type"),
        ({"inference": {"noise_scale": "loud"}}, "inference.noise_scale"),
        ({"inference": {"length_scale": float("nan")}}, "inference.length_scale"),
        ({"inference": 3}, "inference"),
        ({"vowel_clusters": {"a": 1}}, "vowel_clusters"),
        ({"vowel_clusters": [[1]]}, "vowel_clusters"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, change, field):
    path = written(tmp_path, GOOD | change)
    if field is None:
        assert read_settings(path).speakers == {}
        return
    with pytest.raises(CheckpointError) as fault:
        read_settings(path)
    assert fault.value.field == field
    assert fault.value.file == str(path)
    assert len(fault.value.summary) < 600


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b"\xff\xfe", b'{"a": ' * 100_000, b" " * (17 * 2**20), json.dumps(GOOD).encode()[:-9]],
)
def test_what_is_not_settings_is_one_clear_error(tmp_path, content):
    with pytest.raises(CheckpointError) as fault:
        read_settings(written(tmp_path, content))
    assert "\n" not in fault.value.summary


def test_missing_settings_say_where_they_belong(tmp_path):
    with pytest.raises(CheckpointError, match="beside it") as fault:
        read_settings(tmp_path / "v.onnx.json")
    assert ".onnx.json" in fault.value.remedy
