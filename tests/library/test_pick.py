"""pick: quality is a must; then language, voice type, completeness, licence and length of training."""

import pytest
from tests.library.library_entries import choice

from voxgraft.config.run import VoiceType
from voxgraft.config.tasks.voice import Quality
from voxgraft.errors import CheckpointError
from voxgraft.library.entry import QUALITIES, VOICE_TYPES, Slot
from voxgraft.library.languages import KIN, OTHER, SAME, closeness, language_key
from voxgraft.library.pick import FREE, RESTRICTED, SHARE_ALIKE, UNKNOWN, licence_rank, pick

WANTED = Slot("de", "F", "medium")


def best(*choices, wanted=WANTED, **options):
    return pick(wanted, choices=choices, **options)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({}, {"language": "fr"}),
        ({}, {"language": "de-at"}),
        ({"language": "de-at"}, {"language": "fr", "generic": True}),
        ({"language": "en", "generic": True, "voice_type": None}, {"language": "fr"}),
        ({"voice_type": "M"}, {"language": "fr"}),
        ({}, {"voice_type": "M"}),
        ({}, {"voice_type": None}),
        ({}, {"voice_type": "other"}),
        ({"voice_type": "other"}, {"voice_type": None}),
        ({"voice_type": None}, {"voice_type": "M"}),
        ({"licence": "CC-BY-NC-4.0", "chosen": True}, {}),
        ({"licence": None}, {"whole": False}),
        ({}, {"licence": None}),
        ({"licence": None}, {"licence": "CC-BY-NC-4.0"}),
        ({"step": 2}, {"licence": "CC-BY-SA-4.0"}),
        ({"step": 200}, {}),
        ({}, {"step": None}),
        ({"epoch": 9}, {"epoch": 8}),
    ],
)
def test_what_comes_first(better, worse):
    for pair in ((better, worse), (worse, better)):
        found = best(*(choice("better" if fields is better else "worse", **fields) for fields in pair))
        assert found.choice.name == "better"
        assert [near.name for near, _ in found.near] == ["worse"]


def test_another_quality_rate_or_family_never_fits():
    unfit = [
        choice("a", quality="high"), choice("b", quality=None), choice("c", family="tacotron2"),
        choice("d", family=None), choice("e", sample_rate=16000),
    ]  # fmt: skip
    with pytest.raises(CheckpointError, match="no base at hand fits"):
        best(*unfit, sample_rate=22050)
    assert best(*unfit, choice("f"), sample_rate=22050).near == ()


def test_without_wishes_the_usual_quality():
    found = best(choice("a", quality="x_low"), choice("b", quality="high"), choice("c", quality="low"), wanted=Slot())
    assert found.choice.name == "b"
    assert found.better is None


def test_it_says_why_and_what_else_was_near():
    found = best(
        choice("a"),
        choice("b", voice_type="M"),
        choice("c", step=5),
        choice("d", language="fr"),
        choice("e", whole=False),
    )
    assert found.reasons == (
        "the same quality (medium)", "the same language (de)", "voice type F, as wanted", "a whole training checkpoint",
        "licence CC0-1.0", "100 steps of training",
    )  # fmt: skip
    assert {near.name: why for near, why in found.near} == {
        "c": "5 steps of training", "e": "not whole", "b": "voice type M", "d": "language fr",
    }  # fmt: skip


def test_what_would_be_worth_fetching_is_named_and_nothing_else():
    near = choice("near", language="fr")
    assert best(near, choice("there", here=False)).better.name == "there"
    assert best(choice("a", whole=False), choice("there", here=False)).better.name == "there"
    assert best(choice("a"), choice("longer", step=10**9, here=False)).better is None
    assert best(choice("a"), choice("chosen", chosen=True, here=False)).better is None


def test_with_nothing_at_hand_it_says_what_to_fetch():
    with pytest.raises(CheckpointError) as caught:
        best(
            choice("tts_models/de/x/y", here=False, size=845_000_000),
            choice("drive", here=False, by_hand="https://drive"),
            choice("other", quality="low"),
        )
    assert "voxgraft library fetch tts_models/de/x/y` (845.0 MB)" in caught.value.remedy
    assert "drive" not in caught.value.remedy
    assert "--from-scratch" in caught.value.remedy


@pytest.mark.parametrize(
    ("licence", "rank"),
    [
        ("CC0-1.0", FREE), ("MIT", FREE), ("Apache-2.0", FREE), ("CC-BY-4.0", FREE), ("Public domain", FREE),
        ("CC-BY-SA-4.0", SHARE_ALIKE), ("MPL-2.0", SHARE_ALIKE), ("GPL-3.0", SHARE_ALIKE), (None, UNKNOWN),
        ("see URL", UNKNOWN), ("CC-BY-NC-4.0", RESTRICTED), ("cc by-nc-nd 4.0", RESTRICTED), ("CPML", RESTRICTED),
        ("openrail", RESTRICTED), ("custom - see there", RESTRICTED),
    ],
)  # fmt: skip
def test_licences(licence, rank):
    assert licence_rank(licence) == rank


@pytest.mark.parametrize(
    ("wanted", "found", "close"),
    [
        ("en-us", "en_US", SAME), ("en-us", "en-gb", KIN), ("en", "en_US", SAME), ("de", "de_DE", SAME),
        ("de", "de_AT", KIN), ("pt", "pt-br", KIN), ("pt-br", "pt_BR", SAME), ("cmn", "zh-CN", SAME), ("zh", "zh_CN", SAME),
        ("nb", "no_NO", SAME), ("deu", "de", SAME), ("eng", "en-gb", SAME), ("ka", "ka_GE", SAME), ("de", "fr", OTHER),
        ("tw_akuapem", "tw_asante", SAME), ("ewe", "ewe", SAME), ("de", None, OTHER), ("fr-fr", "fr", SAME),
    ],
)  # fmt: skip
def test_languages_however_they_are_written(wanted, found, close):
    assert closeness(wanted, found) == close


def test_keys_of_languages():
    assert language_key("en_US") == ("en", "us")
    assert language_key("cmn-latn-pinyin") == ("zh", "cn")
    assert language_key("x") == ("x", None)


def test_the_settings_have_the_same_values():
    assert Quality.__args__ == QUALITIES
    assert VoiceType.__args__ == VOICE_TYPES
