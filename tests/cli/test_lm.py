import gzip
import json
import subprocess
import sys

import pytest

from voxgraft.lm.arpa import read_arpa

VOXGRAFT = [sys.executable, "-c", "from voxgraft.cli.main import main; main()"]


def voxgraft(*arguments, cwd):
    return subprocess.run([*VOXGRAFT, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


def test_text_becomes_a_model(tmp_path):
    (tmp_path / "a.txt").write_text("\ufeffHello, world!\n\nIt's a well-known “quote”…\n", "utf-8")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"Hello again.\n"))
    done = voxgraft("lm", "a.txt", "b.txt.gz", "-o", "out/lm.arpa", "--order", "2", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    model = read_arpa(tmp_path / "out" / "lm.arpa")
    assert {"hello", "world", "it's", "well-known", "quote", "again"} <= set(model.vocabulary)
    assert report["words"] == len(model.vocabulary)
    assert report["ngrams"] == [len(keys) for keys in model.trie.keys]
    assert model.sentence(["hello", "world"]) > model.sentence(["world", "hello"])


def test_words_as_they_stand(tmp_path):
    (tmp_path / "a.txt").write_text("Hello, world!\n")
    assert voxgraft("lm", "a.txt", "--as-is", cwd=tmp_path).returncode == 0
    assert {"Hello,", "world!"} <= set(read_arpa(tmp_path / "lm.arpa").vocabulary)


@pytest.mark.parametrize(
    ("content", "arguments", "code", "message"),
    [
        (b"", [], 1, "no words"),
        (b"fine\n\xff\xfe\n", [], 1, "line 2: is not UTF-8"),
        (b"fine\n", ["--order", "9"], 1, "out of range"),
        (b"fine\n", ["--prune", "1"], 1, "never fall"),
        (b"fine\n", ["--prune", "x"], 2, "0 0 1"),
        (None, [], 1, "can't be read"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(tmp_path, content, arguments, code, message):
    if content is not None:
        (tmp_path / "a.txt").write_bytes(content)
    done = voxgraft("lm", "a.txt", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "lm.arpa").exists()
