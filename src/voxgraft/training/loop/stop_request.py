"""StopRequest: Ctrl-C and SIGTERM end a run after the step under way; a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

AT_ONCE = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class StopRequest:
    """A context in which the first signal only sets `asked`; what handled them before does so again afterwards.

    A handler runs between any two instructions of whatever is under way, in the middle of a line that is being written
    too: it must not write, nor save.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in AT_ONCE}
            for number in AT_ONCE:
                signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._put_back()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        # Not what was there before: a program in the background is begun with Ctrl-C ignored.
        for again, at_once in AT_ONCE.items():
            signal.signal(again, at_once)

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
