"""Work in pieces: on the machine's own threads, or on any executor the caller brings (processes, Dask)."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

from kazgeo.progress import Progress

__all__ = ["Here", "pieces", "run"]

_T = TypeVar("_T")
#: Pieces handed out at once: enough to keep workers busy, few enough to cancel soon and to bound memory.
AHEAD = 16


class Here(Executor):
    """An executor that works at once and in place: for work too small to be worth a thread.

    Examples
    --------
    >>> Here().submit(pow, 2, 3).result()
    8
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do the work before returning."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def pieces(total: int, size: int) -> list[tuple[int, int]]:
    """Return (start, stop) of consecutive pieces.

    Examples
    --------
    >>> pieces(5, 2), pieces(0, 2)
    ([(0, 2), (2, 4), (4, 5)], [])
    """
    return [(start, min(total, start + size)) for start in range(0, total, max(1, size))]


def run(
    work: Callable[..., _T], tasks: Sequence[tuple[Any, ...]], executor: Executor | None, progress: Progress, what: str
) -> Iterator[_T]:
    """Yield ``work(*task)`` of all tasks in their order, reporting progress in the caller's own thread.

    Assumption: the work does not depend on where or in which order it is done, so that results are the same with
    any number of threads and on any executor.

    Parameters
    ----------
    work : callable
        Of a module, so that it can be sent to another process.
    tasks : sequence of tuples
        Arguments of every piece.
    executor : Executor or None
        None: threads of this process, as many as there are cores.
    progress : Progress
        Called after every piece; when it raises, pieces not yet begun are dropped.
    what : str
        The message of the reports.

    Examples
    --------
    >>> from kazgeo.progress import silent
    >>> list(run(pow, [(2, 3), (3, 2)], None, silent, "powers")), list(run(pow, [], None, silent, "powers"))
    ([8, 9], [])
    """
    if executor is None and (len(tasks) < 2 or (os.cpu_count() or 1) < 2):
        executor = Here()
    own = ThreadPoolExecutor(os.cpu_count()) if executor is None else None
    ahead = 1 if isinstance(executor, Here) else AHEAD
    pool: Executor = own or executor  # type: ignore[assignment]
    waiting: deque[Future[_T]] = deque()
    begun = 0
    try:
        for done in range(1, len(tasks) + 1):
            while begun < len(tasks) and len(waiting) < ahead:
                waiting.append(pool.submit(work, *tasks[begun]))
                begun += 1
            yield waiting.popleft().result()
            progress(done / len(tasks), what)
    finally:
        for future in waiting:
            future.cancel()
        if own is not None:
            own.shutdown(cancel_futures=True)
