"""What is done chunk by chunk, and who does it: the types that all kinds of workers share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from time import thread_time
from typing import Any, Generic, Protocol, TypeVar

from runplan.dsl.dataclass import dataclass

T = TypeVar("T")
# The points from one number up to another, the last not among them, to what they come to. It can be pickled, and what
# a point comes to depends on nothing but its number: neither on the chunk that it is in, nor on who works on it.
Work = Callable[[int, int], T]


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """A chunk that is done.

    Attributes:
        start, stop: Its points; `stop` is not among them.
        seconds: Of its worker's processor, by which the lengths of those that follow are chosen.
    """

    start: int
    stop: int
    result: T
    seconds: float


class Pending(Protocol[T]):
    """A chunk that is handed out."""

    def result(self) -> Done[T] | None:
        """The chunk, waited for; None where its worker went away with it, and somebody else can do it.

        Raises:
            NoWorker: Where nobody can.
        """


class Workers(Protocol):
    """Who works on chunks."""

    @property
    def slots(self) -> int:
        """How many chunks are to be in hand at once: enough that nobody waits."""

    def submit(self, task: Task[T], start: int, stop: int) -> Pending[T]:
        """Hand out a chunk."""


class Task(Generic[T]):
    """Work as it is sent: packed once for all chunks, and by each worker unpacked once.

    So what work keeps for its next chunk, such as a plan that it has read, a worker has for all of its chunks.
    """

    def __init__(self, work: Work[T]) -> None:
        self._work = work

    def __call__(self, start: int, stop: int) -> Done[T]:
        """A chunk, done where this is called."""
        began = thread_time()
        result = self._work(start, stop)
        return Done(start, stop, result, thread_time() - began)

    @cached_property
    def _packed(self) -> bytes:
        import pickle  # where nothing is sent, nothing is packed

        return pickle.dumps(self._work)

    def __reduce__(self) -> tuple[Callable[[bytes], Task[T]], tuple[bytes]]:
        return _unpacked, (self._packed,)


@lru_cache(2)
def _unpacked(packed: bytes) -> Task[Any]:
    import pickle

    return Task(pickle.loads(packed))
