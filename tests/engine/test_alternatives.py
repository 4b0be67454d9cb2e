"""Requirements by `or`, `not`, `!=` and `if`: nothing on a fine grid that keeps them is better; and what is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infeasible import applied
from known import LIBRARY

from runplan.dsl.expr.logic import verdict
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Ref
from runplan.dsl.expr.values import compiled
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.layout.fit import GLANCE
from runplan.engine.pipeline import report_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import HAIR
from runplan.engine.problem.solution import Solution

GPUS, DAYS = 24, 40
PLAN = f"""hardware: up to {GPUS} x H100 for up to {DAYS} days at 40% MFU @ 2 USD/GPU/hour
model:    100M .. 20B
tokens:   10B .. 2T
"""
RATE, PRICE = 0.4 * 989.4e12, 2.0 / 3600.0


def solved(text: str) -> tuple[Plan, Solution]:
    reader = Buffer("x.plan", text.encode(), Disk(Path()))
    report = report_of("x.plan", reader, catalogue=LIBRARY, intervals=False, look=GLANCE)
    assert report.plan is not None, report.findings
    (solution,) = report.solutions
    return report.plan, solution


def grid() -> dict[Name, np.ndarray]:
    """Every choice of so many devices, params and tokens that can be done in time, with what it comes to."""
    gpus, params, tokens = (
        each.ravel()
        for each in np.meshgrid(np.arange(1.0, GPUS + 1), np.geomspace(1e8, 2e10, 45), np.geomspace(1e10, 2e12, 45))
    )
    time = 6.0 * params * tokens / (gpus * RATE)
    there = time <= DAYS * 86400.0
    gpus, params, tokens, time = (each[there] for each in (gpus, params, tokens, time))
    (_, base) = solved(PLAN)
    loss = compiled(base.problem.expanded(Ref(q.LOSS)), np)({q.PARAMS: params, q.TOKENS: tokens})
    cost = gpus * time * PRICE
    return {q.GPUS: gpus, q.PARAMS: params, q.TOKENS: tokens, q.TIME: time, q.LOSS: loss, q.COST: cost}


GRID = grid()
# What may be compared, with bounds that leave something on both sides.
BOUNDS = {
    "gpus": [str(n) for n in (3, 8, 16, 20)],
    "params": ["500M", "2B", "7B"],
    "tokens": ["50B", "200B", "1T"],
    "time": ["3 days", "12 days", "30 days"],
    "cost": ["1k USD", "8k USD", "30k USD"],
    "loss": ["2.2", "2.4", "2.7"],
}
COMPARED = st.one_of(
    *(
        st.builds(
            lambda name, sign, bound: f"{name} {sign} {bound}",
            st.just(name),
            st.sampled_from(("<=", ">=", "<", ">")),
            st.sampled_from(bounds),
        )
        for name, bounds in BOUNDS.items()
    ),
    st.sampled_from(BOUNDS["gpus"]).map(lambda n: f"gpus != {n}"),
    st.sampled_from(BOUNDS["gpus"]).map(lambda n: f"cost <= if gpus > {n} then 20k USD else 5k USD"),
)
CONDITIONS = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda both: f"({both[0]} or {both[1]})"),
        st.tuples(inner, inner).map(lambda both: f"({both[0]} and {both[1]})"),
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, inner, inner).map(lambda all_: f"(if {all_[0]} then ({all_[1]}) else ({all_[2]}))"),
    ),
    max_leaves=4,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=2), st.sampled_from(("loss", "cost", "time")))
def test_nothing_on_a_grid_that_keeps_the_requirements_is_better(conditions: list[str], goal: str) -> None:
    required = "".join(f"require {condition}\n" for condition in conditions)
    plan, solution = solved(f"{PLAN}{required}minimize {goal}\n")
    keeps = np.ones(GRID[q.GPUS].shape, dtype=bool)
    for requirement in plan.requires:
        keeps &= compiled(requirement.condition, np)(GRID)
    if solution.status != "solved":  # that there is nothing may be more than can be proven
        assert not keeps.any(), (required, solution)
        return
    env = {name: value.value for name, value in solution.values.items()}
    for requirement in plan.requires:
        assert verdict(requirement.condition, env, HAIR / 2), requirement.condition
    if keeps.any():
        best = float(GRID[Name(goal)][keeps].min())
        assert env[Name(goal)] <= best * (1.0 + 1e-6), required


@pytest.mark.parametrize(
    ("required", "binding"),
    [
        ("cost <= 8k USD or params >= 30B", "cost <= 8k USD"),
        ("params >= 30B or not cost > 8k USD", "cost <= 8k USD"),
        ("cost <= if gpus > 20 then 8k USD else 5k USD", "cost <= 8k USD"),
        ("if params >= 30B then loss <= 1.5 else cost <= 8k USD", "cost <= 8k USD"),
    ],
)
def test_what_binds_names_the_alternative_that_holds(required: str, binding: str) -> None:
    _, solution = solved(f"{PLAN}require {required}\n")
    assert binding in solution.binding


def test_a_choice_that_the_best_keeps_of_itself_binds_nothing() -> None:
    _, solution = solved(f"{PLAN}require loss <= 3 or cost <= 1 USD\n")
    _, without = solved(PLAN)
    assert solution.binding == without.binding
    assert solution.values[q.LOSS].value == without.values[q.LOSS].value


def test_each_change_that_a_conflict_of_alternatives_offers_makes_room() -> None:
    required = "loss <= 1.95 or tokens >= 10T or gpus >= 100"
    _, solution = solved(f"{PLAN}require {required}\n")
    assert solution.status == "infeasible"
    (of_choice,) = (one for one in solution.conflict if one.text == required)
    changes = [change for change in (of_choice.change, *of_choice.others) if change]
    assert len(changes) == 3
    for change in changes:
        assert solved(applied(f"{PLAN}require {required}\n", change))[1].status == "solved", change


def test_many_choices_are_no_product_of_them_all() -> None:
    """Twenty choices that the best keeps are a million combinations, and one solve."""
    required = "".join(f"require loss <= {3 + i / 100:g} or cost <= {i + 1} USD\n" for i in range(20))
    assert solved(PLAN + required)[1].status == "solved"


@pytest.mark.parametrize("required", ["cost <= 30k USD or time <= 5 days", "time <= 5 days or cost <= 30k USD"])
def test_a_way_that_is_worse_by_the_first_goal_may_run_off_by_a_later_one(required: str) -> None:
    """Within 5 days any price would do, at six times the rate: the least rate that will do is that of 30 days."""
    plan = "hardware: 256 x H100 for 30 days at ? MFU @ ? USD/GPU/hour\nmodel: 13B\ntokens: 1T\n"
    _, solution = solved(f"{plan}require {required}\n")
    assert solution.status == "solved"
    assert solution.values[q.MFU].value == pytest.approx(6 * 13e9 * 1e12 / (256 * 30 * 86400 * 989.4e12), rel=1e-3)
    assert solution.values[q.PRICE].value * 3600 == pytest.approx(30_000 / (256 * 30 * 24), rel=1e-6)
