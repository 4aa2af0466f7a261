import pytest

from voxgraft.inference.recogniser.transcript import Alternative, Segment, Transcript, Word, to_srt, to_textgrid, to_vtt

WORDS = (Word("one", 0.5, 0.9, 0.9), Word("<two>", 1.0, 1.4, 0.8), Word('th"ree', 3661.25, 3662.0, 0.7))


def transcript(*words: Word) -> Transcript:
    text = " ".join(word.text for word in words)
    return Transcript(
        (Segment(text, 0.0, 9.0, -1.0, words, (Alternative("won", -2.0),)), Segment("", 9.0, 9.5, 0.0, ())), 9.5
    )


def test_subtitles_are_cut_at_pauses():
    assert to_srt(transcript(*WORDS)) == (
        '1\n00:00:00,500 --> 00:00:01,400\none <two>\n\n2\n01:01:01,250 --> 01:01:02,000\nth"ree\n'
    )


def test_webvtt_times_every_word_and_escapes():
    assert to_vtt(transcript(*WORDS[:2])) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.400\none <00:00:01.000>&lt;two&gt;\n"
    )


def test_long_lines_are_cut():
    words = [Word("word" * 3, i * 0.4, i * 0.4 + 0.3, 1.0) for i in range(40)]
    lines = [block.split("\n")[2] for block in to_srt(transcript(*words)).split("\n\n")]
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).split() == [w.text for w in words]


def test_a_text_grid_covers_the_whole_recording():
    grid = to_textgrid((*WORDS[:1], Word('a"b', 0.9, 1.2, 1.0), Word("late", 1.1, 1.5, 1.0)), 2.0)
    assert "intervals: size = 5" in grid
    assert 'text = "a""b"' in grid
    times = [float(line.split("=")[1]) for line in grid.splitlines()[14:] if "xm" in line]
    assert times[::2] == [0.0, 0.5, 0.9, 1.2, 1.5]
    assert times[1::2] == [0.5, 0.9, 1.2, 1.5, 2.0]


def test_json_has_words_by_name():
    document = transcript(*WORDS[:1]).to_dict()
    assert document["text"] == "one"
    assert document["segments"][0]["words"] == [{"text": "one", "start": 0.5, "end": 0.9, "score": 0.9}]
    assert document["segments"][0]["alternatives"] == [{"text": "won", "score": -2.0}]


@pytest.mark.parametrize("write", [to_srt, to_vtt])
def test_nothing_said_is_no_subtitle(write):
    assert write(transcript()).strip() in ("", "WEBVTT")
