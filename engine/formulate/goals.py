"""What a plan wants, or leaves open, to goals in order, and to what is wanted where those have no least value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Op, Ref, names, substitute
from runplan.dsl.plan.ir import Given, Optimize
from runplan.engine.formulate.alternatives import bending
from runplan.engine.formulate.asked import OF_AMOUNT, OF_DATA, OF_RATE, apart, asked_of, of_cost, of_hardware, worst
from runplan.engine.formulate.checkpoint import data_first, wanted_of_weights
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import is_frontier
from runplan.engine.formulate.missing import how_to_choose, is_laid_out, missing
from runplan.engine.formulate.regret import is_least_regret
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.problem import quantities as q
from runplan.engine.problem.either import Either
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Aim, Constraint, Goal, bounds_compute


def aims_of(draft: Draft, line: Op | None) -> tuple[Aim, ...]:
    """What is wanted, and what instead where that has no least value; no goal where nothing tells.

    A plan's own goal is it. Else it is the least of what the hardware is asked for by a `?`, else the least loss; and
    where no statement bounds the compute, the least compute, before the loss where a loss is required. The table in
    `docs/language.md` has every case.
    """
    if together := apart(draft):
        return Aim((), ""), *_beside(draft, together, line)
    if draft.plan.goals and not is_laid_out(draft, without_lets(draft.plan.goals[0].expr, draft.plan)):
        if _wants_regret(draft, draft.plan.goals[0]):
            return tuple(_tied(draft, aim, line) for aim in _regret(draft))
        aim = _stated(draft, draft.plan.goals[0], line)
        aim = replace(aim, goals=(*data_first(draft), *aim.goals)) if aim.goals else aim
        return (_tied(draft, aim, line) if aim.goals else aim,)
    if draft.checkpoint is not None and not draft.transfer and not _has_loss(draft) and draft.chosen():
        aim = _of_weights(draft, line)
        return (_tied(draft, aim, line) if aim.said else aim,)
    best = _best(draft, line)
    if q.INFERENCE_TOKENS in draft.asked:
        # How much can be served is the most: the least is none.
        most = Goal("maximize", Ref(q.INFERENCE_TOKENS))
        return (_tied(draft, Aim((most, *(best[0].goals if best else ())), "the most tokens served"), line),)
    asked = _asked(draft, line, best[0].goals if best else ())
    if asked_of(draft, OF_RATE):
        best = ()  # what would be best takes the highest rate that there can be: that is no answer
    found = [*asked, *best] if asked_of(draft, of_hardware(draft)) or _loss_is_bounded(draft) else [*best, *asked]
    if found:
        return tuple(_tied(draft, aim, line) for aim in found)
    if draft.chosen() and not draft.findings:
        size = any(v.name in (q.PARAMS, q.LAW_PARAMS) for v in draft.variables)
        what = "the size" if size else "the tokens" if draft.is_variable(q.TOKENS) else "the rest"
        of = " of a mixture of experts" if draft.mixture else ""
        message = f"`{draft.law.name}` gives no loss and no optimum{of}: it cannot choose {what}"
        draft.does_not_give(message, draft.law_span(), how_to_choose(draft))
    return (Aim((), ""),)


def _beside(draft: Draft, together: Sequence[Name], line: Op | None) -> Iterator[Aim]:
    """What is wanted but for figures that make up for each other, and then the worst of each."""
    worsts = tuple(worst(draft, name) for name in together)
    if together[0].text in OF_RATE:
        yield Aim(worsts, _worst_said(worsts[0], together[0]))
        return
    others = replace(draft, asked=[name for name in draft.asked if name not in together])
    for aim in aims_of(others, line):
        yield replace(aim, goals=(*aim.goals, *worsts), said=aim.said or _worst_said(worsts[0], together[0]))


def _of_weights(draft: Draft, line: Op | None) -> Aim:
    """All of the data that there are for a run from weights, and then the least of what the hardware is asked for."""
    best = wanted_of_weights(draft)
    if best is None:
        return Aim((), "")
    least = _asked(draft, line, ())[0] if asked_of(draft, of_hardware(draft)) else Aim((), "what the plan states")
    return Aim((*best, *least.goals), "all of the data, within their epochs" if best else least.said)


# ---- the plan's own


def _stated(draft: Draft, goal: Optimize, line: Op | None) -> Aim:
    """The plan's own goal; nothing, with a finding, where what it is about is not known."""
    mentioned = names(without_lets(goal.expr, draft.plan))
    if (
        mentioned == {q.LOSS}
        and goal.sense == "minimize"
        and not _has_loss(draft)
        and line is not None
        and not draft.lacking
    ):
        return _along(draft, line)
    unknown = sorted((name for name in mentioned if not draft.knows(name)), key=str)
    if unknown:
        why = missing(draft, unknown[0])
        if why is not None:
            draft.findings.append(why.finding(goal.span))
        return Aim((), "")
    if goal.sense == "maximize":
        return Aim((Goal("maximize", bending(draft, goal)),), f"maximize {shown(goal.expr)}")
    if q.LIFETIME_COMPUTE in draft.definitions and q.COMPUTE in mentioned:
        # What is served belongs to what is minimised.
        whole = replace(goal, expr=substitute(goal.expr, {q.COMPUTE: Ref(q.LIFETIME_COMPUTE)}))
        said = f"minimize {shown(goal.expr)}, what is served included"
        return Aim((Goal("minimize", bending(draft, whole)),), said)
    return Aim((Goal("minimize", bending(draft, goal)),), f"minimize {shown(goal.expr)}")


def _wants_regret(draft: Draft, goal: Optimize) -> bool:
    """Whether the goal is the least regret, and the law can tell one."""
    return is_least_regret(goal, draft.plan) and draft.knows(q.LEAST_COMPUTE)


def _regret(draft: Draft) -> Iterator[Aim]:
    """The best use of the compute that there is; where nothing bounds that, of what is spent.

    Of a run of any size on any tokens the least that is spent is no answer: then nothing determines it.
    """
    worth = Ref(q.LEAST_COMPUTE)
    yield Aim((Goal("maximize", worth),), "minimize regret")
    sized = any(v.name in (q.PARAMS, q.LAW_PARAMS) for v in draft.variables)
    if not sized or _loss_is_bounded(draft) or not any(v.name.text == q.TOKENS.text for v in draft.variables):
        yield Aim((Goal("minimize", Op("/", (Ref(q.COMPUTE), worth))),), "minimize regret")


# ---- what is wanted where the plan does not say


def _asked(draft: Draft, line: Op | None, best: Sequence[Goal]) -> tuple[Aim, ...]:
    """The worst of what the hardware is asked for by a `?`: of how many and how long both the cost, or device hours.

    Where no statement bounds the compute it is the least compute that will do; of what is served, with it. With what is
    then there the best is done.
    """
    served, asked = q.LIFETIME_COMPUTE in draft.definitions, asked_of(draft, of_hardware(draft))
    if served and (_loss_is_bounded(draft) or not (_computes(draft) or asked)):
        return (Aim((Goal("minimize", Ref(q.LIFETIME_COMPUTE)),), "minimize lifetime_compute"),)
    # A loss that is required says how much data will do; else as much of them is of use as there is compute for.
    data = asked_of(draft, OF_DATA) if _loss_is_bounded(draft) else []
    if not asked and not data and _computes(draft):
        return ()
    goals = [worst(draft, name) for name in (*asked, *data)] or [Goal("minimize", Ref(q.COMPUTE))]
    first = str(_said(draft, (*asked, *data)[0])) if asked or data else q.COMPUTE.text
    if len(asked_of(draft, OF_AMOUNT)) > 1 and not asked_of(draft, OF_RATE) and q.GPU_HOURS in draft.definitions:
        priced = q.COST in draft.definitions and not asked_of(draft, (q.PRICE.text,))
        least = q.COST if priced else q.GPU_HOURS
        goals, first = [Goal("minimize", Ref(least)), *_of_cost(draft)], least.text
    # The loss of a transfer is that of its line's size: the least for a loss is sought there.
    near = _nearest(draft, line) if draft.transfer else ()
    return (Aim(tuple(dict.fromkeys((*near, *goals, *best))), _worst_said(goals[0], first)),)


def _worst_said(goal: Goal, what: object) -> str:
    return f"{'the least' if goal.sense == 'minimize' else 'the highest'} {what}"


def _said(draft: Draft, name: Name) -> Name:
    """How an amount of hardware is called in a plan; another figure by its own name."""
    said = draft.quantities[name.text].facts.said if name.text in OF_AMOUNT else ""
    return Name(said or name.text, name.kind, name.scope)


def _of_cost(draft: Draft) -> list[Goal]:
    """The worst of what is asked for that nothing else of the run hangs on."""
    return [worst(draft, name) for name in asked_of(draft, of_cost(draft))]


def _of_data(draft: Draft) -> list[Goal]:
    """The least of the data that are asked for: no more than the run has a use for."""
    return [worst(draft, name) for name in asked_of(draft, OF_DATA)]


def _best(draft: Draft, line: Op | None) -> tuple[Aim, ...]:
    """The least loss, or what stands for it under a law that has a line and no loss; none where the law has neither."""
    if draft.transfer:
        return _transferred(draft, line)
    if _has_loss(draft) and any(c.equal and Ref(q.LOSS) in (c.left, c.right) for c in draft.constraints):
        return (Aim((), "the loss that is required, at the least compute"),)
    if _has_loss(draft):
        return (Aim((Goal("minimize", Ref(q.LOSS)),), "minimize loss"),)
    if line is not None:
        return (_along(draft, line),)
    return (Aim((), "what the plan states"),) if draft.is_pinned or not _chooses_the_run(draft) else ()


def _along(draft: Draft, line: Op) -> Aim:
    """Spend the budget, as near to the law's line as the constraints allow.

    Where stops leave what hangs on the size, by its checkpoints, it is the line first: else the smallest of all sizes
    would be the best, as it leaves the most to be spent.
    """
    goals = Goal("maximize", Ref(q.COMPUTE)), _near(line)
    sized = q.GOODPUT in draft.definitions and names(expand(Ref(q.GOODPUT), draft.definitions, {})) & draft.chosen()
    return Aim(goals[::-1] if sized else goals, "the law's optimum line")


def _near(line: Op) -> Goal:
    return Goal("near", line.args[0], line.args[1])


def _nearest(draft: Draft, line: Op | None) -> tuple[Goal, ...]:
    """As near to the law's line as the constraints allow, where the size is free."""
    sized = any(v.name in (q.PARAMS, q.LAW_PARAMS) for v in draft.variables)
    return (_near(line),) if line is not None and sized else ()


def _transferred(draft: Draft, line: Op | None) -> tuple[Aim, ...]:
    """Spend the budget, or without one use the target's data whole, at the size nearest to the law's line.

    Where nothing bounds the data either, the size is that of the line before anything else.
    """
    near = _nearest(draft, line)
    budget, data = (Goal("maximize", Ref(name)) for name in (q.COMPUTE, q.FINETUNE_TOKENS))
    said = "all the fine-tuning data that the budget allows"
    aims = [Aim((budget, *near), said)] if _computes(draft) else []
    return (*aims, Aim((data, *near), said), *([Aim((*near, data), said)] if near else []))


def _has_loss(draft: Draft) -> bool:
    """Whether the law's loss can choose the run."""
    if q.LOSS not in draft.definitions or is_frontier(draft):
        return False
    chosen = draft.chosen()
    if len(chosen) < 2:
        return True
    # A loss of the size alone, or of the tokens alone, cannot weigh one against the other.
    over = names(expand(Ref(q.LOSS), draft.definitions, {}))
    of_the_run = draft.quantities.decided_by("run")
    return {name for name in chosen if name.text in of_the_run} <= over


# What a run spends, by which what a plan has for it is bounded.
_SPENT = frozenset((q.COMPUTE, q.MODEL_COMPUTE, q.RESERVED_TIME, q.GPU_HOURS))


def _computes(draft: Draft) -> bool:
    """Whether statements bound the compute from above: hardware, or a budget of it; of stages that of each one whose
    tokens the plan does not give.
    """
    if any(map(bounds_compute, draft.constraints)):
        return True
    stages = draft.plan.stages[1:]
    bounds = [c for c in draft.constraints if stages and c.kind in ("capacity", "budget", "range")]
    bounded = {name for c in bounds for name in names(c.left)}
    for shared in bounded & {q.SHARED_TIME, q.SHARED_HOURS}:
        bounded |= names(draft.definitions[shared].expr)
    spending = {name.part("stage") for name in bounded if name.bare in _SPENT}
    return bool(spending) and all(one.name in spending for one in stages if not isinstance(one.tokens, Given))


def _loss_is_bounded(draft: Draft) -> bool:
    """Whether a requirement says how low the loss must be: then what it takes counts, and not a lower loss."""

    def bounds(constraint: Constraint) -> bool:
        sides = (constraint.left, constraint.right) if constraint.equal else (constraint.left,)
        return constraint.kind == "require" and any({q.LOSS, q.PERPLEXITY} & names(side) for side in sides)

    def needs(choice: Either) -> bool:
        return all(any(map(bounds, one.constraints)) or any(map(needs, one.either)) for one in choice.alternatives)

    return any(map(bounds, draft.constraints)) or any(map(needs, draft.either))


def _chooses_the_run(draft: Draft) -> bool:
    """Whether anything of the run is left to choose, and not of the hardware alone."""
    return not {name.text for name in draft.chosen()}.isdisjoint(draft.quantities.decided_by("run"))


# ---- ties


def _tied(draft: Draft, aim: Aim, line: Op | None) -> Aim:
    """What is wanted, and what breaks ties: fewest GPU-hours, what the hardware alone is asked for, shortest time
    (without hardware, least compute), the least loss, and then fewest params."""
    variables = draft.chosen()

    def moves(name: Name) -> bool:
        return draft.knows(name) and bool(names(expand(Ref(name), draft.definitions, {})) & variables)

    time = q.TIME if q.TIME in draft.definitions else q.COMPUTE
    asked = asked_of(draft, (*OF_RATE, *OF_AMOUNT))
    first = [name for name in (q.GPU_HOURS, *(asked if len(asked) == 1 else ()), time) if moves(name)]
    few = {q.GPUS.text, q.PARAMS.text, q.LAW_PARAMS.text}
    last = [v.name for v in draft.variables if v.name.text in few]
    best = [Goal("minimize", Ref(q.LOSS))] if _has_loss(draft) else [_near(line)] if line is not None else []
    least = [Goal("minimize", Ref(name)) for name in first], [Goal("minimize", Ref(name)) for name in last]
    ties = dict.fromkeys(
        (
            *least[0],
            *(best if draft.variables else ()),
            *least[1],
            *_of_cost(draft),
            *_of_data(draft),
            *draft.last,
        )
    )
    return replace(aim, ties=tuple(goal for goal in ties if goal not in aim.goals))
