import gzip
import os
import time

import pytest

from voxgraft.errors import TextError
from voxgraft.lm.running_text import read_sentences
from voxgraft.lm.text_file import lines_of


def test_plain_and_gzipped_text_say_the_same(tmp_path):
    (tmp_path / "a.txt").write_text("\ufeffA bad cab.\nÜbung!\n", "utf-8")
    (tmp_path / "a.gz").write_bytes(gzip.compress((tmp_path / "a.txt").read_bytes()))
    plain, packed = (list(read_sentences([tmp_path / name])) for name in ("a.txt", "a.gz"))
    assert plain == packed == [["a", "bad", "cab"], ["übung"]]


def test_text_that_repeats_itself_is_read(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"a bad cab\n" * 100_000))
    assert sum(1 for _ in lines_of(tmp_path / "a.gz", 1 << 14)) == 100_000


def test_a_small_file_that_unpacks_without_end_is_refused_at_once(tmp_path):
    with gzip.open(tmp_path / "bomb.gz", "wb") as file:
        for _ in range(60):
            file.write(b"\n" * 1_000_000)
    began = time.monotonic()
    with pytest.raises(TextError, match="unpacks to more than"):
        next(read_sentences([tmp_path / "bomb.gz"]))
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "content", [b"\x1f\x8bnot gzip", gzip.compress(b"a b c\n" * 1000, mtime=0)[:-20]], ids=["no gzip", "cut short"]
)
def test_what_is_damaged_is_said(tmp_path, content):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(TextError, match="can't be read"):
        list(read_sentences([tmp_path / "a.gz"]))


def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(TextError, match="regular file"):
            list(read_sentences([path]))
