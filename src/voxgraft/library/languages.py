"""Languages, however they are written: `en-us`, `en_US`, `eng`, `cmn`, `zh-CN`."""

from __future__ import annotations

from voxgraft.text.languages import two_letters

# The region that a language alone means to espeak-ng; English has none here, since corpora of `en` are mostly American.
_REGIONS = {"de": "de", "es": "es", "fr": "fr", "it": "it", "nl": "nl", "pt": "pt", "ru": "ru", "zh": "cn"}

SAME, KIN, OTHER = 2, 1, 0


def language_key(language: str) -> tuple[str, str | None]:
    """(language, region) in lower case: `en_US` -> (en, us), `cmn` -> (zh, cn), `de` -> (de, de), `ka` -> (ka, None)."""
    first, *rest = language.strip().lower().replace("_", "-").split("-")
    two = two_letters(first)
    region = next((part for part in rest if part.isalpha() and len(part) == 2), None)
    return two, region or _REGIONS.get(two)


def closeness(wanted: str, found: str | None) -> int:
    """SAME language (and region, where both have one), KIN (another region) or OTHER."""
    if found is None:
        return OTHER
    (language, region), (other, its_region) = language_key(wanted), language_key(found)
    if language != other:
        return OTHER
    return KIN if region and its_region and region != its_region else SAME


def plain_language(language: str) -> str:
    """How the library writes a language in names: lower case, dashes: `en_US` -> `en-us`, `tw_akuapem` -> `tw-akuapem`."""
    return language.strip().lower().replace("_", "-")
