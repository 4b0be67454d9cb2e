"""Plans at joint draws of all that is uncertain to how often each is the one to choose, and what is worth knowing.

The draws are the same for all plans: of the constants of a law that they share, and of a rate that is assumed of each.
Knowing one of these is choosing anew for each of its tenths. What it is worth is by how much the choices so made are
better, on average, and how much less often they fail.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, pstdev

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Op, walk
from runplan.dsl.plan.ir import Plan
from runplan.engine.analysis.draws import Draw, draws, published
from runplan.engine.analysis.resolve import Resolver, evaluator
from runplan.engine.decide.candidates import Measure
from runplan.engine.judge.requirements import broken_part
from runplan.engine.problem.solution import Solution

# Draws, where none takes the general solver.
MOST = 200
# A choice fails too often where it fails in more draws than this.
SELDOM = 0.10
# Into how many parts, each as likely, what may be known is divided.
PARTS = 10
# What binds in a draw is kept to this much; and what is nearer to nothing than this many of its errors is nothing.
KEPT, ERRORS = 1e-6, 3.0
# A share of the draws below this is none.
NONE = 1e-9


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a plan over the draws.

    Attributes:
        holds: The share of draws in which it can be done and keeps what it requires.
        best: The share in which it is the one to choose.
        regret: What it comes to beyond the best, on average over the draws in which both are there; in base units of
            the measure.
        far: The same at the end of nine in ten of these draws.
    """

    holds: float
    best: float
    regret: float
    far: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What knowing something is worth.

    Attributes:
        what: The quantity, or the law whose constants it is about; empty of everything.
        changes: The share of draws in which another plan is chosen then.
        gain: What is gained in the measure, on average over all draws, in base units.
        saves: By how much the share of draws falls in which the choice fails.
    """

    what: str
    is_law: bool
    changes: float
    gain: float
    saves: float


# The measure of each plan in a draw, the less the better; None where it does not hold there.
Row = tuple[float | None, ...]


@dataclass(frozen=True)
class Knowing:
    """Several plans at joint draws.

    Attributes:
        rows: A draw each.
        about: What is drawn, with the value of each draw by which its parts are told.
    """

    measure: Measure
    rows: tuple[Row, ...]
    about: tuple[tuple[str, bool, tuple[float, ...]], ...]

    @property
    def choice(self) -> int | None:
        """The plan to choose over all draws."""
        return _choice(self.rows)

    @cached_property
    def fates(self) -> tuple[Fate, ...]:
        """What becomes of each plan."""
        return tuple(self._fate(i) for i in range(len(self.rows[0])))

    def _fate(self, i: int) -> Fate:
        own = [(row[i], min(value for value in row if value is not None)) for row in self.rows if row[i] is not None]
        regrets = sorted(value - best for value, best in own if value is not None)
        best = sum(value == least for value, least in own)
        far = regrets[math.ceil((1.0 - SELDOM) * len(regrets)) - 1] if regrets else math.nan
        count = len(self.rows)
        return Fate(len(own) / count, best / count, fmean(regrets) if regrets else math.nan, far)

    @cached_property
    def everything(self) -> Worth:
        """What it is worth to know all that is drawn."""
        return self._worth("", False, [[row] for row in self.rows])

    @cached_property
    def each(self) -> tuple[Worth, ...]:
        """What each is worth that would change the choice, what changes it most first."""
        found = []
        for what, is_law, by in self.about:
            order = sorted(range(len(self.rows)), key=lambda i, by=by: by[i])  # type: ignore[misc]
            size = max(1, len(order) // PARTS)
            parts = [[self.rows[i] for i in order[at : at + size]] for at in range(0, len(order), size)]
            found.append(self._worth(what, is_law, parts))
        return tuple(sorted((w for w in found if w.changes > NONE), key=lambda w: (-w.changes, -w.gain, w.what)))

    def _worth(self, what: str, is_law: bool, parts: Sequence[Sequence[Row]]) -> Worth:
        now, count = self.choice, len(self.rows)
        changes, gain, saves = 0, 0.0, 0
        for part in parts:
            then = _choice(part, now)
            if then == now or then is None:
                continue
            changes += len(part)
            for row in part:
                old, new = None if now is None else row[now], row[then]
                saves += (new is not None) - (old is not None)
                gain += old - new if old is not None and new is not None else 0.0
        return Worth(what, is_law, changes / count, gain / count, saves / count)


def _choice(rows: Sequence[Row], now: int | None = None) -> int | None:
    """The plan to choose for some draws: the best on average of those that seldom fail, else what fails least.

    Args:
        now: What is chosen unless another is better by more than so few draws could show by chance.
    """
    count = len(rows)
    fails = [sum(row[i] is None for row in rows) / count for i in range(len(rows[0]))]
    if min(fails) >= 1.0:
        return now
    by_chance = ERRORS * math.sqrt(SELDOM * (1.0 - SELDOM) / count) if count > 1 else 0.0
    seldom = [i for i, share in enumerate(fails) if share <= SELDOM + (by_chance if i == now else 0.0)]
    if not seldom:
        return now if now is not None and fails[now] <= min(fails) + by_chance else fails.index(min(fails))
    best = min(seldom, key=lambda i: fmean(value for row in rows if (value := row[i]) is not None))
    if now is None or now not in seldom or best == now:
        return best
    by = [old - new for row in rows if (old := row[now]) is not None and (new := row[best]) is not None]
    if not by:
        return best
    return best if fmean(by) > ERRORS * pstdev(by) / math.sqrt(len(by)) else now


def knowing_of(plans: Sequence[Plan], solutions: Sequence[Solution], measure: Measure) -> Knowing | None:
    """Plans at joint draws; None where nothing of them is uncertain, or their draws have no solution."""
    evaluators = [evaluator(solution) for solution in solutions]
    count = min(MOST, *(number for _, number in evaluators))
    own = [draws(solution.problem.deviating(), count) for solution in solutions]
    joint = [{**{n: v for each in reversed(own) for n, v in each[at].items()}} for at in range(count)]
    middle: dict[Name, float] = {}
    for solution in solutions:
        middle |= {**published(solution.problem.law), **dict.fromkeys(solution.problem.deviating().deviates, 0.0)}
    moved = {name for name in middle if any(abs(draw[name] - middle[name]) > 0.0 for draw in joint)}
    if count < PARTS or not moved:
        return None

    def row(draw: Mapping[Name, float]) -> Row:
        each = zip(plans, own, evaluators, strict=True)
        return tuple(_at(plan, {n: draw[n] for n in drawn[0]}, at, measure) for plan, drawn, (at, _) in each)

    rows = tuple(map(row, joint))
    if all(value is None for one in rows for value in one):
        return None
    about = tuple(_about(moved, middle, joint, rows, row))
    return Knowing(measure, rows, about)


def _at(plan: Plan, draw: Draw, at: Resolver, measure: Measure) -> float | None:
    """What a plan comes to in a draw, the less the better; None where it does not hold there."""
    values = at(draw)
    if values is None or measure.name not in values:
        return None
    kept = all(
        broken_part(r, values, KEPT) is None
        for r in plan.requires
        if not any(isinstance(item, Op) and item.op == "P" for item in walk(r.condition))
    )
    return measure.of(values) if kept else None


def _about(
    moved: set[Name], middle: Mapping[Name, float], joint: Sequence[Draw], rows: Sequence[Row], row: object
) -> Iterator[tuple[str, bool, tuple[float, ...]]]:
    """What is drawn: each deviate, and of each law its constants, by what they alone make of the choice."""
    assert callable(row)
    for name in sorted(name for name in moved if name.kind == "deviate"):
        yield name.text, False, tuple(draw[name] for draw in joint)
    now = _choice(rows)
    if all(_choice([one], now) == now for one in rows):
        return  # no knowledge of anything changes it
    for law in sorted({name.part("law") for name in moved if name.kind == "constant"}):
        alone: list[float] = []
        for draw in joint:
            own = {name: value for name, value in draw.items() if name.part("law") == law}
            values: Row = row({**middle, **own})
            there = [value for i, value in enumerate(values) if i != now and value is not None]
            mine = None if now is None else values[now]
            alone.append(mine - min(there) if mine is not None and there else math.inf if mine is None else -math.inf)
        yield law, True, tuple(alone)
