"""Whatever is done to a checkpoint of any kind: it opens, or one clear error says why, soon, and nothing changes."""

import json
import random
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import paths

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.inspect import inspection_of
from voxgraft.errors import CheckpointError

FIXTURES = paths.FIXTURES
ENDINGS = {".ckpt", ".pth", ".pt", ".onnx", ".safetensors", ".bin", ".index", ".nemo"}
KINDS = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir())
ROUNDS = 4
SLOW_ROUNDS = 400


def weights_in(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in ENDINGS)


def mangled(source: bytes, dice: random.Random) -> bytes:
    """Bytes flipped, cut off, repeated or taken out; most at the ends, where formats keep their structure."""
    raw = bytearray(source)
    kind = dice.randrange(4)
    near_an_end = dice.randrange(min(4096, len(raw)))
    place = dice.choice((near_an_end, len(raw) - 1 - near_an_end, dice.randrange(len(raw))))
    if kind == 0:
        return bytes(raw[:place])
    if kind == 1:
        del raw[place : place + dice.randrange(1, 64)]
    elif kind == 2:
        raw[place:place] = raw[place : place + dice.randrange(1, 64)]
    else:
        for _ in range(dice.randrange(1, 6)):
            raw[min(len(raw) - 1, place + dice.randrange(32))] = dice.randrange(256)
    return bytes(raw)


# What settings may hold where something else is expected.
WRONG = (
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "x" * 10_000,
    [],
    {},
    [[]],
    [None],
    {"a": {}},
    2**31,
    "1",
)
LONGEST = 20.0
MOST_MEMORY = 3 << 30


@pytest.fixture
def _bounded_memory():
    """No more address space than what is mapped already and MOST_MEMORY."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MOST_MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def places(value, path=()):
    """Where a document holds something, the first few of each list."""
    entries = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from places(inner, (*path, key))


def with_wrong_value(document, dice):
    changed = json.loads(json.dumps(document))
    inner = [place for place in places(document) if len(place) <= 3]
    if not inner or dice.random() < 0.1:
        return dice.choice(([], "x", None, 3))
    *above, last = dice.choice(inner)
    holder = changed
    for key in above:
        holder = holder[key]
    holder[last] = dice.choice(WRONG)
    return changed


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory can only be bounded on Linux")
@pytest.mark.usefixtures("_bounded_memory")
@pytest.mark.parametrize("kind", KINDS)
def test_settings_of_wrong_types_are_read_or_refused_soon(kind, tmp_path):
    dice = random.Random(kind)
    copy = shutil.copytree(FIXTURES / kind, tmp_path / kind)
    for path in sorted(copy.rglob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        beside = path.with_name(path.name.removesuffix(".json"))
        for _ in range(ROUNDS):
            path.write_text(json.dumps(with_wrong_value(document, dice)))
            target = beside if beside.is_file() else path.parent
            if target != copy:
                began = time.process_time()
                fault = fault_of(target)
                assert fault is None or (fault.remedy and "\n" not in str(fault) and len(str(fault)) < 2000)
                assert time.process_time() - began < LONGEST
        path.write_text(json.dumps(document))


def fault_of(path: Path) -> CheckpointError | None:
    try:
        inspection_of(open_checkpoint(path), tensors=True)
    except CheckpointError as fault:
        return fault
    return None


def try_all(kind: str, folder: Path, rounds: int) -> None:
    dice = random.Random(kind)
    copy = folder / kind
    shutil.copytree(FIXTURES / kind, copy)
    for original in weights_in(FIXTURES / kind):
        path = copy / original.relative_to(FIXTURES / kind)
        source = original.read_bytes()
        for _ in range(rounds):
            bad = mangled(source, dice)
            path.write_bytes(bad)
            for target in {path, path.parent} - {copy}:
                fault = fault_of(target)
                assert fault is None or (fault.remedy and "\n" not in str(fault))
            assert path.read_bytes() == bad
        path.write_bytes(source)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mangled_checkpoint_is_opened_or_refused(kind, tmp_path):
    try_all(kind, tmp_path, ROUNDS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_hundreds_of_mangled_checkpoints_are_opened_or_refused(kind, tmp_path):
    try_all(kind, tmp_path, SLOW_ROUNDS)
