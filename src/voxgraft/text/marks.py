"""Marks of symbol tables that stand for no sound: their roles, and the names that systems give them."""

from collections.abc import Container

ROLES = ("pad", "bos", "eos", "blank")

# Names of marks that stand for no sound, by what they are for.
NAMED_ROLES: tuple[tuple[str, ...], ...] = (
    ("<unk>", "<UNK>", "[UNK]", "<OOV>", "<oov>"),
    ("<pad>", "<PAD>", "[PAD]", "<_>"),
    ("<s>", "<BOS>", "<bos>", "<START>", "<start>"),
    ("</s>", "<EOS>", "<eos>", "<END>", "<end>"),
    ("<blk>", "<BLNK>", "<blank>", "<BLANK>", "[BLANK]"),
)
SPACES = (" ", "▁", "<space>", "<SPACE>", "<sp>")
# In the vocabularies of CTC that have no other space this stands between words; elsewhere it is a sign like others.
WORD_DELIMITER = "|"


def space_among(symbols: Container[str], *, ctc: bool) -> str | None:
    """The symbol that stands between words; None where there is none. `ctc`: they are the labels of CTC."""
    space = next((space for space in SPACES if space in symbols), None)
    return WORD_DELIMITER if space is None and ctc and WORD_DELIMITER in symbols else space
