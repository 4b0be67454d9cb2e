"""Solutions over a grid to what is told of them: the values of expressions, and what holds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from runplan.dsl.expr.logic import HOLDS
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op, names
from runplan.dsl.expr.values import Evaluator, compiled
from runplan.dsl.types import Any
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.values import ON_THE_LINE
from runplan.engine.sweep.grid import FUNCTIONS, Mask, whole
from runplan.engine.sweep.job import Floats

Env = dict[Name, Any]


class Told:
    """What follows from solutions of a problem, by its definitions; NaN where something has no value."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._evaluators: dict[int, tuple[Expr, Evaluator]] = {}

    def value(self, expr: Expr, env: Env) -> Any:
        """The values of an expression, after those of all that it rests on, which are kept."""
        self._know(names(expr), env)
        return self._evaluator(expr)(env)

    def figures(self, expr: Expr, env: Env) -> Floats:
        """The values of an expression, as an array."""
        return np.asarray(whole(self.value(expr, env)), dtype=np.float64)

    def off_the_line(self, env: Env) -> None:
        """Leave out the loss where a law tells it on its own optimum line only."""
        problem = self.problem
        line = problem.line
        if line is None or not problem.frontier:
            return
        ratio = self.figures(line.args[0], env) / self.figures(line.args[1], env)
        off = ~((ratio > 1.0 / ON_THE_LINE) & (ratio < ON_THE_LINE))
        for name in (q.LOSS, q.PERPLEXITY):
            if name in problem.definitions:
                self._know((name,), env)
                env[name] = np.where(off, np.nan, whole(env[name]))

    def excess(self, one: Constraint, env: Env) -> Floats:
        """By which share a constraint is broken."""
        left, right = (self.figures(side, env) for side in (one.left, one.most))
        off = np.abs(left - right) if one.equal else left - right
        excess = off / np.maximum(np.maximum(np.abs(left), np.abs(right)), 1e-300)
        return np.asarray(np.where(np.isfinite(excess), excess, 0.0))

    def holds(self, condition: Expr, env: Env) -> Mask:
        """Whether a condition without `not` holds, up to rounding; not where something in it has no value."""
        assert isinstance(condition, Op), "a condition compares something"
        if condition.op in ("and", "or"):
            first, *others = [self.holds(arg, env) for arg in condition.args]
            for other in others:
                first = first & other if condition.op == "and" else first | other
            return first
        left, right = (self.figures(side, env) for side in condition.args)
        slack = TOLERANCE * np.maximum(np.abs(left), np.abs(right))
        return np.asarray(HOLDS[condition.op](left, right, slack, condition))

    def _know(self, wanted: Iterable[Name], env: Env) -> None:
        for name in wanted:
            if name not in env:
                definition = self.problem.definitions.get(name)
                if definition is not None:
                    self._know(sorted(names(definition.expr)), env)
                env[name] = np.nan if definition is None else self._evaluator(definition.expr)(env)

    def _evaluator(self, expr: Expr) -> Evaluator:
        key = id(expr)
        if key not in self._evaluators:
            self._evaluators[key] = (expr, compiled(expr, FUNCTIONS))  # with it, so that no other takes its place
        return self._evaluators[key][1]
