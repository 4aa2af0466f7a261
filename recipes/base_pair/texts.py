"""English sentences to have a voice speak: prose that lies in any Python installation, and word lists read out.

    python recipes/base_pair/texts.py OUT.txt [--more FILE …] [--without FILE …]

Takes docstrings and documentation of installed packages, keeps what reads as plain sentences of 4 to 22 words, and joins
random words of it into lists, so that rare sounds are heard too. --more adds texts, a line each (what follows the last `|`);
--without leaves out sentences that a file names, such as those that the result will be measured on.
"""

from __future__ import annotations

import argparse
import random
import re
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

_SENTENCE = re.compile(r"(?<![\w.])[A-Z][a-z]*(?: [A-Za-z'’-]+[,;:]?){3,21}[.?!](?=\s)")
_CODE = re.compile(r"[a-z][A-Z]|[A-Z]{2,}|\b[b-hj-z]\b")
# A word that this few files have is likely a name of a variable.
_SELDOM = 5


def main() -> None:
    """Write the sentences, a line each, the longest lists last."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--more", type=Path, nargs="*", default=[])
    arguments.add_argument("--without", type=Path, nargs="*", default=[])
    arguments.add_argument("--lists", type=int, default=800, help="lists of random words")
    chosen = arguments.parse_args()
    without = {key(line) for path in chosen.without for line in lines_of(path)}
    prose = list(sentences())
    common = Counter(word for sentence in prose for word in set(words(sentence)))
    plain = [s for s in prose if all(common[word] >= _SELDOM for word in words(s))]
    more = [line for path in chosen.more for line in lines_of(path)]
    found = [*more, *plain, *word_lists(common, chosen.lists)]
    kept = list({key(text): text for text in found if key(text) not in without}.values())
    chosen.out.write_text("".join(f"{text}\n" for text in kept), "utf-8")
    print(f"{len(kept)} texts in {chosen.out}")


def sentences() -> Iterator[str]:
    """Sentences of prose in the sources and documents of what is installed, each once."""
    seen: set[str] = set()
    for path in documents():
        text = " ".join(path.read_text("utf-8", errors="ignore").split())
        for found in _SENTENCE.findall(text + " "):
            if not _CODE.search(found[1:]) and key(found) not in seen:
                seen.add(key(found))
                yield found


def documents() -> Iterable[Path]:
    """Python sources and plain documents, in a fixed order."""
    places = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")}
    for place in sorted(places):
        for ending in ("*.py", "*.rst", "*.md", "*.txt", "METADATA"):
            yield from sorted(path for path in place.rglob(ending) if path.stat().st_size < 2**20)


def word_lists(common: Counter[str], count: int) -> Iterator[str]:
    """Random words that are known, as sentences that mean nothing."""
    draw = random.Random(0)
    known = sorted(word for word, times in common.items() if times >= 2 * _SELDOM and len(word) > 2)
    for _ in range(count):
        chosen = draw.sample(known, draw.randint(4, 9))
        ends = "".join(draw.choices(",;", weights=(4, 1), k=len(chosen)))
        listed = " ".join(w + (end if draw.random() < 0.3 else "") for w, end in zip(chosen, ends, strict=True))
        yield listed.rstrip(",;").capitalize() + draw.choice("...?!")


def lines_of(path: Path) -> list[str]:
    """Texts of a file, a line each, without what stands before the last bar."""
    return [line.rpartition("|")[2].strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


def words(sentence: str) -> list[str]:
    """Its words in small letters."""
    return re.findall(r"[a-z']+", sentence.lower())


def key(sentence: str) -> str:
    """What two sentences that sound the same have in common."""
    return " ".join(words(sentence))


if __name__ == "__main__":
    main()
