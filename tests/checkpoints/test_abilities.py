"""What can be done with a checkpoint is said with the command, what can't with the reason."""

import json
import shlex
import shutil
from dataclasses import replace

import pytest
from tests import paths
from tests.checkpoints.fixture_files import PIPER, copied

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.abilities import abilities_of
from voxgraft.text.symbols import SymbolTable

FIXTURES = PIPER.parent


def by_name(checkpoint, named=None):
    return {ability.name: ability for ability in abilities_of(checkpoint, named)}


@pytest.fixture(scope="module")
def voice():
    return open_checkpoint(PIPER / "single.ckpt")


def test_a_full_voice_can_do_all_but_match_a_vocoder(voice):
    found = by_name(voice)
    assert [name for name, ability in found.items() if not ability.possible] == ["match"]
    assert "single.ckpt" in found["speak"].how


def test_without_symbols_nothing_can_be_read(voice):
    found = by_name(replace(voice, symbols=None))
    assert not any(ability.possible for ability in found.values())
    assert "symbols" in found["speak"].how


def test_without_a_decoder_there_is_no_voice(voice):
    some = {name: voice.tensors[name] for name in voice.tensors if not name.startswith("dec.")}
    found = by_name(replace(voice, tensors=some))
    assert not found["speak"].possible
    assert "decoder" in found["speak"].how


def test_commands_name_the_checkpoint_as_the_user_does_and_are_quoted(voice):
    for ability in by_name(voice, "my voice's.ckpt").values():
        assert not ability.possible or "my voice's.ckpt" in shlex.split(ability.how)
    assert "./-x.ckpt" in shlex.split(by_name(voice, "-x.ckpt")["speak"].how)


def test_commands_say_what_the_file_leaves_open(voice):
    unknown = replace(voice, symbols=replace(voice.symbols, voice=None))
    for name in ("speak", "fine-tune", "export"):
        assert "--language en-us" in by_name(unknown)[name].how
        assert "--language" not in by_name(replace(voice, symbols=replace(voice.symbols, voice="de")))[name].how


def test_without_a_sample_rate_a_voice_of_no_preset_can_do_nothing(voice):
    found = by_name(replace(voice, audio=None))
    assert not any(found[name].possible for name in ("speak", "fine-tune", "transfer", "export"))
    assert "sample rate" in found["fine-tune"].how


@pytest.mark.parametrize("kind", ["pinyin", "coqui", "raw"])
def test_a_kind_of_text_that_nothing_reads(voice, kind):
    found = by_name(replace(voice, symbols=SymbolTable({"a": (0,)}, 256, kind)))
    for name in ("speak", "fine-tune"):
        assert not found[name].possible
        assert "nothing here turns text into" in found[name].how


@pytest.mark.parametrize(("stem", "can"), [("single", False), ("multi", True)])
def test_a_voice_whose_settings_name_speakers_that_it_lacks(tmp_path, stem, can):
    path = copied(f"{stem}.onnx", tmp_path)
    settings = path.with_name(path.name + ".json")
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"num_speakers": 3}))
    assert by_name(open_checkpoint(path))["speak"].possible is can


def test_what_recognisers_are_made_from_can_be_fine_tuned():
    found = by_name(open_checkpoint(FIXTURES / "hugging_face" / "xlsr"))
    assert found["fine-tune"].possible
    assert "--alphabet" in found["fine-tune"].how
    assert "--alphabet" in found["transfer"].how
    assert not found["export"].possible


def test_a_recogniser_without_its_vocabulary_gets_a_new_output_layer(tmp_path):
    folder = shutil.copytree(FIXTURES / "hugging_face" / "mms", tmp_path / "mms")
    for name in ("adapter.eng.safetensors", "adapter.fra.safetensors", "vocab.json", "tokenizer_config.json"):
        (folder / name).unlink()
    found = by_name(open_checkpoint(folder))
    assert "--drop_source_layers 1" in found["fine-tune"].how
    assert "--drop-source-layers 1" in found["transfer"].how
    assert not found["export"].possible


def test_recognisers_are_asked_for_an_alphabet_not_for_symbols():
    assert "--alphabet" in by_name(open_checkpoint(FIXTURES / "deepspeech" / "cyrillic"))["transfer"].how


def test_a_vocoder_is_tuned_matched_and_exported_as_one():
    found = by_name(open_checkpoint(FIXTURES / "everyvoice" / "spec-to-wav.ckpt"), "base.ckpt")
    assert not found["speak"].possible
    assert found["fine-tune"].how == "voxgraft new my-vocoder --base base.ckpt --corpus RECORDINGS"
    assert found["export"].how == "voxgraft export base.ckpt --to onnx"
    assert found["match"].possible
    found = by_name(open_checkpoint(FIXTURES / "vocoders" / "hifigan-folded.onnx"), "base.onnx")
    assert "how its spectrograms are made" in found["fine-tune"].how
    assert found["export"].possible


def test_a_text_to_spec_model_speaks_and_is_exported_with_a_vocoder():
    found = by_name(open_checkpoint(paths.FIXTURES / "everyvoice" / "text-to-spec.ckpt"))
    for name in ("speak", "export"):
        assert found[name].possible
        assert "--vocoder VOCODER" in found[name].how
    features = by_name(open_checkpoint(paths.FIXTURES / "everyvoice" / "features.ckpt"))
    for name in ("speak", "export"):
        assert not features[name].possible
        assert "phonological features" in features[name].how
