"""How much faster a sweep is with two workers than with one: processes, and a Dask cluster of this machine.

    python bench/scatter.py [--seconds S] [--rounds N] [--quick] [--json FILE]

A grid of 1e9 points is worked on for some seconds by each crew in turn, in several rounds; who has started up and has
chunks in hand is timed. Printed are the medians over rounds of points a second, of their ratio to this process alone in
the same round, and of that of the processors' time for a point: what handing out costs, also on a machine that is busy.
Start-up is told apart: what a crew takes until its first results are there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from time import perf_counter, process_time
from typing import NamedTuple

from runplan.engine.scatter.here import here
from runplan.engine.scatter.order import in_order
from runplan.engine.scatter.processes import processes
from runplan.engine.scatter.work import Workers
from runplan.engine.sweep.job import Job
from runplan.engine.sweep.make import job_of
from runplan.engine.sweep.parts import most_of, part_of
from runplan.engine.sweep.rows import Choice
from runplan.project import Project

PLAN = """\
hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour
data: 2T tokens
require cost <= 100M USD
"""
AXES = (
    "hardware.time=10..400 days:1000",
    "hardware.mfu=20..60 %:1000",
    "hardware.gpus=64,128,256,512,1024,2048,4096,8192,16384,32768",
    "hardware.price=1..5 USD/GPU/hour:100",
)
# Chunks that are not timed: a crew starts with short ones.
WARM = 30


@contextmanager
def dask(count: int) -> Iterator[Workers]:
    """The workers of a Dask cluster on this machine, each a process."""
    from distributed import LocalCluster

    from runplan.engine.scatter.cluster import cluster

    with (
        LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as local,
        cluster(local.scheduler_address) as workers,
    ):
        yield workers


CREWS: dict[str, Callable[[], AbstractContextManager[Workers]]] = {
    "this process": here,
    "1 process": partial(processes, 1),
    "2 processes": partial(processes, 2),
    "Dask, 1 worker": partial(dask, 1),
    "Dask, 2 workers": partial(dask, 2),
}


QUICK = ("this process", "1 process", "Dask, 1 worker")


class Rate(NamedTuple):
    """What a crew comes to once it is warm.

    Attributes:
        points: A second.
        cpu: Seconds of processors for a point: of the work, wherever it is done, and of all that this process does.
        warm: Seconds until then.
    """

    points: float
    cpu: float
    warm: float


def rate(job: Job, workers: Workers, seconds: float, warm: int, alone: bool) -> Rate:
    """How fast a crew works, after so many chunks to get warm."""
    choice = Choice((), (("loss", "minimize"),), 10)
    work = partial(part_of, job, choice, (), False)
    began = start = perf_counter()
    cpu, first = 0.0, 0
    for count, done in enumerate(in_order(work, job.size, workers, most=most_of(choice), cut=job.cut), 1):
        now = perf_counter()
        if count <= warm:
            start, first, cpu = now, done.stop, -process_time()
            continue
        cpu += 0.0 if alone else done.seconds
        if now - start >= seconds:
            points = done.stop - first
            return Rate(points / (now - start), (cpu + process_time()) / points, start - began)
    raise SystemExit("the grid is too small for so many seconds")


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="only to see that it works")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args(argv)
    seconds, rounds, warm = (0.1, 1, 2) if args.quick else (args.seconds, args.rounds, WARM)
    crews = {name: CREWS[name] for name in QUICK} if args.quick else CREWS
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scatter.plan")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PLAN)
        project = Project.open(path)
        job = job_of(path, project.reader, AXES, catalogue=project.library, asked=("params", "tokens", "loss", "cost"))
    found: dict[str, list[Rate]] = {name: [] for name in crews}
    for _ in range(rounds):
        for name, crew in crews.items():
            with crew() as workers:
                found[name].append(rate(job, workers, seconds, warm, crew is here))
    alone = found["this process"]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':<16} {'points/s':>10} {'x alone':>8} {'spread':>13} {'CPU x alone':>12} {'warm after':>11}")
    rows = []
    for name, rates in found.items():
        ratios = [one.points / other.points for one, other in zip(rates, alone, strict=True)]
        cpu = statistics.median(one.cpu / other.cpu for one, other in zip(rates, alone, strict=True))
        points, warm = (statistics.median(getattr(one, of) for one in rates) for of in ("points", "warm"))
        rows.append({"crew": name, "points_per_second": points, "ratios": ratios, "cpu": cpu, "warm_after": warm})
        spread = f"{min(ratios):.2f}..{max(ratios):.2f}"
        print(f"{name:<16} {points:>10,.0f} {statistics.median(ratios):>8.2f} {spread:>13} {cpu:>12.2f} {warm:>9.1f} s")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"python": platform.python_version(), "rounds": rounds, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
