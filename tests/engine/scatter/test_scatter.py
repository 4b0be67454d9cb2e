"""Work in chunks is done in order, whoever does it, in whichever chunks, and whoever is killed on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Generic

import pytest
from clusters import local
from hypothesis import given
from hypothesis import strategies as st
from points import Counting, killed, killed_once, squares

from runplan.dsl.dataclass import replace
from runplan.dsl.text.errors import NoWorker
from runplan.engine.scatter import cluster as clusters
from runplan.engine.scatter.cluster import cluster
from runplan.engine.scatter.here import here
from runplan.engine.scatter.order import GROWTH, MOST_LOST, SECONDS, in_order
from runplan.engine.scatter.processes import processes
from runplan.engine.scatter.work import Done, T, Task

SIZE = 20_000


def flat(chunks: Iterable[Done[list[int]]]) -> list[int]:
    return [value for done in chunks for value in done.result]


# ---- in order


@dataclass
class Told:
    """Workers whose points take as long as they are told, and who go away as often as they are told."""

    slots: int = 3
    seconds: float = 0.0
    lost: list[bool] = field(default_factory=list)
    in_hand: int = 0

    def submit(self, task: Task[T], start: int, stop: int) -> Later[T]:
        self.in_hand += 1
        assert self.in_hand <= self.slots
        return Later(self, task, start, stop)


@dataclass
class Later(Generic[T]):
    told: Told
    task: Task[T]
    start: int
    stop: int

    def result(self) -> Done[T] | None:
        self.told.in_hand -= 1
        if self.told.lost and self.told.lost.pop():
            return None
        seconds = (self.stop - self.start) * self.told.seconds
        return replace(self.task(self.start, self.stop), seconds=seconds)


@given(
    size=st.integers(0, 500),
    start=st.integers(0, 500),
    slots=st.integers(1, 9),
    seconds=st.floats(0, 3),
    most=st.integers(1, 50),
    lost=st.lists(st.booleans(), max_size=3),
)
def test_chunks_are_all_points_once_and_in_order(
    size: int, start: int, slots: int, seconds: float, most: int, lost: list[bool]
) -> None:
    chunks = list(in_order(squares, size, Told(slots, seconds, lost), start=start, most=most))
    assert flat(chunks) == squares(start, size)
    assert all(0 < done.stop - done.start <= most for done in chunks)
    assert all(done.stop == after.start for done, after in pairwise(chunks))


def test_chunks_come_to_take_a_second() -> None:
    lengths = [done.stop - done.start for done in in_order(squares, SIZE, Told(slots=1, seconds=SECONDS / 3000))]
    assert lengths == [1, GROWTH, GROWTH**2, 3000, 3000, 3000, 3000, 3000, 3000, 1727]


def test_who_kills_all_workers_is_told() -> None:
    with pytest.raises(NoWorker, match="4 workers in a row were killed while they worked on points 1 to 1,"):
        list(in_order(squares, SIZE, Told(lost=[True] * MOST_LOST)))


# ---- here, and by processes


def test_here() -> None:
    with here() as workers:
        assert flat(in_order(squares, SIZE, workers)) == squares(0, SIZE)


def test_processes_one_of_which_is_killed(tmp_path: Path) -> None:
    with processes(2) as workers:
        assert flat(in_order(partial(killed_once, str(tmp_path), 5000), SIZE, workers)) == squares(0, SIZE)
    pid = int((tmp_path / "killed").read_text())
    assert pid != os.getpid()


def test_work_keeps_what_it_has_for_its_next_chunk() -> None:
    with processes(1) as workers:
        found = [done.result for done in in_order(Counting(), SIZE, workers)]
    assert found == list(range(1, len(found) + 1))


def test_a_point_that_kills_every_process_is_told() -> None:
    with processes(1) as workers, pytest.raises(NoWorker, match="worked on points"):
        list(in_order(partial(killed, 40), SIZE, workers))


def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    """Also where that one is killed, and they have something in hand."""
    code = (
        "import sys, threading, time\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from points import waiting\n"
        "from functools import partial\n"
        "from runplan.engine.scatter.processes import processes\n"
        "from runplan.engine.scatter.order import in_order\n"
        "if __name__ == '__main__':\n"
        "    with processes(1) as workers:\n"
        f"        list(in_order(partial(waiting, {str(tmp_path)!r}), 1, workers))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    mark = tmp_path / "waiting"
    with subprocess.Popen([sys.executable, str(script)]) as started:
        until(mark.exists)
        pid = int(mark.read_text())
        started.kill()
    until(lambda: not _is_running(pid))


def until(told: object) -> None:
    """Wait until something is so; for a minute at most."""
    assert callable(told)
    for _ in range(600):
        if told():
            return
        time.sleep(0.1)
    raise AssertionError("it never came to be so")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


# ---- by a cluster


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The scheduler of a real cluster with two workers, each a process."""
    with local(2) as two:
        yield two.scheduler_address


def test_a_cluster_one_of_whose_workers_is_killed(address: str, tmp_path: Path) -> None:
    with cluster(address) as workers:
        assert flat(in_order(partial(killed_once, str(tmp_path), 5000), SIZE, workers)) == squares(0, SIZE)
    assert (tmp_path / "killed").exists()


def test_a_worker_with_another_program_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "mark", lambda: "another")
    with cluster(address) as workers, pytest.raises(NoWorker, match="has another version of runplan or numpy"):
        list(in_order(squares, SIZE, workers))


def test_a_cluster_without_a_worker_is_told_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "PATIENCE", 0.2)
    said: list[str] = []
    with (
        local(0) as none,
        cluster(none.scheduler_address, said.append) as workers,
        pytest.raises(NoWorker, match="has had no worker for minutes"),
    ):
        list(in_order(squares, SIZE, workers))
    assert said == [
        f"the cluster at {none.scheduler_address} has no worker yet: `dask worker {none.scheduler_address}` starts one"
    ]


def test_a_scheduler_that_goes_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "ANSWER", 1.0)
    with (
        local(1) as one,
        cluster(one.scheduler_address) as workers,
        pytest.raises(NoWorker, match="has gone away"),
    ):
        for _ in in_order(squares, SIZE, workers):
            one.close()


def test_no_address() -> None:
    with pytest.raises(NoWorker, match="`nowhere` is no address of a scheduler"), cluster("nowhere"):
        pass


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "ANSWER", 0.2)
    with (
        pytest.raises(NoWorker, match="no scheduler of Dask answers at tcp:"),
        cluster("tcp://127.0.0.1:1"),
    ):
        pass
