"""What a pool says of one of its figures to a definition, or to a variable with its bounds."""

from __future__ import annotations

from runplan.dsl.expr.name import Name
from runplan.dsl.plan.ir import Given, Hole, Pool, Within
from runplan.dsl.text.source import Span
from runplan.engine.formulate.asked import ask_for, choose, hold_to_ceiling, take_uncertain
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.measured import JOINT, REACHED
from runplan.engine.formulate.reserved import Own
from runplan.engine.problem import quantities as q


def is_stated(draft: Draft, pool: Pool, name: Name, own: Own) -> bool:
    """Whether the pool says a figure: one value; of what nature decides a range; a bound on what is bought; a `?`."""
    decided = draft.quantities[name.text].facts.decided
    field = draft.quantities.given_by("hardware")[name.text].name
    amount = draft.take(pool.figures, field, Given, *((Within, Hole) if decided else ()))
    if isinstance(amount, Hole):
        ask_for_figure(draft, name, amount.span, own)
    elif isinstance(amount, Within) and decided == "nature":
        take_uncertain(draft, own(name), field, amount)
    elif isinstance(amount, Within):
        choose(draft, own(name), amount)
    elif isinstance(amount, Given):
        draft.give(own(name), amount)
    return amount is not None


def ask_for_figure(draft: Draft, name: Name, span: Span, own: Own) -> None:
    """A figure of a pool that is to be found; of what devices reach in tokens or steps it is their rate."""
    ask_for(draft, own(q.RATE if name in (q.THROUGHPUT, *JOINT) else name), span)
    if name in REACHED:
        hold_to_ceiling(draft, own(q.PEAK), own(q.RATE), own(q.CEILING), span)
