"""Regions in which the variables are products of powers of figures: solved over a whole grid by a few products.

Where each thing that binds says that one monomial is another, the logarithms of the variables are linear in those of
the coefficients. So they are where what is left free is for a goal to decide, if that has one moving term more than
ways to move: at its least value these terms are to each other as constants are (geometric programming, of no degree of
difficulty). Only what is kept without binding has to be looked at point by point, and often not even that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, names
from runplan.engine.solve.proofs import ENDLESS
from runplan.engine.sweep.forms import Forms, Term
from runplan.engine.sweep.grid import Mask, is_above, is_below, product, raised, whole
from runplan.engine.sweep.job import Floats
from runplan.engine.sweep.posed import CLEAR, Posed, Region, Sides

# Exponents that are rounding.
FAINT = 1e-14
# Rounds after which a point is left to others, and the last step along a direction: rounding.
ROUNDS, SETTLED = 25, 1e-12
# By so much, as a share, figures that make a gradient up may miss it: rounding.
STILL = 1e-9


class _Row(NamedTuple):
    """What a product of powers of the variables is equal to: `-up / down`."""

    exponents: Floats
    up: Term
    down: Term
    share: float = -1.0

    def at(self, figures: Mapping[Name, Any]) -> Any:
        return self.up.at(figures) / self.down.at(figures) * self.share


class _Goal(NamedTuple):
    """The moving terms of what is to be small, and the gradients of their logarithms (terms, k)."""

    terms: tuple[Term, ...]
    gradients: Floats


class _Weighed(NamedTuple):
    """What terms of a goal come to together, each with a weight: it is to be positive."""

    terms: tuple[Term, ...]
    weights: Floats


class _Turn(NamedTuple):
    """Where along one direction a goal turns, in logarithms of the variables.

    Attributes:
        terms: Of the goal, those that move along it.
        along: How fast each of these grows.
        way: (k) The direction, of length one.
        start: How far along it to begin.
    """

    terms: tuple[Term, ...]
    along: list[float]
    way: list[float]
    start: float

    def found(self, x: Sequence[Any], figures: Mapping[Name, Any]) -> tuple[Floats, Mask]:
        """How far it is from points there, and where that was found.

        The logarithm of all that grows over all that falls is next to a line: Newton's method takes few rounds.
        """
        parts = [np.asarray(whole(term.at(figures) * _powers(x, term.exponents))) for term in self.terms]
        pulls = [(part * abs(slope), slope) for part, slope in zip(parts, self.along, strict=True)]
        far = np.full(np.broadcast_shapes(*(part.shape for part in parts)), self.start)
        settled = np.zeros(far.shape, dtype=np.bool_)
        with np.errstate(all="ignore"):
            for _ in range(ROUNDS):
                sums, slopes = [], []
                for sign in (1, -1):
                    some = [(pull * np.exp(slope * far), slope) for pull, slope in pulls if slope * sign > 0]
                    sums.append(sum(pull for pull, _ in some))
                    slopes.append(sum(pull * slope for pull, slope in some) / sums[-1])
                step = np.log(sums[1] / sums[0]) / (slopes[0] - slopes[1])
                far = np.where(settled, far, far + step)
                settled = settled | (np.abs(step) <= SETTLED)
                if (settled | ~np.isfinite(step)).all():
                    break
        return far, settled


@dataclass(frozen=True, slots=True)
class Straight:
    """A region whose solutions are products of powers.

    Attributes:
        rights: (k) What rows of variables are equal to; one less where there is a turn.
        powers: (k, k) The exponents of these in each variable.
        turn: Along what these leave free, where the last goal turns.
        positive: Coefficients that have to be positive.
        loose: The places of the inequalities that do not bind.
        away: The goals that stay off a line, on which side.
        weighed: What is to be positive beside, of the terms of goals.
    """

    rights: tuple[_Row, ...]
    powers: Floats
    turn: _Turn | None
    positive: tuple[Term, ...]
    loose: tuple[int, ...]
    away: tuple[tuple[Sides, int], ...]
    weighed: tuple[_Weighed, ...]

    def solved(
        self, posed: Posed, given: Mapping[Name, Any], figures: Mapping[Name, Any]
    ) -> tuple[dict[Name, Any], Mask]:
        """The variables over a grid, and where they are the solution.

        Args:
            given: Of each name that is varied, its values.
            figures: Those of the forms that follow.
        """
        rights = [row.at(figures) for row in self.rights]
        good = np.asarray(True)
        for value in (*rights, *(term.at(figures) for term in self.positive)):
            good = good & is_above(value, 0.0)
        x = [_powers(rights, own) for own in self.powers.tolist()]
        if self.turn is not None:
            far, settled = self.turn.found(x, figures)
            x = [value * np.exp(far * way) for value, way in zip(x, self.turn.way, strict=True)]
            good = good & settled
        for value in x:
            good = good & is_above(value, math.exp(-ENDLESS)) & is_below(value, math.exp(ENDLESS))
        found = dict(zip(posed.variables, x, strict=True))
        env = {**given, **found}
        for at in self.loose:
            if not good.any():
                break
            good = good & is_below(posed.ratio(posed.inequalities[at], env), math.exp(-CLEAR))
        for sides, side in self.away:
            ratio = posed.ratio(sides, env)
            good = good & (is_above(ratio, math.exp(CLEAR)) if side > 0 else is_below(ratio, math.exp(-CLEAR)))
        for terms, weights in self.weighed:
            parts = [term.at(figures) * _powers(x, term.exponents) for term in terms]
            total: Any = sum(part * weight for part, weight in zip(parts, weights.tolist(), strict=True))
            good = good & is_above(total, 0.0)
        return found, good


def _powers(values: Sequence[Any], exponents: Sequence[float]) -> Any:
    """The product of values, each to its power."""
    return product([raised(value, e) for value, e in zip(values, exponents, strict=True) if e])


def straight(posed: Posed, region: Region, at: Mapping[Name, float]) -> Straight | None:
    """A region in this form, by a point in it; None where it has another."""
    forms, figures, k = posed.forms, posed.forms.figures(at), len(posed.variables)
    tight = sorted(frozenset[int]().union(*region.held))
    lines = [(expr, other) for _, expr, other in posed.goals[: len(region.sides)] if other is not None]
    sides_of = [side for (_, _, other), side in zip(posed.goals, region.sides, strict=False) if other is not None]
    reached = [line for line, side in zip(lines, sides_of, strict=True) if not side]
    away = [(line, side) for line, side in zip(lines, sides_of, strict=True) if side]
    rows: list[_Row] = []
    for left, right in (*(posed.inequalities[one] for one in tight), *posed.equalities, *reached):
        row = _balance(forms, left, right, figures)
        if row is None:
            return None
        rows.append(row)
    goals = [_goal(posed, at, side, figures) for at, side in enumerate(region.sides)]
    if any(goal is None for goal in goals) or _rank(rows, k) < len(rows):
        return None
    known = [goal for goal in goals if goal is not None]
    binding, positive = len(rows), [term for goal in known for term in goal.terms]
    weighed: list[_Weighed] = []
    turn = None
    if binding < k:
        if not region.sides or not region.sides[-1]:
            return None
        free = _free(rows, k)
        still = _stationary(known[-1], free, figures)
        if still is None:
            turn = _turn(known[-1], free, region, weighed)
            if turn is None:
                return None
        rows += still or []
    if not _multiplied(posed, region, rows[:binding], tight, known, weighed, k):
        return None
    try:
        equations = [row.exponents for row in rows] + ([] if turn is None else [np.array(turn.way)])
        powers = np.linalg.inv(np.array(equations).reshape(k, k))[:, : len(rows)]
    except np.linalg.LinAlgError:
        return None
    powers[np.abs(powers) < FAINT * np.abs(powers).max(initial=0.0)] = 0.0
    loose = tuple(one for one in range(len(posed.inequalities)) if one not in tight)
    return Straight(tuple(rows), powers, turn, tuple(positive), loose, tuple(away), tuple(weighed))


def _balance(forms: Forms, left: Expr, right: Expr, figures: Mapping[Name, Any]) -> _Row | None:
    """What it is for two sides to be equal, where that is for one monomial to be another."""
    terms = forms.terms(Op("-", (left, right)))
    if terms is None or len(terms) != 2:
        return None
    up, down = terms
    if up.at(figures) > 0:
        up, down = down, up
    return _Row(np.subtract(down.exponents, up.exponents), up, down) if up.at(figures) < 0 < down.at(figures) else None


def _goal(posed: Posed, at: int, side: int, figures: Mapping[Name, Any]) -> _Goal | None:
    """The moving terms of a goal; None where it is no increasing function of a sum of monomials."""
    sense, expr, other = posed.goals[at]
    if other is not None:
        terms, sign = posed.forms.terms(Op("/", (expr, other))), side
        if terms is None or len(terms) > 1:
            return None
    else:
        terms, sign = _increasing(posed, expr, 1 if sense == "minimize" else -1)
    if terms is None:
        return None
    moving = tuple(term for term in terms if any(term.exponents))
    if (len(moving) > 1 and sign < 0) or any(not term.at(figures) > 0 for term in moving):
        return None
    return _Goal(moving, sign * np.array([term.exponents for term in moving]).reshape(-1, len(posed.variables)))


def _increasing(posed: Posed, expr: Expr, sign: int) -> tuple[tuple[Term, ...] | None, int]:
    """The monomials of whose sum an expression is a function that increases, or with another sign falls."""
    terms = posed.forms.terms(expr)
    while terms is None:
        if not isinstance(expr, Op):
            return None, sign
        expr, turned = _inner(expr, frozenset(posed.variables))
        if not turned:
            return None, sign
        sign *= turned
        terms = posed.forms.terms(expr)
    return terms, sign


def _inner(expr: Op, variables: frozenset[Name]) -> tuple[Expr, int]:
    """The part of an expression that moves, and whether all of it increases with that, or falls: 1, -1; 0 unknown."""
    moving = [at for at, arg in enumerate(expr.args) if not names(arg).isdisjoint(variables)]
    if len(moving) != 1:
        return expr, 0
    (at,) = moving
    rest = [arg for i, arg in enumerate(expr.args) if i != at]
    number = rest[0].value if rest and isinstance(rest[0], Num) else 0.0
    turned = 0
    if expr.op in ("+", "exp", "ln", "log10", "sqrt"):
        turned = 1
    elif expr.op in ("-", "neg"):
        turned = 1 if expr.op == "-" and at == 0 else -1
    elif expr.op in ("*", "/") and number > 0:
        turned = 1 if at == 0 or expr.op == "*" else -1
    elif expr.op == "^" and at == 0 and number:
        turned = 1 if number > 0 else -1
    return expr.args[at], turned


def _rank(rows: Sequence[_Row], k: int) -> int:
    return int(np.linalg.matrix_rank(np.array([row.exponents for row in rows]))) if rows and k else 0


def _free(rows: Sequence[_Row], k: int) -> Floats:
    """What rows leave free (k, free), each direction of length one."""
    if not rows:
        return np.eye(k)
    return np.asarray(np.linalg.qr(np.array([row.exponents for row in rows]).T, mode="complete").Q[:, len(rows) :])


def _stationary(goal: _Goal, free: Floats, figures: Mapping[Name, Any]) -> list[_Row] | None:
    """What it is for a goal to be least along what is free; None where its terms do not say that by themselves."""
    along = goal.gradients @ free
    if len(goal.terms) != free.shape[1] + 1 or len(goal.terms) < 2:
        return None
    # The shares of the terms: with these what they pull at evens out.
    _, size, rotation = np.linalg.svd(along.T)
    shares = rotation[-1] * np.sign(rotation[-1][0])
    if size.min() < STILL or shares.min() <= STILL:
        return None
    bent = np.linalg.eigvalsh((along.T * shares) @ along)[0]
    if not bent > CLEAR * float(shares @ np.abs(goal.gradients).max(axis=1)):
        return None
    first = goal.terms[0]
    return [
        _Row(np.subtract(term.exponents, first.exponents), first, term, float(share / shares[0]))
        for term, share in zip(goal.terms[1:], shares[1:], strict=True)
    ]


def _turn(goal: _Goal, free: Floats, region: Region, weighed: list[_Weighed]) -> _Turn | None:
    """Where a goal turns along the one direction that is free; None where there are more, or it does not turn."""
    if free.shape[1] != 1:
        return None
    along = (goal.gradients @ free)[:, 0]
    moving = np.abs(along) > STILL
    if not ((along > STILL).any() and (along < -STILL).any()):
        return None
    # It bends up by what moves along it; what does not only adds to the size of the gradient.
    weights = along**2 - CLEAR * np.abs(goal.gradients).max(axis=1)
    if (weights < 0).any():
        weighed.append(_Weighed(goal.terms, weights))
    terms = tuple(term for term, moves in zip(goal.terms, moving.tolist(), strict=True) if moves)
    way = free[:, 0].tolist()
    return _Turn(terms, along[moving].tolist(), way, float(np.dot(way, region.start)))


def _multiplied(
    posed: Posed,
    region: Region,
    rows: Sequence[_Row],
    tight: Sequence[int],
    goals: Sequence[_Goal],
    weighed: list[_Weighed],
    k: int,
) -> bool:
    """Whether what binds may have the multipliers of a region's goals; `weighed` gets what is left to be seen."""
    by_place = {place: row.exponents for place, row in zip(tight, rows, strict=False)}
    bound: list[tuple[int | None, Floats]] = [
        (None, row.exponents) for row in rows[len(tight) : len(tight) + len(posed.equalities)]
    ]
    reached = iter(rows[len(tight) + len(posed.equalities) :])
    for at, (held, side, goal) in enumerate(zip(region.held, region.sides, goals, strict=True)):
        if not side:
            bound.append((None, next(reached).exponents))
            continue
        known = {place for place, _ in bound}
        bound += [(place, by_place[place]) for place in sorted(held - known)]
        matrix = np.array([row for _, row in bound]).reshape(len(bound), k)
        size = np.abs(goal.gradients).max(axis=1, initial=0.0)
        multipliers = -goal.gradients @ np.linalg.pinv(matrix)
        left = np.abs(goal.gradients + multipliers @ matrix).max(axis=1, initial=0.0)
        # What the last goal leaves free its terms decide together.
        if (len(rows) == k or at < len(region.held) - 1) and (left > STILL * size).any():
            return False
        for (place, _), own in zip(bound, multipliers.T, strict=True):
            if place in held:
                weights = own - CLEAR * size
                if (weights <= 0).all():
                    return False
                if (weights < 0).any():
                    weighed.append(_Weighed(goal.terms, weights))
    return True
