"""Constraints that are lines in the logarithms of size and tokens to the region that they leave."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Op, names
from runplan.dsl.expr.values import compiled
from runplan.engine.numeric.functions import Monomial, signomial
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem

# How far, in logarithms, a region reaches where nothing bounds it.
FAR = 60.0


@dataclass(frozen=True, slots=True)
class Line:
    """`a x + b y + c <= 0`, x and y being logarithms."""

    a: float
    b: float
    c: float

    def y(self, x: float) -> float:
        """Where it lies above or below x."""
        return -(self.c + self.a * x) / self.b


@dataclass(frozen=True, slots=True)
class Region:
    """What some lines leave: between `low` and `high` of x, from the lower to the upper lines of y."""

    upper: tuple[Line, ...]
    lower: tuple[Line, ...]
    low: float
    high: float

    def most(self, x: float) -> float:
        """The largest y at an x."""
        return min((line.y(x) for line in self.upper), default=FAR)

    def least(self, x: float) -> float:
        """The smallest y at an x."""
        return max((line.y(x) for line in self.lower), default=-FAR)


def lines_of(problem: Problem, constraints: Iterable[Constraint], x: Name, y: Name) -> list[Line] | None:
    """Constraints as lines in the logarithms of two variables; None where one of them is no line."""
    out: list[Line] = []
    for constraint in constraints:
        term = monomial_of(problem, constraint)
        if term is None or term.coefficient <= 0 or not set(term.exponents) <= {x, y}:
            return None
        line = Line(term.exponents.get(x, 0.0), term.exponents.get(y, 0.0), math.log(term.coefficient))
        out += [line, Line(-line.a, -line.b, -line.c)] if constraint.equal else [line]
    return out


def drawn_lines(
    problem: Problem, constraints: Iterable[Constraint], x: Name, y: Name
) -> Callable[[Mapping[Name, float]], list[Line]] | None:
    """Constraints as lines at a draw of what is uncertain; None where one of them is no line.

    What is drawn moves a line and does not turn it: its constant is that of the ratio of both sides, at one of each.
    Where it moves none, it is the same list each time.
    """
    parts: list[tuple[list[Line], Callable[[Mapping[Name, float]], float] | None]] = []
    symbolic = problem.undrawn()
    for constraint in constraints:
        lines = lines_of(problem, [constraint], x, y)
        if lines is None:
            return None
        ratio = symbolic.expanded(Op("/", (constraint.left, constraint.right)))
        parts.append((lines, compiled(ratio) if any(name.kind == "deviate" for name in names(ratio)) else None))

    still = [line for lines, _ in parts for line in lines]
    if not any(ratio for _, ratio in parts):
        return lambda draw: still

    def at(draw: Mapping[Name, float]) -> list[Line]:
        out: list[Line] = []
        ones = {**draw, x: 1.0, y: 1.0}
        for lines, ratio in parts:
            off = 0.0 if ratio is None else math.log(ratio(ones)) - lines[0].c
            out += [Line(line.a, line.b, line.c + (off if i == 0 else -off)) for i, line in enumerate(lines)]
        return out

    return at


def monomial_of(problem: Problem, constraint: Constraint) -> Monomial | None:
    """The left side of a constraint over its right one, where that is one monomial."""
    terms = signomial(problem.expanded(Op("/", (constraint.left, constraint.right))))
    return terms[0] if terms is not None and len(terms) == 1 else None


def region_of(lines: Sequence[Line], centre: Mapping[str, float]) -> Region | None:
    """The region that lines leave; None where that is nothing."""
    upper = tuple(line for line in lines if line.b > 0)
    lower = tuple(line for line in lines if line.b < 0)
    walls = [(line.a, line.c) for line in lines if line.b == 0]
    # Each lower line lies below each upper one: what that says of x.
    for over in upper:
        for under in lower:
            walls.append((over.a / over.b - under.a / under.b, over.c / over.b - under.c / under.b))
    low, high = centre["x"] - FAR, centre["x"] + FAR
    for a, c in walls:
        if a > 1e-12:
            high = min(high, -c / a)
        elif a < -1e-12:
            low = max(low, -c / a)
        elif c > 1e-6:
            return None
    return Region(upper, lower, min(low, high), high) if low <= high + 1e-6 else None
