"""The language that texts are in."""

import pytest

from voxgraft.corpus import sample
from voxgraft.text.guess_language import contradicts, guess_language

SPANISH = ("Buenos días, ¿cómo está usted?", "El perro de mi casa no quiere comer.", "Vamos a la playa con los niños.")


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("es", SPANISH),
        ("en", ("The weather was nice and we went to the beach.", "He said that it is not for you.")),
        ("de", ("Ich weiß nicht, was das ist.", "Wir gehen mit der Familie in die Stadt.", "Das ist ein gutes Buch.")),
        ("fr", ("Il y a une maison dans la rue.", "Je ne sais pas où elle est.", "C'est très bien pour vous.")),
        ("it", ("Non so che cosa è successo alla casa.", "Questo è il libro della scuola.")),
        ("pt", ("Não sei o que você quer da vida.", "Ela está com o irmão em casa e não sai.")),
        ("ru", ("Я не знаю, что это такое.", "Мы были дома, но он уже ушёл.")),
        ("uk", ("Я не знаю, що це таке.", "Він був удома, але вже пішов до міста.")),
        ("pl", ("Nie wiem, co to jest.", "On jest w domu i nie ma czasu na to.")),
    ],
)
def test_common_languages_are_known_by_their_small_words(language, texts):
    assert guess_language(texts).language == language
    assert not contradicts(guess_language(texts), language)


def test_a_script_alone_says_that_it_is_another_language():
    hindi = guess_language(["नमस्ते", "पानी"])
    assert contradicts(hindi, "en")
    assert not contradicts(hindi, "en", by_script=False)
    assert not contradicts(hindi, "ne")
    assert guess_language(["こんにちは"]).usual_language == "ja"


def test_too_little_text_says_nothing():
    assert guess_language([]) is None
    assert guess_language(["123", "…"]) is None
    assert not contradicts(guess_language(["abc", "bad cab", "dab"]), "en")
    assert not contradicts(guess_language(["Los Angeles", "La Paz"]), "en")


def test_kin_do_not_contradict_each_other():
    danish = guess_language(["Jeg er ikke her, og det var en fin dag for os.", "Han har en bog med."])
    assert not contradicts(danish, "no")
    assert contradicts(danish, "en")


def test_real_recordings_are_in_their_language():
    guess = guess_language(u.text for u in sample.bundled())
    assert guess.language == "en"
    assert contradicts(guess, "es")
