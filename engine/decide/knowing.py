"""Plans at joint draws of all that is uncertain to how often each is the one to choose, and what is worth knowing.

The draws are the same for all plans: of the constants of a law that they share, and of a rate that is assumed of each.
Knowing one of these is choosing anew for each of its tenths. What it is worth is by how much the choices so made are
better, on average, and how much less often they fail.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import names
from runplan.dsl.plan.ir import Plan
from runplan.engine.analysis.resolve import Evaluator, evaluator
from runplan.engine.decide.candidates import Measure
from runplan.engine.judge.requirements import broken_parts
from runplan.engine.numeric.sample import deviation, mean
from runplan.engine.problem.draws import Draw, draws, is_deviate, is_uncertain, published
from runplan.engine.problem.points import Points
from runplan.engine.problem.problem import Problem
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


@dataclass(frozen=True, slots=True)
class About:
    """What may be known.

    Attributes:
        what: Its name.
        is_law: Whether that is of a law, all of whose constants are meant.
        by: A number a draw, by which its parts are told.
    """

    what: str
    is_law: bool
    by: tuple[float, ...]


@dataclass(frozen=True)
class Knowing:
    """Several plans at joint draws.

    Attributes:
        rows: A draw each.
        about: What is drawn.
    """

    measure: Measure
    rows: tuple[Row, ...]
    about: tuple[About, ...]

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
        return Fate(len(own) / count, best / count, mean(regrets) if regrets else math.nan, far)

    @cached_property
    def everything(self) -> Worth:
        """What it is worth to know all that is drawn."""
        return self._worth("", False, [[row] for row in self.rows])

    @cached_property
    def each(self) -> tuple[Worth, ...]:
        """What each is worth that would change the choice, what changes it most first."""
        found = []
        for one in self.about:
            order = sorted(range(len(self.rows)), key=one.by.__getitem__)
            size = max(1, len(order) // PARTS)
            parts = [[self.rows[i] for i in order[at : at + size]] for at in range(0, len(order), size)]
            found.append(self._worth(one.what, one.is_law, parts))
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
    best = min(seldom, key=lambda i: mean(value for row in rows if (value := row[i]) is not None))
    if now is None or now not in seldom or best == now:
        return best
    by = [old - new for row in rows if (old := row[now]) is not None and (new := row[best]) is not None]
    if not by:
        return best
    return best if mean(by) > ERRORS * deviation(by) / math.sqrt(len(by)) else now


def knowing_of(plans: Sequence[Plan], solutions: Sequence[Solution], measure: Measure) -> Knowing | None:
    """Plans at joint draws; None where nothing of them is uncertain, or their draws have no solution."""
    each = [Drawn.of(plan, solution, measure) for plan, solution in zip(plans, solutions, strict=True)]
    return known_of(each, measure)


def known_of(each: Sequence[Drawn], measure: Measure) -> Knowing | None:
    """What is chosen at joint draws; None where nothing is uncertain, or the draws have no solution."""
    count = min(MOST, *(drawn.count for drawn in each))
    joint = _joint([drawn.problem for drawn in each], count)
    if count < PARTS or not joint:
        return None
    columns = [drawn.over([own[i] for own in joint]) for i, drawn in enumerate(each)]
    rows = tuple(zip(*columns, strict=True))
    if all(value is None for row in rows for value in row):
        return None
    return Knowing(measure, rows, tuple(_about(each, joint, rows)))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan, to be evaluated at draws; ranges that it gives are drawn as well.

    Attributes:
        problem: In which what is uncertain is off by its deviates.
        evaluate: From draws to all values that the plan has then, good for `count` draws.
    """

    plan: Plan
    problem: Problem
    evaluate: Evaluator
    count: int
    measure: Measure

    @staticmethod
    def of(plan: Plan, solution: Solution, measure: Measure) -> Drawn:
        """The plan of a solution."""
        ranging = replace(solution, problem=solution.problem.ranging())
        evaluate, count = evaluator(ranging)
        return Drawn(plan, ranging.problem.deviating(), evaluate, count, measure)

    @property
    def middle(self) -> dict[Name, float]:
        """The draw of what is published, assumed and in the middle of a range."""
        off = (name for name in self.problem.definitions if is_deviate(name))
        return {**published(self.problem.law), **{name: self.problem.number(name) for name in off}}

    def of_law(self, draw: Draw, law: str) -> Draw:
        """The draw in which the constants of a law alone are drawn."""
        return {**self.middle, **{name: value for name, value in draw.items() if name.part("law") == law}}

    def over(self, draws: Sequence[Draw]) -> list[float | None]:
        """What the plan comes to in each of some draws, the less the better; None where it does not hold there."""
        out: list[float | None] = [None] * len(draws)
        at, found = self.evaluate(Points.of_rows(draws))
        for i, values in zip(at, found.rows(self._asked), strict=True):
            out[i] = self._measured(values)
        return out

    @property
    def _asked(self) -> frozenset[Name]:
        """The names of all that is asked of a draw."""
        required = (names(requirement.condition) for requirement in self.plan.requires)
        return frozenset((self.measure.name,)).union(*required)

    def _measured(self, values: Mapping[Name, float]) -> float | None:
        if self.measure.name not in values:
            return None
        kept = not any(broken_parts(requirement, values, KEPT) for requirement in self.plan.requires)
        return self.measure.of(values) if kept else None


def _joint(problems: Sequence[Problem], count: int) -> list[tuple[Draw, ...]]:
    """Draws of each problem at once: what several of them have in common is the same in all; none where none moves."""
    own = [draws(problem, count) for problem in problems]
    first: dict[object, tuple[int, Name]] = {}
    for i, problem in enumerate(problems):
        for name in own[i][0]:
            first.setdefault(_kind(problem, name), (i, name))
    out: list[tuple[Draw, ...]] = []
    for at in range(count):
        each = (
            {n: own[k][at][m] for n in own[i][at] for k, m in (first[_kind(problem, n)],)}
            for i, problem in enumerate(problems)
        )
        out.append(tuple(each))
    return out if any(row != out[0] for row in out) else []


def _kind(problem: Problem, name: Name) -> object:
    """What is drawn alike in several problems: what has a name and a distribution."""
    return name, problem.definitions[name].between if is_deviate(name) else None


def _about(each: Sequence[Drawn], joint: Sequence[Sequence[Draw]], rows: Sequence[Row]) -> Iterator[About]:
    """What is drawn: each deviate, and of each law its constants, by what they alone make of the choice."""
    now = _choice(rows)
    if all(_choice([row], now) == now for row in rows):
        return  # no knowledge of anything changes it
    told = {
        _kind(drawn.problem, name): (i, name)
        for i, drawn in reversed([*enumerate(each)])
        for name in drawn.middle
        if is_deviate(name)
    }
    for i, name in sorted(told.values(), key=lambda pair: (pair[1], pair[0])):
        if _tells_apart(each, joint, name):
            yield About(str(name), False, tuple(own[i][name] for own in joint))
    for law in sorted({drawn.problem.law.name for drawn in each if is_uncertain(drawn.problem.law)}):
        columns = [drawn.over([drawn.of_law(own[i], law) for own in joint]) for i, drawn in enumerate(each)]
        alone = tuple(_ahead(values, now) for values in zip(*columns, strict=True))
        if len(set(alone)) > 1:
            yield About(law, True, alone)


def _tells_apart(each: Sequence[Drawn], joint: Sequence[Sequence[Draw]], name: Name) -> bool:
    """Whether any plan comes to something else where this alone is drawn: what it does not move, moves no choice."""
    for i, drawn in enumerate(each):
        if name in drawn.middle:
            order = sorted(joint, key=lambda own, i=i: own[i][name])  # type: ignore[misc]
            ends = [{**drawn.middle, name: own[i][name]} for own in (order[0], order[-1])]
            if len(set(drawn.over([drawn.middle, *ends]))) > 1:
                return True
    return False


def _ahead(values: Row, now: int | None) -> float:
    """By how much the present choice is worse than the best other one, by what each plan comes to in a draw."""
    mine = None if now is None else values[now]
    others = [value for i, value in enumerate(values) if i != now and value is not None]
    if mine is None:
        return math.inf
    return mine - min(others) if others else -math.inf
