"""What a plan wants, or leaves open, to goals in order."""

from __future__ import annotations

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Op, Ref, names, substitute
from runplan.dsl.plan.ir import Optimize
from runplan.dsl.text.finding import finding
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import is_frontier
from runplan.engine.formulate.missing import missing
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Goal, expand

# What is asked of hardware by a `?`: as few devices, or as short a time, as will do.
OF_HARDWARE = (q.GPUS.text, q.RESERVED_TIME.text)
Goals = tuple[tuple[Goal, ...], str]


def goals_of(draft: Draft, line: Op | None) -> Goals:
    """The goals in order, ties broken by fewest GPU-hours, shortest time, fewest params; and the first in words."""
    last = tuple(Goal("minimize", Ref(name)) for name in _ties(draft))
    has_loss = _has_loss(draft)
    if draft.plan.goals:
        goals, said = _stated(draft, draft.plan.goals[0], line, has_loss)
        return ((*goals, *last) if goals else ()), said
    found = _default(draft, line, has_loss)
    if found is None:
        return (), ""
    return (*found[0], *last), found[1]


def _default(draft: Draft, line: Op | None, has_loss: bool) -> Goals | None:
    """What is wanted where the plan does not say: what it asks for by a `?`, else the least loss."""
    bounded = any(constraint.text == "compute" for constraint in draft.constraints)
    if q.LIFETIME_COMPUTE in draft.definitions and (not bounded or _loss_is_bounded(draft)):
        return (Goal("minimize", Ref(q.LIFETIME_COMPUTE)),), "minimize lifetime_compute"
    asked = [name for name in draft.asked if name.text in OF_HARDWARE]
    if not asked and not bounded:
        asked = draft.asked
    if asked:
        return _asked(draft, asked)
    if draft.transfer:
        return _transferred(draft, line), "all the fine-tuning data that the budget allows"
    if has_loss and any(c.equal and Ref(q.LOSS) in (c.left, c.right) for c in draft.constraints):
        return (), "the loss that is required, at the least compute"
    if has_loss:
        return (Goal("minimize", Ref(q.LOSS)),), "minimize loss"
    if line is not None:
        return _along(line), "the law's optimum line"
    if _pinned(draft):
        return (), "what the plan states"
    if draft.chosen() and not draft.findings:
        message = f"`{draft.law.name}` gives no loss and no optimum: it cannot choose the size"
        draft.does_not_give(message, draft.law_span(), ["name a law that can, such as `chinchilla`"])
    return None


def _has_loss(draft: Draft) -> bool:
    """Whether the law's loss can choose the run."""
    if q.LOSS not in draft.definitions or is_frontier(draft):
        return False
    chosen = draft.chosen()
    if len(chosen) < 2:
        return True
    # A loss of the size alone, or of the tokens alone, cannot weigh one against the other.
    over = names(expand(Ref(q.LOSS), draft.definitions, {}))
    of_the_run = draft.decided_by("run")
    return {name for name in chosen if name.text in of_the_run} <= over


def _asked(draft: Draft, asked: list[Name]) -> Goals:
    """The least of what is asked for; of several things the cost, or the device hours."""
    if len(asked) > 1 and q.CAPACITY in draft.definitions:
        asked = [q.COST if q.COST in draft.definitions else q.GPU_HOURS]
    first = draft.quantities[asked[0].text].facts.said if asked[0].text in OF_HARDWARE else ""
    first = str(Name(first or asked[0].text, asked[0].kind, asked[0].scope))
    return tuple(Goal("minimize", Ref(name)) for name in asked), f"the least {first}"


def _stated(draft: Draft, goal: Optimize, line: Op | None, has_loss: bool) -> Goals:
    """The plan's own goal; nothing, with a finding, where what it is about is not known."""
    mentioned = names(without_lets(goal.expr, draft.plan))
    if mentioned == {q.LOSS} and goal.sense == "minimize" and not has_loss and line is not None:
        return _along(line), "the law's optimum line"
    unknown = sorted((name for name in mentioned if not draft.knows(name)), key=str)
    if unknown:
        why = missing(draft, unknown[0])
        laws = (draft.named,) if why.code != "C004" else ()
        draft.findings.append(finding(why.code, why.message, goal.span, help=why.help, laws=laws))
        return (), ""
    if goal.sense == "maximize":
        return (Goal("maximize", goal.expr),), f"maximize {shown(goal.expr)}"
    if q.LIFETIME_COMPUTE in draft.definitions and q.COMPUTE in mentioned:
        # What is served belongs to what is minimised.
        whole = substitute(goal.expr, {q.COMPUTE: Ref(q.LIFETIME_COMPUTE)})
        return (Goal("minimize", whole),), f"minimize {shown(goal.expr)}, what is served included"
    return (Goal("minimize", goal.expr),), f"minimize {shown(goal.expr)}"


def _loss_is_bounded(draft: Draft) -> bool:
    """Whether a requirement says how low the loss must be: then what is served counts, and not a lower loss."""
    return any(c.kind == "require" and c.left == Ref(q.LOSS) for c in draft.constraints)


def _pinned(draft: Draft) -> bool:
    """Whether equalities leave nothing to choose: as many of them as there are variables, and each variable in one."""
    equal = [names(expand(Op("-", (c.left, c.right)), draft.definitions, {})) for c in draft.constraints if c.equal]
    free = draft.chosen()
    return len(equal) >= len(free) and free <= frozenset().union(*equal)


def _ties(draft: Draft) -> list[Name]:
    """What breaks ties: fewest GPU-hours, then shortest time (without hardware, least compute), then fewest params."""
    variables = draft.chosen()

    def moves(name: Name) -> bool:
        return draft.knows(name) and bool(names(expand(Ref(name), draft.definitions, {})) & variables)

    time = q.TIME if q.TIME in draft.definitions else q.COMPUTE
    first = [name for name in (q.GPU_HOURS, time) if moves(name)]
    few = {q.GPUS.text, q.PARAMS.text, q.LAW_PARAMS.text}
    return first + [v.name for v in draft.variables if v.name.text in few]


def _along(line: Op) -> tuple[Goal, ...]:
    """Spend the budget, as near to the law's line as the constraints allow."""
    return (Goal("maximize", Ref(q.COMPUTE)), Goal("near", line.args[0], line.args[1]))


def _transferred(draft: Draft, line: Op | None) -> tuple[Goal, ...]:
    """Use the target's data whole, or what the budget allows of it, at the size of the law's line where it is free."""
    if line is not None and any(v.name in (q.PARAMS, q.LAW_PARAMS) for v in draft.variables):
        draft.constrain("optimum line", line.args[0], line.args[1], "line", equal=True)
    return (Goal("maximize", Ref(q.FINETUNE_TOKENS)),)
