"""Marks of symbol tables that stand for no sound: their roles, and the names that systems give them."""

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
# In the vocabularies of CTC this stands between words; elsewhere it is a sign like others.
WORD_DELIMITER = "|"
