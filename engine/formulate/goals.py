"""What a plan wants, or leaves open, to goals in order."""

from __future__ import annotations

from typing import Literal

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Op, Ref, names, substitute
from runplan.dsl.text.finding import finding
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import is_frontier
from runplan.engine.formulate.missing import why_missing
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.formulate.scope import OF_THE_RUN
from runplan.engine.problem.problem import Aim, Limit, expand

# ---- what is wanted


def goals_of(draft: Draft, line: Op | None) -> tuple[tuple[Aim, ...], str]:
    """The goals in order, ties broken by fewest GPU-hours, shortest time, fewest params; and the first in words."""
    last = tuple(Aim("minimize", Ref(name)) for name in _ties(draft))
    has_loss = "loss" in draft.definitions and not is_frontier(draft)
    if has_loss and len(draft.variables) > 1:
        # A loss of the size alone, or of the tokens alone, cannot weigh one against the other.
        over = names(expand(Ref("loss"), draft.definitions, {}))
        has_loss = {v.name for v in draft.variables if v.name in OF_THE_RUN} <= over
    if draft.plan.goals:
        goal = draft.plan.goals[0]
        mentioned = names(without_lets(goal.expr, draft.plan))
        if mentioned == {"loss"} and goal.sense == "minimize" and not has_loss and line is not None:
            return (*_along(draft, line), *last), "the law's optimum line"
        missing = sorted(name for name in mentioned if not draft.knows(name))
        if missing:
            reason, help = why_missing(draft, missing[0])
            law = reason == "law"
            what = (
                f"`{draft.law.name}` does not give `{missing[0]}`" if law else f"`{missing[0]}` is not known: {reason}"
            )
            code = "L004" if law else "C004"
            draft.findings.append(finding(code, what, goal.span, help=help, laws=(draft.named,) if law else ()))
            return (), ""
        sense: Literal["minimize", "maximize"] = "minimize" if goal.sense == "minimize" else "maximize"
        if "lifetime_compute" in draft.definitions and sense == "minimize" and "compute" in mentioned:
            # What is served belongs to what is minimised.
            whole = substitute(goal.expr, {"compute": Ref("lifetime_compute")})
            return (Aim(sense, whole), *last), f"minimize {shown(goal.expr)}, what is served included"
        return (Aim(sense, goal.expr), *last), f"{goal.sense} {shown(goal.expr)}"
    bounded = any(limit.name == "compute" for limit in draft.limits)
    if "lifetime_compute" in draft.definitions and (not bounded or _loss_is_bounded(draft)):
        return (Aim("minimize", Ref("lifetime_compute")), *last), "minimize lifetime_compute"
    asked = [name for name in draft.asked if name.endswith(("gpus", "reserved_time"))]
    if not asked and not bounded:
        asked = draft.asked
    if asked:
        if len(asked) > 1 and "capacity" in draft.definitions:
            asked = ["cost" if "cost" in draft.definitions else "gpu_hours"]
        first = tuple(Aim("minimize", Ref(name)) for name in asked)
        return (*first, *last), f"the least {asked[0].replace('reserved_', '')}"
    if draft.transfer:
        return (*_transferred(draft, line), *last), "all the fine-tuning data that the budget allows"
    if has_loss and any(limit.equal and Ref("loss") in (limit.left, limit.right) for limit in draft.limits):
        return last, "the loss that is required, at the least compute"
    if has_loss:
        return (Aim("minimize", Ref("loss")), *last), "minimize loss"
    if line is not None:
        return (*_along(draft, line), *last), "the law's optimum line"
    if _pinned(draft):
        return last, "what the plan states"
    if draft.variables and not draft.findings:
        message = f"`{draft.law.name}` gives no loss and no optimum: it cannot choose the size"
        draft.does_not_give(message, draft.law_span(), ["name a law that can, such as `chinchilla`"])
    return (), ""


def _loss_is_bounded(draft: Draft) -> bool:
    """Whether a requirement says how low the loss must be: then what is served counts, and not a lower loss."""
    return any(limit.kind == "require" and limit.left == Ref("loss") for limit in draft.limits)


def _pinned(draft: Draft) -> bool:
    """Whether equalities leave nothing to choose: as many of them as there are variables, and each variable in one."""
    equal = [names(expand(Op("-", (x.left, x.right)), draft.definitions, {})) for x in draft.limits if x.equal]
    free = {v.name for v in draft.variables}
    return len(equal) >= len(free) and free <= frozenset().union(*equal)


def _ties(draft: Draft) -> list[str]:
    """What breaks ties: fewest GPU-hours, then shortest time (without hardware, least compute), then fewest params."""
    variables = {v.name for v in draft.variables}

    def moves(name: str) -> bool:
        return draft.knows(name) and bool(names(expand(Ref(name), draft.definitions, {})) & variables)

    time = "time" if "time" in draft.definitions else "compute"
    first = [name for name in ("gpu_hours", time) if moves(name)]
    return first + [v.name for v in draft.variables if v.name.endswith(("gpus", "params"))]


def _along(draft: Draft, line: Op) -> tuple[Aim, ...]:
    """Spend the budget, as near to the law's line as the limits allow."""
    return (Aim("maximize", Ref("compute")), Aim("near", line.args[0], line.args[1]))


def _transferred(draft: Draft, line: Op | None) -> tuple[Aim, ...]:
    """Use the target's data whole, or what the budget allows of it, at the size of the law's line where it is free."""
    if line is not None and any(v.name in ("params", "law_params") for v in draft.variables):
        draft.limits.append(Limit("optimum line", line.args[0], line.args[1], "line", None, equal=True))
    return (Aim("maximize", Ref("finetune_tokens")),)
