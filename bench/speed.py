"""How fast runplan is: one table of everything that is held to a goal, and JSON.

    python bench/speed.py [--json FILE] [--write docs/performance.md] [--rounds N] [--points N] [--keep FOLDER]
    python bench/speed.py --quick [--python PYTHON]

Measures the wheel of this checkout in a new environment, and peers in theirs, as whole processes: user and system
seconds, as ratios to a process of the same round. All of a group run in a random order in each round, so that a busy
machine slows all of them. What is shown is the median over the rounds, and the quartiles.

Needs nothing but Python and pip. Nothing here fails because something is slow.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

from cases import Bench, Group, Row
from environments import PEERS, ROOT, NotInstalled, of_checkout, of_peer, version
from processes import Failed, Spread, Used, measured, used

GROUPS = ("one", "many", "sweeps", "growth", "fits", "peers")
TOLD = ("runplan", "lark", "PyYAML", "numpy", "rich")
VERDICT, SHORT, MISSING = "falls short", "What falls short", "What could not be measured"
MARKS = ("<!-- measured -->\n", "<!-- /measured -->\n")


@dataclass(frozen=True, slots=True)
class Result:
    """A row as it was measured: its figure, and the CPU in milliseconds and peak memory in MiB of its process."""

    group: str
    row: Row
    figure: Spread
    cpu: float
    memory: float

    @property
    def verdict(self) -> str:
        """Where the median lies; empty where nothing is asked."""
        if self.row.goal is None:
            return ""
        if self.row.stretch is not None and self.figure.median <= self.row.stretch:
            return "stretch"
        return "goal" if self.figure.median <= self.row.goal else VERDICT

    def cells(self) -> tuple[str, ...]:
        """Its row of the table."""
        row, figure = self.row, self.figure
        asked = " / ".join(f"{wanted:g}" for wanted in (row.goal, row.stretch) if wanted is not None)
        over = f"x {row.baseline}" if row.unit == "x" else row.unit
        return (
            row.name,
            over,
            f"{figure.median:.3g}",
            f"{figure.low:.3g} to {figure.high:.3g}",
            asked,
            self.verdict,
            f"{self.cpu:.0f}",
            f"{self.memory:.0f}",
        )


ALIGNED = ("---", "---", "--:", "--:", "--:", "---", "--:", "--:")
HEADS = ("what", "over", "median", "quartiles", "goal / stretch", "", "CPU, ms", "MiB")


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows, the CPU in milliseconds of every process behind them, and what could not be measured."""

    results: list[Result]
    cpu: dict[str, float]
    missing: list[str]

    def plus(self, other: Measured) -> Measured:
        """Both."""
        return Measured([*self.results, *other.results], self.cpu | other.cpu, [*self.missing, *other.missing])


def measured_of(group: Group) -> Measured:
    """The rows of a group, measured; one of which a process fails is left out, and said."""
    print(f"{group.name}: {group.rounds} rounds of {len(group.processes)} processes", file=sys.stderr)
    times, failed = measured(group.processes, group.rounds)
    rounds: list[Mapping[str, Used]] = [{name: took[i] for name, took in times.items()} for i in range(group.rounds)]
    cpu = {name: 1000 * Spread.of(took.cpu for took in each).median for name, each in times.items()}
    results, missing = [], []
    for row in group.rows:
        try:
            figure = Spread.of(row.figure(took) for took in rounds)
        except KeyError as error:
            missing.append(f"{row.name} is not measured: {error.args[0]} fails")
            continue
        memory = Spread.of(took.memory for took in times[row.shown]).median
        results.append(Result(group.name, row, figure, cpu[row.shown], memory))
    return Measured(results, cpu, [*missing, *failed])


def groups(bench: Bench, only: Sequence[str], points: int, places: Mapping[str, Path]) -> Iterator[Group]:
    """What is measured: all of it, or the groups of these names."""
    every: tuple[Callable[[], Group], ...] = (
        bench.one_plan,
        bench.many_plans,
        lambda: bench.sweeps(points_of(bench, points)),
        lambda: bench.growth((10, 100, 1000)),
        bench.fits,
        lambda: bench.peers(places),
    )
    for name, group in zip(GROUPS, every, strict=True):
        if not only or name in only:
            yield group()


def quick(bench: Bench) -> Group:
    """A few rows of one plan."""
    whole = bench.one_plan()
    rows = whole.rows[:3]
    names = {name for row in rows for name in (row.shown, row.baseline)}
    return replace(whole, processes=tuple(p for p in whole.processes if p.name in names), rows=rows)


def points_of(bench: Bench, wanted: int) -> int:
    """As many points as are wanted, or as a sweep can solve in a minute."""
    small, large = (p for p in bench.sweeps(10_000).processes[1:3])
    try:
        each = max((used(large).cpu - used(small).cpu) / 9000, 1e-9)
    except Failed:
        return 1000
    most: int = 10 ** math.floor(math.log10(60 / each))
    return min(wanted, max(1000, most))


def installed_peers(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The peers that can be installed, and why others cannot."""
    places, missing = {}, []
    for peer in PEERS:
        try:
            places[peer.package] = of_peer(peer, folder)
        except NotInstalled as error:
            missing.append(f"{peer.package} is not measured: {error}")
    return places, missing


def about(bench: Bench, places: Mapping[str, Path]) -> dict[str, str]:
    """When, where and of what versions it was measured."""
    python = subprocess.run([str(bench.place / "python"), "--version"], capture_output=True, text=True, check=True)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    versions = [f"{name} {found}" for name in TOLD if (found := version(bench.place, name))]
    versions += [f"{name} {version(place, name)}" for name, place in places.items()]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip(),
        "python": python.stdout.strip(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": ", ".join(versions),
    }


def table(results: Sequence[Result]) -> str:
    """All rows as text."""
    rows = [HEADS, *(result.cells() for result in results)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def sections(told: Mapping[str, str], found: Measured) -> dict[str, str]:
    """The rows of each group, as parts of a page by their headings."""
    where = f"{told['python']}, {told['machine']}; {told['versions']}"
    parts = {}
    for name in dict.fromkeys(result.group for result in found.results):
        lines = [f"Measured on {told['date']} at {told['commit']}: {where}.", ""]
        lines += [f"| {' | '.join(HEADS)} |", f"|{'|'.join(ALIGNED)}|"]
        lines += [f"| {' | '.join(result.cells())} |" for result in found.results if result.group == name]
        parts[name[0].upper() + name[1:]] = "\n".join(lines)
    if found.missing:
        parts[MISSING] = "\n".join(f"- {text.splitlines()[0]}" for text in found.missing)
    return parts


def short(parts: Mapping[str, str]) -> str:
    """The rows of parts of a page that fall short."""
    rows = [line.strip("| ").split(" | ") for text in parts.values() for line in text.splitlines()]
    told = [f"- {row[0]}: {row[2]} where {row[4].split(' / ')[0]} is asked" for row in rows if VERDICT in row]
    return "\n".join(told) or "Nothing."


def write_into(page: Path, told: Mapping[str, str], found: Measured) -> None:
    """Put what was measured between the marks of a page; what was measured of other groups before stays."""
    before, mark, rest = page.read_text("utf-8").partition(MARKS[0])
    kept, end, after = rest.partition(MARKS[1])
    old = (part.partition("\n") for part in kept.split("### ")[1:])
    parts = {name: text.strip() for name, _, text in old if name not in (SHORT, MISSING)} | sections(told, found)
    parts[SHORT] = short(parts)
    text = "\n".join(f"### {name}\n\n{text}\n" for name, text in parts.items())
    page.write_text(f"{before}{mark}\n{text}\n{end}{after}", "utf-8")


def document(told: Mapping[str, str], found: Measured) -> dict[str, object]:
    """All of it as data."""
    rows = [
        {
            "group": result.group,
            "name": result.row.name,
            "baseline": result.row.baseline,
            "unit": result.row.unit,
            **asdict(result.figure),
            "goal": result.row.goal,
            "stretch": result.row.stretch,
            "verdict": result.verdict,
            "cpu_ms": result.cpu,
            "memory_mib": result.memory,
        }
        for result in found.results
    ]
    return {"schema": "plan.bench/v1", **told, "rows": rows, "cpu_ms": found.cpu, "missing": found.missing}


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of a few rows: to see that it works")
    parser.add_argument("--only", action="append", default=[], choices=GROUPS, help="a group; may be repeated")
    parser.add_argument("--python", type=Path, help="an environment's interpreter, in place of a new environment")
    parser.add_argument("--rounds", type=int, default=15, help="how often at most a command is timed (%(default)s)")
    parser.add_argument("--points", type=int, default=1_000_000, help="points of a sweep at most (%(default)s)")
    parser.add_argument("--many", type=int, default=1000, help="plans of a folder (%(default)s)")
    parser.add_argument("--json", type=Path, help="a file for all of it as data")
    parser.add_argument("--write", type=Path, help="a page to put tables into, between its marks; others stay")
    parser.add_argument("--keep", type=Path, help="a folder for environments and plans, kept")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (args.keep or Path(temporary)).resolve()
        place = args.python.absolute().parent if args.python else of_checkout(folder / "environments")
        (folder / "plans").mkdir(parents=True, exist_ok=True)
        bench = Bench(place, folder / "plans", args.many, 1 if args.quick else args.rounds)
        measuring_peers = not args.quick and (not args.only or "peers" in args.only)
        places, missing = installed_peers(folder / "environments") if measuring_peers else ({}, [])
        measuring = [quick(bench)] if args.quick else groups(bench, args.only, args.points, places)
        found = reduce(Measured.plus, map(measured_of, measuring), Measured([], {}, missing))
        told = about(bench, places)
    print("\n".join([*(f"{name}: {text}" for name, text in told.items()), "", table(found.results), *found.missing]))
    if args.json:
        args.json.write_text(json.dumps(document(told, found), indent=2) + "\n", "utf-8")
    if args.write:
        write_into(args.write, told, found)

    if found.missing:
        sys.exit(1)


if __name__ == "__main__":
    main()
