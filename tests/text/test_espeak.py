"""Phonemes equal piper-tts's on committed sentences; its answers are in phonemes.jsonl (tests/fixtures/make_phonemes.py)."""

import difflib
import json
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from voxgraft.errors import MissingExtra, TextError
from voxgraft.text.g2p import espeak, phonemizer
from voxgraft.text.normalise import normalise

HERE = Path(__file__).parent
GOLDEN = [json.loads(line) for line in (HERE / "phonemes.jsonl").read_text("utf-8").splitlines()]

# Words that the newer data inside piper-tts says otherwise than espeak-ng 1.52: (voice, ours, Piper's).
KNOWN_DIFFERENCES = {
    ("en-us", "hˈæzbiːn", "hɐzbɪn"),
    ("de", "dɾˈaɪ", "drˈaɪ"),
    ("de", "dɾˈaɪ.", "drˈaɪ."),
    ("de", "bɾˈaʊxən", "brˈaʊxən"),
    ("de", "ʃtɾˈɑːsə", "ʃtrˈɑːsə"),
}

pytest.importorskip("espeakng_loader")


def spoken(text, voice="en-us"):
    return ["".join(sentence) for sentence in phonemizer("espeak", voice).sentences(text)]


def differing_words(ours, theirs):
    ours, theirs = " | ".join(ours).split(" "), " | ".join(theirs).split(" ")
    for kind, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind != "equal":
            yield " ".join(ours[a:b]), " ".join(theirs[c:d])


def test_the_committed_sentences_are_those_of_the_answers():
    rows = [tuple(line.split("\t", 1)) for line in (HERE / "sentences.txt").read_text("utf-8").splitlines()]
    assert rows == [(row["voice"], row["text"]) for row in GOLDEN]
    assert sum(voice == "en-us" for voice, _ in rows) >= 500
    assert {"de", "fr", "es", "ru"} <= {voice for voice, _ in rows}


def test_at_least_99_percent_equal_piper_and_the_differences_are_listed():
    wrong, found = Counter(), set()
    for row in GOLDEN:
        ours = spoken(row["text"], row["voice"])
        if ours != row["phonemes"]:
            wrong[row["voice"]] += 1
            found |= {(row["voice"], *pair) for pair in differing_words(ours, row["phonemes"])}
    assert found <= KNOWN_DIFFERENCES, f"new differences: {found - KNOWN_DIFFERENCES}"
    assert wrong["en-us"] / sum(row["voice"] == "en-us" for row in GOLDEN) <= 0.01
    assert wrong["fr"] == wrong["es"] == wrong["ru"] == 0


def test_normalising_changes_no_sentence_that_is_clean():
    touched = [row for row in GOLDEN if normalise(row["text"]) != row["text"]]
    changed = [r["text"] for r in touched if spoken(normalise(r["text"]), r["voice"]) != spoken(r["text"], r["voice"])]
    assert touched
    assert changed == []


def test_equal_to_piper_tts_itself_on_every_run_of_punctuation():
    theirs = pytest.importorskip("piper.phonemize_espeak").EspeakPhonemizer()
    marks = [".", ",", "?", ":", "…", "...", "—", "-", ")", '"', "”", "’", "*", "\n\n"]
    texts = [f"cat{a}{b}{after}" for a in marks for b in ("", *marks) for after in (" Bob", " bob", "")]

    def piper(text):
        # Its espeak-ng begins a text with "dot" after one that ended in two points.
        theirs.phonemize("en-us", "cat")
        return ["".join(sentence) for sentence in theirs.phonemize("en-us", text) if sentence]

    assert [text for text in texts if spoken(text) != piper(text)] == []


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Hello, world. Fine!", ["həlˈoʊ, wˈɜːld.", "fˈaɪn!"]),
        ("Wait... What", ["wˈeɪtwˌʌt"]),
        ("Wait. what", ["wˈeɪt wˈʌt"]),
        ("one\n\ntwo", ["wˌʌn", "tˈuː"]),
        ("PBX", ["pˌiːbˌiːʲˈɛks"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences(text, sentences):
    assert spoken(text) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "Say [[ tuːm ]] now.",
        "[[ tuːm ]]",
        "[[a]][[b]] c",
        "One. [[ x ]] Two. Three.",
        "One [[ x ]]. Two.",
        "[[ never closed",
        "a [[ ]] b",
        "[[ x ]]\n\nNew",
        "One.[[x]]Two.[[y]]",
    ],
)
def test_raw_phonemes_as_piper_takes_them(text):
    piper = pytest.importorskip("piper")
    config = piper.config.PiperConfig(
        num_symbols=1,
        num_speakers=1,
        sample_rate=16000,
        espeak_voice="en-us",
        phoneme_id_map={},
        phoneme_type=piper.config.PhonemeType.ESPEAK,
    )
    theirs = piper.PiperVoice(session=None, config=config).phonemize(text)
    assert phonemizer("espeak", "en-us").sentences(text) == [sentence for sentence in theirs if sentence]


def test_language_switches_leave_no_flag():
    assert "(" not in "".join(spoken("Das Meeting mit dem Software Team", "de"))


def test_a_long_text_in_windows_equals_the_same_text_whole(monkeypatch):
    text = "He went to the market, and bought (with care) a lot. Dr. Who? “No…” said I; yes — naïve café. " * 40
    whole = phonemizer("espeak", "en-us").sentences(text)
    monkeypatch.setattr(espeak, "WINDOW", 901)
    monkeypatch.setattr(espeak, "WINDOW_MARGIN", 300)
    assert phonemizer("espeak", "en-us").sentences(text) == whole


def test_a_text_without_full_stops_is_cut_into_sentences_that_can_be_spoken():
    sentences = phonemizer("espeak", "en-us").sentences("one two three " * 3000)
    assert len(sentences) > 1
    assert max(map(len, sentences)) < 2 * espeak.LONGEST_SENTENCE


def test_a_stream_left_early_leaves_nothing_behind_for_the_next_text():
    stream = phonemizer("espeak", "en-us").stream("First one. Second one. " * 2000)
    next(stream)
    assert spoken("Third") == ["θˈɜːd"]


def test_threads_with_different_voices_do_not_mix():
    texts = {"en-us": "The car is here, my friend.", "de": "Guten Morgen, mein Freund."}
    expected = {voice: spoken(text, voice) for voice, text in texts.items()}
    wrong = []

    def work(voice):
        for _ in range(30):
            if spoken(texts[voice], voice) != expected[voice]:
                wrong.append(voice)

    threads = [threading.Thread(target=work, args=(voice,)) for voice in [*texts] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(("code", "same"), [("en_US", "en-us"), ("de_DE", "de"), ("en_GB", "en")])
def test_locale_codes_find_a_voice(code, same):
    assert spoken("car", code) == spoken("car", same)


def test_unknown_voice_names_near_ones():
    with pytest.raises(TextError, match=r"no voice 'enus'.*en-us"):
        phonemizer("espeak", "enus")


@pytest.mark.parametrize("voice", ["../../etc/passwd", "a\0b", " "])
def test_hostile_voice_names_are_refused(voice):
    with pytest.raises(TextError, match="no voice"):
        phonemizer("espeak", voice)


def test_text_that_is_not_unicode_is_refused():
    with pytest.raises(TextError, match="not valid Unicode"):
        spoken("a\udcffb")


def test_a_null_character_does_not_end_the_text():
    assert spoken("one\0two") == spoken("one two")


def test_without_espeakng_loader_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    espeak._library.cache_clear()
    try:
        with pytest.raises(MissingExtra, match="espeakng-loader") as missing:
            phonemizer("espeak", "en-us")
    finally:
        espeak._library.cache_clear()
    assert "voxgraft[espeak]" in missing.value.remedy


def test_the_list_of_voices_has_languages_and_files():
    assert {"en-us", "en-gb", "de", "fr", "fr-fr", "ru"} <= set(espeak.espeak_voices())
