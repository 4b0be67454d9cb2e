"""Solutions to findings: requirements that are broken, what makes room, and ranges left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Ref, walk
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Plan, Requirement
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.later import Later
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.show import json_unit, show
from runplan.engine.formulate.mixture import FITTED_EXPERTS
from runplan.engine.formulate.probable import is_chance
from runplan.engine.judge.requirements import all_of, broken, budget_quantity, fits_together, fits_with, fixes_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.either import Either
from runplan.engine.problem.natural import natural
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Change, Relaxation, Solution
from runplan.engine.solve.values import ON_THE_LINE

# Beyond a range, or off a line, by less than this factor is rounding.
ROUNDED = 1.005


def judge(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """What is wrong or worth knowing of a plan under one law; requirements at the worst end of what is uncertain."""
    at_worst = solution.worst or solution
    note = f"judged at the worst end: {solution.worst_at}" if solution.worst else ""
    # Of a probability all that may be is asked, and no end.
    chances = {r.key for r in (*plan.requires, *plan.prefers) if _is_of_chance(r)}
    required = list(_required(plan, at_worst))
    if len(required) > 1:
        # What a plan with nothing wrong has no use for: docs/design/0004-what-check-does-not-import.md.
        from runplan.engine.judge.at_once import with_help

        required = with_help(required, at_worst)
    for found in required:
        yield replace(found, notes=(*found.notes, note)) if note and found.key not in chances else found
    if solution.status != "solved":
        return
    if natural(solution.problem).deviates:
        # What a plan whose rates are stated has no use for: docs/design/0004-what-check-does-not-import.md.
        from runplan.engine.judge.chance import may_miss

        yield from may_miss(plan, solution)
    yield from _beyond_range(plan, solution)
    yield from _held_to_runs(plan, solution)
    yield from _off_the_line(plan, solution)


def _required(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """Requirements that are broken, or that conflict, and preferences that are missed."""
    if solution.status == "infeasible":
        for relaxations, reasons in zip(solution.conflicts, solution.reasons, strict=True):
            yield _conflict(plan, solution, relaxations, reasons)
    if solution.status == "undecided" and len(plan.stages) > 1:
        return  # what is known is that of one stage
    for requirement in plan.requires if solution.status == "undecided" else solution.problem.decided:
        yield from broken(plan, solution, requirement)
        if solution.status != "undecided":
            yield from _unlikely(solution, requirement)
    for requirement in plan.prefers if solution.status == "solved" else ():
        yield from broken(plan, solution, requirement)
        yield from _unlikely(solution, requirement)


def _is_of_chance(requirement: Requirement) -> bool:
    """Whether it asks how likely something is to be."""
    return any(map(is_chance, walk(requirement.condition)))


def _unlikely(solution: Solution, requirement: Requirement) -> Iterator[Finding]:
    """What is not as likely as is asked."""
    if _is_of_chance(requirement):
        # As above.
        from runplan.engine.judge.unlikely import unlikely

        yield from unlikely(solution, requirement)


# ---- conflicts


def _conflict(plan: Plan, solution: Solution, relaxations: tuple[Relaxation, ...], reasons: tuple[str, ...]) -> Finding:
    """One finding for one conflict: who takes part, and the smallest changes that make room."""
    required = [(r, r.of.requirement) for r in relaxations if not isinstance(r.of, Name) and r.of.requirement]
    if required:
        last, requirement = required[-1]
        code = _code_of(solution.problem, frozenset(one.key for _, one in required))
        at, key, data = requirement.span, requirement.key, _data_of(last)
    else:
        spans = [r.span for r in relaxations if r.span is not None]
        at = max(spans, key=lambda span: (span.source.path, span.start)) if spans else Span(plan.source, 0, 0)
        code, key, data = "C003", "", {}
    # What the budget of a folder says is not for the plan to say otherwise.
    firm = {r.text: requirement.by for r, requirement in required if requirement.budget}
    texts = [f"`{r.text}`" + (f" of {firm[r.text]}" if r.text in firm else "") for r in relaxations]
    also = [
        Label(r.span, r.change.text if r.change else "") for r in relaxations if r.span is not None and r.span != at
    ]
    changes = [change for r in relaxations if r.change and r.text not in firm for change in (r.change, *r.others)]
    both = Later(lambda: _both(solution, [r for r in relaxations if r.text not in firm]))
    return finding(
        code,
        _not_together(texts),
        Label(at),
        also=also,
        notes=reasons,
        help=Later(lambda: [*fits_with(changes), *fits_together("it", both)]),
        fixes=Later(lambda: [*fixes_of(changes), *all_of(both)]),
        key=key,
        laws=(solution.law,),
        data=data,
    )


def _code_of(problem: Problem, requirements: Set[str]) -> str:
    """The code of a conflict that requirements take part in, by their keys: over budget where one bounds a budget."""
    kept = [one for one in problem.kept if one.requirement is not None and one.requirement.key in requirements]
    return "B001" if any(_bounds_a_budget(problem, one) for one in kept) else "B002"


def _data_of(last: Relaxation) -> dict[str, float | str]:
    """The value at which what is required could be kept, for programs; nothing where there is none."""
    if last.value is None:
        return {}
    unit, factor = json_unit(last.dim)
    return {"quantity": last.text, "value": last.value / factor, "unit": unit}


def _not_together(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return f"{texts[0]} cannot be kept, whatever is free"
    who = enumerated(texts) if texts else "the plan's figures"
    return f"{who} cannot hold together"


def _both(solution: Solution, conflict: Sequence[Relaxation]) -> tuple[Change, ...]:
    """What is required, and what stands against it, changed together, where this is the only conflict; nothing where
    each can be by itself."""
    if all(one.change for one in conflict) or len(solution.conflicts) > 1:
        return ()
    # What most conflicts have no use for: docs/design/0004-what-check-does-not-import.md.
    from runplan.engine.solve.conflict import with_another

    return with_another(solution.problem, conflict)


def _bounds_a_budget(problem: Problem, one: Constraint | Either) -> bool:
    """Whether what is kept bounds a budget from above; of a choice whether every alternative does."""
    if isinstance(one, Constraint):
        return budget_quantity(problem, one.left, True) is not None
    ways: list[list[Constraint | Either]] = [[*way.constraints, *way.either] for way in one.alternatives]
    return all(any(_bounds_a_budget(problem, each) for each in way) for way in ways)


# ---- the law's own bounds


def beyond(solution: Solution, law: Law | None = None) -> dict[str, float]:
    """How many times each quantity lies outside the range that a law, its own unless said, was fitted to."""
    law = law or solution.problem.law
    out: dict[str, float] = {}
    if law is solution.problem.law and solution.problem.lawless:
        return out
    optional = {p.quantity for f in law.functions for p in f.parameters if p.default is not None}
    for name, (low, high) in law.fitted.items():
        counted = _counted(solution, law, name)
        value = solution.get(counted)
        if name in optional and counted in solution.values and solution.values[counted].kind == "assumed":
            continue  # the plan leaves it out, and the law's default says that it does not matter
        if value is not None and not low <= value <= high:
            factor = value / high if value > high else low / value
            if factor > ROUNDED:
                out[name] = factor
    return out


def beyond_of(solution: Solution) -> dict[str, float]:
    """How many times each quantity lies outside the range of its law's runs; of settings, what they are given from.

    Where the law that is named lends settings only, it is these alone.
    """
    problem = solution.problem
    laws = {law.name: law for law in (problem.law, *problem.default_laws)}
    settings = problem.quantities.fields.get("optimizer", {})
    lent = {name: v for name in settings if (v := solution.quantity(name)) and v.kind == "law" and v.by in laws}
    factors = {name: beyond(solution, laws[value.by]) for name, value in lent.items()}
    own = {} if solution.lends else beyond(solution)
    return own | {name: max(far.values()) for name, far in factors.items() if far}


def _counted(solution: Solution, law: Law, text: str) -> Name:
    """The value that a quantity of a law is: its params are as the law counts them."""
    if text != q.PARAMS.text:
        return quantity(text)
    other = law.counts == "non_embedding" and q.PARAMS_NON_EMBEDDING in solution.values
    return q.LAW_PARAMS if law is solution.problem.law else q.PARAMS_NON_EMBEDDING if other else q.PARAMS


def _beyond_range(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """One line a law, also of a default one: how far the solution lies beyond the runs that it was fitted to."""
    gives: dict[str, list[str]] = {law.name: [] for law in solution.problem.default_laws}
    for value in solution.values.values():
        if value.kind == "law" and value.by in gives and not value.name.scope:
            gives[value.by].append(f"`{value.name}`")
    for law in (solution.problem.law, *(law for law in solution.problem.default_laws if gives[law.name])):
        factors = beyond(solution, law)
        parts = []
        for name, factor in factors.items():
            value = solution.values[_counted(solution, law, name)]
            low, high = law.fitted[name]
            side, end = ("above", high) if value.value > high else ("below", low)
            of = "" if value.dim else f"`{name}` of "
            parts.append(
                f"{of}{show(value.value, value.dim, 3)} is {show(factor, (), 3)}x {side} {show(end, value.dim, 3)}"
            )
        if parts:
            default = f", which gives {enumerated(gives[law.name])}," if law.name in gives else ""
            message = f"`{law.name}`{default} is used beyond its fitted range: {enumerated(parts)}"
            data: dict[str, float | str] = {"factor": max(factors.values())}
            # Several laws may take the same default: it is said in one place, and once.
            called = [name.span for name in plan.laws if name.text in (law.name, *law.aliases)] or [
                name.span for name in plan.laws[:1]
            ]
            at = called[0] if default and called else _beyond_by(plan, solution, law, factors)
            key = f"range of {law.name}" if default else ""
            yield finding("L001", message, at, severity="info", laws=(solution.law,), data=data, key=key)


def _held_to_runs(plan: Plan, solution: Solution) -> Iterator[Finding]:
    """Where a law would take more experts than it was fitted to, and nothing in the plan keeps it from that."""
    held = next((c for c in solution.problem.constraints if c.key == FITTED_EXPERTS), None)
    if held is None or held.text not in solution.binding:
        return
    law, most = solution.problem.law, solution.values[q.EXPERTS].value
    message = f"`{law.name}` finds more experts better, without end: held to {most:g}, the most of its runs"
    help = [f"say how many, such as `experts: {most / 2:g}`; `experts: up to {2 * most:g}` goes beyond the runs"]
    yield finding("L001", message, held.span or plan.first_statement, severity="info", help=help, laws=(solution.law,))


def _beyond_by(plan: Plan, solution: Solution, law: Law, factors: Mapping[str, float]) -> Span:
    """Where a law is named; of one that is not, what of the plan lies furthest beyond its runs."""
    if named := [name.span for name in plan.laws if name.text == solution.law]:
        return named[0]
    stage = plan.stages[0]
    spent = [part.span for part in (*stage.hardware[:1], stage.compute) if part is not None]
    for name in sorted(factors, key=lambda name: -factors[name]):
        value = solution.values[_counted(solution, law, name)]
        if value.kind == "given" and value.span is not None and value.span.source is plan.source:
            return value.span
        if name == q.COMPUTE.text and spent:
            return spent[0]
    stated = [part.span for part in (*stage.hardware[:1], stage.compute, stage.tokens, plan.model) if part is not None]
    return stated[0] if stated else plan.first_statement


def _off_the_line(plan: Plan, solution: Solution) -> Iterator[Finding]:
    factor = solution.off_line
    if factor is None or 1 / ON_THE_LINE < factor < ON_THE_LINE:
        return
    line = solution.problem.line
    assert line is not None
    what = "params" if line.args[0] == Ref(q.LAW_PARAMS) else "tokens"
    because = enumerated([f"`{name}`" for name in solution.binding if name != "compute"] or ["the plan"])
    moves = "move" if " and " in because else "moves"
    message = f"{because} {moves} {what} to {show(factor, (), 3)}x the optimum line of `{solution.resolved}`"
    yield finding(
        "L003",
        message,
        _law_span(plan, solution),
        severity="info",
        laws=(solution.law,),
        data={"factor": factor},
    )


def _law_span(plan: Plan, solution: Solution) -> Span:
    return next((name.span for name in plan.laws if name.text == solution.law), plan.first_statement)
