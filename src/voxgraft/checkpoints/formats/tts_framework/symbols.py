"""What the ids of tts-framework and VoiceSmith mean: both have 256 rows, and not one id means the same."""

from __future__ import annotations

from voxgraft.text.symbols import SymbolTable

# In the order of their ids, after the four of DeepPhonemizer's tokenizer that frame a text.
_FRAME = ("_", "<de>", "<en_us>", "<end>")
_IPA = "abdefghijklmnoprstuvwxyzæçðøŋœɐɑɔəɛɝɹɡɪʁʃʊʌʏʒʔˈˌː\u0303\u030d\u0325\u0329\u032f\u0361θ!?,.-:;\"'() "
_LATER = "¡¿—…«»“”ABCDEFGHIJKLMNOPQRSTUVWXYZcqɒɓʙβɕɗɖʤɘɚɜɞɟʄɠɢʛɦɧħɥʜɨʝɭɬɫɮʟɱɯɰɳɲɴɵɸɶʘɺɾɻʀɽʂʈʧʉʋⱱɣɤʍχʎʑʐʡʕʢǀǁǂǃˑʼʴʰʱʲʷˠˤ˞↓↑→↗↘ᵻ"
_NAMED = (*_FRAME, *_IPA, *_LATER)

BYTES = 256

# Rows of the language table: both programs list these languages, whichever they were trained on.
LANGUAGES = ("bg", "cs", "de", "en", "es", "fr", "ha", "hr", "ko", "pl", "pt", "ru", "sv", "sw", "th", "tr", "uk", "vi", "zh")  # fmt: skip

# What VoiceSmith's rows were before it read bytes.
EARLIER_ROWS = {91: "ARPAbet phones", 164: "phones of the Montreal Forced Aligner", 403: "phones of the MFA"}


def tts_framework_symbols(rows: int) -> SymbolTable | None:
    """IPA of espeak-ng between `<en_us>` and `<end>`; None where there are fewer rows than symbols."""
    if rows < len(_NAMED):
        return None
    return SymbolTable(
        ids={symbol: (number,) for number, symbol in enumerate(_NAMED)},
        rows=rows,
        text_kind="espeak",
        voice="en-us",
        pad="_",
        bos="<en_us>",
        eos="<end>",
        intersperse=False,
    )


def voicesmith_symbols(rows: int) -> SymbolTable | None:
    """The bytes of a text, unframed; None where the rows are not bytes."""
    if rows != BYTES:
        return None
    return SymbolTable(
        ids={chr(byte): (byte,) for byte in range(BYTES)},
        rows=rows,
        text_kind="bytes",
        pad=None,
        bos=None,
        eos=None,
        intersperse=False,
    )
