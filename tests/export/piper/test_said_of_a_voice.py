"""What a voice's JSON says: its language, the name that servers look for, scales that it can speak with."""

from dataclasses import replace

import pytest
from tests.export.piper.tiny_voice import tiny_metadata
from tests.paths import FIXTURES

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.piper.metadata import metadata_of
from voxgraft.text.languages import english_name, language_of


def test_the_dataset_is_the_stem_of_the_file():
    metadata = tiny_metadata()
    assert metadata.to_piper()["dataset"] == metadata.voice_name


@pytest.mark.parametrize("scales", [{"length_scale": 0.0}, {"length_scale": float("nan")}, {"noise_scale": -1.0}])
def test_scales_that_nothing_can_speak_with_are_never_written(scales):
    with pytest.raises(ExportError, match="can't speak with this"):
        replace(tiny_metadata(), scales=scales)


def test_a_checkpoint_that_names_its_language_alone_is_in_that_language():
    base = open_checkpoint(FIXTURES / "hugging_face" / "vits")
    assert base.symbols.voice is None
    assert metadata_of(base).language.family == "udm"
    kazakh = metadata_of(replace(base, languages=("kaz",))).language
    assert (kazakh.code, kazakh.family, kazakh.name_english) == ("kk_KZ", "kk", "Kazakh")


def test_codes_of_three_letters_are_languages():
    assert language_of("kaz").code == "kk_KZ"
    assert language_of("spa") == language_of("es")
    assert english_name("tt") == "tt"
