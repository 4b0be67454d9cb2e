"""A solution to what its values answer to, and how much: all by one derivative of the conditions that hold it.

Counts are taken as real numbers here: what comes whole goes in jumps, and has no derivative.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Ref, names, walk
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.units.base import DATE
from runplan.engine.analysis.causes import Cause, causes_of, varied
from runplan.engine.numeric.functions import any_form
from runplan.engine.numeric.tangent import Tangent, tangent
from runplan.engine.problem.derived import derive
from runplan.engine.problem.parts import Constraint, Variable, leads_to
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.search import Found, optimum_of, posed
from runplan.engine.solve.whole import real

# A share below this is none.
NOTHING = 1e-9
# By what a figure is moved, as a share, on a side on which the derivative is another, and is solved for.
NEAR = 1e-5
# What is solved anew differs by so much, relatively, from rounding.
SOLVED = 1e-12
# What is compared is equal where it is so near, relatively.
EQUAL = 1e-9
# Where formulas bend: at what these compare.
BENDS = frozenset(("min", "max", *COMPARISONS))
# An elasticity below this is rounding.
NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class Slope:
    """How fast a value changes with the logarithm of a figure: in base units, for `e` times the figure.

    Attributes:
        less, more: To each side; they are the same but where something else begins to hold the solution. None where
            there is no solution on that side.
        value: What the value is.
    """

    cause: Cause
    value: float
    less: float | None
    more: float | None

    @property
    def is_smooth(self) -> bool:
        """Whether both sides say the same."""
        return self.less == self.more

    @property
    def largest(self) -> float:
        """That of the side on which more changes."""
        return max((side for side in (self.more, self.less) if side is not None), key=abs, default=0.0)

    @property
    def elasticity(self) -> float:
        """By how many per cent the value goes up for each that the figure does."""
        return self.largest / self.value


class Sensitivity:
    """What the values of a solved plan answer to.

    Attributes:
        problem: What is solved, counts being real.
        part: The same with the alternatives that it takes, and the stretch that it is in.
        values: Everything that has a value there, in base units.
    """

    def __init__(self, problem: Problem, found: Found, causes: Sequence[Cause]) -> None:
        assert found.part is not None, "an optimum is that of a problem"
        self.problem, self.part, self._found = problem, found.part, found
        self._causes = tuple(causes)
        self._varied = varied(_turned(found.part), self._causes)
        self.values = _values(problem, found)

    def about(self, causes: Sequence[Cause]) -> Sensitivity:
        """What they answer to among other figures."""
        return Sensitivity(self.problem, self._found, causes)

    @property
    def binding(self) -> tuple[Constraint, ...]:
        """The constraints that bind."""
        return self._found.binding

    def at(self, expr: Expr) -> float:
        """What an expression comes to, in base units."""
        return float(value_of(self.problem.settled().expanded(expr), self.values))

    @cached_property
    def _sides(self) -> list[Expr]:
        """What constraints and goals compare, expanded."""
        problem = self._varied
        sides = [side for c in problem.constraints for side in (c.left, c.right)]
        sides += [side for goal in problem.goals for side in (goal.expr, goal.other) if side is not None]
        return [problem.expanded(side) for side in sides]

    @cached_property
    def _factors(self) -> dict[Name, Cause]:
        """The figures that the optimum answers to, by their factors."""
        seen = frozenset[Name]().union(*map(names, self._sides))
        return {cause.factor: cause for cause in self._causes if cause.factor in seen}

    @cached_property
    def _bends(self) -> frozenset[Name]:
        """The figures with which something turns at which a formula bends, by their factors."""
        return self._turning(self._sides, self._factors)

    def _turning(self, exprs: Iterable[Expr], causes: Collection[Name]) -> frozenset[Name]:
        """The figures that part what a formula compares, and what is equal at the optimum."""
        env = {**{v.name: self.values[v.name] for v in self._varied.variables}, **dict.fromkeys(causes, 1.0)}
        ties = [Op("-", tied) for expr in exprs for tied in _ties(expr, env)]
        parting = (slope for tie in ties for slope in self._gradient(tie, causes)[1].items())
        return frozenset(factor for factor, slope in parting if abs(slope) > NOISE)

    @cached_property
    def _point(self) -> tuple[float, ...]:
        """The optimum, in logarithms of the variables."""
        return tuple(math.log(self.values[v.name]) for v in self._varied.variables)

    @cached_property
    def _tangent(self) -> Tangent:
        of = posed(self._varied, (*(v.name for v in self._varied.variables), *self._factors))
        ones = (0.0,) * len(self._factors)
        return tangent(of.goals, of.inequalities, of.equalities, self._found.held, self._point, ones)

    def _gradient(self, expr: Expr, causes: Collection[Name]) -> tuple[float, dict[Name, float]]:
        """The value of an expression over variables and factors, and its slope by each factor, the optimum moving."""
        variables = [v.name for v in self._varied.variables]
        value, gradient, _ = any_form(expr, [*variables, *causes])((*self._point, *(0.0 for _ in causes)))
        slopes = dict(zip(causes, gradient[len(variables) :], strict=True))
        for factor, moves in zip(self._factors, self._tangent.moves, strict=True):
            slopes[factor] += sum(g * move for g, move in zip(gradient, moves, strict=False))
        return value, slopes

    def slopes(self, expr: Expr) -> Iterator[Slope]:
        """How an expression over the problem's names answers to each figure that moves it; nothing where none does."""
        whole = self._varied.expanded(expr)
        own = {cause.factor: cause for cause in self._causes if cause.factor in names(whole)}
        causes = {**self._factors, **own}
        value, slopes = self._gradient(whole, causes)
        if not math.isfinite(value):
            return
        bends = self._bends | self._turning([whole], causes)
        order = {factor: at for at, factor in enumerate(self._factors)}
        rests = self._figures(expr)
        for factor, slope in slopes.items():
            at, cause = order.get(factor), causes[factor]
            up, down = (factor in bends or at in turned for turned in (self._tangent.up, self._tangent.down))
            if (up or down) and rests is not None and not self._moves(cause, rests):
                continue
            more = self._beside(cause, expr, value, NEAR) if up else slope
            less = self._beside(cause, expr, value, -NEAR) if down else slope
            found = Slope(cause, value, less, more)
            if abs(found.largest) > NOISE * abs(value):
                yield found

    def _figures(self, expr: Expr) -> frozenset[Name] | None:
        """The figures that an expression comes to of itself, whatever the optimum; None where it rests on that."""
        problem = self.problem
        if problem.either or problem.inverses:
            return None
        rests = leads_to([expr], problem.definitions)
        return None if any(v.name in rests for v in problem.variables) else rests

    def _moves(self, cause: Cause, rests: Collection[Name]) -> bool:
        """Whether another figure is any of some names, or defines it."""
        moved, own = cause.times(self.problem, Num(1.0 + NEAR)).definitions, self.problem.definitions
        return any(name in rests and own.get(name) is not definition for name, definition in moved.items())

    def _beside(self, cause: Cause, expr: Expr, value: float, by: float) -> float | None:
        """The slope to a side on which something else holds the optimum: it is solved beside it."""
        moved = cause.times(self.problem, Num(1.0 + by))
        there = best(moved, expr)
        if there is None:
            return None
        return 0.0 if abs(there - value) <= SOLVED * abs(value) else (there - value) / math.log1p(by)


def sensitivity_of(solution: Solution) -> Sensitivity | None:
    """What the values of a solution answer to; None where it is none that was found."""
    if solution.status != "solved":
        return None
    problem = solution.problem.beginning({name: value.value for name, value in solution.values.items()})
    found = optimum_of(problem)
    return Sensitivity(problem, found, causes_of(solution)) if found.is_optimal else None


def best(problem: Problem, expr: Expr) -> float | None:
    """What an expression comes to at the optimum of a problem, counts being real; None where it has none."""
    found = _optimum(problem)
    return float(value_of(problem.settled().expanded(expr), found.values)) if found.is_optimal else None


def _optimum(problem: Problem) -> Found:
    if not problem.is_of_chance:
        return optimum_of(problem)
    # What a plan that asks for no probability has no use for: docs/design/0004-what-check-does-not-import.md.
    from runplan.engine.solve.chances import whole_and_likely

    return whole_and_likely(problem, real).found


def elasticities(solution: Solution, name: Name) -> tuple[Slope, ...]:
    """What a value answers to, the strongest first; nothing for a date, and for what is nothing."""
    found = sensitivity_of(solution)
    own = solution.values[name]
    if found is None or own.dim == DATE or name not in found.values:
        return ()
    if not found.values[name] or (own.dim == () and abs(found.values[name]) < NOTHING):
        return ()
    slopes = [slope for slope in found.slopes(Ref(name)) if slope.cause.of != own]
    return tuple(sorted(slopes, key=lambda slope: (-round(abs(slope.elasticity), 6), slope.cause.text)))


def _ties(expr: Expr, env: Mapping[Name, float]) -> Iterator[tuple[Expr, Expr]]:
    """What is compared in an expression, and is equal."""
    for item in walk(expr):
        if isinstance(item, Op) and item.op in BENDS:
            left, right = item.args
            try:
                both = float(value_of(left, env)), float(value_of(right, env))
            except (ArithmeticError, ValueError, KeyError):
                continue
            if math.isclose(*both, rel_tol=EQUAL):
                yield left, right


def _turned(problem: Problem) -> Problem:
    """The problem in which what is defined by what it leads to is a variable, and that is an equation."""
    variables, equations, definitions = list(problem.variables), list(problem.constraints), dict(problem.definitions)
    for turned in problem.inverses:
        own = turned.definition
        now = definitions.get(own.name)
        if now is not None and isinstance(now.expr, Num):
            del definitions[own.name]
            variables.append(Variable(own.name, own.dim, now.expr.value))
            both = (turned.expr, Ref(turned.of.name))
            equations.append(Constraint(f"inverse {own.name}", str(own.name), *both, "line", equal=True))
    return replace(problem, variables=tuple(variables), constraints=tuple(equations), definitions=definitions)


def _values(problem: Problem, found: Found) -> Mapping[Name, float]:
    every = dict(found.values)
    derive(problem.settled(), every)
    return every
