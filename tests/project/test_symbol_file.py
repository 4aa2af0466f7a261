import json

import pytest

from voxgraft.errors import VoxgraftError
from voxgraft.project.symbol_file import read_symbols
from voxgraft.text.symbols import SymbolTable

BASE = SymbolTable({"_": (0,), "^": (1,), "$": (2,), "a": (3,)}, 4, "espeak", voice="fr", intersperse=False)
VOICE = {
    "audio": {"sample_rate": 16000},
    "num_symbols": 20,
    "num_speakers": 1,
    "espeak": {"voice": "de"},
    "phoneme_id_map": {"_": [0], "a": [1, 2]},
}


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        ('{"_": 0, "a": [1, 2]}', {"_": (0,), "a": (1, 2)}),
        ('["_", "b", " "]', {"_": (0,), "b": (1,), " ": (2,)}),
        ("_\nä\n \n\u2028\n", {"_": (0,), "ä": (1,), " ": (2,), "\u2028": (3,)}),
        ("_ 0\r\n  3\r\na 7\r\n", {"_": (0,), " ": (3,), "a": (7,)}),
    ],
)
def test_formats(tmp_path, content, ids):
    path = tmp_path / "symbols"
    path.write_text(content, "utf-8", newline="")
    table = read_symbols(path, BASE)
    assert dict(table.ids) == ids
    assert table.rows == 1 + max(max(numbers) for numbers in ids.values())
    assert (table.text_kind, table.voice, table.intersperse, table.pad) == ("espeak", "fr", False, "_")
    assert read_symbols(path).text_kind == "text"


def test_a_voices_own_table(tmp_path):
    path = tmp_path / "voice.onnx.json"
    path.write_text(json.dumps(VOICE))
    table = read_symbols(path, BASE)
    assert (dict(table.ids), table.rows, table.voice) == ({"_": (0,), "a": (1, 2)}, 20, "de")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\xff\xfe", b"{", b'{"a": "b"}', b'{"a": [true]}', b'{"a": [-1]}', b'{"a": []}', b'{"": [1]}',
     b'{"a": 70000}', b"a\nb\na\n", b'["a", "a"]', b'["a", 3]', b"[" * 100_000, b'{"phoneme_id_map": {"a": [1]}}',
     b'{"a": 99999999999999999999}'],
)  # fmt: skip
def test_bad_tables_end_in_one_clear_error(tmp_path, content):
    path = tmp_path / "symbols"
    path.write_bytes(content)
    with pytest.raises(VoxgraftError) as caught:
        read_symbols(path, BASE)
    assert caught.value.file == str(path)


def test_an_absent_file(tmp_path):
    with pytest.raises(VoxgraftError, match="can't be read"):
        read_symbols(tmp_path / "none", BASE)


def test_one_symbol_on_a_million_lines_is_refused_at_once(tmp_path):
    path = tmp_path / "tokens.txt"
    path.write_text("".join(f"a {number % 9}\n" for number in range(900_000)))
    with pytest.raises(VoxgraftError, match="lines"):
        read_symbols(path)
