"""What would change a value: elasticities that the formulas fix, and those that the law's exponents fix."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.tree import Num, Ref
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.analysis.causes import causes_of
from runplan.engine.analysis.constants import constants_of
from runplan.engine.analysis.sensitivity import Sensitivity, Slope, best, elasticities, sensitivity_of
from runplan.engine.analysis.tornado import Swing, swings
from runplan.engine.pipeline import report_of
from runplan.engine.problem.draws import of_constants, quantile
from runplan.engine.problem.solution import Solution


def solution_of(text: str) -> Solution:
    file = Buffer("x.plan", text.encode(), Disk(Path()))
    return report_of("x.plan", file, catalogue=LIBRARY, intervals=False).solutions[0]


def found(text: str, name: str) -> tuple[Slope, ...]:
    return elasticities(solution_of(text), quantity(name))


def by_text(text: str, name: str) -> dict[str, float]:
    return {slope.cause.text: round(slope.elasticity, 4) for slope in found(text, name)}


def swung(text: str, name: str) -> dict[str, Swing]:
    return {swing.cause.text: swing for swing in swings(solution_of(text), quantity(name))}


HARDWARE = "hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\n"


def test_a_product_answers_to_its_factors() -> None:
    assert by_text(HARDWARE, "cost") == {"gpus": 1.0, "price": 1.0, "reserved_time": 1.0}


def test_the_optimal_size_answers_to_compute_by_the_exponent_of_the_law() -> None:
    """Besiroglu et al. 2024: a = beta / (alpha + beta) = 0.512612."""
    (slope,) = found("compute: 1e22 FLOP\n", "params")
    assert slope.elasticity == pytest.approx(0.3658 / (0.3478 + 0.3658), rel=1e-4) and slope.cause.text == (
        "compute_budget"
    )
    assert set(by_text(HARDWARE, "params").values()) == {0.5126}


def test_a_requirement_is_named_as_the_plan_writes_it() -> None:
    by = by_text(f"{HARDWARE}require tokens / params >= 40\n", "params")
    assert by.pop("tokens / params >= 40") == -0.5
    assert by["gpus"] == 0.5 and "price" not in by


def test_a_let_that_is_a_bound_counts() -> None:
    assert by_text(f"let ratio = 40\n{HARDWARE}require tokens / params >= ratio\n", "params")["ratio"] == -0.5


def test_what_is_computed_while_posing_answers_too() -> None:
    """The shares of a mix follow from the amounts, and a law's own count of params from the total."""
    sources = "data a: 1T tokens\ndata b: 2T tokens\nmodel: 70B\n"
    by = by_text(sources, "tokens")
    assert by["available.a"] == pytest.approx(1 / 3, abs=1e-4) and by["available.b"] == pytest.approx(2 / 3, abs=1e-4)
    by = by_text("use laws kaplan.joint\nmodel: 7B\ntokens: 1T\n", "loss")
    assert set(by) == {"params", "tokens"} and by["params"] < 0


def test_shares_of_a_whole_make_room_for_each_other() -> None:
    """With more of one source there is less of the others: the plan stays one that can be."""
    text = "data a: 1T tokens up to 4 epochs weight 60%\ndata b: 300B tokens up to 4 epochs weight 40%\n"
    both = swung(f"{text}model: 7B\ntokens: 1T\n", "loss")
    assert both["share.a"].slope is not None and not both["share.a"].breaks
    assert both["share.a"].slope.elasticity * both["share.b"].slope.elasticity < 0  # type: ignore[union-attr]


def test_a_count_answers_as_a_real_number_and_is_solved_for_whole() -> None:
    """The derivative is that of the count before it was rounded; the ends have whole devices."""
    counted = "hardware: ? x H100 for 30 days at 40% MFU\nmodel: 30B\ntokens: 300B\n"
    assert by_text(counted, "gpus") == {
        **dict.fromkeys(("params", "tokens"), 1.0),
        **dict.fromkeys(("availability", "hours_per_day", "mfu", "peak", "reserved_time"), -1.0),
    }
    params = swung(counted, "gpus")["params"]
    assert (params.low.value, params.before, params.high.value) == (48.0, 53.0, 58.0)


def test_ends_are_whole_within_bounds_and_over_ranges() -> None:
    text = "hardware: 64 x H100 for 30 days at 38% .. 43% MFU in nodes of 8\n"
    by = swung(text, "loss")
    assert (by["gpus"].low.figure, by["gpus"].high.figure) == (56.0, 72.0)
    assert (by["mfu"].low.figure, by["mfu"].high.figure) == (0.38, 0.43)
    assert (by["availability"].low.figure, by["availability"].high.figure) == (0.9, 1.0)
    assert by["availability"].high.value == by["availability"].before
    assumed = swung("hardware: 64 x H100 for 30 days\n", "loss")["mfu"]
    assert assumed.high.figure / assumed.cause.value == pytest.approx(assumed.cause.value / assumed.low.figure)


def test_an_end_that_cannot_be_has_no_value() -> None:
    """The plan that is held by a loss cannot reach one that is a tenth less; one that is not is told of it last."""
    wanted = swings(solution_of(f"{HARDWARE}require loss <= 2.1\nminimize params\n"), quantity("params"))
    assert wanted[0].cause.text == "loss <= 2.1" and wanted[0].low.value is None and wanted[0].high.value is not None
    slack = swings(solution_of(f"{HARDWARE}model: 7B\nrequire loss <= 2.2\n"), quantity("loss"))
    assert slack[-1].cause.text == "loss <= 2.2" and slack[-1].breaks and slack[-1].slope is None


def test_a_bound_that_would_bind_is_told() -> None:
    """At the plan's figures it holds nothing back; a tenth less of it does."""
    text = "hardware: 64 x H100 for 30 days at 40% MFU\nrequire tokens <= 480B\n"
    one = swung(text, "loss")["tokens <= 480B"]
    assert one.slope is None and one.high.value == pytest.approx(one.before) and one.low.value is not None
    assert one.low.value > one.before


@pytest.mark.parametrize("name", ["finish", "start"])
def test_a_date_answers_to_nothing(name: str) -> None:
    text = "hardware: 64 x H100 for 30 days at 40% MFU from 2026-12-01\n"
    assert found(text, name) == ()


def test_what_has_no_solution_answers_to_nothing() -> None:
    assert found(f"{HARDWARE}model: 70B\ntokens: 10T\n", "compute") == ()


def test_where_something_else_begins_to_hold_the_sides_differ() -> None:
    """Two requirements that meet in one point: with more of either the other one holds."""
    text = "compute: 6e21 FLOP\nrequire params <= 5B\nrequire tokens / params >= 40\n"
    by = {slope.cause.text: slope for slope in found(text, "params")}
    ratio = by["tokens / params >= 40"]
    assert ratio.more / ratio.value == pytest.approx(-0.5, rel=1e-4) and ratio.less == 0.0  # type: ignore[operator]
    compute = by["compute_budget"]
    assert compute.more == 0.0 and compute.less / compute.value == pytest.approx(0.5, rel=1e-4)  # type: ignore[operator]


def test_where_a_formula_bends_the_sides_differ() -> None:
    """The time is the longer of two that are equal."""
    pool = "64 x H100 for 30 days at 40% MFU"
    by = {slope.cause.text: slope for slope in found(f"hardware: {pool} + {pool}\n", "time")}
    longer = by["pool2.reserved_time"]
    assert longer.more / longer.value == pytest.approx(1.0, rel=1e-4)  # type: ignore[operator]
    assert longer.less / longer.value == pytest.approx(0.5, rel=1e-4)  # type: ignore[operator]


LAWS = ("chinchilla", "chinchilla.approach3_rounded", "kaplan.joint")
LIMITS = (
    "require tokens / params >= {:.3g}",
    "require tokens <= {:.3g}B",
    "model: up to {:.3g}B params",
    "require cost <= {:.3g}k USD",
)


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    st.sampled_from(LAWS),
    st.integers(8, 2000),
    st.floats(5.0, 100.0),
    st.lists(st.tuples(st.sampled_from(LIMITS), st.floats(1.0, 200.0)), max_size=2, unique_by=lambda pair: pair[0]),
)
def test_each_slope_is_what_is_solved_beside_it(
    law: str, gpus: int, days: float, limits: list[tuple[str, float]]
) -> None:
    """Of random plans, every figure, to both sides."""
    hardware = f"use laws {law}\nhardware: up to {gpus} x H100 for {days:.3g} days at 40% MFU @ 2 USD/GPU/hour\n"
    solution = solution_of(hardware + "\n".join(text.format(value) for text, value in limits))
    sensitivity = sensitivity_of(solution)
    if sensitivity is None or "loss" not in solution:
        return
    goal = Ref(quantity("loss"))
    slopes = {slope.cause.factor: slope for slope in sensitivity.slopes(goal)}
    at = sensitivity.at(goal)
    for cause in causes_of(solution):
        slope = slopes.get(cause.factor)
        for step, told in ((1e-4, slope and slope.more), (-1e-4, slope and slope.less)):
            there = best(cause.times(sensitivity.problem, Num(1.0 + step)), goal)
            if there is not None:
                assert told or slope is None, cause.text
                assert (there - at) / math.log1p(step) == pytest.approx(told or 0.0, rel=2e-3, abs=2e-6), cause.text


def test_what_is_asked_of_a_probability_moves_as_it_is_asked() -> None:
    """`P(cost <= bound) >= share` at a rate between two ends: tokens go as bound times rate at the end."""
    text = (
        "hardware: 64 x H100 for up to 300 days at 38% .. 43% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: ?\n"
        "require P(cost <= 60k USD) >= 90%\nmaximize tokens\n"
    )
    rows, at = swung(text, "tokens"), solution_of(text)["tokens"].value
    bound, share, rate = (rows[name] for name in ("P(cost <= 60k USD) >= 90%", "P(cost <= 60k USD)", "mfu"))
    assert (bound.low.figure, bound.high.figure) == pytest.approx((54e3, 66e3))
    assert (bound.low.value, bound.high.value) == pytest.approx((0.9 * at, 1.1 * at), rel=1e-6)
    assert (share.low.figure, share.high.figure) == pytest.approx((0.81, 0.95))
    assert (share.low.value, share.high.value) == pytest.approx((0.3895 / 0.385 * at, 0.3825 / 0.385 * at), rel=1e-6)
    # A rate that is known is uncertain no more; and its distribution moves the tokens with it.
    assert (rate.low.value, rate.high.value) == pytest.approx((0.38 / 0.385 * at, 0.43 / 0.385 * at), rel=1e-6)
    assert rate.slope is not None
    assert rate.slope.elasticity == pytest.approx(1.0)


def test_the_constants_of_a_law_move_a_value_together() -> None:
    """Against draws put into the law's own formula, at the size and tokens that the plan gives."""
    text = "hardware: 64 x H100 for ? at 40% MFU\nmodel: 7B\ntokens: 1T\n"
    solution = solution_of(text)
    constants = constants_of(solution, quantity("loss"))
    assert constants is not None
    params, tokens = (solution[name].value for name in ("params", "tokens"))
    drawn = [{name.text: by for name, by in draw.items()} for draw in of_constants(solution.problem.law, 1000)]
    losses = [c["E"] + c["A"] / params ** c["alpha"] + c["B"] / tokens ** c["beta"] for c in drawn]
    ends = quantile(losses, 0.1), quantile(losses, 0.9)
    assert (constants.low, constants.high) == pytest.approx(ends, abs=2e-3)
    assert constants_of(solution, quantity("time")) is None
    assert constants_of(solution_of(text + "require P(time <= 90 days) >= 90%\n"), quantity("time")) is None


MIXED = """\
hardware: 64 x H100 for 60 days at 40% MFU @ 2.4 USD/GPU/hour
reserve: 10%
model: 7B
data web: 3T tokens weight 70%
data code: 500B tokens weight 20%
data math: 80B tokens up to 4 epochs weight 10%
require cost <= 250k USD
minimize loss
"""


@pytest.mark.parametrize("name", ["cost", "gpu_hours", "time", "capacity", "tokens", "loss"])
@pytest.mark.parametrize("text", [MIXED, f"{HARDWARE}require tokens / params >= 40\n"])
def test_what_rests_on_figures_alone_answers_as_if_it_were_solved_beside_each(
    text: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = found(text, name)
    monkeypatch.setattr(Sensitivity, "_figures", lambda self, expr: None)
    assert short == found(text, name) != ()


def test_what_rests_on_figures_alone_is_not_solved_beside_any(monkeypatch: pytest.MonkeyPatch) -> None:
    solution = solution_of(MIXED)
    monkeypatch.delattr(Sensitivity, "_beside")
    assert {slope.cause.text for slope in elasticities(solution, quantity("cost"))} == {
        "gpus",
        "price",
        "reserved_time",
    }
