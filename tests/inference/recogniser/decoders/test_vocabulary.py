from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.recogniser.ctc_paths import letters

from voxgraft.inference.recogniser.decoders.vocabulary import FOREIGN, NO_WORD, WORD_START, GoingOn, Vocabulary
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.text.alphabet import byte_table

ABC = letters("abc ")


def walked(vocabulary: Vocabulary, labels: list[int]) -> int:
    state = WORD_START
    for label in labels:
        state = GoingOn(vocabulary, state)[label]
    return state


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text("abc", min_size=1, max_size=5), unique=True, max_size=12), st.text("abc", max_size=6))
def test_every_beginning_and_no_other_is_known(words, text):
    vocabulary = Vocabulary(words, ABC)
    state = walked(vocabulary, list(ABC.spell(text).labels))
    assert (state != FOREIGN) == (not text or any(word.startswith(text) for word in words))
    if state not in (FOREIGN, WORD_START):
        assert vocabulary.word[state] == (words.index(text) if text in words else NO_WORD)


def test_what_no_word_begins_with_stays_so():
    vocabulary = Vocabulary(["ab", "abc", "ca"], ABC)
    after = [vocabulary.walk(*step) for step in ((WORD_START, 0), (WORD_START, 1), (WORD_START, 2), (FOREIGN, 0))]
    assert [state == FOREIGN for state in after] == [False, True, False, True]
    assert vocabulary.walk(WORD_START, 3) == WORD_START


def test_pieces_and_bytes_are_walked_letter_by_letter():
    pieces = Labels((" ab", "c", " a", "bc", None), 4)
    vocabulary = Vocabulary(["abc"], pieces)
    assert walked(vocabulary, [0, 1]) == walked(vocabulary, [2, 3])
    assert vocabulary.word[walked(vocabulary, [0, 1])] == 0
    assert walked(vocabulary, [0, 3]) == FOREIGN
    bytes_ = Labels.of(byte_table())
    vocabulary = Vocabulary(["жук", "三"], bytes_)
    assert vocabulary.word[walked(vocabulary, list(bytes_.spell("三").labels))] == 1
    assert vocabulary.word[walked(vocabulary, list(bytes_.spell("жу").labels))] == NO_WORD


def test_no_words_at_all():
    assert walked(Vocabulary([], ABC), [0]) == FOREIGN
    assert walked(Vocabulary([""], ABC), [0]) == FOREIGN
