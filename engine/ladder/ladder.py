"""A plan into the ladder that leads to it: small runs, each a plan, what they cost in all, and what they will tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.packs.library import Library
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Reader
from runplan.dsl.units.show import count
from runplan.engine.formulate.alone import objective_of
from runplan.engine.ladder.designs import BUDGETS, SIZES, Design, Room, Run, ell, isoflop, ratio
from runplan.engine.ladder.exchange import best
from runplan.engine.ladder.family import Family, Shape, family_of
from runplan.engine.ladder.flagship import Flagship, flagship_of
from runplan.engine.ladder.refused import NoLadder
from runplan.engine.ladder.side_by_side import devices, finished
from runplan.engine.ladder.sizes import Settings, Sizes, Writer, sizes_of
from runplan.engine.ladder.width import DRAWS, SEED, UNTOLD, Target, Width
from runplan.engine.laws.form import is_of_settings
from runplan.engine.layout.memory import LEAST, USABLE
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution

# Of the flagship's compute, unless said: Llama 3's 6e18 to 1e22 FLOP, about ten sizes each, come to some 0.4 % of its
# 3.8e25 (arXiv:2407.21783, section 3.2.1); 5 % is what small budgets need for three sizes of three budgets.
SHARE = 0.05
# Standard deviation of the logarithm of a loss, unless said: the middle one of Chinchilla's 240 runs lies so far from
# their refit (arXiv:2404.10102; measured here: 0.32 %).
NOISE = 0.003
NOISE_SOURCE = ": not given; the middle one of Chinchilla's 240 runs lies so far from their refit (arXiv:2404.10102)"
# How long a run should take where nothing says how many devices there are.
_DAY = 86400.0
_DEFAULTS = "ladder"
# Devices enough for any run, where nothing says how many there are.
_MANY = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a ladder.

    Attributes:
        share, noise: See `Ladder`; `SHARE` and `NOISE` unless said.
        law: Whose loss it is to tell; the plan's first that has one unless said.
        stage: Of a plan with stages the first, which alone is trained from scratch.
        family: The published model whose proportions the small ones have; the plan's unless said.
        budgets, sizes: How many budgets of how many sizes each, as far as there is room.
        draws, seed: Of the simulation: how often runs are drawn and fitted, and by what they are drawn.
        folder: Where the plans of the runs are to lie.
    """

    design: Design = "isoflop"
    share: float | None = None
    noise: float | None = None
    law: str | None = None
    family: str | None = None
    budgets: int = BUDGETS
    sizes: int = SIZES
    draws: int = DRAWS
    seed: int = SEED
    folder: str = ""
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Small:
    """A small run.

    Attributes:
        name: Of its plan's file, and in the table to fill in.
        place: Of its size among the sizes.
        budget: Of which budget it is, in FLOP; None where the design has none.
        loss: What the flagship's law expects of it.
        text: Of its plan.
        solution: Of that plan.
        findings: What is wrong, doubtful or worth knowing of it.
    """

    name: str
    place: int
    shape: Shape
    settings: Settings
    budget: float | None
    gpus: int
    loss: float
    text: str
    solution: Solution
    findings: tuple[Finding, ...]

    def value(self, name: Name) -> float | None:
        """A quantity of its plan, in base units; None where it does not apply."""
        return self.solution.get(name)

    @property
    def warmup(self) -> int:
        """Steps in which the learning rate rises, by the schedule of its plan; 0 where it has no such phase."""
        return round(self.solution.get(q.STEPS.of("phase", "warmup")) or 0)


@dataclass(frozen=True, slots=True)
class Compared:
    """A design, beside others.

    Attributes:
        runs: Of which size on how many tokens.
        why_not: Why there is none within the budget; empty where there is.
    """

    design: Design
    runs: tuple[Run, ...]
    compute: float
    largest: float
    width: Width
    why_not: str = ""

    @property
    def sizes(self) -> int:
        """How many sizes it has."""
        return len({run.size for run in self.runs})


@dataclass(frozen=True, slots=True)
class Warned:
    """A finding that plans of runs have.

    Attributes:
        first: That of the first of them.
        runs: The names of all of them.
    """

    first: Finding
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Small runs, and what they lead to.

    Attributes:
        share: Of the flagship's compute that they may take.
        settings_by: The laws of their batch and learning rate.
        seconds: Until the last of them ends, side by side; None where there is no hardware.
        noise: Standard deviation of the logarithm of a run's loss.
        compared: All designs within the same budget.
    """

    asked: Asked
    flagship: Flagship
    family: Family
    sizes: Sizes
    design: Design
    share: float
    runs: tuple[Small, ...]
    settings_by: tuple[str, ...]
    seconds: float | None
    noise: float
    compared: tuple[Compared, ...]

    def total(self, name: Name) -> float | None:
        """A quantity of all runs together, in base units; None where one of them has none."""
        values = [run.value(name) for run in self.runs]
        return None if None in values else sum(value for value in values if value is not None)

    def warned(self) -> Iterator[Warned]:
        """What is doubtful or worth knowing of the runs' plans, worst first."""
        found: dict[tuple[str, str], tuple[Finding, dict[str, None]]] = {}
        for run in self.runs:
            for one in run.findings:
                found.setdefault((one.severity, one.code), (one, {}))[1][run.name] = None
        for one, names in sorted(found.values(), key=lambda item: (RANK[item[0].severity], item[0].code)):
            yield Warned(one, tuple(names))

    def simulated(self) -> tuple[float, ...]:
        """A loss of each run, drawn from what the law expects with the noise, by the seed."""
        stream = np.random.Generator(np.random.PCG64(self.asked.seed))
        off = np.exp(self.noise * stream.standard_normal(len(self.runs)))
        return tuple((np.array([run.loss for run in self.runs]) * off).tolist())

    @property
    def chosen(self) -> Compared:
        """The design of the runs, among those compared."""
        return next(one for one in self.compared if one.design == self.design)

    @property
    def loss(self) -> float:
        """What the law expects of the flagship, in nats a token."""
        at = self.flagship
        return float(at.surface.at(np.array([at.size]), np.array([at.tokens]))[0])

    @property
    def best_size(self) -> float:
        """The size that the law finds best at the flagship's compute, as it counts it."""
        return float(self.flagship.surface.best(self.flagship.compute)[0])


def ladder_of(path: str, reader: Reader, asked: Asked, *, catalogue: Library, settings: Sequence[str] = ()) -> Ladder:
    """The ladder that leads to a plan.

    Args:
        settings: `path=value` each, in place of what the plan says.

    Raises:
        OSError: Where the plan cannot be read.
        UnknownLaw: Where no law is called so.
        NoLadder: Where none can be designed; it says why, by kind.
    """
    share, noise = asked.share or SHARE, asked.noise or NOISE
    flagship = flagship_of(path, reader, catalogue=catalogue, settings=settings, law=asked.law, stage=asked.stage)
    named = catalogue.record("model", asked.family) if asked.family else None
    family = family_of(flagship.plan, flagship.solution, catalogue, named)
    lent = _lenders(flagship, catalogue)
    laws = (flagship.solution.problem.law.name, *lent)
    writer = Writer(flagship, family, reader, catalogue, asked.folder, laws, _stated_mfu(flagship))
    sizes = sizes_of(writer)
    room = Room(sizes, flagship.surface, share * flagship.compute, asked.budgets, asked.sizes)
    compared = _compared(room, flagship, asked, noise)
    chosen = next(one for one in compared if one.design == asked.design)
    if chosen.why_not:
        raise NoLadder("budget", chosen.why_not)
    runs = tuple(_runs(chosen, writer, sizes))
    times = [run.value(q.TIME) for run in runs]
    seconds = None
    if None not in times:
        seconds = finished([(r.gpus, t) for r, t in zip(runs, times, strict=True) if t is not None], _gpus(flagship))
    return Ladder(asked, flagship, family, sizes, asked.design, share, runs, lent, seconds, noise, compared)


def _lenders(flagship: Flagship, catalogue: Library) -> tuple[str, ...]:
    """The laws of settings of small runs: those that the plan names, else those that are tuned on small runs."""
    settings = catalogue.quantities().fields.get("optimizer", {})
    named = [law for mention in flagship.plan.laws if (law := catalogue.law(mention.text)) is not None]
    own = tuple(law.name for law in named if is_of_settings(law, settings))
    domain = objective_of(flagship.plan).domain
    return own or catalogue.defaults(domain, _DEFAULTS)


def _stated_mfu(flagship: Flagship) -> float | None:
    """What the plan says that its devices reach; None where it leaves that to what runs reach."""
    definition = flagship.solution.problem.definitions.get(q.MFU)
    return None if definition is None or definition.kind == "assumed" else flagship.solution.get(q.MFU)


def _gpus(flagship: Flagship) -> float | None:
    return flagship.solution.get(q.GPUS)


# ---- designs side by side


def _compared(room: Room, flagship: Flagship, asked: Asked, noise: float) -> tuple[Compared, ...]:
    """Every design within the budget, with what it tells."""
    target = Target.of(flagship.surface, flagship.size, flagship.tokens, flagship.compute)
    made: dict[Design, tuple[Run, ...] | NoLadder] = {}
    makers: Mapping[Design, object] = {"isoflop": isoflop, "ratio": ratio, "L": ell}
    for design, maker in makers.items():
        try:
            made[design] = maker(room)  # type: ignore[operator]
        except NoLadder as error:
            made[design] = error
    starts = [runs for runs in made.values() if not isinstance(runs, NoLadder)]
    try:
        made["best"] = best(room, (flagship.size, flagship.tokens), starts)
    except NoLadder as error:
        made["best"] = error
    return tuple(_one(room, design, runs, target, asked, noise) for design, runs in made.items())


def _one(
    room: Room, design: Design, runs: tuple[Run, ...] | NoLadder, target: Target, asked: Asked, noise: float
) -> Compared:
    if isinstance(runs, NoLadder):
        return Compared(design, (), 0.0, 0.0, UNTOLD, str(runs))
    params, tokens = room.sizes_there.law[[run.size for run in runs]], np.array([run.tokens for run in runs])
    largest = max(room.compute([run]) for run in runs)
    width = target.width(params, tokens, noise, asked.draws, asked.seed)
    return Compared(design, runs, room.compute(runs), largest, width)


# ---- runs


def _runs(chosen: Compared, writer: Writer, sizes: Sizes) -> Iterator[Small]:
    """The runs of a design, each as its own plan, read and solved."""
    flagship = writer.flagship
    made = [sizes.settings(run.size, run.tokens) for run in chosen.runs]
    rate = flagship.solution.get(q.RATE)
    work = [
        0.0 if rate is None else sizes.work(run.size, each.tokens) / rate
        for run, each in zip(chosen.runs, made, strict=True)
    ]
    room = _gpus(flagship)
    alone = sum(work) / room if room else _DAY
    each = round(flagship.solution.get(q.NODES_OF) or 1)
    names = _names(chosen, sizes)
    for name, run, settings, seconds in zip(names, chosen.runs, made, work, strict=True):
        gpus = devices(seconds, max(alone, 1.0), room, settings.batch / sizes.sequence, each)
        yield _small(name, run, settings, gpus, writer, sizes)


def _small(name: str, run: Run, settings: Settings, gpus: int, writer: Writer, sizes: Sizes) -> Small:
    """A run as its own plan, on as many more devices as its memory asks for."""
    flagship, shape = writer.flagship, sizes.shapes[run.size]
    comment = f"A small run of the ladder that leads to {flagship.plan.source.path}: `plan ladder` wrote it."
    text = writer.text(name, comment, shape, gpus, settings)
    report = writer.report(name, text)
    solution, findings = report.solutions[0], report.findings
    least, usable = solution.get(LEAST), solution.get(USABLE)
    full = least is not None and usable is not None and least > usable
    if full and 2 * gpus <= (_gpus(flagship) or _MANY):
        return _small(name, run, settings, 2 * gpus, writer, sizes)
    (loss,) = flagship.surface.at(sizes.law[[run.size]], np.array([float(settings.tokens)])).tolist()
    return Small(name, run.size, shape, settings, run.budget, gpus, loss, text, solution, findings)


def _names(chosen: Compared, sizes: Sizes) -> list[str]:
    """A name for each run, that no other has: its budget and size, or its size and tokens."""
    said = []
    for run in chosen.runs:
        size = _short(float(sizes.params[run.size]))
        said.append(f"{_power(run.budget)}-{size}" if run.budget else f"{size}-{_short(run.tokens)}")
    seen: Counter[str] = Counter()
    names = []
    for name in said:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _short(value: float) -> str:
    return f"{value / 1e3:.0f}k" if value < 1e6 else count(value, 3)


def _power(value: float) -> str:
    return f"{value:.1e}".replace("e+", "e").replace(".0e", "e")
