"""A plan and a law to a problem: what is known, what is free, what must hold, what is wanted."""

from __future__ import annotations

from runplan.dsl.expr.tree import Op, walk
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Objective, Plan
from runplan.engine.formulate.draft import Draft, first_statement
from runplan.engine.formulate.goals import aims_of
from runplan.engine.formulate.law import is_frontier, line_of
from runplan.engine.formulate.length import seen_as_often
from runplan.engine.formulate.requirements import UNSOLVED, add_requirements
from runplan.engine.formulate.run import add_run
from runplan.engine.problem.problem import Problem


def objective_of(plan: Plan) -> Objective:
    """The plan's objective, or the default: CLM of text."""
    found = next((stage.objective for stage in plan.stages if stage.objective), None)
    return found or Objective("CLM", None, None, "text", None)


def formulate(plan: Plan, law: Law, named: str, catalogue: Library, lenders: tuple[Law, ...] = ()) -> Problem:
    """The problem of a plan under a law, as expressions only: no value is computed here.

    Args:
        named: The law as the plan names it.
        lenders: Laws of settings that are named beside it.
    """
    draft = Draft(seen_as_often(plan), law, named, objective_of(plan), catalogue, lenders)
    _not_solved_yet(draft)
    add_run(draft)
    return _posed(draft)


def _posed(draft: Draft) -> Problem:
    """The problem of all that is known: with what the plan requires, and what it wants."""
    plan, law = draft.plan, draft.law
    decided = add_requirements(draft)
    line = line_of(draft)
    aim, *instead = aims_of(draft, line)
    return Problem(
        named=draft.named,
        law=law,
        objective=draft.objective,
        definitions=draft.definitions,
        variables=tuple(draft.variables),
        constraints=tuple(draft.constraints),
        decided=decided,
        goals=(*aim.goals, *aim.ties),
        goal=aim.said,
        ties=len(aim.ties),
        instead=tuple(instead),
        stated=bool(plan.goals),
        givens=draft.givens,
        asked=tuple(draft.asked),
        sources=draft.sources,
        findings=draft.told(),
        place=first_statement(plan),
        line=line,
        frontier=is_frontier(draft),
        lawless=draft.lawless,
        phases=draft.phases,
        default_laws=tuple(draft.default_laws.values()),
        inverses=tuple(draft.inverses),
        repeats=tuple(draft.repeats),
        held=tuple(draft.held),
        evenly=tuple(draft.evenly),
        quantities=draft.catalogue.quantities(),
    )


def _not_solved_yet(draft: Draft) -> None:
    """What is read and typed, and not solved: said, never passed over."""
    plan = draft.plan
    if len(plan.stages) > 1:
        span = next((s.span for s in plan.stages if s.span), None)
        draft.gave_up("stages are read, and not solved yet", span, ["plan each stage in a file of its own"])
    for requirement in (*plan.requires, *plan.prefers):
        for item in walk(requirement.condition):
            if isinstance(item, Op) and item.op in UNSOLVED:
                said = "P(...)" if item.op == "P" else f"`{item.op}`"
                draft.gave_up(f"{said} in a requirement is read, and not solved yet", requirement.span)
                break
