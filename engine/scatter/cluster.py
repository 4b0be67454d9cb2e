"""Work done by the workers of a Dask cluster; what one of them had in hand when it went away another does anew."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from time import monotonic
from typing import Generic

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.errors import NoWorker
from runplan.engine.scatter.mark import mark
from runplan.engine.scatter.work import Done, T, Task, Workers

try:
    from distributed import Client, Future, KilledWorker
    from distributed.comm import CommClosedError
except ImportError as error:
    raise NoWorker("a cluster needs Dask, which is an extra: `pip install 'runplan[dask]'`") from error

# Chunks in hand for each worker: the one that it works on, and two on their ways from and to it.
AHEAD = 3
# Seconds in which a scheduler answers, if there is one.
ANSWER = 10.0
# Seconds that a cluster may be without a worker: machines that are given anew take some.
PATIENCE = 300.0
# Seconds for which the number of workers is taken to be what it was.
COUNTED = 2.0
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[^\s/]+:[0-9]{1,5}")
# A worker may have several threads; the work is Python's, of which one at a time runs.
_one_at_a_time = threading.Lock()


class _Stranger(Exception):
    """A worker has another program, whose answers may differ."""


@dataclass(frozen=True, slots=True)
class _Pending(Generic[T]):
    cluster: _Cluster
    future: Future[Done[T]]

    def result(self) -> Done[T] | None:
        while True:
            try:
                done: Done[T] = self.future.result(timeout=PATIENCE)
                return done
            except TimeoutError:
                if not self.cluster.count():
                    raise NoWorker(f"the cluster at {self.cluster.address} has had no worker for minutes") from None
            except KilledWorker:
                return None
            except (CancelledError, CommClosedError) as error:
                raise NoWorker(f"the scheduler at {self.cluster.address} has gone away") from error
            except _Stranger as error:
                raise NoWorker(str(error)) from error
            except ModuleNotFoundError as error:
                raise NoWorker(
                    f"a worker of {self.cluster.address} has no module `{error.name}`: install runplan there"
                ) from error


class _Cluster:
    def __init__(self, client: Client, address: str) -> None:
        self.address = address
        self._client = client
        self._workers, self._counted = 0, -COUNTED

    @property
    def slots(self) -> int:
        now = monotonic()
        if now - self._counted >= COUNTED:
            self._workers, self._counted = self.count(), now
        return AHEAD * max(self._workers, 1)

    def count(self) -> int:
        """How many workers there are."""
        return len(self._client.nthreads())

    def submit(self, task: Task[T], start: int, stop: int) -> _Pending[T]:
        return _Pending(self, self._client.submit(_alike, mark(), task, start, stop, pure=False))


def _alike(asked: str, task: Task[T], start: int, stop: int) -> Done[T]:
    """A chunk, done by a worker that has the same program.

    Raises:
        _Stranger: Where it has another.
    """
    if asked != mark():
        import socket

        raise _Stranger(f"the worker on {socket.gethostname()} has another version of runplan or numpy: install ours")
    with _one_at_a_time:
        return task(start, stop)


@contextmanager
def cluster(address: str, told: Callable[[str], None] = lambda line: None) -> Iterator[Workers]:
    """The workers of the cluster whose scheduler is at an address, such as `tcp://10.0.0.1:8786`.

    Args:
        told: Is given what somebody who waits should know.

    Raises:
        NoWorker: Where that is no address, or no scheduler answers.
    """
    if not _ADDRESS.fullmatch(address):
        raise NoWorker(f"`{address[:60]}` is no address of a scheduler; one is written like tcp://10.0.0.1:8786")
    for name in ("distributed", "distributed.client"):  # what there is to say is said by exceptions
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=ANSWER, set_as_default=False)
    except OSError as error:
        raise NoWorker(f"no scheduler of Dask answers at {address}") from error
    with client:
        workers = _Cluster(client, address)
        if not workers.count():
            told(f"the cluster at {address} has no worker yet: `dask worker {address}` starts one")
        yield workers
