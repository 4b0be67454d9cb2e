"""What devices reach, where a plan does not state it: what it needs of them, beside what runs of the kind reach."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined
from runplan.engine.formulate.asked import wanted
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import QUANTILE


def add_needed_rate(draft: Draft) -> None:
    """What runs of the kind reach where that is assumed; and what the plan needs of it, where it tells all else.

    Pools whose rate is told give what they give; the others need the same share more or less than is assumed of each.
    """
    for name in draft.asked:
        asked = Name(q.NEEDED_MFU.text, scope=name.scope)
        if name.text == q.MFU.text and wanted(draft, asked):
            draft.define(asked, Ref(name), "derived", "the rate that is asked for")
    rates = [name for name, d in draft.definitions.items() if name.text == q.MFU.text]
    assumed = [name for name in rates if draft.definitions[name].kind == "assumed"]
    for name in assumed:
        _usual(draft, name)
    told = [name for name in rates if name not in assumed]
    if assumed and q.IDLE_SHARE in draft.definitions:
        _sure_idle(draft, assumed, told)
    fixed = draft.chosen().isdisjoint(map(Name, draft.quantities.decided_by("hardware")))
    if not assumed or not fixed or draft.elastic or q.IDLE_SHARE not in draft.definitions or not draft.is_pinned:
        return
    used: Expr = Op("*", (Ref(q.CAPACITY), Op("-", (Num(1.0), Ref(q.IDLE_SHARE)))))
    said = "the rate at which the run takes all of the time that the hardware is reserved for"
    if not assumed[0].scope:
        needed = Op("*", (Ref(q.MFU), Op("-", (Num(1.0), Ref(q.IDLE_SHARE)))))
        draft.define(q.NEEDED_MFU, needed, "derived", said)
        return
    if told:
        used = Op("max", (Num(0.0), Op("-", (used, _together(q.CAPACITY, told)))))
    factor = Op("/", (used, _together(q.CAPACITY, assumed)))
    for name in assumed:
        draft.define(Name(q.NEEDED_MFU.text, scope=name.scope), Op("*", (Ref(name), factor)), "derived", said)
    peaks = joined("+", (Op("/", (_beside(q.CAPACITY, name), Ref(name))) for name in assumed))
    draft.define(q.NEEDED_MFU, Op("/", (used, peaks)), "derived", "of all pools whose rate is not told")


def _usual(draft: Draft, name: Name) -> None:
    """What is assumed of the rate, apart from what the plan may need: its middle and the ends of its interval."""
    definition = draft.definitions[name]
    middle = Name(q.USUAL_MFU.text, scope=name.scope)
    draft.define(middle, definition.expr, "derived", definition.source, definition.span)
    for end, sign in ((q.USUAL_MFU_LOW, -1.0), (q.USUAL_MFU_HIGH, 1.0)):
        far = math.exp(sign * QUANTILE * (definition.spread or 0.0))
        scaled = Op("*", (Ref(middle), Num(far)))
        draft.define(Name(end.text, scope=name.scope), scaled, "derived", "end of the 80 % interval", definition.span)


def _sure_idle(draft: Draft, assumed: Sequence[Name], told: Sequence[Name]) -> None:
    """What of the hardware is idle even at the lower end of what is assumed of its rates."""
    slow: Expr = joined("+", (_slow(name) for name in assumed))
    if told:
        slow = Op("+", (slow, _together(q.CAPACITY, told)))
    used = Op("*", (Ref(q.CAPACITY), Op("-", (Num(1.0), Ref(q.IDLE_SHARE)))))
    sure = Op("max", (Num(0.0), Op("-", (Num(1.0), Op("/", (used, slow))))))
    draft.define(q.SURE_IDLE_SHARE, sure, "derived", "at the lower end of what is assumed of the rate")


def _slow(rate: Name) -> Expr:
    """What a pool gives at the lower end of what is assumed of it."""
    return Op("*", (_beside(q.CAPACITY, rate), Op("/", (_beside(q.USUAL_MFU_LOW, rate), Ref(rate)))))


def _together(what: Name, rates: Sequence[Name]) -> Expr:
    return joined("+", (_beside(what, name) for name in rates))


def _beside(what: Name, rate: Name) -> Expr:
    """A quantity of the pool that a rate is of."""
    return Ref(Name(what.text, scope=rate.scope))
