"""What is uncertain of a problem to draws of it: a law's constants, and what is assumed with a spread; seeded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from statistics import NormalDist

from runplan.dsl.expr.name import Name, constant
from runplan.dsl.expr.tree import Op, Unbound
from runplan.dsl.packs.pack import Law
from runplan.engine.problem.problem import Problem

SEED = 20240402
Draw = Mapping[Name, float]


def draws(problem: Problem, count: int) -> list[Draw]:
    """Values of all that is uncertain of a problem, drawn jointly: the law's constants, and the deviates.

    Of each deviate every part of the normal that is as likely is drawn once, in an order of its own.
    """
    random = Random(SEED + 1)
    every = [NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)]
    off = {name: random.sample(every, count) for name in problem.deviates}
    constants = of_constants(problem.law, count)
    return [{**draw, **{name: by[i] for name, by in off.items()}} for i, draw in enumerate(constants)]


def is_uncertain(law: Law) -> bool:
    """Whether a law publishes how uncertain its constants are."""
    return law.joint is not None or any(c.error for c in law.constants.values())


def published(law: Law) -> dict[Name, float]:
    """The law's constants as it gives them."""
    return {constant(law.name, text): c.value for text, c in law.constants.items() if c.value is not None}


def of_constants(law: Law, count: int) -> list[Draw]:
    """Values of the law's constants, drawn jointly where their covariance is known, else one by one."""
    random = Random(SEED)

    def own(text: str) -> Name:
        return constant(law.name, text)

    centre = published(law)
    if law.joint is None:
        errors = {own(text): c.error for text, c in law.constants.items() if c.error}
        return [{n: v + errors.get(n, 0.0) * random.gauss(0, 1) for n, v in centre.items()} for _ in range(count)]
    root = _cholesky(law.joint.covariance)
    out: list[Draw] = []
    for _ in range(count):
        normal = [random.gauss(0, 1) for _ in root]
        shift = [sum(row[j] * normal[j] for j in range(i + 1)) for i, row in enumerate(root)]
        draw = dict(centre)
        for term, by in zip(law.joint.terms, shift, strict=True):
            if isinstance(term, Op) and term.op == "ln" and isinstance(term.args[0], Unbound):
                draw[own(term.args[0].name)] *= math.exp(by)
            elif isinstance(term, Unbound):
                draw[own(term.name)] += by
        out.append(draw)
    return out


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile of unsorted values, linear between them; the i-th of n stands for the share (i + 1/2) / n."""
    ordered = sorted(values)
    at = min(max(share * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    n = len(matrix)
    root = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(root[i][k] * root[j][k] for k in range(j))
            if i == j:
                root[i][i] = math.sqrt(max(rest, 0.0))
            elif root[j][j]:
                root[i][j] = rest / root[j][j]
    return root
