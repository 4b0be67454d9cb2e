"""What a plan requires to constraints of the problem, or to what its givens decide alone."""

from __future__ import annotations

from runplan.dsl.expr.tree import COMPARISONS, Expr, Ref, comparisons, names
from runplan.dsl.plan.ir import Constraint, Given, Plan, Within
from runplan.dsl.text.finding import finding
from runplan.dsl.units.base import FLOP
from runplan.engine.formulate.draft import Draft, number
from runplan.engine.formulate.missing import why_missing
from runplan.engine.formulate.scope import OF_THE_RUN
from runplan.engine.problem.problem import Definition, Limit, expand

# What the hardware that a plan reserves decides by itself: it is judged, and does not move the solution.
RESERVED = frozenset(
    "time finish cost gpu_hours energy emissions gpus nodes mfu rate price peak power pue carbon_intensity availability"
    " capacity reserved_time".split()
)


# ---- what must hold


def add_compute_limits(draft: Draft) -> None:
    """The compute that there is, or that the plan states, as limits."""
    if "capacity" in draft.definitions:
        span = draft.stage.hardware[0].span
        draft.limits.append(Limit("compute", Ref("compute"), Ref("capacity"), "capacity", span))
    budget = draft.stage.compute
    if isinstance(budget, Within) and budget.low is not None:
        low = number(budget.low, FLOP)
        draft.limits.append(Limit("compute", low, Ref("compute"), "range", budget.span))
    high = budget if isinstance(budget, Given) else (budget.high if isinstance(budget, Within) else None)
    if high is None:
        return
    draft.givens["compute"] = high
    if "compute" not in draft.loosened:
        draft.give("compute_budget", FLOP, high)
        draft.limits.append(Limit("compute", Ref("compute"), Ref("compute_budget"), "budget", high.span))


def add_requirements(draft: Draft) -> tuple[Constraint, ...]:
    """Requirements that the solution keeps become limits; those that the givens decide are returned."""
    decided: list[Constraint] = []
    variables = {variable.name for variable in draft.variables}
    reserved = "capacity" in draft.definitions and variables <= set(OF_THE_RUN)
    memo: dict[str, Expr] = {}
    for constraint in draft.plan.requires:
        mentioned = names(without_lets(constraint.condition, draft.plan))
        missing = sorted(name for name in mentioned if not draft.knows(name))
        if missing:
            # A figure that is read and not solved has its finding, and what needs it no second one.
            if not any(f.code == "C009" for f in draft.findings):
                _missing(draft, constraint, missing[0])
            continue
        free = names(expand(constraint.condition, draft.definitions, memo)) & variables
        if not free or (reserved and mentioned <= RESERVED):
            decided.append(constraint)
            continue
        for part in comparisons(constraint.condition):
            if part.op not in COMPARISONS:  # read and not solved: said already
                continue
            left, right = reversed(part.args) if part.op in (">=", ">") else part.args
            text = " ".join(constraint.span.text.split())
            draft.limits.append(Limit(text, left, right, "require", constraint.span, part.op == "==", constraint))
    return tuple(decided)


def without_lets(expr: Expr, plan: Plan) -> Expr:
    """The expression with the plan's `let`s replaced."""
    lets = {name: Definition(name, (), let.expr, "given") for name, let in plan.lets.items()}
    return expand(expr, lets, {})


def _missing(draft: Draft, constraint: Constraint, name: str) -> None:
    reason, help = why_missing(draft, name)
    if reason == "law":
        message, code = f"`{draft.law.name}` does not give `{name}`", "L004"
    else:
        message, code = f"`{name}` is not known: {reason}", "C004"
    laws = (draft.named,) if reason == "law" else ()
    draft.findings.append(finding(code, message, constraint.span, help=help, key=constraint.key, laws=laws))
