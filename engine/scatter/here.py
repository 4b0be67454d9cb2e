"""Work done by this process itself, when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic

from runplan.dsl.dataclass import dataclass
from runplan.engine.scatter.work import Done, T, Task, Workers


@dataclass(frozen=True, slots=True)
class _Later(Generic[T]):
    task: Task[T]
    start: int
    stop: int

    def result(self) -> Done[T]:
        return self.task(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class _Here:
    slots: int = 1

    def submit(self, task: Task[T], start: int, stop: int) -> _Later[T]:
        return _Later(task, start, stop)


@contextmanager
def here() -> Iterator[Workers]:
    """This process."""
    yield _Here()
