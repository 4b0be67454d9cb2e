"""Whole processes of `plan` to their CPU, as ratios to `python -c "import yaml"` of the same interpreter.

    python bench/cold.py [--rounds N] [--plan FILE] [--against PYTHON] [--quick]

Each command runs once with an empty user cache, a new folder for every process, and once with a warm one. All commands
of a round run one after another in a random order; a ratio is taken within its round, so that a busy machine slows
both sides of it. What is shown is the median over the rounds, and the quartiles. `--against` runs the same commands by
another interpreter, such as that of a virtual environment with an older version, in the same rounds.

Measure installed wheels: `python -m runplan` takes what the interpreter has, never this folder.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from runplan.dsl.dataclass import dataclass

PLAN = """\
laws: [chinchilla]
let:
  budget: 30M USD
hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
data:
  web: 10T tokens
require:
  - cost <= budget
  - tokens / params >= 20
"""
BASELINE = "import yaml"
# The arguments of the interpreter; {plan} is the plan's path.
COMMANDS = {
    BASELINE: ("-c", "import yaml"),
    "import numpy": ("-c", "import numpy"),
    "plan --version": ("-m", "runplan", "--version"),
    "plan check": ("-m", "runplan", "check", "{plan}"),
    "plan solve": ("-m", "runplan", "solve", "{plan}"),
    "plan law": ("-m", "runplan", "law", "chinchilla"),
}
CACHED = ("plan check", "plan solve", "plan law")
QUICK = (BASELINE, "plan check")


@dataclass(frozen=True, slots=True)
class Run:
    """A process that is timed: its interpreter, what it is called, and whether its cache is empty."""

    python: str
    name: str
    empty: bool = False

    @property
    def title(self) -> str:
        """Its row in the table."""
        return f"{self.name}, {'empty cache' if self.empty else 'warm'}" if self.name in CACHED else self.name


def runs(python: str, names: Iterable[str]) -> list[Run]:
    """What is timed of an interpreter, the baseline first."""
    return [Run(python, name, empty) for name in names for empty in ((True, False) if name in CACHED else (False,))]


def cpu(run: Run, plan: Path, cache: Path) -> float:
    """User and system seconds of one process.

    Raises:
        SystemExit: The command fails.
    """
    command = [run.python, *(part.format(plan=plan) for part in COMMANDS[run.name])]
    # The cache lies in XDG_CACHE_HOME, see dsl/syntax/cache.py.
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("RUNPLAN_", "PYTHON"))}
    environment["XDG_CACHE_HOME"] = str(cache)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=plan.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            stdin=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{errors.read().decode(errors='replace')}")
    return used.ru_utime + used.ru_stime


def measured(processes: Iterable[Run], plan: Path, rounds: int) -> dict[Run, list[float]]:
    """The CPU seconds of every process, a figure a round."""
    folder = plan.parent
    times: dict[Run, list[float]] = {run: [] for run in processes}
    caches = {run.python: folder / f"cache-{i}" for i, run in enumerate(times)}
    for run in times:  # once each: bytecode, the disk, and the cache of the warm ones
        cpu(run, plan, caches[run.python])
    for turn in range(rounds):
        for i, run in enumerate(random.sample(list(times), len(times))):
            empty = folder / f"empty-{turn}-{i}"
            times[run].append(cpu(run, plan, empty if run.empty else caches[run.python]))
            shutil.rmtree(empty, ignore_errors=True)
    return times


def spread(ratios: list[float]) -> str:
    """The median of ratios, and their quartiles in brackets."""
    quartiles = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    return "{1:.2f} [{0:.2f}, {2:.2f}]".format(*quartiles)


def table(columns: Sequence[Sequence[Run]], times: dict[Run, list[float]]) -> str:
    """A row for each command: milliseconds and ratio for each interpreter, and the first over the second."""

    def over(run: Run, other: Run) -> str:
        return spread([a / b for a, b in zip(times[run], times[other], strict=True)])

    heads = ["command"]
    for mark in ("", " (against)")[: len(columns)]:
        heads += [f"ms{mark}", f"x {BASELINE}{mark}"]
    rows = [[*heads, *["this / against"][: len(columns) - 1]]]
    for same in zip(*columns, strict=True):
        row = [same[0].title]
        for run, (baseline, *_) in zip(same, columns, strict=True):
            row += [f"{1000 * statistics.median(times[run]):.0f}", over(run, baseline)]
        rows.append([*row, *([over(*same)] if len(same) > 1 else [])])
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    first, *others = widths
    return "\n".join(
        "  ".join([row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in rows
    )


def main() -> None:
    """Time all commands and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="how often each command is timed (default: %(default)s)")
    parser.add_argument("--plan", type=Path, help="a plan without imports, in place of the one in this file")
    about = "path of the interpreter of another version of runplan"
    parser.add_argument("--against", metavar="PYTHON", type=os.path.abspath, help=about)
    parser.add_argument("--quick", action="store_true", help="one round of `plan check`: to see that it works")
    args = parser.parse_args()
    pythons = [sys.executable, *([args.against] if args.against else [])]
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / (args.plan.name if args.plan else "bench.plan.yaml")
        plan.write_text(args.plan.read_text(encoding="utf-8") if args.plan else PLAN, encoding="utf-8")
        columns = [runs(python, QUICK if args.quick else COMMANDS) for python in pythons]
        times = measured(chain.from_iterable(columns), plan, 1 if args.quick else args.rounds)
        print(table(columns, times))


if __name__ == "__main__":
    main()
