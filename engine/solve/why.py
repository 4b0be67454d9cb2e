"""A conflict to sentences that say why: what is needed and there, what one node comes to, how low a loss can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, Op, Ref
from runplan.dsl.expr.tree import names as names_of
from runplan.dsl.expr.values import compiled
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.units.base import TIME
from runplan.dsl.units.show import percent, show
from runplan.engine.problem import quantities as q
from runplan.engine.problem.derived import derive
from runplan.engine.problem.parts import Constraint, Goal
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Relaxation
from runplan.engine.solve.knob import ENOUGH
from runplan.engine.solve.search import optimum_of
from runplan.engine.solve.whole import step_of

# A ratio that is nearer to one says nothing: a difference does.
NEAR = 1.005


def why(problem: Problem, conflict: Sequence[Relaxation]) -> tuple[str, ...]:
    """Why a conflict is one, as far as there is a figure to tell."""
    return (*_needed(problem, conflict), *_one_node(problem, conflict), *_least_loss(problem, conflict))


def _needed(problem: Problem, conflict: Sequence[Relaxation]) -> Iterator[str]:
    """The least compute that the plan needs, against what its hardware or its budget gives."""
    limits = {c.key for c in problem.constraints if c.kind in ("capacity", "budget")}
    figures = {one.of for one in conflict}
    if not limits or not any(isinstance(of, Constraint) or of.text in _OF_CAPACITY for of in figures):
        return
    least = optimum_of(problem.without(limits).aiming(Goal("minimize", Ref(q.MODEL_COMPUTE))))
    there = problem.expanded(Ref(q.CAPACITY))
    if not least.is_optimal or not isinstance(there, Num) or there.value <= 0:
        return
    need = float(compiled(problem.settled().expanded(Ref(q.MODEL_COMPUTE)))(least.values))
    if need > NEAR * there.value:
        needed, given = show(need, there.dim), show(there.value, there.dim)
        ratio = need / there.value
        yield f"it needs {needed}, {ratio:.4g}x the {given} that the hardware gives{_at_a_rate(problem, ratio)}"
    elif need > (1.0 + 1e-6) * there.value:
        more = show(need - there.value, there.dim, 3)
        yield f"it needs {show(need, there.dim, 6)}, {more} more than the hardware gives"


def _at_a_rate(problem: Problem, ratio: float) -> str:
    """What that is as a rate, where nobody stated one, beside the best that was measured."""
    mfu, best = (problem.expanded(expr) for expr in (Ref(q.MFU), Op("/", (Ref(q.CEILING), Ref(q.PEAK)))))
    if q.MFU not in problem.definitions or problem.definitions[q.MFU].kind != "assumed" or names_of(mfu):
        return ""
    needed, most = (float(value_of(each, {})) for each in (Op("*", (mfu, Num(ratio))), best))
    return f", an MFU of {percent(needed)}: the best matrix product measured on the device is {percent(most)}"


_OF_CAPACITY = frozenset((q.GPUS.text, q.RESERVED_TIME.text, q.START.text, q.DEADLINE.text, q.COMPUTE.text))


def _one_node(problem: Problem, conflict: Sequence[Relaxation]) -> Iterator[str]:
    """What the fewest devices come to, where that is more than the plan allows."""
    names = [v.name for v in problem.variables if v.name.text == q.GPUS.text]
    if len(names) != 1:
        return
    (name,) = names
    node = step_of(problem, name)
    what = f"a node of {node:g} GPUs" if node > 1 else "one GPU"
    for one in conflict:
        if not isinstance(one.of, Constraint) or one.of.kind not in ("require", "range"):
            continue
        left, right = one.of.left, problem.expanded(one.of.right)
        least = problem.without({one.of.key}).fixed({name: node}).aiming(Goal("minimize", left))
        found = optimum_of(least)
        if not isinstance(left, Ref) or not isinstance(right, Num) or not found.is_optimal:
            continue
        values = {**found.values}
        derive(least.settled(), values)
        if values[left.name] <= right.value * (1.0 + 1e-9):
            continue
        if left.name == name:
            yield f"the least is {what}"
        elif names_of(problem.expanded(left)) & {name}:
            time = values.get(Name(q.RESERVED_TIME.text, scope=name.scope))
            said = f" for {show(time, TIME)}" if time else ""
            yield f"{what}{said} is {show(values[left.name], least.dim(left.name))}"


def _least_loss(problem: Problem, conflict: Sequence[Relaxation]) -> Iterator[str]:
    """The loss that no data, or no size either, can go below, where less is required."""
    bounds = (
        problem.expanded(one.of.right)
        for one in conflict
        if isinstance(one.of, Constraint) and one.of.left == Ref(q.LOSS)
    )
    wanted = [bound.value for bound in bounds if isinstance(bound, Num)]
    if not wanted or q.LOSS not in problem.definitions:
        return
    free = problem.loosened(set(problem.givens)).settled()
    loss = compiled(free.expanded(Ref(q.LOSS)))
    every = {v.name: ENOUGH for v in free.variables}
    capped = any(isinstance(one.of, Name) and one.of.part("source") for one in conflict)
    whatever = "with these data, whatever the size" if capped else "whatever the size and the data"
    for bound in wanted:
        floors = [(f"{whatever}, `{problem.law.name}` gives a loss above", every)]
        for name, said in (
            (q.PARAMS, "with this size, whatever the data, the loss is above"),
            (q.TOKENS, "with these tokens, whatever the size, the loss is above"),
        ):
            if name in problem.givens and name in every:
                floors.append((said, {**every, name: problem.givens[name].value.value}))
        for said, at in floors:
            try:
                floor = float(loss(at))
            except (ArithmeticError, ValueError, KeyError):
                continue
            if floor >= bound:
                yield f"{said} {show(floor, problem.dim(q.LOSS))}"
                break
