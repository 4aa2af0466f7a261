"""Numbers in words, for voices that read letters: espeak-ng reads numbers itself, a grapheme voice can't."""

from __future__ import annotations

import re
from decimal import Decimal

# Languages that write 1,234.5; the others write 1.234,5.
POINT_LANGUAGES = frozenset({"en", "he", "hi", "ja", "ko", "th", "zh"})
LONGEST_NUMBER = 15
_NUMBER = re.compile(r"(?<!\w)\d+(?:[.,]\d+)*(?!\w)")


def spell_numbers(text: str, language: str) -> str:
    """Replace numbers by words of a language such as `de` or `en-us`; one that has no words here keeps its digits."""
    if not _NUMBER.search(text):
        return text
    from num2words import CONVERTER_CLASSES

    code = next((c for c in _codes(language) if c in CONVERTER_CLASSES), None)
    if code is None:
        return text
    decimal = "." if code.partition("_")[0] in POINT_LANGUAGES else ","
    return _NUMBER.sub(lambda number: _words(number.group(), code, decimal), text)


def _codes(language: str) -> tuple[str, str]:
    family, _, region = language.replace("-", "_").partition("_")
    return f"{family.lower()}_{region.upper()}", family.lower()


def _words(number: str, code: str, decimal: str) -> str:
    from num2words import num2words

    whole, _, fraction = number.partition(decimal)
    groups = whole.split("." if decimal == "," else ",")
    grouped = len(groups) > 1
    if (grouped and any(len(group) != 3 for group in groups[1:])) or not (fraction or "0").isdecimal():
        return re.sub(r"\d+", lambda part: _words(part.group(), code, decimal), number)
    digits = "".join(groups)
    if len(digits) + len(fraction) > LONGEST_NUMBER:
        return " ".join(num2words(int(digit), lang=code) for digit in digits + fraction)
    return str(num2words(Decimal(f"{digits}.{fraction}") if fraction else int(digits), lang=code))
