"""What a pool says of stops, to whether their figures are asked for, and whether its rate has them in it."""

from __future__ import annotations

from runplan.dsl.expr.tree import Num
from runplan.dsl.plan.ir import Pool, Worded
from runplan.dsl.typed.fields import DERIVED, INCLUDED
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.reserved import Own
from runplan.engine.problem import quantities as q


def asks(draft: Draft, pool: Pool) -> bool:
    """Whether a pool asks what stops leave of its time: by `availability: derived`, or by a figure of stops."""
    fields = draft.quantities.given_by("hardware")
    told = any(fields[text].name in pool.figures for text in draft.quantities.of_kind("goodput") & fields.keys())
    return told or _word(pool) == DERIVED


def is_included(pool: Pool) -> bool:
    """Whether a pool says that its rate has stops in it."""
    return _word(pool) == INCLUDED


def _word(pool: Pool) -> str:
    said = pool.figures.get(q.AVAILABILITY.text)
    return said.text if isinstance(said, Worded) else ""


def waits(pool: Pool) -> bool:
    """Whether the run waits for devices of a pool that were taken back."""
    return not pool.bought and {q.INTERRUPTION_EVERY.text, q.WAIT_TIME.text} <= pool.figures.keys()


def say_end_to_end(draft: Draft, own: Own) -> None:
    """The rate of a pool has stops in it: what they leave is told, and counts for nothing a second time."""
    draft.define(own(q.RATE_END_TO_END), Num(1.0), "derived", "the rate has stops in it")
