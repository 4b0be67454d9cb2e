"""A real cluster of Dask on this machine, for tests: a process a worker, and ports that nobody else has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import LocalCluster


@contextmanager
def local(workers: int) -> Iterator[LocalCluster]:
    # A worker that was killed is called again and again before it is given up, for half a minute unless said.
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "2s"}),
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        yield cluster
