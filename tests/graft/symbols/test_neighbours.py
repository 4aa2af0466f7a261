import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxgraft.graft.symbols import sounds
from voxgraft.graft.symbols.neighbours import Neighbourhood, distance, features_of

ENGLISH = "?.,auæɛwɔɜiʌɑloeʊɐɹɡfˌŋzhᵻðsʃjʒkəɚbmpnθdɾˈvːtɪʔ"
LETTERS = "abcdefghijklmnopqrstuvwxyz' "


@pytest.mark.parametrize(
    ("symbol", "nearest"),
    [
        ("ʁ", "ɾ"),
        ("x", "h"),
        ("ç", "θ"),
        ("ɲ", "ŋ"),
        ("ø", "e"),
        ("ʏ", "ʊ"),
        ("ɕ", "ʃ"),
        ("β", "v"),
        ("ʈ", "t"),
        ("q", "k"),
    ],
)
def test_a_sound_is_nearest_to_what_is_made_like_it(symbol, nearest):
    found = Neighbourhood(ENGLISH, spelled=False).nearest(symbol, spelled=False)
    assert max(found, key=found.__getitem__) == nearest
    assert sum(found.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("symbol", "found"),
    [
        ("ã", {"a": 1.0}), ("aː", {"a": 1.0}), ("tʃ", {"t": 0.5, "ʃ": 0.5}), ("aɪ", {"a": 0.5, "ɪ": 0.5}), ("漢", {}),
        ("!", {".": 1.0}), ("ˑ", {"ː": 1.0}), ("б", {"b": 1.0}), ("", {}),
    ],
)  # fmt: skip
def test_marks_runs_signs_and_other_scripts(symbol, found):
    assert Neighbourhood(ENGLISH, spelled=False).nearest(symbol, spelled=False) == found


@pytest.mark.parametrize(
    ("letter", "found"),
    [
        ("б", {"b": 1.0}), ("ш", {"s": 1.0}), ("ж", {"j": 1.0}), ("й", {"y": 1.0}), ("ц", {"t": 0.5, "s": 0.5}),
        ("é", {"e": 1.0}), ("É", {"e": 1.0}), ("ß", {"s": 1.0}), ("λ", {"l": 1.0}), ("ქ", {"k": 1.0}), ("漢", {}), ("ь", {}),
    ],
)  # fmt: skip
def test_letters_are_compared_by_what_they_sound_like(letter, found):
    assert Neighbourhood(LETTERS, spelled=True).nearest(letter, spelled=True) == found


def test_a_letter_that_is_there_without_its_mark_wins_over_other_scripts():
    assert Neighbourhood("eе", spelled=True).nearest("ё", spelled=True) == {"е": 1.0}


@given(st.text(min_size=1, max_size=3), st.text(max_size=12), st.booleans(), st.booleans())
def test_weights_always_add_up_and_name_what_is_known(symbol, known, spelled, base_spelled):
    found = Neighbourhood(known, spelled=base_spelled).nearest(symbol, spelled=spelled)
    assert set(found) <= set(known)
    assert not found or sum(found.values()) == pytest.approx(1)
    assert all(weight > 0 for weight in found.values())


def test_the_table_of_sounds_is_whole():
    single = {sound for columns in sounds.CONSONANTS.values() for sound in columns if sound not in " .-"}
    assert len(single) > 70
    everything = sorted({*single, *sounds.VOWELS, *sounds.OTHERS})
    features = {sound: features_of(sound) for sound in everything}
    assert None not in features.values()
    for sound in everything:
        twins = [other for other in everything if other != sound and features[other] == features[sound]]
        # The same sound in two spellings.
        assert twins == [] or {sound, *twins} == {"ɡ", "g"}, sound
    assert distance(features["t"], features["d"]) < distance(features["t"], features["z"])
    assert all(features_of(part) for sound in sounds.SPELLED.values() for part in sound)
