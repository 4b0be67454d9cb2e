"""What is measured: plans, the commands that read them, and the rows that tell of those."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from environments import PEERS, SCHEMA
from growing import GROWING, MOST
from processes import Process, Used

YAML, NUMPY, PASS = "import yaml", "import numpy", "python -c pass"

PLAN_YAML = """\
# Does a 7B run on 64 H100s fit the grant?
plan: 7B on 2T
laws: [chinchilla, llama3]
let:
  grant: 250k USD
  floor: 1T tokens
hardware:
  gpus: 64
  device: H100
  time: 60 days
  from: 2026-06-01
  nodes_of: 8
  mfu: 40%
  availability: 95%
  price: 2.40 USD/GPU/hour
reserve: 10% because "ablations and restarts"
model: 7B
data:
  web: 3T tokens weight 70%
  code: 500B tokens weight 20%
  math: 80B tokens up to 4 epochs weight 10% quality high
objective: CLM
schedule: WSD quality late
require:
  - cost <= grant because "grant agreement"
  - finish <= 2026-08-15 because "maintenance"
  - tokens >= 200B
prefer:
  - epochs.math <= 3
minimize: loss
"""
PLAN = """\
# Does a 7B run on 64 H100s fit the grant?
plan "7B on 2T"
use laws chinchilla, llama3
let grant = 250k USD
let floor = 1T tokens
hardware: {
  gpus: 64
  device: H100
  time: 60 days
  from: 2026-06-01
  nodes_of: 8
  mfu: 40%
  availability: 95%
  price: 2.40 USD/GPU/hour
}
reserve: 10% because "ablations and restarts"
model: 7B
data web: 3T tokens weight 70%
data code: 500B tokens weight 20%
data math: 80B tokens up to 4 epochs weight 10% quality high
objective: CLM
schedule: WSD quality late
require cost <= grant because "grant agreement"
require finish <= 2026-08-15 because "maintenance"
require tokens >= 200B
prefer epochs.math <= 3
minimize loss
"""
SCIPY, PLAN_FIT = "import numpy, scipy.optimize", "plan fit, without draws"
# What fits.py does, by what it is called: ours, and what SciPy takes for the same.
FITS = {
    "one fit": "fit",
    "4,500 starts of L-BFGS-B": "L-BFGS-B",
    "4,000 draws": "draws",
    "4,000 draws by BFGS, analytic gradients": "BFGS",
}
RUNS = [(n, d) for n in (30, 90, 270, 810) for d in (2, 6, 18, 54)]
HARDWARE = "hardware: 64 x H100 for 60 days at 40% MFU @ 2.40 USD/GPU/hour\n"
CLOSED = HARDWARE + "model: 7B\n"
NUMERIC = HARDWARE + "use laws abnar\n"
CURVED = HARDWARE + "data: 20T tokens\nrequire loss <= 2.3\nminimize time\n"
SWEPT = ("hardware.time=10..300 days", "hardware.mfu=30%..50%", "hardware.price=1..4 USD/GPU/hour")
ASKED = "params,tokens,loss,cost"

Figure = Callable[[Mapping[str, Used]], float]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Attributes:
        figure: What it says of a round, by what its processes took.
        unit: What that is counted in: `x` of the baseline, or a unit.
        goal, stretch: What it is to be at most; None where nothing is asked.
        shown: The process whose CPU and memory stand beside it.
    """

    name: str
    baseline: str
    figure: Figure
    shown: str
    goal: float | None = None
    stretch: float | None = None
    unit: str = "x"


@dataclass(frozen=True, slots=True)
class Group:
    """Processes that run in the same rounds, and the rows that are told of them."""

    name: str
    rounds: int
    processes: tuple[Process, ...]
    rows: tuple[Row, ...]


def ratio(name: str, baseline: str, goal: float | None = None, stretch: float | None = None) -> Row:
    """The CPU of a process over that of another."""
    return Row(name, baseline, lambda took: took[name].cpu / took[baseline].cpu, name, goal, stretch)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where it is measured, and by what.

    Attributes:
        place: The `bin` of the environment with runplan.
        folder: For plans and caches.
        many: How many plans a folder has.
        rounds: How often one plan is checked; what takes long is measured less often.
    """

    place: Path
    folder: Path
    many: int = 1000
    rounds: int = 15

    def group(self, name: str, few: int, processes: Sequence[Process], rows: Sequence[Row]) -> Group:
        """A group that is measured at most so many rounds."""
        return Group(name, min(self.rounds, few), tuple(processes), tuple(rows))

    # ---- processes

    def python(self, name: str, code: str, *arguments: str) -> Process:
        """A process of the environment's interpreter."""
        return Process(name, (str(self.place / "python"), "-c", code, *arguments), self.folder)

    def plan(self, name: str, *arguments: str, cache: str = "kept", edited: Path | None = None) -> Process:
        """A `plan` command.

        Args:
            cache: `empty` before each run, or the name of one that is kept from run to run.
            edited: A file that has another last line in each run.
        """
        folder = self.folder / "caches" / cache

        def before() -> None:
            if cache == "empty":
                shutil.rmtree(folder, ignore_errors=True)
            if edited is not None:
                lines = edited.read_text("utf-8").splitlines()
                kept = [line for line in lines if not line.startswith("# edit ")]
                edited.write_text("\n".join([*kept, f"# edit {random.random()}", ""]), "utf-8")

        command = (str(self.place / "plan"), *arguments)
        return Process(name, command, self.folder, {"XDG_CACHE_HOME": str(folder)}, before, (0, 1, 4))

    def written(self, name: str, text: str) -> Path:
        """A file of the bench's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    # ---- groups

    def one_plan(self) -> Group:
        """Commands on one plan."""
        spellings = {"YAML": ("p30.plan.yaml", PLAN_YAML, 2.0, 1.9), "DSL": ("p30.plan", PLAN, 1.9, 1.7)}
        processes = [self.python(YAML, "import yaml"), self.python(PASS, "pass")]
        rows = []
        for spelling, (file, text, goal, stretch) in spellings.items():
            path = self.written(f"edited.{file}", text)
            self.written(file, text)
            named = f"plan check, 30 lines of {spelling}"
            processes += [
                self.plan(f"{named}, empty cache", "check", file, cache="empty"),
                self.plan(f"{named}, edited", "check", path.name, edited=path),
                self.plan(f"{named}, unchanged", "check", file),
            ]
            rows += [
                ratio(f"{named}, empty cache", YAML, goal, stretch),
                ratio(f"{named}, edited", YAML),
                ratio(f"{named}, unchanged", PASS, 1.8, 1.6),
            ]
        others: tuple[tuple[str, tuple[str, ...], float | None, float | None], ...] = (
            ("plan solve, 30 lines of YAML", ("solve", "p30.plan.yaml"), 4.6, 4.0),
            ("plan law", ("law",), 2.7, None),
            ("plan compare", ("compare", "p30.plan.yaml", "--laws", "chinchilla,llama3"), 4.4, None),
            ("plan explain", ("explain", "p30.plan.yaml", "cost"), 5.5, None),
            ("plan --version", ("--version",), None, None),
        )
        for name, arguments, most, best in others:
            processes.append(self.plan(name, *arguments, cache="empty"))
            rows.append(ratio(name, YAML, most, best))
        return self.group("one plan", 15, processes, rows)

    def many_plans(self) -> Group:
        """Commands on a folder of plans, against a loader of YAML in C."""
        load = "import os, sys, yaml\nfor name in sorted(os.listdir(sys.argv[1])):\n" + (
            "    with open(os.path.join(sys.argv[1], name), 'rb') as stream: yaml.load(stream, yaml.CSafeLoader)"
        )
        chance = random.Random(1)
        for i in range(self.many):
            self.written(f"different/{i:04}.plan.yaml", different(chance, i))
            self.written(
                f"shape/{i:04}.plan.yaml", PLAN_YAML.replace("250k", f"{200 + i}k").replace("7B on", f"{i} on")
            )
        loaded, n = "yaml.CSafeLoader", f"{self.many:,}"
        one = self.written("one/0.plan.yaml", different(chance, 0))
        names = {what: f"plan check, {n} {what}" for what in ("different plans", "of one shape", "unchanged")}
        processes = [
            self.python(loaded, load, "different"),
            self.plan(names["different plans"], "check", "different", "-o", "concise", cache="empty"),
            self.plan(names["of one shape"], "check", "shape", "-o", "concise", cache="empty"),
            self.plan(names["unchanged"], "check", "different", "-o", "concise", cache="many"),
            self.plan("plan check, one plan", "check", one.parent.name, "-o", "concise", cache="empty"),
        ]
        rows = [
            ratio(names["different plans"], loaded, 30, 11),
            ratio(names["of one shape"], loaded, 2, 1.5),
            ratio(names["unchanged"], loaded, 0.2, 0.15),
            Row(
                f"peak memory, {n} plans",
                "one plan",
                lambda took: took[names["different plans"]].memory / took["plan check, one plan"].memory,
                names["different plans"],
                1.5,
            ),
        ]
        return self.group(f"{n} plans", 3, processes, rows)

    def sweeps(self, points: int) -> Group:
        """Sweeps of so many points, and of a tenth, whose start is taken off."""
        processes, rows = [self.python(NUMPY, "import numpy")], []
        for law, text, goal, stretch in (
            ("a law with a closed form", CLOSED, 100, 50),
            ("a numeric law", NUMERIC, 4000, 2000),
            ("a loss that binds", CURVED, 4000, 2000),
        ):
            file = self.written(f"swept/{law.replace(' ', '-')}.plan", text)
            small, large = (f"plan sweep, {law}, {count:,} points" for count in (points // 10, points))
            for name, count in ((small, points // 10), (large, points)):
                arguments = ("sweep", f"swept/{file.name}", *axes_of(count), "--ask", ASKED, "-o", "npy=swept.npy")
                processes.append(self.plan(name, *arguments))
            rows.append(per_point(f"sweep, {law}, 4 outputs", small, large, points - points // 10, goal, stretch))
            rows.append(Row(large, f"{points // 10:,} points", ratio(large, small).figure, large, 10.0))
            if text == CLOSED:
                rows.append(replace(ratio(large, NUMPY, 3.3, 3.0), name=f"{large}, the whole process"))
        return self.group("sweeps", 5, processes, rows)

    def growth(self, sizes: Sequence[int]) -> Group:
        """What ten times as much costs: of sizes that grow tenfold, the last two."""
        uncached = ("-o", "concise", "--no-cache")
        processes = [self.plan("nothing", "check", self.written("nothing.plan", HARDWARE).name, *uncached)]
        rows = []
        for n in sizes[:-1]:  # of plans a tenth: they take longest
            for i in range(n):
                self.written(f"growth/{n}-plans/{i}.plan", HARDWARE.replace("64", str(64 + i)))
            processes.append(self.plan(f"{n} plans", "check", f"growth/{n}-plans", *uncached))
        rows.append(grown("plans", sizes[-3], sizes[-2]))
        for what, text in GROWING.items():
            most = min(MOST.get(what, sizes[-1]), sizes[-1])
            own = (*(n for n in sizes if n < most // 10), most // 10, most)
            for n in own:
                path = self.written(f"growth/{what.replace(' ', '-')}-{n}.plan", HARDWARE + text(n))
                processes.append(self.plan(f"{n} {what}", "check", f"growth/{path.name}", *uncached))
            rows.append(grown(what, *own[-2:]))
        return self.group("ten times as much", 3, processes, rows)

    def fits(self) -> Group:
        """Fits of a law beside SciPy's solvers, whose work is done in part: `fits.py`."""
        table = "\n".join(f"{n}e6,{d}e9,{1.8 + 480 / (n * 1e6) ** 0.35 + 2000 / (d * 1e9) ** 0.37}" for n, d in RUNS)
        self.written("runs.csv", f"params [params],tokens [tokens],loss [nat/token]\n{table}\n")
        script = str(Path(__file__).with_name("fits.py"))
        nothing, starts, draws, again = "fits.py, nothing done", 100, 100, 50
        parts = ("--starts", str(starts), "--draws", str(draws), "--again", str(again))
        processes = [
            self.python(SCIPY, "import numpy, scipy.optimize"),
            self.plan(PLAN_FIT, "fit", "runs.csv", "--form", "chinchilla", "--bootstrap", "0", cache="empty"),
        ]
        for name, work in {nothing: "nothing", **FITS}.items():
            processes.append(Process(name, (str(self.place / "python"), script, "--do", work, *parts), self.folder))

        def over(name: str, other: str, more: float) -> Figure:
            def figure(took: Mapping[str, Used]) -> float:
                return (took[name].cpu - took[nothing].cpu) / ((took[other].cpu - took[nothing].cpu) * more)

            return figure

        fit, other, drawn, bfgs = FITS
        rows = [
            Row(fit, other, over(fit, other, again * 4500 / starts), fit, 1 / 5000),
            Row(drawn, bfgs, over(drawn, bfgs, 4000 / draws), drawn, 1 / 25),
            ratio(PLAN_FIT, SCIPY, 1.5),
        ]
        return self.group("fits", 5, processes, rows)

    def peers(self, places: Mapping[str, Path]) -> Group:
        """The peers that are installed, on the same plan."""
        self.written("schema.json", SCHEMA)
        self.written("p30.plan.yaml", PLAN_YAML)
        processes, rows = [self.python(YAML, "import yaml")], []
        for peer in PEERS:
            if peer.package in places:
                script, *arguments = peer.arguments
                command = (str(places[peer.package] / script), *arguments)
                processes.append(Process(peer.package, command, self.folder))
                rows.append(ratio(peer.package, YAML))
        return self.group("peers", 7, processes, rows)


def axes_of(points: int) -> tuple[str, ...]:
    """Axes of so many points, which is a power of ten."""
    tens = len(str(points)) - 1
    counts = (10 ** ((tens + i) // 3) for i in range(3))
    return tuple(f"{axis}:{count}" for axis, count in zip(SWEPT, counts, strict=True) if count > 1)


def different(chance: random.Random, i: int) -> str:
    """A plan of its own figures."""
    text = PLAN_YAML
    for old, new in (
        ("7B on 2T", f"plan {i}"),
        ("250k USD", f"{chance.randint(200, 900)}k USD"),
        ("gpus: 64", f"gpus: {chance.choice([32, 64, 96, 128, 256, 512])}"),
        ("60 days", f"{chance.randint(20, 74)} days"),
        ("mfu: 40%", f"mfu: {chance.uniform(28, 50):.1f}%"),
        ("2.40 USD", f"{chance.uniform(1.2, 4):.2f} USD"),
        ("model: 7B", f"model: {chance.uniform(1, 30):.1f}B"),
        ("3T tokens", f"{chance.uniform(2, 9):.2f}T tokens"),
        ("80B", f"{chance.randint(50, 200)}B"),
    ):
        text = text.replace(old, new)
    return text


def per_point(name: str, small: str, large: str, points: int, goal: float, stretch: float) -> Row:
    """Nanoseconds a point, by how much longer the larger sweep takes for so many points more."""

    def figure(took: Mapping[str, Used]) -> float:
        return (took[large].cpu - took[small].cpu) / points * 1e9

    return Row(name, "", figure, large, goal, stretch, "ns a point")


def grown(what: str, small: int, large: int) -> Row:
    """What the larger plan costs beyond an empty one, over what the smaller does."""

    def figure(took: Mapping[str, Used]) -> float:
        least = 0.002  # seconds that no round tells apart
        start = took["nothing"].cpu
        return max(took[f"{large} {what}"].cpu - start, least) / max(took[f"{small} {what}"].cpu - start, least)

    return Row(f"{large} {what}", f"{small} of them", figure, f"{large} {what}", 10.0)
