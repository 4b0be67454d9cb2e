"""A plan and a law to a problem: what is known, what is free, what must hold, what is wanted."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.expr.tree import Op, walk
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Objective, Plan
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.data import add_data
from runplan.engine.formulate.draft import Draft, first_statement
from runplan.engine.formulate.goals import goals_of
from runplan.engine.formulate.hardware import add_hardware
from runplan.engine.formulate.law import add_defaults, add_law, is_frontier, line_of
from runplan.engine.formulate.requirements import add_compute_limits, add_requirements
from runplan.engine.formulate.size import add_mixture, add_model_and_tokens
from runplan.engine.problem.problem import Problem


def objective_of(plan: Plan) -> Objective:
    """The plan's objective, or the default: CLM of text."""
    found = next((stage.objective for stage in plan.stages if stage.objective), None)
    return found or Objective("CLM", None, None, "text", None)


def pose(
    plan: Plan,
    law: Law,
    named: str,
    catalogue: Library,
    *,
    size: float | None = None,
    loosened: frozenset[str] = frozenset(),
    fixed: Mapping[str, float] | None = None,
    repeats: bool = False,
    scaled: tuple[str, float] = ("", 1.0),
) -> Problem:
    """The problem of a plan under a law.

    Args:
        named: The law as the plan names it.
        size: Params at which a default MFU is looked up, where the plan gives none.
        loosened: Names of givens that are left open, to find what change makes room.
        fixed: Variables set to a value, such as a number of GPUs rounded to whole nodes.
        repeats: Whether repeated data are discounted; without repeats the discount is nothing, and costs time.
        scaled: A figure that is given or assumed, by name, and a factor to it: to see what would change.
    """
    draft = Draft(plan, law, named, objective_of(plan), catalogue, size, loosened, fixed or {}, repeats, scaled)
    _not_solved_yet(draft)
    for let in plan.lets.values():
        draft.define(let.name, (), let.expr, "given", "let", let.span)
    add_model_and_tokens(draft)
    add_law(draft)
    add_mixture(draft)
    add_hardware(draft)
    add_data(draft)
    if draft.stage.inference is not None:
        draft.figure("inference_tokens", draft.stage.inference, TOKEN, 1e12, "inference")
    add_defaults(draft)
    for name, q in catalogue.quantities().items():
        if q.formula is not None and not draft.knows(name):
            draft.define(name, draft.dim(name), q.formula, "derived", q.title, q.span)
    draft.prune()
    add_compute_limits(draft)
    decided = add_requirements(draft)
    line = line_of(draft)
    aims, goal = goals_of(draft, line)
    return Problem(
        named,
        law,
        draft.objective,
        draft.definitions,
        tuple(draft.variables),
        tuple(draft.limits),
        decided,
        aims,
        goal,
        draft.givens,
        tuple(draft.asked),
        draft.sources,
        tuple(draft.findings),
        first_statement(plan),
        line,
        is_frontier(draft),
        draft.phases,
        tuple(draft.lent.values()),
    )


def _not_solved_yet(draft: Draft) -> None:
    """What is read and typed, and not solved: said, never passed over."""
    plan = draft.plan
    if len(plan.stages) > 1 or plan.stages[0].name:
        span = next((s.span for s in plan.stages if s.span), None)
        draft.gave_up("stages are read, and not solved yet", span, ["plan each stage in a file of its own"])
    for constraint in (*plan.requires, *plan.prefers):
        for item in walk(constraint.condition):
            if isinstance(item, Op) and item.op in ("P", "or", "not", "!="):
                said = "P(...)" if item.op == "P" else f"`{item.op}`"
                draft.gave_up(f"{said} in a requirement is read, and not solved yet", constraint.span)
                break
