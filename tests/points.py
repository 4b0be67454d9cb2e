"""Work on points that other processes can import: the square of each, and ways to go wrong on the way."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def squares(start: int, stop: int) -> list[int]:
    return [point * point for point in range(start, stop)]


def killed_once(folder: str, at: int, start: int, stop: int) -> list[int]:
    """The squares; the first process that comes to a point is killed, and leaves a file that says who it was."""
    mark = Path(folder) / "killed"
    if start <= at < stop and not mark.exists():
        mark.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(start, stop)


def killed(at: int, start: int, stop: int) -> list[int]:
    """The squares; whoever comes to a point is killed."""
    if start <= at < stop:
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(start, stop)


def waiting(folder: str, start: int, stop: int) -> list[int]:
    """Nothing, for longer than anybody waits; a file says who it is that waits."""
    beside = Path(folder) / "waiting.part"
    beside.write_text(str(os.getpid()))
    beside.rename(Path(folder) / "waiting")
    time.sleep(3600)
    return []


class Counting:
    """How often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, start: int, stop: int) -> int:
        self.times += 1
        return self.times
