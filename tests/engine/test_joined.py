"""Sizes that multiply and tokens that add up: what is told as the best is, wherever it is sought from."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.expr.name import Name
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.numeric.optimise import minimise
from runplan.engine.numeric.starts import around
from runplan.engine.pipeline import plan_at
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.joined import Item, has_one_valley
from runplan.engine.solve.proofs import ran_off
from runplan.engine.solve.search import goals_at, is_better, optimum_of, posed

HARDWARE = "hardware: 64 x H100 for 60 days at 40% MFU @ 2.40 USD/GPU/hour\n"


def problem_of(text: str) -> Problem:
    (problem,) = plan_at("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY).problems()
    return problem.settled()


@st.composite
def mixed(draw: st.DrawFn) -> str:
    """A plan of open weights, some within bounds, and what is asked of shares, losses and money."""
    sizes = st.sampled_from([3, 40, 200, 1000])
    weights = st.sampled_from(["?", "at least 10%", "1%..30%", "5%..40%"])
    text = HARDWARE + draw(st.sampled_from(["", "model: 7B\n", "model: 1B..8B\n"]))
    for name in "abc"[: draw(st.integers(2, 3))]:
        weight = "?" if name == "a" else draw(weights)
        text += f"data {name}: {draw(sizes)}B tokens up to 1 epochs weight {weight}\n"
    text += draw(st.sampled_from(["", "require share.a >= 20%\n", "require share.a + share.b <= 70%\n"]))
    text += draw(st.sampled_from(["", "require tokens.b <= 20B\n", "require cost <= 150k USD\n"]))
    return text + draw(st.sampled_from(["", "minimize loss\n", "require loss <= 2.3\nminimize time\n"]))


@settings(max_examples=4, deadline=None)
@given(mixed())
def test_no_other_start_ends_better_than_what_is_proven(text: str) -> None:
    problem = problem_of(text)
    found = optimum_of(problem)
    if not found.is_optimal or found.certainty != "convex" or found.part is None:
        return
    part = found.part.aiming(*found.part.goals[: len(found.part.goals) - found.part.ties])
    least, of = goals_at(part, found.values), posed(part, tuple(v.name for v in part.variables))
    for start in around(tuple(math.log(v.start) for v in part.variables), 1):
        end = minimise(of.goals, of.inequalities, of.equalities, start=start)
        if end.outcome == "optimal" and not ran_off(end):
            values = {v.name: math.exp(x) for v, x in zip(part.variables, end.x, strict=True)}
            assert not is_better(goals_at(part, values), tuple(one - 1e-7 * abs(one) for one in least))


@pytest.mark.parametrize(
    "text",
    [
        HARDWARE + "data a: 3T tokens weight ?\ndata b: 2T tokens weight ?\n",
        HARDWARE + "model: 7B\ndata a: 3T tokens weight ?\ndata b: 2T tokens weight 10%..30%\nrequire share.a <= 75%\n",
    ],
)
def test_what_adds_up_beside_what_multiplies_is_proven(text: str) -> None:
    found = optimum_of(problem_of(text))
    assert (found.outcome, found.certainty) == ("optimal", "convex")


N, T, A, B = map(Name, "NTAB")


def item(of: str, *, logarithms: bool = False, figures: bool = False) -> Item:
    return Item(frozenset({"N": N, "T": T, "A": A, "B": B}[one] for one in of), logarithms, figures)


@pytest.mark.parametrize(
    ("items", "proven"),
    [
        ([item("TAB", figures=True), item("NT", logarithms=True)], True),
        ([item("TAB", figures=True), item("NT", logarithms=True), item("A", logarithms=True, figures=True)], True),
        ([item("TAB", figures=True), item("NA", logarithms=True), item("NT", logarithms=True)], False),  # two hinges
        ([item("TAB", figures=True), item("NT")], False),
        # What hangs on one of a part's own figures is of that part, and so is what it hangs on besides.
        ([item("TA", figures=True), item("AB", logarithms=True, figures=True), item("NT", logarithms=True)], True),
        ([item("TA", figures=True), item("AB", logarithms=True, figures=True), item("TB", logarithms=True)], False),
        # Two parts may have one hinge.
        ([item("TA", figures=True), item("TB", figures=True), item("NT", logarithms=True)], True),
    ],
)
def test_parts_are_joined_by_one_variable(items: list[Item], proven: bool) -> None:
    assert has_one_valley(items) is proven
