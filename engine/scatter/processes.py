"""Work done by several processes of this machine; one that is killed is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Generic

from runplan.dsl.dataclass import dataclass
from runplan.engine.scatter.work import Done, T, Task, Workers

# Chunks in hand for each process: the one that it works on, and the next.
AHEAD = 2


@dataclass(frozen=True, slots=True)
class _Pending(Generic[T]):
    future: Future[Done[T]]

    def result(self) -> Done[T] | None:
        try:
            return self.future.result()
        except BrokenExecutor:
            return None


class _Processes:
    """Processes that are all replaced when one of them is killed: Python's pool then ends the others, too."""

    def __init__(self, count: int) -> None:
        self._count = count
        # Of two ends the processes hold one. The other is closed by us, or by the system when we are killed.
        self._theirs, self._ours = multiprocessing.Pipe(duplex=False)
        self._pool = self._started()

    @property
    def slots(self) -> int:
        return AHEAD * self._count

    def submit(self, task: Task[T], start: int, stop: int) -> _Pending[T]:
        try:
            return _Pending(self._pool.submit(task, start, stop))
        except BrokenExecutor:
            self._pool.shutdown()
            self._pool = self._started()
            return _Pending(self._pool.submit(task, start, stop))

    def _started(self) -> ProcessPoolExecutor:
        # Spawned and not forked: the same on every system, and no lock of another thread is held for ever.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, context, initializer=_begin, initargs=(self._theirs,))

    def stop(self) -> None:
        """End the processes, whatever they have in hand."""
        self._ours.close()
        self._pool.shutdown(cancel_futures=True)
        self._theirs.close()


def _begin(until: Connection) -> None:
    """What a process does first: leave interruptions to the one that started it, and see to it that it ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end, args=(until,), daemon=True).start()


def _end(until: Connection) -> None:
    """Wait for the other end to be closed, and end, whatever is in hand."""
    wait([until])
    os._exit(1)


@contextmanager
def processes(count: int) -> Iterator[Workers]:
    """So many processes of this machine, for as long as the context is open."""
    workers = _Processes(count)
    try:
        yield workers
    finally:
        workers.stop()
