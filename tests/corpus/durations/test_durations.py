"""Durations: from TextGrids, festival's labels, EveryVoice and a recogniser, fitted to symbols and summed exactly."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxgraft.corpus.durations import durations_of, open_durations, symbols_of_ids
from voxgraft.corpus.durations.fit import fit
from voxgraft.corpus.durations.label import Label, Tier
from voxgraft.corpus.durations.rounding import whole_frames
from voxgraft.corpus.durations.textgrid import read_textgrid
from voxgraft.corpus.manifest import Utterance
from voxgraft.errors import CheckpointError, CorpusError
from voxgraft.text.symbols import SymbolTable

RATE, HOP = 1000, 10
UTTERANCE = Utterance("clip", "wavs/clip.wav", "ab, c", 1.0, RATE, speaker="ann", language="en")
SYMBOLS = ("^", "a", "b", ",", " ", "c", "$")

LONG = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 1
            text = "he said ""ab"""
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1
        intervals: size = 5
'''
PHONES = [("", 0.0, 0.1), ("a", 0.1, 0.3), ("b", 0.3, 0.5), ("sil", 0.5, 0.6), ("c", 0.6, 1.0)]


def interval(number: int, text: str, start: float, end: float) -> str:
    return f'        intervals [{number}]:\n            xmin = {start}\n            xmax = {end}\n            text = "{text}"\n'


def long_grid(phones=PHONES) -> str:
    return LONG + "".join(interval(i + 1, *phone) for i, phone in enumerate(phones))


def short_grid(phones=PHONES) -> str:
    rows = "".join(f'{start}\n{end}\n"{text}"\n' for text, start, end in phones)
    points = '"TextTier"\n"events"\n0\n1\n1\n0.5\n"x"\n'
    return f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n1\n<exists>\n2\n{points}"IntervalTier"\n"phones"\n0\n1\n{len(phones)}\n{rows}'


def labels(phones=PHONES) -> str:
    return "separator ;\n#\n" + "".join(f"{end:.5f} 125 {text or 'pau'}\n" for text, _, end in phones)


def durations(folder: Path, symbols=SYMBOLS, frames=100, begin=0) -> list[int]:
    return durations_of(folder, UTTERANCE, symbols, frames, HOP, RATE, begin=begin).tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clip.TextGrid", long_grid().encode()),
        ("clip.TextGrid", short_grid().encode()),
        ("clip.TextGrid", long_grid().encode("utf-16")),
        ("clip.lab", labels().encode()),
        ("ann/clip.lab", labels().encode()),
    ],
)
def test_labels_of_phones_become_frames(tmp_path, name, content):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)
    assert durations(tmp_path) == [10, 20, 20, 5, 5, 40, 0]


def test_what_was_trimmed_off_is_taken_away(tmp_path):
    (tmp_path / "clip.lab").write_text(labels())
    assert durations(tmp_path, frames=80, begin=50) == [5, 20, 20, 5, 5, 25, 0]


def test_strings_with_quotes_and_other_tiers_are_understood(tmp_path):
    (tmp_path / "a.TextGrid").write_text(long_grid())
    words, phones = read_textgrid(tmp_path / "a.TextGrid")
    assert (words.name, words.labels[0].text) == ("words", 'he said "ab"')
    assert [label.text for label in phones.labels] == ["", "a", "b", "sil", "c"]


def of(tier_labels, symbols, end=1.0, phones=None, name="phones") -> list[float]:
    tier = Tier(name, tuple(Label(*label) for label in tier_labels))
    ends = fit(tier, symbols, 0.0, end, phones)
    return np.round(np.diff(ends, prepend=0.0), 6).tolist()


def test_a_label_may_be_several_symbols_and_a_symbol_several_labels():
    assert of([("tʃ", 0.0, 0.4), ("a", 0.4, 0.5), ("ɪ", 0.5, 1.0)], ["t", "ʃ", "aɪ"]) == [0.2, 0.2, 0.6]


def test_marks_share_the_time_of_their_sound():
    symbols = ["_", "ˈ", "_", "a", "_", "ː", "_", "b", "_"]
    found = of([("sil", 0, 0.1), ("a", 0.1, 0.4), ("b", 0.4, 0.9), ("", 0.9, 1.0)], symbols)
    assert found == [0.1, 0.1, 0, 0.1, 0, 0.1, 0, 0.5, 0.1]


def test_a_pause_without_a_symbol_goes_to_the_sounds_beside_it():
    assert of([("a", 0.1, 0.3), ("sp", 0.3, 0.5), ("b", 0.5, 0.9)], ["a", "b"]) == [0.4, 0.6]


def test_phones_are_spelt_by_a_map_in_several_ways():
    phones = {"rr": ("r", "rʲ"), "ay": ("ʌ", "a"), "q": ("",)}
    tier = [("rr", 0, 0.2), ("ay", 0.2, 0.4), ("q", 0.4, 0.5), ("rr", 0.5, 1.0)]
    assert of(tier, ["r", "ʲ", "ʌ", "r"], phones=phones) == [0.1, 0.1, 0.25, 0.55]


def test_words_cover_their_letters_and_their_phones():
    tier = [("Ab", 0.0, 0.4), ("c", 0.6, 1.0)]
    assert of(tier, ["a", "b", " ", "c"], name="words") == [0.2, 0.2, 0.2, 0.4]
    assert of(tier, ["ɑ", "β", " ", "ts"], name="words") == [0.2, 0.2, 0.2, 0.4]
    with pytest.raises(CorpusError, match="expected 3 words, got 2"):
        of(tier, ["ɑ", " ", "β", " ", "ts"], name="words")


@pytest.mark.parametrize(
    ("phones", "problem"),
    [
        ([("a", 0.1, 0.3), ("x", 0.3, 0.5)], r"phones, label 2: label 'x' at 0\.300 s doesn't fit .*'bc'"),
        ([("a", 0.1, 0.3), ("b", 0.3, 0.5)], r"phones: the labels end before the text does \(expected labels for 'c'"),
        ([*PHONES, ("d", 1.0, 1.0)], r"phones, label 6: label 'd' .*expected nothing more"),
        ([("a", 0.1, 0.3), ("b", 0.2, 0.5), ("c", 0.5, 0.6)], "label 2: begins before the label before it ends"),
        (
            [*PHONES[:-1], ("c", 0.6, 1.2)],
            r"label 'c' ends after the recording does \(expected at most 1\.000 s, got 1\.200",
        ),
        ([("sil", 0.0, 1.0)], "holds no labels of anything that is said"),
    ],
)
def test_labels_that_don_t_fit_name_their_file_and_place(tmp_path, phones, problem):
    (tmp_path / "clip.TextGrid").write_text(short_grid(phones))
    with pytest.raises(CorpusError, match=rf"clip\.TextGrid: .*{problem}|clip\.TextGrid: {problem}"):
        durations(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("clip.TextGrid", b"", "it ends too early"),
        ("clip.TextGrid", long_grid().encode()[:-150], "it ends too early|where a number"),
        ("clip.TextGrid", long_grid().replace("ooTextFile", "ooBinary").encode(), "is no TextGrid"),
        ("clip.TextGrid", b"\xff\xfe\xff", "neither UTF-8 nor UTF-16"),
        ("clip.TextGrid", short_grid().replace("<exists>\n2", "<exists>\n9e9").encode(), "it ends too early"),
        ("clip.lab", b"#\n0.1 125 a\nsoon 125 b\n", r"clip\.lab: line 3: is no label"),
        ("other.lab", b"", r"no labels of the recording clip .*clip\.TextGrid or clip\.lab"),
    ],
)
def test_files_that_are_no_labels_are_told(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=problem):
        durations(tmp_path)


def test_a_map_beside_the_labels_is_read(tmp_path):
    (tmp_path / "clip.lab").write_text(labels([("a", 0, 0.3), ("B1", 0.3, 0.6), ("c", 0.6, 1.0)]))
    with pytest.raises(CorpusError, match=r"'B1' at .*doesn't fit"):
        durations(tmp_path)
    (tmp_path / "phones.yaml").write_text("B1: [x, b]\n")
    assert durations(tmp_path) == [0, 30, 30, 0, 0, 40, 0]
    (tmp_path / "phones.yaml").write_text("B1: 3\n")
    with pytest.raises(CorpusError, match=r"phones\.yaml: B1: is not spelt in symbols"):
        durations(tmp_path)


@pytest.fixture
def tensor(tmp_path):
    torch = pytest.importorskip("torch")
    (tmp_path / "duration").mkdir()
    path = tmp_path / "duration" / "clip--ann--en--duration.pt"
    return lambda values: torch.save(torch.tensor(values), path)


def test_everyvoice_s_durations_are_taken_as_they_are(tmp_path, tensor):
    tensor([10, 20, 20, 5, 5, 40, 0])
    assert durations(tmp_path) == [10, 20, 20, 5, 5, 40, 0]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([10, 20, 20, 5, 5, 39, 0], "don't sum to the frames of the spectrogram .*expected 100, got 99"),
        ([50, 50], "another number of symbols .*expected 7, got 2"),
        ([10.5, 20, 20, 5, 5, 39.5, 0], "holds no durations"),
        ([110, -10, 0, 0, 0, 0, 0], "holds no durations"),
    ],
)
def test_durations_that_don_t_add_up_are_told(tmp_path, tensor, values, problem):
    tensor(values)
    with pytest.raises(CorpusError, match=rf"clip--ann--en--duration\.pt: .*{problem}"):
        durations(tmp_path)


def test_a_file_that_is_no_tensor_is_told(tmp_path):
    (tmp_path / "clip--ann--en--duration.pt").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(CheckpointError, match=r"clip--ann--en--duration\.pt"):
        durations(tmp_path)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=40), st.integers(0, 2000))
def test_whole_frames_sum_exactly_and_never_drift(lengths, frames):
    ends = np.cumsum(lengths)
    ends = ends / max(ends[-1], 1e-9) * frames
    found = whole_frames(ends, frames)
    assert found.sum() == frames
    assert (found >= 0).all()
    assert np.abs(np.cumsum(found)[:-1] - ends[:-1]).max(initial=0) <= 0.5 + 1e-6


def test_ids_are_spelt_by_their_table():
    table = SymbolTable({"_": (0,), "a": (1,), "b": (2, 3)}, 4, "text")
    assert symbols_of_ids([1, 0, 2, 3], table) == ("a", "_", "b", "b")


def test_a_source_that_is_not_there_is_told(tmp_path):
    assert open_durations(tmp_path) == tmp_path
    with pytest.raises(CorpusError, match="no such file or folder"):
        open_durations(tmp_path / "none")
