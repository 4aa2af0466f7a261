"""The .onnx.json: what must be there, what may be, and one error that names the field."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checkpoints.fixture_files import PIPER

from voxgraft.errors import CheckpointError
from voxgraft.inference.voice.settings import parse_settings, read_settings, settings_beside

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


def test_what_newer_and_older_trainers_write(tmp_path):
    own = {
        "phoneme_map": {}, "default_speaker_id": None, "something": {"new": 1}, "phoneme_id_map": {"a": 3, "_": []},
        "num_speakers": 3, "speaker_id_map": {"b": 1}, "dataset": "set", "hop_length": 512, "num_symbols": None,
        "inference": {"noise_scale": None}, "language": "de_DE", "phoneme_type": None,
    }  # fmt: skip
    found = read_settings(written(tmp_path, GOOD | own))
    assert found.symbols.ids == {"a": (3,)}
    assert (found.symbols.rows, found.symbols.text_kind) == (4, "espeak")
    assert found.speaker_names(3) == ("0", "b", "2")
    assert found.speaker_names(1) == ("set",)
    assert (found.hop, found.language, found.noise_scale) == (512, "de_DE", 0.667)


def test_names_alone_say_how_many_speakers_there_are(tmp_path):
    content = {name: value for name, value in GOOD.items() if name != "num_speakers"}
    assert read_settings(written(tmp_path, content | {"speaker_id_map": {"a": 0, "b": 1}})).speaker_count == 2


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ("espeak", "espeak"), ("ESPEAK", "espeak"), ("PhonemeType.ESPEAK", "espeak"), ("espeak-ng", "espeak"),
        ("<PhonemeType.ESPEAK: 'espeak'>", "espeak"), (None, "espeak"), ("", "espeak"), ("PhonemeType.TEXT", "text"),
        ("pinyin", "pinyin"), ("PhonemeType.PINYIN", "pinyin"), ("raw", "raw"),
    ],
)  # fmt: skip
def test_a_kind_of_text_in_any_spelling(tmp_path, stated, kind):
    assert read_settings(written(tmp_path, GOOD | {"phoneme_type": stated})).symbols.text_kind == kind


def test_symbols_beyond_the_models_rows_are_told_apart(tmp_path):
    table, beyond = read_settings(written(tmp_path, GOOD)).symbols_for(4)
    assert beyond == ("a",)
    assert (table.rows, sorted(table.ids)) == (4, ["$", "^", "_"])


def test_settings_lie_beside_the_voice_under_either_name(tmp_path):
    voice = tmp_path / "v.onnx"
    with pytest.raises(CheckpointError, match="beside it"):
        settings_beside(voice)
    (tmp_path / "v.json").write_text("{}")
    assert settings_beside(voice).name == "v.json"
    (tmp_path / "v.onnx.json").write_text("{}")
    assert settings_beside(voice).name == "v.onnx.json"


def test_numbers_may_be_written_as_text(tmp_path):
    as_text = {
        "audio": {"sample_rate": "22050"},
        "num_symbols": "8",
        "num_speakers": "2",
        "speaker_id_map": {"anna": "0", "bob": "1"},
        "inference": {"noise_scale": "0.5", "length_scale": "2"},
        "hop_length": " 256 ",
    }
    settings = read_settings(written(tmp_path, {**GOOD, **as_text}))
    assert (settings.sample_rate, settings.symbols.rows, settings.speaker_count) == (22050, 8, 2)
    assert (settings.speakers, settings.hop) == ({"anna": 0, "bob": 1}, 256)
    assert (settings.noise_scale, settings.length_scale) == (0.5, 2.0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phoneme_id_map": {"a": []}}, "phoneme_id_map"),
        ({"phoneme_id_map": {"a": ["x"]}}, "phoneme_id_map['a']"),
        ({"phoneme_id_map": {"a": list(range(65))}}, "phoneme_id_map['a']"),
        ({"num_symbols": 3}, "phoneme_id_map"),
        ({"audio": {"sample_rate": 1}}, "audio.sample_rate"),
        ({"num_speakers": "many"}, "num_speakers"),
        ({"espeak": None}, "espeak.voice"),
        ({"inference": {"length_scale": 0}}, "inference.length_scale"),
        ({"language": 3}, "language"),
        ({"dataset": 3}, "dataset"),
        ({"hop_length": 0}, "hop_length"),
        ({"default_speaker_id": 1}, "default_speaker_id"),
        ({"audio": {}}, "audio.sample_rate"),
        ({"audio": []}, "audio"),
        ({"audio": {"sample_rate": "22 kHz"}}, "audio.sample_rate"),
        ({"audio": {"sample_rate": "22050.5"}}, "audio.sample_rate"),
        ({"audio": {"sample_rate": "1" * 5000}}, "audio.sample_rate"),
        ({"audio": {"sample_rate": 10**12}}, "audio.sample_rate"),
        ({"audio": {"sample_rate": True}}, "audio.sample_rate"),
        ({"phoneme_id_map": None}, "phoneme_id_map"),
        ({"phoneme_id_map": []}, "phoneme_id_map"),
        ({"phoneme_id_map": {"a": "x"}}, "phoneme_id_map['a']"),
        ({"phoneme_id_map": {"a": [-1]}}, "phoneme_id_map['a']"),
        ({"phoneme_id_map": {"a": [10**9]}}, "phoneme_id_map['a']"),
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WHOLE = json.loads((PIPER / "multi.onnx.json").read_text())


@given(field=st.sampled_from(sorted(WHOLE)), value=JSON)
@settings(max_examples=150, deadline=None)
def test_any_value_anywhere_is_read_or_refused(field, value):
    try:
        found = parse_settings(WHOLE | {field: value}, PIPER / "x.json")
    except CheckpointError:
        return
    assert len(found.speaker_names(found.speaker_count if 0 < found.speaker_count < 100 else 1)) >= 1
