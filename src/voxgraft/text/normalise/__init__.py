"""What a text needs before phonemes: little for espeak-ng, which reads numbers and abbreviations itself."""

from voxgraft.text.normalise.numbers import spell_numbers
from voxgraft.text.normalise.pauses import with_pauses
from voxgraft.text.normalise.unicode import normalise

__all__ = ["normalise", "spell_numbers", "with_pauses"]
