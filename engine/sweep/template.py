"""A problem in which some figures are arrays to its values at many points: the way of `solve`, on arrays.

What has no such way, and each point that it does not settle, is left to the solver of single plans.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.logic import HOLDS
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, names
from runplan.dsl.types import Any
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import SOME, Constraint, Definition
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.stretches import stretches
from runplan.engine.solve.proofs import ENDLESS
from runplan.engine.solve.reach import ONCE
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.search import optimum_of
from runplan.engine.solve.values import ON_THE_LINE
from runplan.engine.solve.whole import counts
from runplan.engine.sweep.arrays import values
from runplan.engine.sweep.job import Floats
from runplan.engine.sweep.regions import Conflict, Mask, Posed, Region

# A stage of fewer tokens is looked at by the solver of single plans: it may be none.
SOME_TOKENS = 1e6
# Regions of one problem; points of others are solved one by one.
MOST = 24
# Further off, in logarithms, nothing of a plan is.
FAR = 70.0
# Points whose regions are looked for, one after the other, in vain, before no more are.
TRIED = 4
# Of what is compared with a bound by a tolerance: nearer to it than this share of the tolerance is too near to tell.
NEAR = 0.5

Env = Mapping[Name, Any]


@dataclass(frozen=True, slots=True)
class Reached:
    """What a problem comes to at points.

    Attributes:
        env: Of each variable and each name that is varied, its values.
        settled: Which points were solved; the others have no values that count.
        repeating: Which of them are solutions of the problem in which repeated data are worth less.
    """

    env: dict[Name, Any]
    settled: Mask
    repeating: Mask


@dataclass(frozen=True, slots=True)
class Part:
    """A problem over arrays with the regions of it that are known."""

    problem: Problem
    posed: Posed
    regions: list[Region] = field(default_factory=list)

    def solved(self, env: Env, count: int) -> tuple[Floats, Mask]:
        """The solutions of points (k, n), in logarithms, and which were found."""
        x, found = np.zeros((len(self.posed.variables), count)), np.zeros(count, dtype=np.bool_)
        for region in self.regions:
            if bool(found.all()):
                break
            left = np.flatnonzero(~found)
            some = {name: value[left] for name, value in env.items()}
            there, good = self.posed.solved(region, some, len(left))
            good &= np.abs(there).max(axis=0, initial=0.0) < ENDLESS
            x[:, left[good]] = there[:, good]
            found[left[good]] = True
        return x, found

    def learn(self, at: Mapping[Name, float]) -> None:
        """Take in the region of the solution at a point, where it is in none that is known, and can be told."""
        if bool(self.solved({name: np.array([value]) for name, value in at.items()}, 1)[1][0]):
            return
        found = optimum_of(_at(self.problem, at))
        if not found.is_optimal or found.certainty != "convex" or found.taken or len(self.regions) >= MOST:
            return
        region = self.posed.region([math.log(found.values[name]) for name in self.posed.variables], found.held, at)
        if bool(self.posed.solved(region, {name: np.array([value]) for name, value in at.items()}, 1)[1][0]):
            self.regions.append(region)


def limits(problem: Problem) -> tuple[Constraint, ...]:
    """The constraints of a problem in the order in which it is posed over arrays: equalities last."""
    return (*(c for c in problem.constraints if not c.equal), *(c for c in problem.constraints if c.equal))


def _at(problem: Problem, at: Mapping[Name, float]) -> Problem:
    """The problem of one point."""
    own = {name: Definition(name, (), Num(value), "given") for name, value in at.items()}
    return replace(problem, definitions={**problem.definitions, **own})


@dataclass(frozen=True, slots=True)
class Why:
    """Why a point has no solution.

    Attributes:
        text: What cannot hold together, in words.
        said: The values of the axes there.
        core: The keys of the constraints that these words are of.
    """

    text: str
    said: tuple[str, ...]
    core: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reason:
    """What cannot hold together at points, in words.

    Attributes:
        pieces: The words between the values of axes.
        axes: Which axis' value stands behind each piece but the last.
    """

    pieces: tuple[str, ...]
    axes: tuple[int, ...]

    @staticmethod
    def of(text: str, said: Sequence[str]) -> Reason:
        """The words in which the values of axes, as they are said, stand for any value of these."""
        marks = [re.escape(one) for one in said]
        found = list(re.finditer("|".join(rf"(?<![\w.])({mark})(?![\w.])" for mark in marks), text))
        ends = [0, *(match.end() for match in found)]
        starts = [*(match.start() for match in found), len(text)]
        pieces = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
        return Reason(pieces, tuple(match.lastindex - 1 for match in found if match.lastindex))

    def text(self, said: Sequence[str]) -> str:
        """The words at values of all axes."""
        return "".join(
            piece + (said[axis] if axis >= 0 else "") for piece, axis in zip(self.pieces, (*self.axes, -1), strict=True)
        )


class Template:
    """A problem in which some figures are names, to be given arrays."""

    def __init__(self, problem: Problem, asked: Sequence[Expr], where: Expr | None) -> None:
        self.problem = problem
        self._asked = tuple(asked)
        self._where = where
        self._once = Part(problem, Posed(problem))
        again = problem.repeating()
        self._repeats = bool(problem.repeats)
        # What bends between its stretches is solved point by point.
        self._again = Part(again, Posed(again)) if problem.repeats and len(stretches(again)) == 1 else None
        self.conflicts: list[tuple[Conflict, Reason]] = []
        self._wishes = frozenset(at for at, one in enumerate(limits(problem)) if one.kind == "require")
        self._held = tuple(one for one in problem.held if isinstance(one, Constraint))

    @staticmethod
    def of(problem: Problem, asked: Sequence[Expr], where: Expr | None) -> Template | None:
        """The template of a problem; None where it is solved otherwise than on arrays."""
        wanted = frozenset[Name]().union(*map(names, asked), names(where) if where is not None else ())
        known = problem.definitions.keys() | {v.name for v in problem.variables}
        otherwise = (
            any(f.severity == "error" for f in problem.findings)
            or q.COMPUTE not in problem.definitions
            or (problem.variables and not problem.goals)
            or problem.either
            or problem.inverses
            or len(stretches(problem)) > 1
            or problem.unsaid
            or problem.is_of_chance
            or any(d.between is not None for d in problem.definitions.values())
            or any(not isinstance(one, Constraint) or one.chance for one in problem.held)
            or counts(problem)
            or (q.INFERENCE_TOKENS in problem.definitions and not wanted <= known)
        )
        return None if otherwise else Template(problem, asked, where)

    # ---- solving

    def learn(self, env: Env, count: int, why: Callable[[int], Why]) -> None:
        """Take in the regions of some points, one after the other, until there is none whose region is new.

        Args:
            why: What is wrong at a point.
        """
        tried: set[int] = set()
        known, vain = 0, 0
        while vain < TRIED:
            left = ~self.reached(env, count).settled
            left &= self.at_odds(env, left, count) < 0
            new = [int(at) for at in np.flatnonzero(left) if int(at) not in tried]
            if not new:
                return
            tried.add(new[0])
            vain = 0 if self._known > known else vain + 1
            known = self._known
            at = {name: float(value[new[0]]) for name, value in env.items()}
            if optimum_of(_at(self.problem, at)).outcome == "infeasible":
                self._learn_conflict(at, env, count, left, new[0], why)
                continue
            self._once.learn(at)
            if self._again is not None:
                self._again.learn(at)

    @property
    def _known(self) -> int:
        """How many regions are known."""
        return len(self._once.regions) + len(self.conflicts) + (len(self._again.regions) if self._again else 0)

    def at_odds(self, env: Env, some: Mask, count: int) -> npt.NDArray[np.int64]:
        """Which conflict keeps points from having a solution, of some; -1 where none that is known does."""
        found = np.full(count, -1, dtype=np.int64)
        for at, (conflict, _) in enumerate(self.conflicts):
            left = np.flatnonzero(some & (found < 0))
            if len(left):
                here = {name: value[left] for name, value in env.items()}
                found[left[self._once.posed.at_odds(conflict, here, len(left), self._wishes)[1]]] = at
        return found

    def _learn_conflict(
        self,
        at: Mapping[Name, float],
        env: Env,
        count: int,
        left: Mask,
        point: int,
        why: Callable[[int], Why],
    ) -> None:
        """Take in what cannot hold together at a point, where its words are those of other points, too."""
        problem = _at(self.problem, at).aiming()
        found = optimum_of(problem)
        assumed = any(d.kind == "assumed" and name.text == q.MFU.text for name, d in self.problem.definitions.items())
        if found.certainty != "convex" or assumed or len(self.conflicts) >= MOST:
            return
        told = why(point)
        conflict = self._conflict(told.core, at)
        if conflict is None:
            return
        self.conflicts.append((conflict, Reason.of(told.text, told.said)))
        alike = np.flatnonzero(self.at_odds(env, left, count) == len(self.conflicts) - 1)
        # Other points show whether the words are rightly taken apart, where nothing else is at odds there.
        others = [int(alike[len(alike) * part // 8]) for part in range(8)] if len(alike) else []
        each = map(why, (other for other in dict.fromkeys(others) if other != point))
        if len(alike) > 1 and not any(self.conflicts[-1][1].text(one.said) == one.text for one in each):
            self.conflicts.pop()

    def _conflict(self, keys: Collection[str], at: Mapping[Name, float]) -> Conflict | None:
        """Constraints that are at odds at a point, with where they are broken alike; None where that is not found."""
        places = [place for place, one in enumerate(limits(self.problem)) if one.key in keys]
        equal = [place for place in places if limits(self.problem)[place].equal]
        env = {name: np.array([value]) for name, value in at.items()}
        start = tuple(math.log(v.start) for v in self.problem.variables)
        far = [(), *((at,) for at in range(len(start)))]
        for signs, off, end in product(product((1, -1), repeat=len(equal)), far, (FAR, -FAR)):
            sign = dict(zip(equal, signs, strict=True))
            begin = (*(end if at in off else x for at, x in enumerate(start)), 1.0)
            conflict = Conflict(begin, tuple((place, sign.get(place, 1)) for place in places), off)
            z, good = self._once.posed.at_odds(conflict, env, 1, self._wishes)
            if bool(good[0]):
                return replace(conflict, start=tuple(z[:, 0].tolist()))
        return None

    def reached(self, env: Env, count: int) -> Reached:
        """What the problem comes to at points."""
        variables = self._once.posed.variables
        with np.errstate(all="ignore"):
            x, settled = self._once.solved(env, count)
            repeating = np.zeros(count, dtype=np.bool_)
            if self._repeats:
                here = {**env, **dict(zip(variables, np.exp(x), strict=True))}
                passes = self._passes(here, count)
                settled &= (passes <= 1.0 + NEAR * (ONCE - 1.0)) | (passes > 1.0 + 2.0 * (ONCE - 1.0))
                repeating = settled & (passes > ONCE)
                at = np.flatnonzero(repeating)
                settled[at] = False
                if self._again is not None and len(at):
                    again, good = self._again.solved({name: value[at] for name, value in env.items()}, len(at))
                    x[:, at] = again
                    settled[at] = good
            out = {**env, **dict(zip(variables, np.exp(x), strict=True))}
            for constraint in self.problem.constraints:
                if constraint.key.startswith(SOME):
                    settled &= self._value(constraint.right, dict(out), count, self.problem) > SOME_TOKENS
        return Reached(out, settled, repeating)

    def _passes(self, env: dict[Name, Any], count: int) -> Floats:
        """How often the source is seen that is seen most often."""
        each = [self._value_of(q.EPOCHS.of("source", name), env, self.problem) for name in self.problem.sources]
        most = np.zeros(count)
        for passes in each:
            most = np.maximum(most, np.nan_to_num(np.broadcast_to(passes, (count,)), nan=0.0))
        return most

    # ---- telling

    def told(self, reached: Reached, count: int) -> tuple[list[Floats], Mask, Mask, list[tuple[str, Mask]]]:
        """What is asked, at which points all is sure, where the condition holds, and where each requirement is broken
        that the givens decide.
        """
        with np.errstate(all="ignore"):
            figures = [np.full(count, np.nan) for _ in self._asked]
            sure, wanted = reached.settled.copy(), np.zeros(count, dtype=np.bool_)
            broken = [(one.text, np.zeros(count, dtype=np.bool_)) for one in self._held]
            for part, own in ((self._once, ~reached.repeating), (self._again, reached.repeating)):
                at = np.flatnonzero(own & reached.settled)
                if part is None or not len(at):
                    continue
                env = {name: value[at] for name, value in reached.env.items()}
                self._off_the_line(part.problem, env)
                for figure, expr in zip(figures, self._asked, strict=True):
                    found = self._value(expr, env, len(at), part.problem)
                    figure[at] = np.where(np.isfinite(found), found, np.nan)
                wanted[at] = True if self._where is None else self._holds(self._where, env, len(at), part.problem)
                for one, (_, breaks) in zip(self._held, broken, strict=True):
                    excess = self._excess(one, env, len(at), part.problem)
                    breaks[at] = excess > TOLERANCE
                    sure[at] &= (excess <= TOLERANCE * NEAR) | (excess > TOLERANCE / NEAR)
        return figures, sure, wanted, broken

    def _off_the_line(self, problem: Problem, env: dict[Name, Any]) -> None:
        """Leave out the loss where a law tells it on its own optimum line only."""
        line = problem.line
        if line is None or not problem.frontier:
            return
        some = next(iter(env.values()))
        count = len(some)
        ratio = self._value(line.args[0], env, count, problem) / self._value(line.args[1], env, count, problem)
        off = ~((ratio > 1.0 / ON_THE_LINE) & (ratio < ON_THE_LINE))
        for name in (q.LOSS, q.PERPLEXITY):
            if name in problem.definitions:
                env[name] = np.where(off, np.nan, self._value_of(name, env, problem))

    def _excess(self, one: Constraint, env: dict[Name, Any], count: int, problem: Problem) -> Floats:
        left, right = (self._value(side, env, count, problem) for side in (one.left, one.most))
        off = np.abs(left - right) if one.equal else left - right
        excess = off / np.maximum(np.maximum(np.abs(left), np.abs(right)), 1e-300)
        return np.where(np.isfinite(excess), excess, 0.0)

    def _holds(self, condition: Expr, env: dict[Name, Any], count: int, problem: Problem) -> Mask:
        """Whether a condition without `not` holds, up to rounding; not where something in it has no value."""
        assert isinstance(condition, Op), "a condition compares something"
        if condition.op in ("and", "or"):
            every = [self._holds(arg, env, count, problem) for arg in condition.args]
            return np.asarray(np.logical_and.reduce(every) if condition.op == "and" else np.logical_or.reduce(every))
        left, right = (self._value(side, env, count, problem) for side in condition.args)
        slack = TOLERANCE * np.maximum(np.abs(left), np.abs(right))
        return np.asarray(HOLDS[condition.op](left, right, slack, condition))

    def _value(self, expr: Expr, env: dict[Name, Any], count: int, problem: Problem) -> Floats:
        """The values of an expression, after those of all that it rests on; NaN where it has none."""
        for name in names(expr):
            self._value_of(name, env, problem)
        return np.broadcast_to(np.asarray(values(expr, env), dtype=np.float64), (count,))

    def _value_of(self, name: Name, env: dict[Name, Any], problem: Problem) -> Any:
        if name not in env:
            definition = problem.definitions.get(name)
            if definition is not None:
                for one in sorted(names(definition.expr)):
                    self._value_of(one, env, problem)
            env[name] = np.nan if definition is None else values(definition.expr, env)
        return env[name]
