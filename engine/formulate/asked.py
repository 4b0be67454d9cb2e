"""A figure that a plan asks for by a `?` to a variable within its bounds, and to a goal: the worst of it that will do.

Of what nature decides the worst value is what one wants to know: the lowest rate, the highest price. Of what is bought
it is the least: the fewest devices, the shortest time, the earliest end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.plan.ir import Hole, Within
from runplan.dsl.text.finding import finding
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.dims import Dim
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q
from runplan.engine.problem.either import Either
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Constraint, Goal

# What a device gives: less of one of these is made up for by more of another, and by more devices or more time.
OF_RATE = tuple(name.text for name in (q.MFU, q.RATE, q.PEAK, q.AVAILABILITY, q.HOURS_PER_DAY, q.RUN_SHARE))
# How much hardware there is, and for how long.
OF_AMOUNT = tuple(name.text for name in (q.GPUS, q.RESERVED_TIME, q.GPU_HOURS))


def of_cost(draft: Draft) -> tuple[str, ...]:
    """What hardware costs and takes, such as its price, and when it begins: nothing else of the run hangs on these."""
    fields = (name for name in draft.quantities.given_by("hardware") if draft.quantities[name].facts.decided)
    return (*(name for name in fields if name not in (*OF_RATE, *OF_AMOUNT)), q.START.text)


# What there is of a source of data, and how often it may be seen.
OF_DATA = (q.AVAILABLE.text, q.AMOUNT.text, q.MAX_EPOCHS.text)


def of_hardware(draft: Draft) -> tuple[str, ...]:
    """All of the hardware that may be asked for, what devices give first."""
    return (*OF_RATE, *OF_AMOUNT, *of_cost(draft))


def worst(draft: Draft, name: Name) -> Goal:
    """The goal of a figure that is asked for: how little of what is bought, or how bad a value of the rest, will do."""
    least = name.text in OF_AMOUNT or draft.quantities[name.text].facts.better != "less"
    return Goal("minimize" if least else "maximize", Ref(name))


def asked_of(draft: Draft, some: Iterable[str]) -> list[Name]:
    """What is asked for among some quantities, in the order of these."""
    order = {text: at for at, text in enumerate(some)}
    return sorted((name for name in draft.asked if name.text in order), key=lambda name: order[name.text])


def apart(draft: Draft) -> list[Name]:
    """What is asked for of which more of one makes up for less of another, so that no worst of either is the answer:
    what devices give, and what makes one budget together, such as a power and what the building takes beside it.
    """
    rates = asked_of(draft, OF_RATE)
    if len(rates) > 1 and (together := _tied_together(draft, rates)):
        return together
    costs, memo = asked_of(draft, of_cost(draft)), dict[Name, Expr]()
    if len(costs) < 2 or any(wanted(draft, name) for name in costs):
        return []
    known = (name for name in draft.definitions if name.kind == "quantity")
    sides: list[Expr] = [Ref(name) for name in known if draft.quantities[name.text].facts.budget]
    kept: tuple[Constraint | Either, ...] = (*draft.constraints, *draft.either)
    for one in kept:
        sides += [Op("-", (part.left, part.right)) for part in one.parts]
    for expr in sides:
        over = names(expand(expr, draft.definitions, memo))
        if len(together := [name for name in costs if name in over]) > 1:
            return together
    return []


def _tied_together(draft: Draft, some: Sequence[Name]) -> list[Name]:
    """The first of some names that limits tie to others of them, by what else is to be found, with those."""
    free, memo = {v.name for v in draft.variables}, dict[Name, Expr]()
    groups: list[set[Name]] = []
    kept: tuple[Constraint | Either, ...] = (*draft.constraints, *draft.either)
    for part in (part for one in kept for part in one.parts):
        over = free & names(expand(Op("-", (part.left, part.right)), draft.definitions, memo))
        groups = [*(group for group in groups if group.isdisjoint(over)), over.union(*(g for g in groups if g & over))]
    tied = ([name for name in some if name in group] for group in groups)
    return next((group for group in tied if len(group) > 1), [])


def wanted(draft: Draft, name: Name) -> Span | None:
    """Where the plan's goal is about a figure: where nothing states that, it is asked for."""
    return next((goal.span for goal in draft.plan.goals if name in names(goal.expr)), None)


def ask_for(draft: Draft, name: Name, span: Span) -> None:
    """A figure of a device that is to be found, within what it can be; of several pools that ask for it the same."""
    other = next((one for one in draft.asked if one.text == name.text), None)
    if other is not None:
        said = f"asked for of several pools: what `{other}` is, since nothing tells them apart"
        draft.define(name, Ref(other), "assumed", said, span)
        return
    field = draft.quantities.given_by("hardware")[name.text]
    draft.figure(name, Hole(span), field.usual, name.text)
    _hold_to_field(draft, name, field, span)


def hold_to_ceiling(draft: Draft, peak: Name, rate: Name, ceiling: Name, span: Span) -> None:
    """A rate that is to be found is no more than was measured of the device."""
    if peak in draft.definitions:
        draft.constrain("ceiling", Ref(rate), Ref(ceiling), "line", span, text="the best rate measured")


def choose(draft: Draft, name: Name, amount: Within) -> None:
    """A figure that the plan bounds, and whoever buys the hardware chooses."""
    field = draft.quantities.given_by("hardware")[name.text]
    draft.figure(name, amount, field.usual, name.text)
    _hold_to_field(draft, name, field, amount.span)


def _hold_to_field(draft: Draft, name: Name, field: Field, span: Span) -> None:
    """A figure that is to be found is within the bounds that any is held to that a plan states."""
    known, figure = draft.quantities[name.text].facts.said or name.text, Ref(name)
    if field.most < math.inf:
        draft.constrain(f"most {name}", figure, Num(field.most, draft.dim(name)), "line", span, text=known)
    if field.least > 0:
        draft.constrain(f"least {name}", Num(field.least, draft.dim(name)), figure, "line", span, text=known)


def take_uncertain(draft: Draft, name: Name, field: str, amount: Within, dim: Dim | None = None) -> None:
    """A range on what nature decides: solved at its middle; of which only the worse end is told, at that."""
    low, high, better = amount.low, amount.high, draft.quantities[name.text].facts.better
    worse = {"more": low, "less": high}.get(better)
    if low is not None and high is not None:
        ends = low.value.value, high.value.value
        draft.define(name, Num(sum(ends) / 2, low.value.dim), "given", "plan", amount.span, dim=dim, between=ends)
    elif worse is not None:
        note = "the worst that the plan allows for: how much better it may be is not told"
        draft.define(name, worse.number, "given", "plan", amount.span, dim=dim, note=note)
    else:
        message = (
            f"how {'low' if low is None else 'high'} `{field}` may be is not told, and a plan is judged by its worst"
        )
        help = [f"give both ends in place of `{amount.span.said}`"]
        draft.findings.append(finding("C002", message, amount.span, help=help, laws=(draft.named,)))
