"""A pickle interpreter that imports nothing and calls nothing that the pickle names.

Python's own unpickler resolves every global by import and every REDUCE by a call. Here a global is only a name; calls
go to a table of our own functions, and whatever is not in the table becomes inert data that remembers its name,
arguments and state. Operations, nesting and sizes are bounded.

Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any

from voxgraft.checkpoints.containers.torch.pickled import HOSTILE, Global, Namespace, Opaque, Unpickled, short, sketched
from voxgraft.errors import CheckpointError

MAX_OPERATIONS = 5_000_000
MAX_INTEGER_BYTES = 1024
# What handlers may copy altogether: a short pickle can name the same long list a million times.
MAX_COPIED = 20_000_000
_DAMAGED = "The file is damaged or incomplete: copy or download it again."

Handler = Callable[[tuple[Any, ...]], Any]


class _Mark:
    pass


_MARK = _Mark()


class PickleMachine:
    """Runs one pickle. `handlers` maps a global to our function that stands for it; `names` maps one to plain data.

    `load_persistent` turns a persistent id (torch's storages) into data. `calls` collects what a naive loader would have
    run, also where the pickle turns out to be damaged further on.
    """

    def __init__(
        self,
        handlers: Mapping[tuple[str, str], Handler],
        names: Mapping[tuple[str, str], Any],
        load_persistent: Callable[[Any], Any],
        calls: dict[str, None] | None = None,
    ) -> None:
        self.handlers, self.names, self.load_persistent = handlers, names, load_persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.globals: dict[str, None] = {}
        self.calls: dict[str, None] = {} if calls is None else calls
        self.copied = 0

    def run(self, file: IO[bytes]) -> Unpickled:
        """Interpret from the file's position to STOP. Raises CheckpointError where the pickle is damaged."""
        try:
            for count, (opcode, argument, position) in enumerate(pickletools.genops(file)):
                if count > MAX_OPERATIONS:
                    raise CheckpointError("the pickle is far longer than any real checkpoint's", remedy=HOSTILE)
                if opcode.name == "STOP":
                    names, calls = tuple(self.globals), tuple(self.calls)
                    return Unpickled(self.pop(), names, calls, (position or 0) + 1, count)
                _OPERATIONS[opcode.name](self, argument)
        except CheckpointError:
            raise
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, AttributeError, MemoryError) as fault:
            raise CheckpointError(f"the pickle is damaged: {type(fault).__name__}", remedy=_DAMAGED) from fault
        raise CheckpointError("the pickle ends too early", remedy=_DAMAGED)

    def pop(self) -> Any:
        """Take the top of the stack, which must be an object."""
        value = self.stack.pop()
        if value is _MARK:
            raise IndexError("a mark where an object was expected")
        return value

    def pop_to_mark(self) -> list[Any]:
        """Take everything above the last mark."""
        items: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            items.append(value)
        items.reverse()
        return items

    def find(self, module: object, name: object) -> Any:
        """A global as data: a plain value, or its name. Names outside the allow-list are recorded."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("the name of a global is not a string")
        key = (module, name)
        if key in self.names:
            return self.names[key]
        if key not in self.handlers:
            self.globals[short(f"{module}.{name}", 200)] = None
        return Global(module, name)

    def charge(self, value: Any, depth: int = 0) -> None:
        """Count what a handler is about to copy, against the budget."""
        if isinstance(value, str | bytes | list | tuple | dict | set | frozenset):
            self.copied += len(value)
            if self.copied > MAX_COPIED:
                raise CheckpointError("the pickle unpacks to far more than any real checkpoint", remedy=HOSTILE)
        if isinstance(value, tuple) and depth < 3 and len(value) <= 16:
            for item in value:
                self.charge(item, depth + 1)

    def call(self, target: Any, arguments: Any) -> Any:
        """What a call is taken to make: our handler's result, or something inert."""
        if isinstance(target, Global):
            handler = self.handlers.get((target.module, target.name))
            if handler is not None:
                if not isinstance(arguments, tuple):
                    raise TypeError("arguments that are no tuple")
                self.charge(arguments)
                return handler(arguments)
        name = short(str(target), 200) if isinstance(target, Global) else f"<{type(target).__name__}>"
        self.calls[f"{name}({sketched(arguments)})"] = None
        return Opaque(name, arguments)


def _build(machine: PickleMachine, _: Any) -> None:
    state = machine.pop()
    target = machine.stack[-1]
    if isinstance(target, Opaque):
        target.state = state
    elif isinstance(target, Namespace) and isinstance(state, dict):
        machine.charge(state)
        target.update(state)


def _append(machine: PickleMachine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, set):
        target.update(_key(item) for item in items)
    elif isinstance(target, Opaque):
        target.items.extend(items)
    else:
        raise TypeError("appending to something that is no list")


def _set_items(machine: PickleMachine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if len(items) % 2:
        raise ValueError("a key without a value")
    if isinstance(target, dict):
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_key(key)] = value
    elif isinstance(target, Opaque):
        target.items.extend(zip(items[::2], items[1::2], strict=True))
    else:
        raise TypeError("setting items of something that is no dict")


def _key(value: Any) -> Any:
    """A dict key, if it is plain: to hash deeply nested or shared tuples would never end."""
    for item in value if isinstance(value, tuple) and len(value) <= 64 else (value,):
        if not (item is None or isinstance(item, str | int | float | bytes | Global | Opaque)):
            raise TypeError("a key that can't be hashed")
    return value


def _integer(value: int) -> int:
    if value.bit_length() > 8 * MAX_INTEGER_BYTES:
        raise ValueError("an integer far too large")
    return value


def _push(machine: PickleMachine, value: Any) -> None:
    machine.stack.append(value)


def _put(machine: PickleMachine, index: int) -> None:
    value = machine.stack[-1]
    if value is _MARK:
        raise IndexError("a mark can't be remembered")
    machine.memo[index] = value


def _pop(machine: PickleMachine, _: Any) -> None:
    machine.stack.pop()


def _reduce(machine: PickleMachine, _: Any) -> None:
    arguments = machine.pop()
    _push(machine, machine.call(machine.pop(), arguments))


def _new_object_ex(machine: PickleMachine, _: Any) -> None:
    keywords, arguments = machine.pop(), machine.pop()
    target = machine.pop()
    _push(machine, machine.call(target, (*arguments, keywords) if keywords else arguments))


def _instance(machine: PickleMachine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    arguments = tuple(machine.pop_to_mark())
    _push(machine, machine.call(machine.find(module, name), arguments))


def _object(machine: PickleMachine, _: Any) -> None:
    target, *arguments = machine.pop_to_mark()
    _push(machine, machine.call(target, tuple(arguments)))


def _stack_global(machine: PickleMachine, _: Any) -> None:
    name, module = machine.pop(), machine.pop()
    _push(machine, machine.find(module, name))


def _global(machine: PickleMachine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    _push(machine, machine.find(module, name))


def _tuple_of(count: int) -> Callable[[PickleMachine, Any], None]:
    def operation(machine: PickleMachine, _: Any) -> None:
        items = [machine.pop() for _ in range(count)]
        _push(machine, tuple(reversed(items)))

    return operation


def _dict_from_mark(machine: PickleMachine, _: Any) -> None:
    items = machine.pop_to_mark()
    _push(machine, {})
    _set_items(machine, items)


def _from_registry(machine: PickleMachine, code: int) -> None:
    _push(machine, machine.find("copyreg extension", str(code)))


def _nothing(machine: PickleMachine, _: Any) -> None:
    pass


def _value(machine: PickleMachine, argument: Any) -> None:
    _push(machine, argument)


_Operation = Callable[[PickleMachine, Any], None]

_OPERATIONS: dict[str, _Operation] = {
    **dict.fromkeys(("PROTO", "FRAME", "READONLY_BUFFER"), _nothing),
    **dict.fromkeys(
        [
            "STRING",
            "BINSTRING",
            "SHORT_BINSTRING",
            "BINBYTES",
            "SHORT_BINBYTES",
            "BINBYTES8",
            "BYTEARRAY8",
            "UNICODE",
            "SHORT_BINUNICODE",
            "BINUNICODE",
            "BINUNICODE8",
            "FLOAT",
            "BINFLOAT",
        ],
        _value,
    ),
    **dict.fromkeys(
        ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), lambda m, a: _push(m, _integer(a))
    ),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, a: _push(m, m.memo[a])),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _from_registry),
    "MEMOIZE": lambda m, a: _put(m, len(m.memo)),
    "NONE": lambda m, a: _push(m, None),
    "NEWTRUE": lambda m, a: _push(m, True),
    "NEWFALSE": lambda m, a: _push(m, False),
    "EMPTY_LIST": lambda m, a: _push(m, []),
    "EMPTY_TUPLE": lambda m, a: _push(m, ()),
    "EMPTY_DICT": lambda m, a: _push(m, {}),
    "EMPTY_SET": lambda m, a: _push(m, set()),
    "LIST": lambda m, a: _push(m, m.pop_to_mark()),
    "TUPLE": lambda m, a: _push(m, tuple(m.pop_to_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "DICT": _dict_from_mark,
    "FROZENSET": lambda m, a: _push(m, frozenset(_key(item) for item in m.pop_to_mark())),
    "APPEND": lambda m, a: _append(m, [m.pop()]),
    "APPENDS": lambda m, a: _append(m, m.pop_to_mark()),
    "ADDITEMS": lambda m, a: _append(m, m.pop_to_mark()),
    "SETITEM": lambda m, a: _set_items(m, [m.pop(), m.pop()][::-1]),
    "SETITEMS": lambda m, a: _set_items(m, m.pop_to_mark()),
    "MARK": lambda m, a: _push(m, _MARK),
    "DUP": lambda m, a: _push(m, m.stack[-1]),
    "POP": _pop,
    "POP_MARK": lambda m, a: _push_none(m.pop_to_mark()),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _new_object_ex,
    "INST": _instance,
    "OBJ": _object,
    "BUILD": _build,
    "PERSID": lambda m, a: _push(m, m.load_persistent(a)),
    "BINPERSID": lambda m, a: _push(m, m.load_persistent(m.pop())),
}


def _push_none(_: list[Any]) -> None:
    """POP_MARK only throws away."""
