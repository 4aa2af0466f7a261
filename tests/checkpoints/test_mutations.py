"""Whatever is done to the bytes of a checkpoint of any kind: it opens, or one clear error says why, and nothing changes."""

import random
import shutil
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
