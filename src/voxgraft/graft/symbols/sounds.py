"""Sounds as data: where each sound of the IPA lies in the mouth, and which sound a letter usually stands for.

A table of our own, in place of panphon's: that one (MIT) brings pandas, editdistance (compiled), munkres, unicodecsv and
regex with it for what is a small table here, knows no letters, stress marks, tones or punctuation, of which symbol tables
are full, and tells neighbouring heights and places apart only by yes and no. The coordinates are those of the chart of the
International Phonetic Association (2020): facts, which nobody owns.
"""

from __future__ import annotations

# How far from the lips (0) to the glottis (10); what the tip of the tongue makes lies close together.
PLACES: dict[str, float] = {
    "bilabial": 0, "labiodental": 0.8, "dental": 2.5, "alveolar": 3, "postalveolar": 3.6, "retroflex": 3.9, "palatal": 5.5,
    "velar": 7, "uvular": 8, "pharyngeal": 9.3, "glottal": 10,
}  # fmt: skip

# A column for each place, in it the voiceless and the voiced sound; `-` where there is none, `.` for an empty column.
CONSONANTS: dict[str, str] = {
    "plosive":             "pb . . td . ʈɖ cɟ kɡ qɢ ʡ- ʔ-",
    "implosive":           "-ɓ . . -ɗ . -ᶑ -ʄ -ɠ -ʛ . .",
    "click":               "ʘ- . ǀ- ǃ- . . ǂ- . . . .",
    "nasal":               "-m -ɱ . -n . -ɳ -ɲ -ŋ -ɴ . .",
    "trill":               "-ʙ . . -r . . . . -ʀ . .",
    "tap":                 ". -ⱱ . -ɾ . -ɽ . . . . .",
    "affricate":           ". . . ʦʣ ʧʤ . ʨʥ . . . .",
    "fricative":           "ɸβ fv θð sz ʃʒ ʂʐ çʝ xɣ χʁ ħʕ hɦ",
    "lateral_fricative":   ". . . ɬɮ . . . . . . .",
    "lateral_click":       ". . . ǁ- . . . . . . .",
    "lateral_tap":         ". . . -ɺ . . . . . . .",
    "approximant":         ". -ʋ . -ɹ . -ɻ -j -ɰ . . .",
    "lateral_approximant": ". . . -l . -ɭ -ʎ -ʟ . . .",
}  # fmt: skip

# Manner -> how far the mouth is closed (1 shut, 0 open), and whether the air passes through the nose, beside the tongue,
# in a hiss, in a roll, or inwards.
MANNERS: dict[str, tuple[float, int, int, int, int, int]] = {
    "plosive":             (1.0, 0, 0, 0, 0, 0),
    "implosive":           (1.0, 0, 0, 0, 0, 1),
    "click":               (1.0, 0, 0, 0, 0, 1),
    "nasal":               (0.7, 1, 0, 0, 0, 0),
    "trill":               (0.4, 0, 0, 0, 1, 0),
    "tap":                 (0.5, 0, 0, 0, 1, 0),
    "affricate":           (0.8, 0, 0, 1, 0, 0),
    "fricative":           (0.6, 0, 0, 0, 0, 0),
    "lateral_fricative":   (0.6, 0, 1, 0, 0, 0),
    "lateral_click":       (1.0, 0, 1, 0, 0, 1),
    "lateral_tap":         (0.5, 0, 1, 0, 1, 0),
    "approximant":         (0.2, 0, 0, 0, 0, 0),
    "lateral_approximant": (0.2, 0, 1, 0, 0, 0),
}  # fmt: skip

HISSING = frozenset("szʃʒʂʐɕʑʦʣʧʤʨʥ")
# Approximants that are heard as an r, as trills and taps are.
R_LIKE = frozenset("ɹɻʁ")
# Closed at the lips too, whatever else they do.
ROUNDED_CONSONANTS = frozenset("wʍɥɧ")

# (place as a number, manner, voiced) of sounds that the columns above have no room for.
OTHERS: dict[str, tuple[float, str, bool]] = {
    "g": (7, "plosive", True), "ʜ": (9.6, "fricative", False), "ʢ": (9.6, "fricative", True), "w": (7, "approximant", True), "ʍ": (7, "fricative", False), "ɥ": (5.5, "approximant", True),
    "ɕ": (4.4, "fricative", False), "ʑ": (4.4, "fricative", True), "ɧ": (6, "fricative", False),
    "ɫ": (3.4, "lateral_approximant", True),
}  # fmt: skip

# (height from 0 open to 1 close, backness from 0 front to 1 back, rounded, r-coloured)
VOWELS: dict[str, tuple[float, float, int, int]] = {
    "i": (1, 0, 0, 0), "y": (1, 0, 1, 0), "ɨ": (1, 0.5, 0, 0), "ʉ": (1, 0.5, 1, 0), "ɯ": (1, 1, 0, 0), "u": (1, 1, 1, 0),
    "ɪ": (0.85, 0.15, 0, 0), "ʏ": (0.85, 0.15, 1, 0), "ᵻ": (0.85, 0.5, 0, 0), "ᵿ": (0.85, 0.5, 1, 0),
    "ʊ": (0.85, 0.85, 1, 0), "e": (0.67, 0, 0, 0), "ø": (0.67, 0, 1, 0), "ɘ": (0.67, 0.5, 0, 0), "ɵ": (0.67, 0.5, 1, 0),
    "ɤ": (0.67, 1, 0, 0), "o": (0.67, 1, 1, 0), "ə": (0.5, 0.5, 0, 0), "ɚ": (0.5, 0.5, 0, 1), "ɛ": (0.33, 0, 0, 0),
    "œ": (0.33, 0, 1, 0), "ɜ": (0.33, 0.5, 0, 0), "ɝ": (0.33, 0.5, 0, 1), "ɞ": (0.33, 0.5, 1, 0), "ʌ": (0.33, 1, 0, 0),
    "ɔ": (0.33, 1, 1, 0), "æ": (0.15, 0, 0, 0), "ɐ": (0.15, 0.5, 0, 0), "a": (0, 0.2, 0, 0), "ɶ": (0, 0, 1, 0),
    "ɑ": (0, 1, 0, 0), "ɒ": (0, 1, 1, 0),
}  # fmt: skip

# What is written small, above or between: the sounds and signs it comes nearest to, the nearest first.
SIGNS: dict[str, str] = {
    "ʰ": "hɦ", "ʱ": "ɦh", "ʲ": "ji", "ʷ": "wu", "ˠ": "ɣɡ", "ˤ": "ʕħ", "ⁿ": "n", "ˡ": "l", "˞": "ɹr", "ʼ": "ʔ'",
    "ː": "ˑ:", "ˑ": "ː", "ˈ": "ˌ", "ˌ": "ˈ", "ꜛ": "ˈ", "ꜜ": "ˌ", "˥": "˦˧", "˦": "˥˧", "˧": "˦˨", "˨": "˩˧", "˩": "˨˧",
    "…": ".", "–": "-—", "—": "-–", "«": '"“', "»": '"”', "“": '"«', "”": '"»', "„": '"“', "’": "'", "‘": "'", "¿": "?",
    "¡": "!", ";": ",:", ":": ",;", "!": ".", "?": ".", "。": ".", "、": ",", "،": ",", "؟": "?", "؛": ";", "।": ".",
    "|": ".,",
}  # fmt: skip

# The sounds that letters usually stand for where a table holds letters and not the IPA.
_SPELLED: tuple[tuple[str, str], ...] = (
    # Latin
    ("a b c d e f g h i j k l m n o p q r s t u v w x y z", "a b k d e f ɡ h i ʒ k l m n o p k r s t u v w ks j z"),
    ("ß þ đ ł ı ŋ æ œ ø ð ħ", "s θ d w ɯ ŋ æ œ ø ð ħ"),
    # Cyrillic
    (
        "а б в г д е ж з и й к л м н о п р с т у ф х ц ч ш щ ы э ю я ё і ї є ґ ў ј љ њ ћ ђ џ ѓ ќ ѕ ә ғ қ ң ө ү ұ һ",
        "a b v ɡ d e ʒ z i j k l m n o p r s t u f x ts tʃ ʃ ɕ ɨ ɛ u a o i i e ɡ w j ʎ ɲ tɕ dʑ dʒ ɟ c dz æ ʁ q ŋ ø y u h",
    ),
    # Greek
    ("α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ ς τ υ φ χ ψ ω", "a v ɣ ð e z i θ i k l m n ks o p r s s t i f x ps o"),
    # Georgian
    (
        "ა ბ გ დ ე ვ ზ თ ი კ ლ მ ნ ო პ ჟ რ ს ტ უ ფ ქ ღ ყ შ ჩ ც ძ წ ჭ ხ ჯ ჰ",
        "a b ɡ d e v z t i k l m n o p ʒ r s t u p k ɣ q ʃ tʃ ts dz ts tʃ x dʒ h",
    ),
    # Armenian
    (
        "ա բ գ դ ե զ է ը թ ժ ի լ խ ծ կ հ ձ ղ ճ մ յ ն շ ո չ պ ջ ռ ս վ տ ր ց ւ փ ք օ ֆ",
        "a b ɡ d e z e ə t ʒ i l x ts k h dz ʁ tʃ m j n ʃ o tʃ p dʒ r s v t ɾ ts v p k o f",
    ),
    # Hebrew
    (
        "א ב ג ד ה ו ז ח ט י כ ך ל מ ם נ ן ס ע פ ף צ ץ ק ר ש ת",
        "ʔ b ɡ d h v z χ t j k χ l m m n n s ʔ p f ts ts k ʁ ʃ t",
    ),
    # Arabic
    (
        "ا ب ت ث ج ح خ د ذ ر ز س ش ص ض ط ظ ع غ ف ق ك ل م ن ه و ي ى ة ء آ أ إ پ چ ژ گ ک ی",
        "a b t θ dʒ ħ x d ð r z s ʃ s d t ð ʕ ɣ f q k l m n h w j a a ʔ a ʔ ʔ p tʃ ʒ ɡ k j",
    ),
    # Devanagari
    (
        "अ आ इ ई उ ऊ ए ओ क ख ग घ ङ च छ ज झ ञ ट ठ ड ढ ण त थ द ध न प फ ब भ म य र ल व श ष स ह",
        "ə a ɪ i ʊ u e o k k ɡ ɡ ŋ tʃ tʃ dʒ dʒ ɲ ʈ ʈ ɖ ɖ ɳ t t d d n p p b b m j r l ʋ ʃ ʂ s h",
    ),
)  # fmt: skip

SPELLED: dict[str, str] = {
    letter: sound for letters, sounds in _SPELLED for letter, sound in zip(letters.split(), sounds.split(), strict=True)
}
