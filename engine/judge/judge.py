"""Solutions to findings: requirements that are broken, what makes room, and ranges left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runplan.dsl.expr.tree import Ref
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.show import json_unit, show
from runplan.engine.formulate.draft import first_statement
from runplan.engine.judge.requirements import broken, budget_quantity, fits_with
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.values import ON_THE_LINE

# Beyond a range, or off a line, by less than this factor is rounding.
ROUNDED = 1.005


def judge(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """What is wrong or worth knowing of a plan under one law; requirements at the worst end of what is uncertain."""
    at_worst = solution.worst or solution
    note = f"judged at the worst end: {solution.worst_at}" if solution.worst else ""
    yield from (replace(found, notes=(*found.notes, note)) if note else found for found in _required(plan, at_worst))
    if solution.status != "solved":
        return
    yield from _beyond_range(plan, solution)
    yield from _off_the_line(plan, solution)


def _required(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """Requirements that are broken, or that conflict, and preferences that are missed."""
    if solution.status == "infeasible":
        yield _conflict(plan, solution)
    if solution.status == "undecided":
        return
    for constraint in solution.problem.decided:
        yield from broken(plan, solution, constraint)
    for constraint in plan.prefers if solution.status == "solved" else ():
        yield from broken(plan, solution, constraint)


# ---- conflicts


def _conflict(plan: Plan, solution: Solution) -> Finding:
    """One finding for one conflict: who takes part, and the smallest changes that make room."""
    problem = solution.problem
    rooms = solution.conflict
    required = [
        limit for limit in problem.limits if limit.kind == "require" and any(room.name == limit.name for room in rooms)
    ]
    code = "C003"
    at: Span | None = None
    key = ""
    data: dict[str, float | str] = {}
    if required:
        constraint = required[-1].constraint
        assert constraint is not None
        budgets = [budget_quantity(limit.left, True) for limit in required]
        code = "B001" if any(budgets) else "B002"
        at, key = constraint.span, constraint.key
        room = next(room for room in rooms if room.name == required[-1].name)
        if room.value is not None:
            unit, factor = json_unit(room.dim)
            data = {"quantity": room.name, "value": room.value / factor, "unit": unit}
    spans = [room.span for room in rooms if room.span is not None]
    if at is None:
        at = max(spans, key=lambda span: (span.source.path, span.start)) if spans else Span(plan.source, 0, 0)
    texts = [f"`{room.text}`" for room in rooms]
    if len(rooms) == 1:
        message = f"{texts[0]} cannot be kept, whatever is free"
    elif texts:
        message = f"{enumerated(texts)} cannot hold together"
    else:
        message = "the plan's figures cannot hold together"
    also = [Label(room.span, room.change) for room in rooms if room.span is not None and room.span != at]
    changes = [room.change for room in rooms if room.change]
    return finding(
        code,
        message,
        Label(at),
        also=also,
        notes=_needed(solution),
        help=fits_with(changes),
        key=key,
        laws=(solution.law,),
        data=data,
    )


def _needed(solution: Solution) -> list[str]:
    """What the givens need against what there is, where the compute is what conflicts."""
    need, there = solution.values.get("compute"), solution.values.get("capacity")
    if need and there and need.value > there.value:
        ratio = need.value / there.value
        needed, given = show(need.value, need.dim), show(there.value, there.dim)
        return [f"it needs {needed}, {ratio:.3g}x the {given} that the hardware gives"]
    return []


# ---- the law's own bounds


def beyond(solution: Solution, law: Law | None = None) -> dict[str, float]:
    """How many times each quantity lies outside the range that a law, its own unless said, was fitted to."""
    law = law or solution.problem.law
    out = {}
    for name, (low, high) in law.fitted.items():
        value = solution.get(_counted(solution, law, name))
        if value is not None and not low <= value <= high:
            factor = value / high if value > high else low / value
            if factor > ROUNDED:
                out[name] = factor
    return out


def _counted(solution: Solution, law: Law, name: str) -> str:
    """The value that a quantity of a law is: its params are as the law counts them."""
    if name != "params":
        return name
    other = law.counts == "non_embedding" and "params_non_embedding" in solution.values
    return "law_params" if law is solution.problem.law else "params_non_embedding" if other else "params"


def _beyond_range(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """One line a law, also of one that is lent: how far the solution lies beyond the runs that it was fitted to."""
    gives: dict[str, list[str]] = {law.name: [] for law in solution.problem.lent}
    for value in solution.values.values():
        if value.kind == "law" and value.by in gives and "." not in value.name:
            gives[value.by].append(f"`{value.name}`")
    for law in (solution.problem.law, *(law for law in solution.problem.lent if gives[law.name])):
        factors = beyond(solution, law)
        parts = []
        for name, factor in factors.items():
            value = solution.values[_counted(solution, law, name)]
            low, high = law.fitted[name]
            side, end = ("above", high) if value.value > high else ("below", low)
            parts.append(
                f"{show(value.value, value.dim, 3)} is {show(factor, (), 3)}x {side} {show(end, value.dim, 3)}"
            )
        if parts:
            lent = f", which gives {enumerated(gives[law.name])}," if law.name in gives else ""
            message = f"`{law.name}`{lent} is used beyond its fitted range: {enumerated(parts)}"
            data: dict[str, float | str] = {"factor": max(factors.values())}
            # Several laws may be lent the same: it is said in one place, and once.
            at = plan.laws[0].span if lent and plan.laws else _law_span(plan, solution)
            key = f"range of {law.name}" if lent else ""
            yield finding("L001", message, at, severity="info", laws=(solution.law,), data=data, key=key)


def _off_the_line(plan: Plan, solution: Solution) -> Iterator[Finding]:
    factor = solution.off_line
    if factor is None or 1 / ON_THE_LINE < factor < ON_THE_LINE:
        return
    line = solution.problem.line
    assert line is not None
    what = "params" if line.args[0] == Ref("law_params") else "tokens"
    because = enumerated([f"`{name}`" for name in solution.binding if name != "compute"] or ["the plan"])
    moves = "move" if " and " in because else "moves"
    message = f"{because} {moves} {what} to {factor:.3g}x the optimum line of `{solution.resolved}`"
    yield finding(
        "L003",
        message,
        _law_span(plan, solution),
        severity="info",
        laws=(solution.law,),
        data={"factor": factor},
    )


def _law_span(plan: Plan, solution: Solution) -> Span:
    return next((name.span for name in plan.laws if name.text == solution.law), first_statement(plan))
