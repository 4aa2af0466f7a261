import pytest

from voxgraft.config.presets import QUALITIES, default_symbols, preset, quality_of
from voxgraft.errors import ConfigError


@pytest.mark.parametrize("quality", QUALITIES)
def test_each_preset_is_recognised_as_itself(quality):
    keywords = preset(quality)
    rate = keywords.pop("sample_rate")
    assert quality_of(keywords, rate) == quality
    as_lists = {
        n: [list(v) if isinstance(v, tuple) else v for v in x] if isinstance(x, tuple) else x
        for n, x in keywords.items()
    }
    assert quality_of(as_lists, rate) == quality


def test_speakers_and_symbols_do_not_change_the_quality():
    many = preset("medium") | {"speakers": 3, "gin_channels": 512, "symbols": 130}
    assert quality_of(many, 22050) == "medium"


def test_low_is_the_network_of_medium_at_another_rate():
    assert quality_of(preset("medium"), 16000) == "low"
    assert quality_of(preset("medium"), 44100) is None
    assert quality_of({}, 22050) is None


def test_presets_have_the_published_numbers():
    # Piper's own table: channels inter/hidden/filter, residual blocks, upsampling.
    assert [preset(q)["sample_rate"] for q in QUALITIES] == [16000, 16000, 22050, 22050]
    assert [preset(q)["filter_channels"] for q in QUALITIES] == [384, 768, 768, 768]
    assert preset("high")["upsample_rates"] == (8, 8, 2, 2)
    for quality in QUALITIES:
        product = 1
        for rate in preset(quality)["upsample_rates"]:
            product *= rate
        assert product == 256


def test_unknown_quality_lists_the_known():
    with pytest.raises(ConfigError, match="x_low, low, medium, high"):
        preset("ultra")


def test_default_symbols_have_todays_ids():
    phoneme_ids = pytest.importorskip("piper.phoneme_ids")
    assert {s: list(i) for s, i in default_symbols().ids.items()} == phoneme_ids.DEFAULT_PHONEME_ID_MAP
    assert default_symbols("de").voice == "de"
    assert default_symbols().rows == 256
