"""A sweep of many points: its time, its memory, and some of its points held to plans that are solved by themselves.

    python bench/large.py [--points N] [--alone N] [--plan free|given|repeated] [--workers N]

Exit 1 where a point differs: another outcome, or a figure by more than 1e-9.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
from processes import Process, used

from runplan.engine.sweep.job import STATUSES
from runplan.engine.sweep.make import job_of
from runplan.engine.sweep.point import Solver
from runplan.project import Project

HARDWARE = "hardware: 64 x H100 for 60 days at 40% MFU @ 2.40 USD/GPU/hour\n"
PLANS = {
    "given": HARDWARE + "model: 7B\nrequire cost <= 5M USD\n",
    "free": HARDWARE + "data: 3T tokens\nrequire cost <= 5M USD\n",
    "repeated": HARDWARE + "model: 7B\ndata: 8T tokens up to 4 epochs\n",
}
ASKED = ("params", "tokens", "loss", "cost")
# As far as figures of arrays and of single plans may be apart, as a share.
APART = 1e-9


def axes_of(points: int) -> tuple[str, ...]:
    """Axes of at least so many points."""
    each = round(points ** (1 / 3))
    last = -(-points // each**2)
    return (
        f"hardware.time=10..300 days:{each}",
        f"hardware.mfu=30%..50%:{each}",
        f"hardware.price=1..4 USD/GPU/hour:{last}",
    )


def main() -> None:
    """Measure, compare, and print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--alone", type=int, default=200, help="points that are solved by themselves (%(default)s)")
    parser.add_argument("--plan", choices=PLANS, default="free")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.plan")
        path.write_text(PLANS[args.plan], "utf-8")
        axes, file = axes_of(args.points), Path(folder, "large.npy")
        command = [sys.executable, "-m", "runplan", "sweep", str(path), *axes, "--ask", ",".join(ASKED)]
        took = used(Process("sweep", (*command, "-o", f"npy={file}", "--workers", str(args.workers)), Path(folder)))
        rows = np.load(file, mmap_mode="r")
        print(f"{len(rows):,} points: {took.cpu:.2f} s of CPU, {1e9 * took.cpu / len(rows):.0f} ns a point,")
        print(f"{took.memory:.0f} MiB at most, {os.path.getsize(file) / len(rows):.0f} bytes a point on disk")
        project = Project.open(path)
        job = job_of(str(path), project.reader, axes, catalogue=project.library, asked=ASKED)
        solver, worst, wrong = Solver.of(job), 0.0, 0
        for point in random.Random(1).sample(range(len(rows)), args.alone):
            (row,) = solver.rows(point)
            wrong += STATUSES[rows["status"][point]] != row.status
            for asked, figure in zip(ASKED, row.figures, strict=False):
                off = abs(rows[asked][point] / figure - 1.0)
                worst, wrong = max(worst, off), wrong + (not off <= APART)
        print(f"{args.alone} points by themselves: {wrong} differ; figures by {worst:.1e} at most")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
