"""Comparisons over what is chosen and what is drawn to how far each is from failing, in one draw or in all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.columns import Column, Together
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, substitute
from runplan.dsl.expr.values import compiled
from runplan.engine.problem.draws import Draw

Values = Mapping[Name, float]
# The same in all draws: a column of what is drawn.
Columns = Mapping[Name, float | Column]
# A comparison `left <= right`, as functions of all values.
Sides = tuple[Callable[[Values], float], Callable[[Values], float]]


@dataclass(frozen=True, slots=True)
class Part:
    """A comparison `left <= right` over values, and over what is drawn."""

    left: Expr
    right: Expr
    sides: Sides

    def score(self, env: Values) -> float:
        """At most 1 where it holds, and the further above the further it is from that."""
        try:
            left, right = (float(side(env)) for side in self.sides)
        except (ArithmeticError, ValueError):
            return math.inf
        return _score(left, right)

    def scores(self, columns: Columns, count: int) -> list[float] | None:
        """The same in so many draws, to the bit; None where that is not done by columns, or not defined at some."""
        try:
            sides = [compiled(side, Together)(columns) for side in (self.left, self.right)]
        except (ArithmeticError, ValueError):
            return None
        left, right = (side if isinstance(side, Column) else [side] * count for side in sides)
        return list(map(_score, left, right))


def _score(left: float, right: float) -> float:
    """At most 1 where the left side is at most the right one."""
    if left > 0 and right > 0:
        return left / right
    return 1.0 + (left - right) / max(abs(left), abs(right), 1e-300)


# Comparisons by how they are joined: the score of `and` is the highest, of `or` the lowest.
Joined = Part | tuple[str, tuple["Joined", ...]]


def made_of(condition: Expr, at: Callable[[Expr], Expr]) -> Joined:
    """A condition of comparisons, `and` and `or`, each comparison as `left <= right`."""
    assert isinstance(condition, Op)
    if condition.op in ("and", "or"):
        return condition.op, tuple(made_of(arg, at) for arg in condition.args)
    assert condition.op in COMPARISONS, "the language compares nothing else"
    left, right = map(at, condition.args)
    if condition.op in ("==", "!="):
        return "and" if condition.op == "==" else "or", (_part(left, right), _part(right, left))
    return _part(left, right) if condition.op in ("<=", "<") else _part(right, left)


def _part(left: Expr, right: Expr) -> Part:
    return Part(left, right, (compiled(left), compiled(right)))


def parts_of(made: Joined) -> Iterator[Part]:
    """The comparisons, in order."""
    if isinstance(made, Part):
        yield made
    else:
        for inner in made[1]:
            yield from parts_of(inner)


def score_of(made: Joined, env: Values) -> tuple[float, Part]:
    """The score at values of all names, with the comparison that it is of."""
    if isinstance(made, Part):
        return made.score(env), made
    return (max if made[0] == "and" else min)((score_of(inner, env) for inner in made[1]), key=lambda one: one[0])


def scores_of(made: Joined, columns: Columns, count: int) -> list[tuple[float, Part]] | None:
    """The same in so many draws, to the bit; None where a comparison is not scored by columns."""
    if isinstance(made, Part):
        scores = made.scores(columns, count)
        return None if scores is None else [(score, made) for score in scores]
    inner = [scored for part in made[1] if (scored := scores_of(part, columns, count)) is not None]
    if len(inner) < len(made[1]):
        return None
    pick = max if made[0] == "and" else min
    return [pick(each, key=lambda one: one[0]) for each in zip(*inner, strict=True)]


def in_draw(part: Part, draw: Draw) -> tuple[Expr, Expr]:
    """The sides of a comparison over what is chosen, what is drawn being figures."""
    by = {name: Num(value) for name, value in draw.items()}
    return substitute(part.left, by), substitute(part.right, by)
