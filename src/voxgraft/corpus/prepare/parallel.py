"""Work through many recordings on every core, with flat memory and the first failure stopping the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from voxgraft.progress import progress

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_parallel(
    function: Callable[[Item], Result], items: Iterable[Item], description: str, total: int, workers: int | None = None
) -> list[Result]:
    """`function` of each item, in order, with a progress bar.

    Threads, for numpy's FFT, soxr and libsndfile let go of the interpreter lock, and nothing has to be pickled.
    """
    results: dict[int, Result] = {}
    with progress(description, total) as advance:
        for index, result in _as_done(function, items, workers or os.cpu_count() or 1):
            results[index] = result
            advance()
    return [results[index] for index in range(len(results))]


def _as_done(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[tuple[int, Result]]:
    pool = ThreadPoolExecutor(workers)
    try:
        pending: dict[Future[Result], int] = {}
        for index, item in enumerate(items):
            pending[pool.submit(function, item)] = index
            while len(pending) >= 4 * workers:
                yield from _finished(pending)
        while pending:
            yield from _finished(pending)
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(pending: dict[Future[Result], int]) -> Iterator[tuple[int, Result]]:
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        yield pending.pop(future), future.result()
