"""Work on points, and who does it, to its results in the order of the points, few of them in hand at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from runplan.dsl.text.errors import NoWorker
from runplan.engine.scatter.work import Done, Pending, T, Task, Work, Workers

# The first chunk, in points: where a point takes half a minute, more would be long to wait for.
FIRST = 1
# What a chunk is to take of a processor: long beside what it costs to hand it out, and short beside what anybody would
# mind losing.
SECONDS = 1.0
# A chunk may be so much longer than one whose time is known.
GROWTH = 16
# The most points of a chunk: what bounds the memory.
MOST = 1 << 16
# A chunk whose worker went away so often is not handed out again: it may be what kills them.
MOST_LOST = 4


def in_order(
    work: Work[T],
    size: int,
    workers: Workers,
    *,
    start: int = 0,
    most: int = MOST,
    cut: Callable[[int, int], int] = lambda start, stop: stop,
) -> Iterator[Done[T]]:
    """The chunks of the points from `start` to `size`, one after the other, whoever is the first to be done.

    The lengths of chunks follow from how long others took, so they differ from run to run; the results do not.

    Args:
        most: The most points of a chunk.
        cut: Where a chunk from one number on is best to end, by another at the latest.

    Raises:
        NoWorker: Where nobody can go on.
    """
    in_hand: deque[tuple[int, int, Pending[T]]] = deque()
    length, task = FIRST, Task(work)
    while start < size or in_hand:
        while start < size and len(in_hand) < workers.slots:
            stop = cut(start, min(start + length, size))
            in_hand.append((start, stop, workers.submit(task, start, stop)))
            start = stop
        done = _finished(task, workers, *in_hand.popleft())
        length = _length(done, most)
        yield done


def _finished(task: Task[T], workers: Workers, start: int, stop: int, pending: Pending[T]) -> Done[T]:
    """A chunk that is waited for, and handed out again where its worker is gone."""
    for _ in range(MOST_LOST):
        if (done := pending.result()) is not None:
            return done
        pending = workers.submit(task, start, stop)
    raise NoWorker(
        f"{MOST_LOST} workers in a row were killed while they worked on points {start + 1} to {stop}, "
        "as those are that want more memory than there is; fewer of them at a time may do"
    )


def _length(done: Done[T], most: int) -> int:
    """How many points the next chunk is to have, by how long one took."""
    points = done.stop - done.start
    fitting = points * SECONDS / max(done.seconds, 1e-9)
    return int(max(1, min(fitting, points * GROWTH, most)))
