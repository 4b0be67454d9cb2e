"""Some rows of a job to arrays, whichever they are: no bit of a row hangs on which others are asked for with it."""

from __future__ import annotations

from runplan.engine.sweep.job import Columns, Job, Row, columns_of
from runplan.engine.sweep.point import Solver

# Jobs whose plan is kept read: a worker has chunks of one job, one after the other.
KEPT = 2
_solvers: dict[str, Solver] = {}


def solved(job: Job, start: int, stop: int) -> Columns:
    """The rows of a job from `start` to `stop`, which is not among them."""
    solver = _solver(job)
    rows: list[Row] = []
    count = len(job.laws)
    for point in range(start // count, -(-stop // count)):
        rows += solver.rows(point)
    skipped = start % count
    return columns_of(job, start, rows[skipped : skipped + stop - start])


def _solver(job: Job) -> Solver:
    """The solver of a job; what it has read is kept for its next chunk."""
    if job.key not in _solvers:
        while len(_solvers) >= KEPT:
            del _solvers[next(iter(_solvers))]
        _solvers[job.key] = Solver.of(job)
    return _solvers[job.key]
