"""The pickle interpreter: plain data as Python's own, gadgets as inert names, bombs refused."""

import collections
import contextlib
import io
import os
import pickle
import random
import runpy
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxgraft.checkpoints.containers.torch.allowed_globals import HANDLERS, NAMES
from voxgraft.checkpoints.containers.torch.pickle_machine import PickleMachine
from voxgraft.checkpoints.containers.torch.pickled import Opaque
from voxgraft.errors import CheckpointError


def run(raw: bytes):
    return PickleMachine(HANDLERS, NAMES, lambda identity: identity).run(io.BytesIO(raw))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.tuples(inner, inner)
        | st.lists(st.integers()).map(set)
    ),
    max_leaves=20,
)


@given(value=PLAIN, protocol=st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_plain_data_reads_as_python_reads_it(value, protocol):
    assert run(pickle.dumps(value, protocol=protocol)).content == value


def test_shared_and_cyclic_objects_keep_their_identity():
    shared = [1]
    content = run(pickle.dumps({"a": shared, "b": shared})).content
    assert content["a"] is content["b"]
    cyclic: list = []
    cyclic.append(cyclic)
    content = run(pickle.dumps(cyclic)).content
    assert content[0] is content


@pytest.mark.parametrize("protocol", range(2, 6))
def test_known_globals_become_plain_data(protocol):
    import argparse
    from pathlib import PosixPath

    ordered = collections.OrderedDict(b=1, a=2)
    value = [ordered, PosixPath("/data/x"), PosixPath("y/z"), argparse.Namespace(quality="medium", p=PosixPath("/"))]
    result = run(pickle.dumps(value, protocol=protocol))
    assert result.content == [{"b": 1, "a": 2}, "/data/x", "y/z", {"quality": "medium", "p": "/"}]
    assert result.globals == ()


class Gadget:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_that_a_pickle_names_is_run(tmp_path, protocol):
    canary, script = tmp_path / "canary", tmp_path / "script.py"
    script.write_text(f"open({str(canary)!r}, 'w')")
    gadgets = [
        Gadget(os.system, f"touch {canary}"),
        Gadget(eval, f"open({str(canary)!r}, 'w')"),
        Gadget(exec, f"open({str(canary)!r}, 'w')"),
        Gadget(runpy.run_path, str(script)),
        Gadget(getattr, Gadget(__import__, "os"), "system"),
        Gadget(map, os.mkdir, [str(canary)]),
    ]
    raw = pickle.dumps(gadgets, protocol=protocol)
    result = run(raw)
    assert not canary.exists()
    assert {f"{os.name}.system", "runpy.run_path"} <= set(result.globals)
    assert {name.rpartition(".")[2] for name in result.globals} >= {"eval", "exec", "getattr", "__import__"}
    assert any(call.startswith(f"{os.name}.system('touch ") for call in result.calls)
    assert all(isinstance(item, Opaque) for item in result.content)
    pickle.loads(raw)  # noqa: S301 - the proof that the gadgets are live
    assert canary.exists()


def test_gadgets_in_every_opcode_that_calls():
    for raw in (
        b"cos\nsystem\n(S'x'\ntR.",
        b"(S'x'\nios\nsystem\n.",
        b"(cos\nsystem\nS'x'\no.",
        b"\x80\x02cos\nsystem\nX\x01\x00\x00\x00x\x85\x81.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85}\x92.",
    ):
        result = run(raw)
        assert result.globals == ("os.system",)
        assert result.calls == ("os.system('x')",)


def test_state_on_an_unknown_object_is_kept_but_does_nothing():
    result = run(b"\x80\x02cevil\nThing\n)\x81}X\x01\x00\x00\x00aK\x01sb.")
    assert result.content.made_by == "evil.Thing"
    assert result.content.state == {"a": 1}


def test_state_can_not_reach_our_own_functions():
    before = HANDLERS["collections", "OrderedDict"].__defaults__
    run(b"ccollections\nOrderedDict\n(N}S'__defaults__'\n(I1\ntstb.")
    assert HANDLERS["collections", "OrderedDict"].__defaults__ == before


def bomb_of_copies() -> bytes:
    items = b"".join(b"K\x01" for _ in range(100_000))
    return b"\x80\x02(" + items + b"lq\x000" + b"c__builtin__\nlist\nh\x00\x85R" * 2000 + b"."


def bomb_of_keys() -> bytes:
    level = b"(" + b"h\x00" * 60 + b"tq\x00"
    return b"\x80\x02}K\x01q\x000" + level * 40 + b"N" + b"s."


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b".",
        b"\x80\x02",
        b"\x80\x02(.",
        b"\x80\x02K\x01",
        b"\x80\x02h\x05.",
        b"\x80\x02]K\x01K\x02s.",
        b"\x80\x02}(K\x01u.",
        b"\x80\x02}]K\x01s.",
        b"\x80\x02N)R(.",
        b"\x80\x04\x97.",
        b"\x80\x02\x8b" + struct.pack("<i", 5000) + b"\x7f" * 5000 + b".",
        b"\x80\x02B\xff\xff\xff\x7f.",
        b"\x80\x02K\x01K\x02\x93.",
        b"\x80\x02(((((((",
        b"I" + b"9" * 10_000 + b"\n.",
        bomb_of_copies(),
        bomb_of_keys(),
    ],
)
def test_damage_and_bombs_are_one_clear_error(raw):
    began = time.process_time()
    with pytest.raises(CheckpointError):
        run(raw)
    assert time.process_time() - began < 5


def test_deeply_nested_data_does_not_overflow():
    result = run(b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b".")
    assert isinstance(result.content, list)
    result = run(b"\x80\x02K\x01" + b"\x85" * 50_000 + b".")
    assert isinstance(result.content, tuple)


@given(seed=st.integers(0, 2**32), flips=st.integers(1, 8))
@settings(max_examples=300, deadline=None)
def test_a_mangled_pickle_never_ends_in_another_error(seed, flips):
    source = pickle.dumps(
        {"a": [1, 2.5, "x", (None, True)], "b": collections.OrderedDict(c=b"d"), "e": {1, 2}, "n": 10**30}, protocol=2
    )
    dice, raw = random.Random(seed), bytearray(source)
    for _ in range(flips):
        raw[dice.randrange(len(raw))] = dice.randrange(256)
    with contextlib.suppress(CheckpointError):
        run(bytes(raw))
