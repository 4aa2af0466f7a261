"""Languages, however they are written: `en-us`, `en_US`, `eng`, `cmn`, `zh-CN`."""

from __future__ import annotations

# ISO 639-3 (and what espeak-ng calls a language) -> the two letters of ISO 639-1.
_PAIRS = """
afr:af amh:am ara:ar asm:as aze:az bel:be ben:bn bod:bo bos:bs bre:br bul:bg cat:ca ces:cs cmn:zh cym:cy dan:da
deu:de ell:el eng:en epo:eo est:et eus:eu ewe:ee fas:fa fin:fi fra:fr fry:fy gle:ga glg:gl guj:gu hat:ht hau:ha
heb:he hin:hi hrv:hr hun:hu hye:hy ibo:ig in:id ind:id isl:is ita:it iw:he jav:jv jpn:ja kan:kn kat:ka kaz:kk
khm:km kin:rw kir:ky kor:ko lao:lo lat:la lav:lv lin:ln lit:lt ltz:lb lug:lg mal:ml mar:mr mkd:mk mlg:mg mlt:mt
mon:mn mri:mi mya:my nb:no nep:ne nld:nl nn:no nno:no nob:no nor:no oci:oc ori:or pan:pa pol:pl por:pt pus:ps
que:qu ron:ro run:rn rus:ru san:sa sin:si slk:sk slv:sl smo:sm sna:sn snd:sd som:so spa:es sqi:sq srp:sr sun:su
swa:sw swe:sv swh:sw tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tir:ti ton:to tuk:tk tur:tr uig:ug ukr:uk urd:ur
uzb:uz vie:vi wol:wo xho:xh yor:yo yue:zh zho:zh zul:zu
"""
_TWO_LETTERS = dict(pair.split(":") for pair in _PAIRS.split())
# The region that a language alone means to espeak-ng; English has none here, since corpora of `en` are mostly American.
_REGIONS = {"de": "de", "es": "es", "fr": "fr", "it": "it", "nl": "nl", "pt": "pt", "ru": "ru", "zh": "cn"}

SAME, KIN, OTHER = 2, 1, 0


def language_key(language: str) -> tuple[str, str | None]:
    """(language, region) in lower case: `en_US` -> (en, us), `cmn` -> (zh, cn), `de` -> (de, de), `ka` -> (ka, None)."""
    first, *rest = language.strip().lower().replace("_", "-").split("-")
    two = _TWO_LETTERS.get(first, first)
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
