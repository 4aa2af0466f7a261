import functools
import itertools
import random

import numpy as np
import pytest

from voxgraft.errors import TextError
from voxgraft.lm import estimate as ngram
from voxgraft.lm.arpa import read_arpa, write_arpa
from voxgraft.lm.estimate import estimate


def sentences(count: int, words: int, seed: int = 0) -> list[list[str]]:
    """Random sentences in which some words are common and some follow others."""
    draw = random.Random(seed)
    vocabulary = [f"w{i}" for i in range(words)]
    made = []
    for _ in range(count):
        sentence = [vocabulary[int(draw.paretovariate(1.2)) % words]]
        while draw.random() < 0.85:
            again = (int(sentence[-1][1:]) * 7 + draw.randrange(3)) % words
            sentence.append(vocabulary[again] if draw.random() < 0.7 else draw.choice(vocabulary))
        made.append(sentence)
    return made


def written(tmp_path, *arguments):
    write_arpa(estimate(*arguments), tmp_path / "lm.arpa")
    return read_arpa(tmp_path / "lm.arpa")


def test_two_sentences_by_hand(tmp_path):
    """`a b` and `a c`: too few counts for Chen and Goodman's formula, so 0.5, 1 and 1.5 are taken away.

    Continuations: a 1, b 1, c 1, </s> 2, together 5; 2.5 of it is taken and spread over a, b, c, </s>, <unk>: 0.1 each.
    p(a) = 0.5/5 + 0.1 = 0.2, p(</s>) = 1/5 + 0.1 = 0.3. p(a|<s>) = (2-1)/2 + 1/2 * 0.2 = 0.6.
    p(b|a) = (1-0.5)/2 + 1/2 * 0.2 = 0.35. p(</s>|b) = 0.5 + 0.5 * 0.3 = 0.65.
    """
    model = written(tmp_path, [["a", "b"], ["a", "c"]], 2)
    number = model.numbers
    for context, word, probability in [
        ((), "a", 0.2), ((), "</s>", 0.3), ((), "<unk>", 0.1), (("<s>",), "a", 0.6), (("a",), "b", 0.35),
        (("b",), "</s>", 0.65), (("a",), "a", 0.5 * 0.2), (("c",), "<unk>", 0.5 * 0.1),
    ]:  # fmt: skip
        state = tuple(number[w] for w in context)
        assert 10 ** model.after(state, number[word])[0] == pytest.approx(probability, rel=1e-5)
    assert 10 ** model.sentence(["a", "b"]) == pytest.approx(0.6 * 0.35 * 0.65, rel=1e-5)


@pytest.mark.parametrize(
    ("order", "prune"), [(1, ()), (2, ()), (3, ()), (4, ()), (3, (0, 0, 1)), (3, (0, 1, 2)), (4, (0, 1))]
)
def test_probabilities_after_any_context_sum_to_one(tmp_path, order, prune):
    texts = sentences(300, 12)
    model = written(tmp_path, texts, order, prune)
    following = [number for word, number in model.numbers.items() if word != "<s>"]
    states = {model.beginning, ()}
    for sentence in texts:
        state = model.beginning
        for word in sentence:
            state = model.after(state, model.numbers[word])[1]
            states.add(state)
    assert len(states) > 10 * (order - 1)
    for state in states:
        total = sum(10 ** model.after(state, word)[0] for word in following)
        assert total == pytest.approx(1, abs=2e-5)


def plain_counts(texts, size: int) -> dict[tuple[str, ...], int]:
    return plain_counts_of(tuple(map(tuple, texts)), size)


@functools.cache
def plain_counts_of(texts: tuple[tuple[str, ...], ...], size: int) -> dict[tuple[str, ...], int]:
    counts: dict[tuple[str, ...], int] = {}
    for text in texts:
        framed = ["<s>", *text, "</s>"]
        for at in range(len(framed) - size + 1):
            counts[tuple(framed[at : at + size])] = counts.get(tuple(framed[at : at + size]), 0) + 1
    return counts


def plain_kneser_ney(texts, context: tuple[str, ...], word: str, highest: int, vocabulary: set[str]) -> float:
    """The same model as the books have it, one probability at a time."""
    size = len(context) + 1
    counts = plain_counts(texts, size)
    if size < highest:
        longer = plain_counts(texts, size + 1)
        continued = {g: len({h[0] for h in longer if h[1:] == g}) for g in counts}
        counts = {g: n if g[0] == "<s>" else continued[g] for g, n in counts.items()}
    counts = {g: n for g, n in counts.items() if g[-1] != "<s>"}
    n1, n2, n3, n4 = (sum(n == times for n in counts.values()) for times in (1, 2, 3, 4))
    discount = [0, 0.5, 1, 1.5]
    if n1 and n2 and n3:
        y = n1 / (n1 + 2 * n2)
        formula = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        discount = formula if all(0 < d <= i for i, d in enumerate(formula) if i) else discount
    same = {g: n for g, n in counts.items() if g[:-1] == context}
    total = sum(same.values())
    lower = plain_kneser_ney(texts, context[1:], word, highest, vocabulary) if context else 1 / len(vocabulary)
    if not total:
        return lower
    taken = sum(discount[min(n, 3)] for n in same.values())
    own = same.get((*context, word), 0)
    return (own - discount[min(own, 3)]) / total + taken / total * lower


def test_probabilities_are_those_of_the_formula(tmp_path):
    texts = sentences(120, 25, seed=1)
    assert [list(d) == [0, 0.5, 1, 1.5] for d in estimate(texts, 3).discounts] == [True, True, False]
    model = written(tmp_path, texts, 3)
    words = {word for text in texts for word in text}
    predicted = words | {"</s>", "<unk>"}
    draw = random.Random(3)
    contexts = [("<s>", texts[0][0]), *((a, b) for a, b in itertools.pairwise(texts[3])), ("w1", "w1"), ("w2", "w9")]
    for first, second in contexts:
        state = model.beginning if first == "<s>" else model.after((), model.numbers[first])[1]
        state = model.after(state, model.numbers[second])[1]
        for word in draw.sample(sorted(predicted), 8):
            expected = plain_kneser_ney(texts, (first, second), word, 3, predicted)
            assert 10 ** model.after(state, model.numbers[word])[0] == pytest.approx(expected, rel=1e-4)


def test_blocks_of_any_size_count_the_same(tmp_path, monkeypatch):
    texts = sentences(200, 20)
    whole = estimate(texts, 4)
    monkeypatch.setattr(ngram, "_BLOCK", 37)
    cut = estimate(texts, 4)
    for a, b in zip(whole.probability, cut.probability, strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole.vocabulary == cut.vocabulary


def test_pruning_drops_what_is_rare_and_nothing_else(tmp_path):
    texts = sentences(300, 12)
    model = written(tmp_path, texts, 3, (0, 0, 1))
    names = np.array(model.vocabulary)
    kept = {tuple(names[row]) for row in model.trie.spelt(3)}
    assert kept == {g for g, n in plain_counts(texts, 3).items() if n > 1}
    assert len(model.trie.keys[1]) == len(plain_counts(texts, 2))


def test_what_the_text_calls_as_a_model_does_is_unknown(tmp_path):
    model = written(tmp_path, [["a", "<s>", "</s>", "<unk>", "b"]], 2)
    assert set(model.vocabulary) == {"<unk>", "<s>", "</s>", "a", "b"}
    assert 10 ** model.after((), model.unknown)[0] > 0.2


@pytest.mark.parametrize("order", [0, 7, -1])
def test_an_order_out_of_range(order):
    with pytest.raises(TextError, match="out of range"):
        estimate([["a"]], order)


@pytest.mark.parametrize("prune", [(1,), (0, 2, 1), (0, -1)])
def test_pruning_that_would_leave_n_grams_without_their_beginnings(prune):
    with pytest.raises(TextError, match="never fall"):
        estimate([["a"]], 3, prune)


def test_an_empty_text():
    with pytest.raises(TextError, match="no words"):
        estimate([[], []])


def test_too_many_n_grams_are_one_clear_error(monkeypatch):
    monkeypatch.setattr(ngram, "MOST_NGRAMS", 10)
    with pytest.raises(TextError, match="too many different n-grams of 2 words"):
        estimate(sentences(50, 12), 3)
