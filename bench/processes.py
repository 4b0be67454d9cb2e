"""Processes to their CPU and memory, in rounds of all of them in a random order."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A command that is timed.

    Attributes:
        name: Of no other one.
        environment: Beside that of this process, without what changes how Python or runplan run.
        before: Is done before each run, and not timed.
        codes: The exit codes of a run that counts.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] | None = None
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Used:
    """What one run took: user and system seconds, and the peak of its memory in MiB."""

    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of figures, and their quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        """That of at least one figure."""
        found = list(figures)
        return cls(*(statistics.quantiles(found, n=4, method="inclusive") if len(found) > 1 else found * 3))


class Failed(Exception):
    """Raised for a command that does not end as it should; it says how it ended, and what it said."""


def used(process: Process) -> Used:
    """What one run of a process takes.

    Raises:
        Failed: It does not end with one of its codes.
    """
    if process.before is not None:
        process.before()
    own = {name: text for name, text in os.environ.items() if not name.startswith(("RUNPLAN_", "PYTHON"))}
    # Arrays on one thread: what a second one does while it waits would be counted.
    own |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **process.environment}
    with tempfile.TemporaryFile() as errors:
        running = subprocess.Popen(
            process.command,
            cwd=process.folder,
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, took = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode not in process.codes:
            errors.seek(0)
            said = errors.read().decode(errors="replace")
            raise Failed(f"{process.name}: exit {running.returncode}\n{said}")
    return Used(took.ru_utime + took.ru_stime, took.ru_maxrss / 1024)


def measured(processes: Sequence[Process], rounds: int) -> tuple[dict[str, list[Used]], list[str]]:
    """What every process takes, a figure a round, by its name; and what is to say of those that fail.

    All of a round run one after another, so that a busy machine slows all of them: a ratio is taken within a round.
    """
    sound, failed = [], []
    for process in processes:  # once each: bytecode, the disk, and the caches that are kept
        try:
            used(process)
            sound.append(process)
        except Failed as error:
            failed.append(str(error))
    times: dict[str, list[Used]] = {process.name: [] for process in sound}
    for _ in range(rounds):
        for process in random.sample(sound, len(sound)):
            times[process.name].append(used(process))
    return times, failed
