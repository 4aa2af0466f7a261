"""Languages by their names: espeak-ng voices, locales and ISO 639 codes; what a voice file says about its language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Locale -> name in the language itself, in English, country in English, espeak-ng voices that mean it.
LANGUAGES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "ar_JO": ("العربية", "Arabic", "Jordan", ("ar",)),
    "bg_BG": ("български", "Bulgarian", "Bulgaria", ("bg",)),
    "bn_BD": ("বাংলা", "Bengali", "Bangladesh", ("bn",)),
    "ca_ES": ("Català", "Catalan", "Spain", ("ca", "ca-ba", "ca-nw", "ca-va")),
    "cs_CZ": ("Čeština", "Czech", "Czech Republic", ("cs",)),
    "cy_GB": ("Cymraeg", "Welsh", "Great Britain", ("cy",)),
    "da_DK": ("Dansk", "Danish", "Denmark", ("da",)),
    "de_DE": ("Deutsch", "German", "Germany", ("de",)),
    "el_GR": ("Ελληνικά", "Greek", "Greece", ("el",)),
    "en_GB": ("English", "English", "Great Britain", ("en-gb", "en", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan")),
    "en_US": ("English", "English", "United States", ("en-us", "en-us-nyc")),
    "es_ES": ("Español", "Spanish", "Spain", ("es",)),
    "es_MX": ("Español", "Spanish", "Mexico", ("es-419", "es-mx")),
    "et_EE": ("Eesti", "Estonian", "Estonia", ("et",)),
    "eu_ES": ("Euskara", "Basque", "Spain", ("eu",)),
    "fa_IR": ("فارسی", "Farsi", "Iran", ("fa",)),
    "fi_FI": ("Suomi", "Finnish", "Finland", ("fi",)),
    "fr_BE": ("Français", "French", "Belgium", ("fr-be",)),
    "fr_CH": ("Français", "French", "Switzerland", ("fr-ch",)),
    "fr_FR": ("Français", "French", "France", ("fr", "fr-fr")),
    "ga_IE": ("Gaeilge", "Irish", "Ireland", ("ga",)),
    "he_IL": ("עברית", "Hebrew", "Israel", ("he",)),
    "hi_IN": ("हिन्दी", "Hindi", "India", ("hi",)),
    "hr_HR": ("Hrvatski", "Croatian", "Croatia", ("hr",)),
    "hu_HU": ("Magyar", "Hungarian", "Hungary", ("hu",)),
    "id_ID": ("Bahasa Indonesia", "Indonesian", "Indonesia", ("id",)),
    "is_IS": ("íslenska", "Icelandic", "Iceland", ("is",)),
    "it_IT": ("Italiano", "Italian", "Italy", ("it",)),
    "ja_JP": ("日本語", "Japanese", "Japan", ("ja",)),
    "ka_GE": ("ქართული ენა", "Georgian", "Georgia", ("ka",)),
    "kk_KZ": ("қазақша", "Kazakh", "Kazakhstan", ("kk",)),
    "ko_KR": ("한국어", "Korean", "South Korea", ("ko",)),
    "lb_LU": ("Lëtzebuergesch", "Luxembourgish", "Luxembourg", ("lb",)),
    "lt_LT": ("Lietuvių", "Lithuanian", "Lithuania", ("lt",)),
    "lv_LV": ("Latviešu", "Latvian", "Latvia", ("lv",)),
    "ml_IN": ("മലയാളം", "Malayalam", "India", ("ml",)),
    "ne_NP": ("नेपाली", "Nepali", "Nepal", ("ne",)),
    "nl_BE": ("Nederlands", "Dutch", "Belgium", ("nl-be",)),
    "nl_NL": ("Nederlands", "Dutch", "Netherlands", ("nl",)),
    "no_NO": ("Norsk", "Norwegian", "Norway", ("no", "nb")),
    "pl_PL": ("Polski", "Polish", "Poland", ("pl",)),
    "pt_BR": ("Português", "Portuguese", "Brazil", ("pt-br",)),
    "pt_PT": ("Português", "Portuguese", "Portugal", ("pt", "pt-pt")),
    "ro_RO": ("Română", "Romanian", "Romania", ("ro",)),
    "ru_RU": ("Русский", "Russian", "Russia", ("ru",)),
    "sk_SK": ("Slovenčina", "Slovak", "Slovakia", ("sk",)),
    "sl_SI": ("Slovenščina", "Slovenian", "Slovenia", ("sl",)),
    "sq_AL": ("Shqip", "Albanian", "Albania", ("sq",)),
    "sr_RS": ("srpski", "Serbian", "Serbia", ("sr",)),
    "sv_SE": ("Svenska", "Swedish", "Sweden", ("sv",)),
    "sw_CD": ("Kiswahili", "Swahili", "Democratic Republic of the Congo", ("sw",)),
    "ta_IN": ("தமிழ்", "Tamil", "India", ("ta",)),
    "te_IN": ("తెలుగు", "Telugu", "India", ("te",)),
    "th_TH": ("ไทย", "Thai", "Thailand", ("th",)),
    "tr_TR": ("Türkçe", "Turkish", "Turkey", ("tr",)),
    "uk_UA": ("українська мова", "Ukrainian", "Ukraine", ("uk",)),
    "ur_PK": ("اردو", "Urdu", "Pakistan", ("ur",)),
    "vi_VN": ("Tiếng Việt", "Vietnamese", "Vietnam", ("vi",)),
    "zh_CN": ("简体中文", "Chinese", "China", ("cmn", "zh", "zh-cmn", "cmn-latn-pinyin")),
}

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
_TWO_LETTERS: dict[str, str] = dict(pair.split(":") for pair in _PAIRS.split())
CODES: dict[str, str] = {voice: code for code, row in LANGUAGES.items() for voice in row[3]}


@dataclass(frozen=True)
class Language:
    """The `language` object of a Piper voice: `code` is `ll_CC`, `family` ll, `region` CC."""

    code: str
    family: str
    region: str
    name_native: str
    name_english: str
    country_english: str


def language_of(
    voice: str | None, known: Mapping[str, object] | None = None, known_voice: str | None = None
) -> Language:
    """Language of an espeak-ng voice (`en-us`), a locale (`en_US`) or an ISO 639 code (`en`, `eng`).

    `known` is the `language` object of the base's own configuration; it is believed while the voice stays the base's
    (`known_voice`), since several locales share an espeak-ng voice.
    """
    declared = _declared(known)
    if declared is not None and (voice is None or voice == known_voice):
        return declared
    if voice is None:
        return Language("und", "und", "", "", "Undetermined", "")
    name = voice.lower().replace("_", "-")
    code = _locale_of(name)
    if code is not None:
        native, english, country, _ = LANGUAGES[code]
        return Language(code, code.split("_")[0], code.split("_")[1], native, english, country)
    return _from_voice(name)


def two_letters(language: str) -> str:
    """The ISO 639-1 code of a language alone, by its code of three letters or espeak-ng's name; the same where it has none."""
    return _TWO_LETTERS.get(language, language)


def family_of_language(name: str) -> str:
    """The language alone, of an espeak-ng voice, a locale or a code: `en-us`, `en_GB` and `eng` are `en`."""
    return two_letters(name.strip().lower().replace("_", "-").split("-")[0])


def english_name(name: str) -> str:
    """What a language is called in English; the name as it is where that is not known."""
    return language_of(name).name_english or name


def _locale_of(name: str) -> str | None:
    """The locale that a name in lower case with dashes means, the first of its language where it is no more than that."""
    if name in CODES:
        return CODES[name]
    same = next((code for code in LANGUAGES if code.lower().replace("_", "-") == name), None)
    family, _, region = name.partition("-")
    if same is None and not region and (two_letters(family) != family or family not in CODES):
        short = two_letters(family)
        return CODES.get(short) or next((code for code in LANGUAGES if code.startswith(f"{short}_")), None)
    return same


def _declared(known: Mapping[str, object] | None) -> Language | None:
    if not known or not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", str(known.get("code", ""))):
        return None
    code = str(known["code"])
    family, _, region = code.partition("_")
    row = LANGUAGES.get(code, ("", "", "", ()))
    return Language(
        code,
        str(known.get("family") or family),
        str(known.get("region") or region),
        str(known.get("name_native") or row[0]),
        str(known.get("name_english") or row[1]),
        str(known.get("country_english") or row[2]),
    )


def _from_voice(name: str) -> Language:
    family, _, rest = name.partition("-")
    family = two_letters(family)
    region = rest.upper() if re.fullmatch(r"[a-z]{2}", rest) else ""
    related = next((row for code, row in LANGUAGES.items() if code.startswith(f"{family}_")), ("", "", "", ()))
    code = f"{family}_{region}" if region else family
    return Language(code, family, region, related[0], related[1], "")
