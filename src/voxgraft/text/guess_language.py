"""Which language texts are in: by their script, and by the commonest small words of languages that share one.

Enough to notice that a corpus is not in the language that it would be read in; no judge of single sentences.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# The first word of the Unicode names of a script's letters -> the language that is most often written in it. Scripts of
# several common languages are told apart by WORDS and LETTERS.
SCRIPTS: dict[str, str] = {
    "LATIN": "en", "CYRILLIC": "ru", "GREEK": "el", "HEBREW": "he", "ARABIC": "ar", "DEVANAGARI": "hi", "BENGALI": "bn",
    "TAMIL": "ta", "TELUGU": "te", "MALAYALAM": "ml", "KANNADA": "kn", "GUJARATI": "gu", "GURMUKHI": "pa", "SINHALA": "si",
    "THAI": "th", "LAO": "lo", "KHMER": "km", "MYANMAR": "my", "TIBETAN": "bo", "GEORGIAN": "ka", "ARMENIAN": "hy",
    "ETHIOPIC": "am", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh",
}  # fmt: skip

# Language -> small words that its texts are full of; none is left out for being another language's too.
_WORDS: dict[str, str] = {
    "en": "the of and to a in is it you that he was for on are with as i his they be at one have this from or had by but not what all were we when your can there she which do how if will up about out them then so her would like him into has more two see could no than been who my me an our their",
    "es": "de la que el en y a los se del las un por con no una su para es al lo como más pero sus le ya o este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante yo mi está ha han son fue era ser tiene ella usted gracias qué cómo",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la avec son sa ses elle nous vous je tu mais ou où leur être cette aux comme tout c'est j'ai très bien fait été on y lui mon",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man ich wir ihr du mir mich kein",
    "it": "di e il la che in un è a per una sono non con si da come io del della le nel dei alla al lo più ma se gli ha mi ci questo questa anche nella delle ho tutto molto era essere suo sua hanno c'è perché quando o cosa",
    "pt": "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos ter você meu são",
    "nl": "de van een het en in is dat op te zijn met voor niet aan er die hij ook als maar om bij dan nog wel ik ze naar door over tot je heeft wordt kan geen meer hebben uit wat deze was we mijn worden werd al zo hun zou",
    "pl": "i w na z do się nie to że jest o jak za po co tak ale od przez przy już tylko jego jej są dla był była czy który która ma być go mu ich pan może tym tego ja my wszystko",
    "sv": "och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan när år under också efter eller nu sin där vid mot ska skulle kommer ut får finns vara hade alla min du hon",
    "da": "og i at det er en til af på den for der med de ikke som har et jeg han var om men vi sig fra så kan hun nu eller da skal ved os af blev også efter være havde ud dem når min meget",
    "no": "og i det er på en til som for av å at med de ikke den har et jeg om var vi han men seg fra så kan hun nå eller da skal ved oss ble også etter være hadde ut dem når min hva",
    "fi": "ja on ei se että oli hän mutta niin kun mitä ovat kuin myös joka tai vain minä hänen sen olla jos nyt sitten jo ole kanssa tämä siitä mukaan sekä voi mikä hyvin vielä kaikki olen me te",
    "hu": "a az és hogy nem is egy ez van meg csak de már mint még volt ha el azt kell lesz mert vagy én ő ki mi ezt be olyan sem minden nagyon itt amely fel lehet után majd úgy most",
    "cs": "a se v na je že o s z do i to k ve pro za by ale si po jako od jsem jsou byl která který jeho tak při co jen nebo už aby jak ani není byla bylo sem mu ho tom",
    "sk": "a sa v na je že o s z do i to k vo pre za by ale si po ako od som sú bol ktorá ktorý jeho tak pri čo len alebo už aby nie bola bolo sme mu ho tom",
    "ro": "de și în la a cu pe o un din nu este care mai că se să pentru ce au fost fi sunt am ca sau dar prin fost era al ale lui după ei el ea eu noi foarte când acest această",
    "tr": "ve bir bu da de için ile çok daha ne olarak gibi o ama var en kadar sonra ben değil olan ki mi her şey sen biz ya hiç onun oldu yok bana iki nasıl diye",
    "ca": "de la i el que a en les els un per una amb és no al del es va ha com més però seva seu aquest aquesta també són o quan molt pels hi entre sense jo fins nosaltres ser dels això li",
    "vi": "là và của có không cho được một người với các trong này đã những khi để ra tôi về như từ đó đi anh em cũng nhưng thì ở nhiều lại làm nó",
    "id": "yang dan di itu dengan untuk dari ini tidak dalam pada akan adalah ke juga saya ada bisa mereka kita sudah atau oleh kami orang telah karena dia seperti lebih satu anda apa",
    "sw": "ya na wa kwa ni katika la za kuwa cha hii huo kama lakini watu au yake hiyo pia wake sana mtu yangu hapa baada mimi sisi wewe siku nchi",
    "hr": "i je u na se da su za od s a o ne bi kao što iz do koji će samo ali po nije koja to ili sam bio ima kako više već biti mi ti on ona",
    "sl": "je v in na se da so za z ki s ne tudi po bi pa kot od iz o ali do še bil bila ni sem to ko lahko kako kaj že",
    "lt": "ir į kad yra iš su o ne tai buvo kaip bet ar jau už dar po tik aš jo jos mes apie mano jis ji per savo nuo",
    "lv": "un ir ka uz ar no tas kas bija par es ne viņš kā bet vai jau tā arī to viņa pēc pie līdz mēs man šis lai",
    "et": "ja on ei see et oli ta mis kui ka aga ma oma siis või välja seda nii veel selle pole nagu mida kes olid peale meie",
    "is": "og að í á er sem það til við um en hann með var ekki fyrir af ég hún frá eru eða því þú þetta hafa verið svo nú þar",
    "cy": "y yn a i o ar yr mae ei am wedi bod gan hyn oedd fel ond nid eu fod hefyd un sydd wrth dros ac mewn roedd chi ni",
    "ga": "an na a i ar is agus go le do tá sé ní bhí leis de sin mar ag seo as ach chun sí mé faoi raibh gach atá siad",
    "eu": "eta da ez du bat dira izan zuen ere egin baina zen dute beste hau den hori egiten bere oso edo dela baino ditu zuten gure nik",
    "lb": "de an d'e vun ass mat op ze dat net si et fir hunn och eng aus wéi den en no bei ech mir hat sinn awer oder nach dem",
    "sq": "e të në i për me një që nga dhe është më si nuk u se ka por do janë ishte kjo ky kam edhe ai ajo unë jemi",
    "ru": "и в не на я что с он а как это по но они к у ты из за вы так же от о было бы мы для то его её все ее был до если когда или мне уже нет да только меня сказал",
    "uk": "і в не на я що з він а як це по але вони до у ти із за ви так же від о було б ми для то його її все був якщо коли або мені вже ні та тільки мене є й щоб",
    "bg": "и в не на аз че с той а как това по но те до у ти от за вие така же бяха би ние да се са е ще беше си го им ми или вече няма който при съм",
    "sr": "и у не на ја да с он а као то по али они до ти из за ви тако од би ми је се су ће био или само није шта који већ сам бити",
    "kk": "және бұл мен бір да де үшін деп осы ол бар сол болды керек еді екен қазақ біз сен емес жоқ оның кейін туралы бойынша болып",
    "hi": "के का की है में से को और पर यह कि एक हैं ने हो था वह भी मैं जा रहा रही तो कर इस नहीं मुझे हम आप",
    "ne": "को छ र मा हो लाई पनि यो एक छन् गर्न भएको थियो ने म तर हुन् बाट उनी यस",
    "mr": "आहे आणि या ने हे तो ती होते मी आहेत ला च्या नाही पण एक होता केली",
    "ar": "في من على إلى أن هذا هذه كان التي الذي لا ما هو هي عن مع قد كل لم و أو أنا ثم بعد بين ذلك كما لكن إن",
    "fa": "و در به از که این است را با برای آن یک خود تا بر بود هم من ما شد می او نیست باید های",
    "ur": "کے کی میں ہے اور سے کا کو نے کہ پر یہ ہیں ایک نہیں بھی تھا وہ ہو اس کر میں",
}  # fmt: skip

WORDS: dict[str, frozenset[str]] = {language: frozenset(words.split()) for language, words in _WORDS.items()}
# Letters and signs that of a script's languages only these have.
LETTERS: dict[str, str] = {
    "ñ¿¡": "es", "ß": "de", "ãõ": "pt", "łąęśźż": "pl", "ő": "hu", "řů": "cs", "ľĺŕ": "sk", "ğışİ": "tr", "țșă": "ro", "ơưđạếộ": "vi",
    "ґїє": "uk", "ыэё": "ru", "ђћљњџ": "sr", "қңғөұүһ": "kk", "ðþ": "is", "ų": "lt", "ģķļņ": "lv", "گچپژ": "fa", "ٹڈڑے": "ur",
}  # fmt: skip
# A text with these is in one of the languages, whatever else it looks like.
FEWEST_WORDS = 3
# Share of the words that are among a language's small ones, at the least.
LEAST_SHARE = 0.15
MOST_TEXTS = 400


@dataclass(frozen=True)
class Guess:
    """`language` is an ISO 639-1 code, empty where only the script is sure; `hits` are the small words and own letters of each language, of `words` words."""

    language: str
    script: str
    hits: Counter[str]
    words: int

    @property
    def usual_language(self) -> str:
        """The language that its script is most often used for."""
        return SCRIPTS[self.script]


def guess_language(texts: Iterable[str]) -> Guess | None:
    """The language that texts are most probably in; None where they don't say enough."""
    words: list[str] = []
    scripts: Counter[str] = Counter()
    for number, text in enumerate(texts):
        if number == MOST_TEXTS:
            break
        plain = unicodedata.normalize("NFC", text).lower().replace("’", "'")
        words += re.findall(r"[^\W\d_](?:['\w]*\w)?", plain)
        scripts.update(script_of(character) for character in plain if character.isalpha())
        words += [character for character in plain if character in "¿¡"]
    if not words or not scripts:
        return None
    # Japanese has more characters of Chinese than of its own.
    script = "HIRAGANA" if scripts["HIRAGANA"] * 10 > scripts.total() else scripts.most_common(1)[0][0]
    if script not in SCRIPTS:
        return None
    hits = Counter({language: sum(word in known for word in words) for language, known in WORDS.items()})
    for letters, language in LETTERS.items():
        hits[language] += sum(any(letter in word for letter in letters) for word in words)
    hits = Counter({language: count for language, count in hits.items() if script in scripts_of(language)})
    if len(hits) <= 1:
        return Guess(SCRIPTS[script], script, hits, len(words))
    language, count = hits.most_common(1)[0]
    if count < FEWEST_WORDS or count < LEAST_SHARE * len(words):
        return Guess("", script, hits, len(words))
    return Guess(language, script, hits, len(words))


def script_of(character: str) -> str:
    """The script of a letter, as Unicode's names begin: LATIN, CYRILLIC, …"""
    name = unicodedata.name(character, "").split(" ")[0].split("-")[0]
    return {"IDEOGRAPHIC": "CJK", "MODIFIER": "", "FULLWIDTH": "LATIN"}.get(name, name)


def scripts_of(language: str) -> frozenset[str]:
    """The scripts that a language is written in, as far as this module knows; empty for a language that it doesn't."""
    if language in WORDS:
        found = {script_of(word[0]) for word in WORDS[language] if word[0].isalpha()}
        return frozenset(found | {"CYRILLIC", "LATIN"}) if language == "sr" else frozenset(found)
    return frozenset(script for script, first in SCRIPTS.items() if first == language)


def contradicts(guess: Guess, language: str, *, by_script: bool = True) -> bool:
    """Whether texts are clearly in another language than `language`, an ISO 639-1 code.

    `by_script`: another script alone says so, as where texts are not romanised.
    """
    scripts = scripts_of(language)
    if scripts and guess.script not in scripts:
        return by_script
    if not guess.language or guess.language == language or language not in WORDS:
        return False
    return guess.hits[guess.language] >= 2 * guess.hits[language] + FEWEST_WORDS
