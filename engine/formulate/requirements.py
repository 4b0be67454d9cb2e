"""What a plan requires to constraints of the problem, or to what its givens decide alone."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.expr.logic import clauses, known_ways, parts, ways
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op, Ref, names, walk
from runplan.dsl.plan.ir import Given, Plan, Requirement, Within
from runplan.engine.formulate.alternatives import Keeper
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.missing import is_of_each_pool, is_of_layout, missing, no_chance
from runplan.engine.formulate.probable import is_chance, is_solved
from runplan.engine.problem import quantities as q
from runplan.engine.problem.either import Either
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Constraint, Definition


def add_compute_limits(draft: Draft) -> None:
    """The compute that there is, or that the plan states, as constraints."""
    if not draft.knows(q.COMPUTE):
        return
    # Of pools that are reserved for as long as the run needs them, it is what they could give.
    there = q.MOST_CAPACITY if draft.elastic else q.CAPACITY
    if there in draft.definitions and draft.stage.hardware:
        draft.constrain("compute", Ref(q.MODEL_COMPUTE), Ref(there), "capacity", draft.stage.hardware[0].span)
    budget = draft.stage.compute
    if isinstance(budget, Within) and budget.low is not None:
        least = budget.low.number
        at = budget.low.span
        draft.constrain("compute", least, Ref(q.COMPUTE), "range", budget.span, of=q.COMPUTE, figure=at)
    high = budget if isinstance(budget, Given) else (budget.high if isinstance(budget, Within) else None)
    if high is None:
        return
    draft.givens[q.COMPUTE] = high
    draft.give(q.COMPUTE_BUDGET, high)
    draft.constrain("compute", Ref(q.COMPUTE), Ref(q.COMPUTE_BUDGET), "budget", high.span, of=q.COMPUTE)


def add_requirements(draft: Draft) -> tuple[Requirement, ...]:
    """Requirements that the solution keeps become constraints; those that the givens decide are returned."""
    decided: list[Requirement] = []
    variables = draft.chosen()
    by_hardware = draft.quantities.decided_by("hardware") | draft.quantities.decided_by("nature")
    of_the_run = draft.quantities.decided_by("run")
    open_ = draft.elastic or not {name.text for name in variables} <= of_the_run
    reserved = q.CAPACITY in draft.definitions and not open_
    # How long it takes is no choice: with all else given the run has the time that it needs.
    needed = variables == {q.RESERVED_TIME} <= {*draft.asked}
    memo: dict[Name, Expr] = {}
    for requirement in draft.plan.requires:
        if _is_of_layout(draft, requirement):
            decided.append(requirement)
            continue
        condition = _known(draft, requirement)
        if condition is None:
            continue
        free = names(expand(condition, draft.definitions, memo)) & variables
        mentioned = {name.text for name in names(without_lets(condition, draft.plan))}
        made = list(_kept(draft, requirement, condition))
        if not free or needed or (reserved and mentioned <= by_hardware):
            decided.append(requirement)
            draft.held += made
        else:
            draft.constraints += (part for part in made if isinstance(part, Constraint))
            draft.either += (part for part in made if isinstance(part, Either))
    for preference in draft.plan.prefers:
        if not _is_of_layout(draft, preference):
            _known(draft, preference)
    return tuple(decided)


def _is_of_layout(draft: Draft, requirement: Requirement) -> bool:
    """Whether a requirement is on what the layout decides, which is found for the run that is solved: it is judged
    then, and where nothing tells the layout, the finding is ready."""
    asked = sorted(names(without_lets(requirement.condition, draft.plan)), key=str)
    of_layout = [name for name in asked if is_of_layout(draft, name)]
    if not of_layout or not all(name in of_layout or draft.knows(name) for name in asked):
        return False
    chance = next((one for one in walk(requirement.condition) if is_chance(one)), None)
    if isinstance(chance, Op):
        found = no_chance(of_layout[0], chance.args[0]).finding(requirement.span, requirement.key, requirement.soft)
        draft.findings.append(found)
        return True
    lacking = next((name for name in of_layout if is_of_each_pool(draft, name)), of_layout[0])
    if (why := missing(draft, lacking)) is not None:
        draft.unsaid[requirement.key] = why.finding(requirement.span, requirement.key, requirement.soft)
    return True


def _known(draft: Draft, requirement: Requirement) -> Expr | None:
    """The ways to keep a requirement that name only what is known; None where there are none, with the finding.

    What another way names, and is not known, counts where these are not kept.
    """

    def unknown(expr: Expr) -> list[Name]:
        return sorted((n for n in names(without_lets(expr, draft.plan)) if not draft.knows(n)), key=str)

    every = ways(requirement.condition)
    if not all(map(is_solved, parts(every))):
        return None  # it has its finding
    condition = known_ways(every, lambda part: not unknown(part))
    lacking = unknown(every)
    # A figure that is read and not solved has its finding, and what needs it no second one.
    if lacking and not any(f.code == "C009" for f in draft.findings):
        why = missing(draft, lacking[0])
        found = why.finding(requirement.span, requirement.key, requirement.soft) if why is not None else None
        if found is not None and condition is None:
            draft.findings.append(found)
        elif found is not None:
            draft.unsaid[requirement.key] = found
    return condition


def _kept(draft: Draft, requirement: Requirement, condition: Expr) -> Iterator[Constraint | Either]:
    """What keeps a requirement, all of it."""
    keeper = Keeper.of(draft, requirement)
    for i, clause in enumerate(clauses(condition)):
        yield keeper.kept(clause, f"{requirement.key}#{i}" if i else requirement.key)


def without_lets(expr: Expr, plan: Plan) -> Expr:
    """The expression with the plan's `let`s replaced."""
    lets = {name: Definition(name, (), let.expr, "given") for name, let in plan.lets.items()}
    return expand(expr, lets, {})
