"""The optimum of a problem with its counts whole, of devices up to full nodes, and of experts: branch and bound.

With any count that is real the problem is convex in logarithms, so what is feasible in one count is an interval, and
no whole one lies in it where neither the one below a point of it nor the one above does. Of several pools each count
is split in turn. What the search says has no solution has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Ref
from runplan.engine.numeric.optimise import Outcome
from runplan.engine.problem import quantities as q
from runplan.engine.problem.derived import derive
from runplan.engine.problem.parts import Constraint, weakest
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.search import Found, goals_at, is_better, optimum_of

# What there is a whole number of in a model.
WHOLE_NUMBERS = (q.EXPERTS, q.LAYERS, q.FFN, q.EXPERT_FFN, q.ACTIVE_EXPERTS)
# A count is whole when it is off by no more than this share of a node.
WHOLE = 1e-6
# A count that is off by no more than this is whole: it came out of logarithms.
EXACT = 1e-12
# Constraints are kept by whole counts to this share.
KEPT = 1e-6
# Splits before the best counts so far are taken.
SPLITS = 20


@dataclass(frozen=True, slots=True)
class Reached:
    """The optimum of a problem, devices whole.

    Attributes:
        problem: With each parameter that must agree with the solution at that value, and the alternatives taken.
        real: The counts that were made whole, as they were before.
    """

    problem: Problem
    found: Found
    real: Mapping[Name, float] = field(default_factory=dict)

    @property
    def is_optimal(self) -> bool:
        """Whether there is an optimum, and it was found."""
        return self.found.is_optimal

    @property
    def values(self) -> dict[Name, float]:
        """Everything that can be computed at the optimum, in base units."""
        return self.values_for(None)

    def values_for(self, exprs: Iterable[Expr] | None) -> dict[Name, float]:
        """What can be computed there of what expressions lead to, in base units; everything for None."""
        every = dict(self.found.values)
        derive(self.problem.settled(), every, exprs)
        return every


def counts(problem: Problem) -> list[Name]:
    """The variables that are counts of devices or of experts."""
    return [v.name for v in problem.variables if step_of(problem, v.name)]


def step_of(problem: Problem, name: Name) -> float:
    """What a quantity comes in whole multiples of: layers in ones, devices in nodes, a width in heads; 0 where it need
    not be whole.
    """
    if name.text == q.GPUS.text:
        node = problem.definitions.get(node_of(name))
        return node.expr.value if node is not None and isinstance(node.expr, Num) else 1.0
    if name == q.HIDDEN:
        heads = problem.definitions.get(q.HEADS)
        return heads.expr.value if heads is not None and isinstance(heads.expr, Num) else 1.0
    return 1.0 if name in WHOLE_NUMBERS else 0.0


def node_of(name: Name) -> Name:
    """The name of how many devices come at once, of a count of devices."""
    return Name(q.NODES_OF.text, scope=name.scope)


def real(problem: Problem) -> Reached:
    """The optimum with counts that need not be whole."""
    found = optimum_of(problem)
    return Reached(problem.taking(found.taken), found)


def whole(problem: Problem) -> Reached:
    """The optimum with whole devices.

    Rounded up, the run stays as it was found: more devices leave some idle. Where a constraint forbids that, and where
    the count is of the run itself, the counts on both sides are tried, and the run is found anew with each.
    """
    found = optimum_of(problem)
    up = rounded_up(problem, found.values) if found.is_optimal else {}
    if not up:
        values = {**found.values, **_exact(problem, found.values)}
        return Reached(problem.taking(found.taken), replace(found, values=values))
    of_the_run = problem.quantities.decided_by("run")
    run = {v.name: found.values[v.name] for v in problem.variables if v.name.text in of_the_run}
    if up.keys().isdisjoint(run) and _keeps(problem, {**found.values, **up}):
        return _bounded(problem, found, _told(problem, up | run, found))
    best, outcome = _branched(problem, found)
    if best is None:
        return Reached(problem, Found(outcome, {}, ()))
    told = _told(problem, best, found)
    return told if outcome == "infeasible" or not problem.goals else _bounded(problem, found, told)


def _bounded(problem: Problem, found: Found, told: Reached) -> Reached:
    """Whole counts with how much better others could be: no better than counts that need not be whole."""
    if not problem.goals or not told.is_optimal or told.found.certainty == "local":
        return told
    first = problem.goals[0]
    if first.sense == "minimize" and isinstance(first.expr, Ref) and first.expr.name in told.real:
        return told  # fewer were too few
    before, after = problem.taking(found.taken).settled().aiming(first), told.problem.settled().aiming(first)
    (least,), (reached,) = goals_at(before, found.values), goals_at(after, told.found.values)
    if not is_better((least,), (reached,)):
        return told
    gap = (reached - least) / max(abs(reached), abs(least))
    return replace(told, found=replace(told.found, certainty="bounds", gap=gap))


def _exact(problem: Problem, values: Mapping[Name, float]) -> dict[Name, float]:
    """The counts that are whole but for the last digits of a float, without these."""
    steps = {name: step_of(problem, name) for name in counts(problem) if name in values}
    whole_ = {name: round(values[name] / step) * step for name, step in steps.items()}
    return {name: value for name, value in whole_.items() if math.isclose(value, values[name], rel_tol=EXACT)}


def rounded_up(problem: Problem, values: Mapping[Name, float]) -> dict[Name, float]:
    """The counts rounded up, at least one node each; nothing where all are whole."""
    steps = {name: step_of(problem, name) for name in counts(problem)}
    up = {name: max(1.0, math.ceil(values[name] / step - WHOLE)) * step for name, step in steps.items()}
    return up if any(abs(up[name] - values[name]) > WHOLE * steps[name] for name in up) else {}


def _keeps(problem: Problem, env: dict[Name, float]) -> bool:
    """Whether values of the variables keep every constraint."""
    derive(problem, env)
    return all(part.excess(env) <= KEPT for part in problem.kept)


def _told(problem: Problem, held: Mapping[Name, float], found: Found) -> Reached:
    """The optimum with counts held, told by the problem before they were: what is solved there is solved."""
    fixed = problem.fixed(held)
    inner = optimum_of(fixed)
    values = {**inner.values, **held} if inner.is_optimal else {}
    real = {name: found.values[name] for name in counts(problem)}
    taken = problem.taking(inner.taken)
    binding = found.binding if inner.taken == found.taken else optimum_of(taken).binding
    certainty = weakest((inner.certainty, found.certainty))
    return Reached(taken, replace(inner, values=values, binding=binding, certainty=certainty), real)


def _branched(problem: Problem, found: Found) -> tuple[dict[Name, float] | None, Outcome]:
    """The whole counts of the best solution that has them; where there is none, whether that is proven."""
    best: dict[Name, float] | None = None
    least: tuple[float, ...] = ()
    outcome: Outcome = "infeasible"
    left = [(problem, found)]
    for split in range(SPLITS):
        if not left:
            break
        tried, found = left.pop()
        goals = goals_at(tried.taking(found.taken).settled(), found.values)
        if best is not None and not is_better(goals, least):
            continue
        steps = {name: step_of(problem, name) for name in counts(problem)}
        nodes = {name: found.values[name] / step for name, step in steps.items()}
        off = {name: abs(count - round(count)) if count > 0.5 else 1.0 for name, count in nodes.items()}
        name = max(off, key=lambda each: off[each])
        if off[name] <= WHOLE:
            best, least = {each: round(count) * steps[each] for each, count in nodes.items()}, goals
            if not goals:
                break
            continue
        if not goals and (some := _some(tried, nodes, steps)):
            return some, "optimal"
        low, node = math.floor(nodes[name]), Num(steps[name], tried.dim(name))
        sides: list[tuple[Expr, Expr]] = [(Num(max(low + 1.0, 1.0) * node.value, node.dim), Ref(name))]
        if low >= 1:
            sides.append((Ref(name), Num(low * node.value, node.dim)))
        for at, (less, more) in enumerate(sides):
            side = Constraint(f"whole {split} {at}", str(name), less, more, "range", of=name)
            bounded = replace(tried, constraints=(*tried.constraints, side))
            inner = optimum_of(bounded)
            if inner.is_optimal:
                left.append((bounded, inner))
            if inner.outcome not in ("infeasible", "optimal") or inner.certainty == "local":
                outcome = "gave-up"
    return best, "gave-up" if left else outcome


def _some(problem: Problem, nodes: Mapping[Name, float], steps: Mapping[Name, float]) -> dict[Name, float] | None:
    """Whole counts beside real ones with which there is a solution, where any will do."""
    for rounded in (math.floor, math.ceil):
        held = {name: max(1.0, rounded(count)) * steps[name] for name, count in nodes.items()}
        if optimum_of(problem.fixed(held)).is_optimal:
            return held
    return None
