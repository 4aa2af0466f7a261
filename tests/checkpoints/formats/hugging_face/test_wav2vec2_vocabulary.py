"""Which label of a recogniser is the blank, and labels that it can't write."""

import json

import pytest
from tests.checkpoints.formats.hugging_face.hugging_face_files import folder_copy, rewritten

from voxgraft.checkpoints import open_checkpoint

ROWS = {"a": 0, "b": 1, "c": 2, "'": 3, "|": 4, "e": 5, "[UNK]": 6, "[PAD]": 7}


@pytest.fixture
def folder(tmp_path):
    """A recogniser without adapters and without its tokenizer's settings."""
    copy = folder_copy("mms", tmp_path)
    for path in (*copy.glob("adapter.*"), copy / "tokenizer_config.json"):
        path.unlink()
    (copy / "vocab.json").write_text(json.dumps(ROWS))
    return copy


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", {"pad_token_id": 7}),
        ("special_tokens_map.json", {"pad_token": "[PAD]"}),
        ("special_tokens_map.json", {"pad_token": {"content": "[PAD]", "lstrip": False}}),
        ("tokenizer_config.json", {"pad_token": "[PAD]"}),
    ],
)
def test_the_blank_is_where_any_of_the_files_says(folder, name, content):
    path = folder / name
    if path.is_file():
        rewritten(path, **content)
    else:
        path.write_text(json.dumps(content))
    found = open_checkpoint(folder)
    assert found.symbols.blank == "[PAD]"
    assert not any("blank" in note for note in found.notes)


def test_the_blank_has_a_row_though_nothing_names_it(folder):
    (folder / "vocab.json").write_text(json.dumps({name: row for name, row in ROWS.items() if row < 7}))
    rewritten(folder / "config.json", pad_token_id=7)
    symbols = open_checkpoint(folder).symbols
    assert (symbols.blank, symbols.ids["<pad>"]) == ("<pad>", (7,))


def test_labels_beyond_the_output_can_never_come_out(folder):
    (folder / "vocab.json").write_text(json.dumps(ROWS | {"<extra>": 8}))
    (folder / "added_tokens.json").write_text(json.dumps({"<s>": 9, "[UNK]": 6}))
    found = open_checkpoint(folder)
    assert found.symbols.rows == 8
    assert not {"<extra>", "<s>"} & set(found.symbols.ids)
    assert any("'<extra>'" in note and "left out" in note for note in found.notes)
