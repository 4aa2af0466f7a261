"""download: byte-identical at the end, or one clear error, whatever the server does."""

import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.library.unruly_server import CHANGED, CONTENT, HALF, MD5, SHA256, unused_port

from voxgraft.errors import CheckpointError
from voxgraft.library.download import Wanted, download, local_path

QUICK = {"tries": 3, "pause": 0.01}
# Only where the server dawdles: an answer of a busy machine may take as long.
IMPATIENT = {"stalling": {"timeout": 0.5}, "dripping": {"timeout": 0.5}}
KNOWN = Wanted(sha256=SHA256)


def size_of(path):
    """0 where there is none, as between two tries."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def only(folder):
    """Names in a folder, the lock file aside."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


@pytest.mark.parametrize("wanted", [KNOWN, Wanted(md5=MD5), Wanted(size=len(CONTENT)), Wanted()])
@pytest.mark.parametrize(
    "manner",
    [
        "good", "moved", "busy", "truncating", "truncating_whole", "stalling", "no_length", "good_dated", "weak",
        "unmarked", "wrong_part", "tugão",
    ],
)  # fmt: skip
def test_a_file_comes_whole(server, tmp_path, manner, wanted):
    done = download([server.url(manner)], tmp_path / "a.ckpt", wanted, **QUICK, **IMPATIENT.get(manner, {}))
    assert done.path.read_bytes() == CONTENT
    assert (done.sha256, done.size, done.source) == (SHA256, len(CONTENT), server.url(manner))
    assert only(tmp_path) == ["a.ckpt"]


def test_what_is_there_is_not_asked_for_again(server, tmp_path):
    download([server.url("truncating")], tmp_path / "a.ckpt", KNOWN, **QUICK)
    assert server.ranges == [0, 70_000, 140_000, 210_000, 280_000]
    server.ranges.clear()
    download([server.url("good")], tmp_path / "a.ckpt", KNOWN, **QUICK)
    assert server.ranges == [], "the file is there and right"


@pytest.mark.parametrize("manner", ["changing", "changing_silently"])
def test_a_file_that_changes_under_way_is_fetched_anew(server, tmp_path, manner):
    done = download([server.url(manner)], tmp_path / "a.ckpt", **QUICK)
    assert done.path.read_bytes() == CHANGED, "never half of each"


def test_a_file_that_shrinks_under_way_is_fetched_anew(server, tmp_path):
    done = download([server.url("shrinking")], tmp_path / "a.ckpt", **QUICK)
    assert done.path.read_bytes() == CONTENT[: HALF // 2]


def test_a_size_that_is_too_small_is_found_out(server, tmp_path):
    assert download([server.url("too_short")], tmp_path / "a.ckpt", **QUICK).path.read_bytes() == CONTENT
    with pytest.raises(CheckpointError, match="150000 bytes, 300000 were expected"):
        download([server.url("too_short")], tmp_path / "b.ckpt", Wanted(size=len(CONTENT)), **QUICK)


def test_another_file_under_the_same_tag_is_told_by_its_hash(server, tmp_path):
    url = server.url("deceiving")
    with pytest.raises(CheckpointError, match="SHA-256"):
        download([url], tmp_path / "a.ckpt", KNOWN, **QUICK)
    assert only(tmp_path) == [], "nothing of it is gone on with"
    assert download([url], tmp_path / "a.ckpt", KNOWN, **QUICK).path.read_bytes() == CONTENT


def test_a_beginning_of_another_file_is_not_kept_where_a_hash_tells(server, tmp_path):
    """What was begun before may have been another file: it is fetched once more from its first byte."""
    part = tmp_path / ".a.ckpt.part"
    part.write_bytes(CHANGED[:1000])
    state = {"url": server.url("good"), "size": 1000, "total": len(CONTENT), "tag": '"one"', "date": None}
    part.with_name(".a.ckpt.part.json").write_text(json.dumps(state))
    assert download([server.url("good")], tmp_path / "a.ckpt", KNOWN, **QUICK).path.read_bytes() == CONTENT
    assert server.ranges == [1000, 0]


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("absent", "404"),
        ("forbidden", "403: access is denied"),
        ("login", "a web page came instead"),
        ("disguised_login", "a web page came instead"),
        ("compressed", "compressed"),
        ("empty", "early"),
        ("to_file", "only http and https"),
        ("to_ftp", "only http and https"),
        ("round_and_round", "status 302"),
        ("always_truncating", "ended early"),
        ("too_long", "ended early"),
        ("chunked_broken", "early"),
        ("dripping", "100 bytes"),
    ],
)
def test_what_can_not_be_fetched_is_one_clear_error(server, tmp_path, manner, words):
    with pytest.raises(CheckpointError, match=words) as caught:
        download([server.url(manner)], tmp_path / "a.ckpt", **QUICK, **IMPATIENT.get(manner, {}))
    assert "by hand" in caught.value.remedy
    assert not (tmp_path / "a.ckpt").exists()


def test_more_than_is_allowed_is_never_written(server, tmp_path):
    for manner in ("endless", "good"):
        with pytest.raises(CheckpointError, match="allowed"):
            download([server.url(manner)], tmp_path / "a.ckpt", largest=250_000, **QUICK)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 300_000


@pytest.mark.parametrize(
    "wanted", [Wanted(sha256="0" * 64), Wanted(md5="0" * 32), Wanted(size=len(CONTENT) + 1), Wanted(size=5)]
)
def test_a_wrong_file_is_refused(server, tmp_path, wanted):
    with pytest.raises(CheckpointError, match="expected"):
        download([server.url("good")], tmp_path / "a.ckpt", wanted, **QUICK)
    assert only(tmp_path) == []


def test_mirrors_are_tried_in_turn_and_go_on_where_the_last_one_stopped(server, tmp_path):
    sources = [
        f"http://127.0.0.1:{unused_port()}/x", "http://[broken", "ftp://127.0.0.1/x", str(tmp_path / "absent"),
        server.url("login"), server.url("always_truncating"), server.url("good"),
    ]  # fmt: skip
    done = download(sources, tmp_path / "a.ckpt", KNOWN, **QUICK)
    assert done.source == server.url("good")
    assert done.path.read_bytes() == CONTENT
    assert server.ranges[-1] == HALF
    with pytest.raises(CheckpointError) as caught:
        download(sources[:-2], tmp_path / "b.ckpt", KNOWN, **QUICK)
    assert all(source in caught.value.problem for source in sources[:-2])


@pytest.mark.parametrize("form", ["plain", "file:", "file://", "FILE://localhost"])
def test_local_files(tmp_path, form):
    source = tmp_path / "a b%.ckpt"
    source.write_bytes(CONTENT)
    quoted = str(source).replace("%", "%25").replace(" ", "%20")
    done = download([str(source) if form == "plain" else form + quoted], tmp_path / "copy" / "a.ckpt", KNOWN)
    assert done.path.read_bytes() == CONTENT
    with pytest.raises(CheckpointError, match="SHA-256"):
        download([str(source)], tmp_path / "copy" / "b.ckpt", Wanted(sha256="0" * 64))


def test_what_is_no_file_is_no_source(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for source in (tmp_path, tmp_path / "pipe", "/dev/zero", "file://elsewhere/x", "data:text/plain,x", "javascript:1"):
        with pytest.raises(CheckpointError, match="can't be fetched"):
            download([str(source)], tmp_path / "out" / "a.ckpt", **QUICK)
    with pytest.raises(CheckpointError, match="no source"):
        download([], tmp_path / "out" / "a.ckpt")
    assert local_path("C:/a.ckpt") is not None


@pytest.mark.parametrize(
    "state", ["", "{", "[]", '{"url": 1}', '{"url":"","size":-1,"total":null,"tag":null,"date":null}']
)
def test_a_damaged_record_of_a_download_is_begun_anew(server, tmp_path, state):
    (tmp_path / ".a.ckpt.part").write_bytes(b"rubbish")
    (tmp_path / ".a.ckpt.part.json").write_text(state)
    assert download([server.url("good")], tmp_path / "a.ckpt", **QUICK).path.read_bytes() == CONTENT


def test_a_full_disk_is_said_before_and_what_came_is_kept(server, tmp_path, monkeypatch):
    from voxgraft.library import download as module

    class Nearly:
        free = 1000

    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Nearly)
    with pytest.raises(CheckpointError, match="are free"):
        download([server.url("good")], tmp_path / "a.ckpt", **QUICK)
    assert not (tmp_path / "a.ckpt").exists()


FETCH = """
import sys
from pathlib import Path
from voxgraft.library.download import Wanted, download
download([sys.argv[1]], Path(sys.argv[2]), Wanted(sha256=sys.argv[3] or None))
"""


@pytest.mark.parametrize("known", [SHA256, ""])
def test_killed_at_any_byte_it_goes_on(server, tmp_path, known):
    command = [sys.executable, "-c", FETCH, server.url("slow"), str(tmp_path / "a.ckpt"), known]
    part = tmp_path / ".a.ckpt.part"
    for fraction in (0.03, 0.2, 0.5, 0.8):
        process = subprocess.Popen(command)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if size_of(part) >= fraction * len(CONTENT):
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
        process.wait()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256((tmp_path / "a.ckpt").read_bytes()).hexdigest() == SHA256
    assert only(tmp_path) == ["a.ckpt"]


def test_only_what_was_safely_on_the_disk_is_gone_on_with(server, tmp_path):
    with pytest.raises(CheckpointError):
        download([server.url("always_truncating")], tmp_path / "a.ckpt", KNOWN, **QUICK)
    state = tmp_path / ".a.ckpt.part.json"
    # As after a loss of power: the file is longer than what is recorded as safe, and its end is rubbish.
    state.write_text(json.dumps(json.loads(state.read_text()) | {"size": 100_000, "url": server.url("good")}))
    with open(tmp_path / ".a.ckpt.part", "r+b") as file:
        file.seek(100_000)
        file.write(bytes(60_000))
    server.ranges.clear()
    assert download([server.url("good")], tmp_path / "a.ckpt", **QUICK).path.read_bytes() == CONTENT
    assert server.ranges[0] == 100_000


def fetch_slowly(url, target):
    download([url], target, KNOWN)


def test_two_at_once_fetch_once(server, tmp_path):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=fetch_slowly, args=(server.url("slow"), tmp_path / "a.ckpt")) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert server.asked["slow"] == 1
    assert (tmp_path / "a.ckpt").read_bytes() == CONTENT
