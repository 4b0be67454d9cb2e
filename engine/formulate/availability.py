"""What a pool says of the share of its time that counts: by a figure, by a word, or by how often devices stop.

A plan that asks for nothing of stops imports nothing of them: docs/design/0033-goodput.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Pool, Worded
from runplan.dsl.typed.fields import INCLUDED
from runplan.dsl.units.base import TIME
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.reserved import Own
from runplan.engine.formulate.said_of_stops import asks, waits
from runplan.engine.problem import quantities as q


def add_availability(draft: Draft, pool: Pool, device: Record | None, own: Own) -> None:
    """The availability of a pool where it is no figure: it is in the rate, or what stops leave."""
    said = pool.figures.get(q.AVAILABILITY.text)
    if isinstance(said, Worded):
        draft.take(pool.figures, q.AVAILABILITY.text, Worded)
        if said.text == INCLUDED:
            note = "what stops take is in the rate, which is end to end"
            draft.define(own(q.AVAILABILITY), Num(1.0, text=INCLUDED), "given", "plan", said.span, note=note)
    if asks(draft, pool):
        from runplan.engine.formulate.goodput import add_goodput_of_pool

        add_goodput_of_pool(draft, pool, device, own)


def add_stops(draft: Draft, pools: Sequence[Pool], owns: Sequence[Own]) -> None:
    """What stops leave of the time of a run on some pools, of which all are told."""
    if any(asks(draft, pool) for pool in pools):
        from runplan.engine.formulate.goodput import add_goodput

        add_goodput(draft, pools, owns)


def is_settled(draft: Draft, pool: Pool, name: Name, own: Own) -> bool:
    """Whether a figure is known, or the plan says by a word where it is from."""
    return draft.knows(own(name)) or isinstance(pool.figures.get(name.text), Worded)


def running(pool: Pool, own: Own) -> Expr:
    """The share of the reserved time in which the devices of a pool are not stopped, and are paid for where `paid` says
    so: nobody pays for what is not there.
    """
    hours: Expr = Op("/", (Ref(own(q.HOURS_PER_DAY)), Num(86400.0, TIME)))
    return Op("*", (hours, Op("-", (Num(1.0), Ref(q.WAIT_SHARE))))) if waits(pool) else hours
