"""What becomes of a plan where a figure is another, told without solving it anew, is what solving it anew tells."""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY
from reports import ROOT

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.decide.candidates import outcome_of
from runplan.engine.decide.levers import Input, inputs_of
from runplan.engine.decide.standing import Standing
from runplan.engine.pipeline import plan_at

GIVEN = """\
hardware: 64 x H100 for 60 days at 40% MFU @ 2.4 USD/GPU/hour
reserve: 10%
let grant = 250k USD
model: 7B
data web: 3T tokens weight 80%
data math: 80B tokens up to 4 epochs weight 20%
require cost <= grant
require tokens >= 200B
minimize loss
"""
OPEN = """\
hardware: 1000 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour
require cost <= 2M USD
require tokens / params >= 30
"""
MANY = """\
hardware: ? x H100 for up to 60 days at 40% MFU @ 2 USD/GPU/hour
model: 13B
tokens: 2T
require time <= 30 days
require cost <= 3M USD
"""
REPEATS = """\
hardware: 32 x H100 for 21 days at 38% MFU @ 2 USD/GPU/hour
data: 40B tokens up to 4 epochs
require cost <= 40k USD
require loss <= 2.5
"""
ANY = """\
hardware: 1000 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour
model: 7B
require tokens >= 2T or time <= 10 days
"""
PLANS = (GIVEN, OPEN, MANY, REPEATS, ANY)
# A figure moved by as little as rounding, and far beyond what keeps a plan.
FACTORS = st.sampled_from([0.125, 0.5, 0.9, 0.999, 1.001, 1.1, 2.0, 8.0])


@lru_cache(None)
def standing(text: str) -> tuple[Standing, list[Input]]:
    read = plan_at("a.plan", Buffer("a.plan", text.encode(), Disk(ROOT)), catalogue=LIBRARY)
    problem = next(read.problems())
    return Standing.of(problem), list(inputs_of([problem]))


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_it_is_what_solving_it_anew_tells(data: st.DataObject) -> None:
    plan, inputs = standing(data.draw(st.sampled_from(PLANS)))
    moved, other = data.draw(st.sampled_from(inputs)), data.draw(st.sampled_from(inputs))
    (there,) = moved.moved([plan.problem], moved.lever.now * data.draw(FACTORS))
    anew = outcome_of(there)
    short = plan.moved(there)
    assert short.broken == anew.broken and short.holds == anew.holds
    assert (short.values is None) == (anew.values is None)
    if short.values is not None and anew.values is not None:
        assert dict(short.values) == pytest.approx(dict(anew.values), rel=1e-9)
    # A solution with another figure may do as well as the plan's own.
    (beside,) = other.moved([plan.problem], other.lever.now * data.draw(FACTORS))
    for known in (plan.found.found.values, Standing.of(beside).found.found.values):
        assert plan.holds(there, known) in (None, anew.holds)


@pytest.mark.parametrize(("text", "said"), [(GIVEN, "price"), (GIVEN, "grant"), (MANY, "price")])
def test_what_follows_from_the_solution_leaves_it_as_it_is(text: str, said: str) -> None:
    plan, inputs = standing(text)
    moved = next(each for each in inputs if each.said == said)
    (there,) = moved.moved([plan.problem], moved.lever.now * 8.0)
    same = plan.same(there)
    assert (same is not None) == (text == GIVEN)
    if same is not None:
        assert same.holds == (said == "grant")


def test_a_choice_and_a_count_that_is_not_whole_are_no_solution() -> None:
    for text in (ANY, MANY):
        plan, _ = standing(text)
        values = {name: value * 1.01 for name, value in plan.found.found.values.items()}
        assert plan.holds(plan.problem, values) is None
