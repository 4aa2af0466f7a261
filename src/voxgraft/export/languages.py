"""Language: what a voice file says about its language, by the espeak-ng voice that its phonemes come from."""

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
    """Language of an espeak-ng voice (`en-us`) or a locale (`en_US`).

    `known` is the `language` object of the base's own configuration; it is believed while the voice stays the base's
    (`known_voice`), since several locales share an espeak-ng voice.
    """
    declared = _declared(known)
    if declared is not None and (voice is None or voice == known_voice):
        return declared
    if voice is None:
        return Language("und", "und", "", "", "Undetermined", "")
    name = voice.lower().replace("_", "-")
    code = CODES.get(name) or next((code for code in LANGUAGES if code.lower().replace("_", "-") == name), None)
    if code is not None:
        native, english, country, _ = LANGUAGES[code]
        return Language(code, code.split("_")[0], code.split("_")[1], native, english, country)
    return _from_voice(name)


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
    region = rest.upper() if re.fullmatch(r"[a-z]{2}", rest) else ""
    related = next((row for code, row in LANGUAGES.items() if code.startswith(f"{family}_")), ("", "", "", ()))
    code = f"{family}_{region}" if region else family
    return Language(code, family, region, related[0], related[1], "")
