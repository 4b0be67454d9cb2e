"""What is uncertain of a problem to joint draws of it, seeded: a law's constants, what is assumed, and ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from operator import mul

from runplan.dsl.expr.name import Name, constant
from runplan.dsl.expr.tree import Expr, Op, Unbound
from runplan.dsl.packs.pack import Law
from runplan.engine.numeric.sample import normal_quantile
from runplan.engine.problem.points import Points
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.seeded import normals, orders, quantiles

# What nobody waits for: a quantile further out than this is taken here.
RARE = 1e-9
# The ends of an 80 % interval.
LOW, HIGH = 0.10, 0.90
Draw = Mapping[Name, float]


def drawn(problem: Problem, count: int) -> Points:
    """Values of all that is uncertain of a problem, drawn jointly: the law's constants, and its deviates.

    Of each deviate every part that is as likely is drawn once, in an order of its own: shares and quantiles are nearer
    than those of draws at random.
    """
    between = {name: d.between for name, d in problem.definitions.items() if is_deviate(name)}
    off = dict(zip(between, _stratified(count, [*between.values()]), strict=True))
    return Points.of_columns(count, {**_constants(problem.law, count), **off})


def draws(problem: Problem, count: int) -> list[Draw]:
    """The same one by one."""
    return list(drawn(problem, count).rows())


def is_deviate(name: Name) -> bool:
    """Whether a name says how far something is off."""
    return name.kind == "deviate"


def deviated(share: float, between: tuple[float, float] | None = None) -> float:
    """The deviate below which a share of its draws lies: uniform between the ends of a range, else standard normal."""
    if between is not None:
        low, high = between
        return low + (high - low) * share
    return normal_quantile(min(max(share, RARE), 1.0 - RARE))


@lru_cache(8)
def _parts(count: int, between: tuple[float, float] | None) -> Sequence[float]:
    """A deviate of each of so many parts that are as likely, in order."""
    return quantiles(count) if between is None else [deviated((i + 0.5) / count, between) for i in range(count)]


def _stratified(count: int, each: Sequence[tuple[float, float] | None]) -> Iterator[list[float]]:
    """Of each deviate one of each part that is as likely, in an order at random."""
    for order, between in zip(orders(count, len(each)), each, strict=True):
        parts = _parts(count, between)
        yield [parts[i] for i in order]


@lru_cache(8)
def _normals(count: int, width: int) -> tuple[Sequence[float], ...]:
    """So many rows of standard normal figures, for all laws that have as many to draw."""
    figures = normals(count * width)
    return tuple([figures[i * width : (i + 1) * width] for i in range(count)])


def is_uncertain(law: Law) -> bool:
    """Whether a law publishes how uncertain its constants are."""
    return bool(uncertain_constants(law))


def uncertain_constants(law: Law) -> frozenset[Name]:
    """The constants of a law that its draws move."""
    if law.joint is None:
        return frozenset(constant(law.name, text) for text, c in law.constants.items() if c.error)
    return frozenset(constant(law.name, text) for term in law.joint.terms if (text := _of(term)))


def published(law: Law) -> dict[Name, float]:
    """The law's constants as it gives them."""
    return {constant(law.name, text): c.value for text, c in law.constants.items() if c.value is not None}


def of_constants(law: Law, count: int) -> list[Draw]:
    """Values of the law's constants, drawn jointly where their covariance is known, else one by one."""
    return list(Points.of_columns(count, _constants(law, count)).rows())


def _constants(law: Law, count: int) -> dict[Name, list[float]]:
    """The same by constant."""
    centre = published(law)
    if law.joint is None:
        errors = {constant(law.name, text): c.error for text, c in law.constants.items() if c.error}
        off = dict(zip(centre, zip(*_normals(count, len(centre)), strict=True), strict=True))
        return {n: [v + errors.get(n, 0.0) * by for by in off[n]] for n, v in centre.items()}
    root = cholesky(law.joint.covariance)
    terms = [(constant(law.name, text) if (text := _of(t)) else None, isinstance(t, Op)) for t in law.joint.terms]
    normals = _normals(count, len(root))
    out = {name: [value] * count for name, value in centre.items()}
    for (own, by_share), row in zip(terms, root, strict=True):
        if own is not None:
            shift = [sum(map(mul, row, normal)) for normal in normals]
            at = zip(out[own], shift, strict=True)
            out[own] = [value * math.exp(by) if by_share else value + by for value, by in at]
    return out


def _of(term: Expr) -> str:
    """The constant that a term of a covariance is, or is the logarithm of; empty for another."""
    if isinstance(term, Op):
        return _of(term.args[0]) if term.op == "ln" else ""
    return term.name if isinstance(term, Unbound) else ""


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile of unsorted values, linear between them; the i-th of n stands for the share (i + 1/2) / n."""
    return quantile_of_ordered(sorted(values), share)


def quantile_of_ordered(ordered: Sequence[float], share: float) -> float:
    """The same of sorted values."""
    at = min(max(share * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """The lower root of a covariance; what follows from those before it has nothing of its own."""
    n = len(matrix)
    root = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(root[i][k] * root[j][k] for k in range(j))
            if i == j:
                root[i][i] = math.sqrt(rest) if rest > 1e-12 * matrix[i][i] else 0.0
            elif root[j][j]:
                root[i][j] = rest / root[j][j]
    return root
