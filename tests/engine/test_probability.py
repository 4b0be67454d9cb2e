"""What is required of a probability: against closed forms, and against draws of the test's own."""

from __future__ import annotations

import math
import re
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.expr.columns import Column
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, Op, Ref
from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import report_of
from runplan.engine.problem.draws import of_constants
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.report import Report
from runplan.engine.solve.scores import made_of, score_of, scores_of

HOUR, DAY = 3600.0, 86400.0
RUN = 6 * 7e9 * 1e12
# 38 % to 43 %, in nine of ten.
SLOW = 0.385


def solved(text: str) -> Report:
    return report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False)


def value(text: str, name: str) -> float:
    report = solved(text)
    (found,) = report.solutions
    assert found.status == "solved", report.findings
    at = found.get(name)
    assert at is not None
    return at


def codes(text: str) -> list[str]:
    return [f.code for f in solved(text).findings if f.severity == "error"]


def peak() -> float:
    return value("hardware: 1 x H100 for ? at 40% MFU\nmodel: 7B\ntokens: 1T\n", "peak")


# ---- one thing decides: the end of its distribution, to the digit


def test_the_tokens_that_nine_in_ten_can_pay() -> None:
    text = "hardware: 64 x H100 for up to 300 days at 38% .. 43% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: ?\n"
    found = value(text + "require P(cost <= 60k USD) >= 90%\nmaximize tokens\n", "tokens")
    assert found == pytest.approx(60e3 / 2 * HOUR * peak() * SLOW / (6 * 7e9), rel=1e-9)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.8, 1.0])
def test_the_devices_that_are_enough_in_a_share_of_all_that_may_be(share: float) -> None:
    text = "hardware: ? x H100 for ? at 38% .. 43% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 2T\n"
    asked = f"require P(time <= 30 days) >= {100 * share}%\nminimize gpus\n"
    slow = 0.43 - 0.05 * share
    assert value(text + asked, "gpus") == math.ceil(2 * RUN / (peak() * slow * 30 * DAY) - 1e-9)


def test_the_compute_that_a_budget_is_enough_for_at_a_rate_that_is_assumed() -> None:
    text = "hardware: 1000 x H100 for up to 6 months @ 2 USD/GPU/hour\n"
    report = solved(text + "require P(cost <= 2M USD) >= 90%\n")
    (found,) = report.solutions
    (spread,) = {d.spread for d in found.problem.definitions.values() if d.name.text == "mfu"}
    assert spread is not None
    rate = found["rate"].value * math.exp(-QUANTILE * spread)
    assert found["compute"].value == pytest.approx(1e6 * HOUR * rate, rel=1e-9)
    assert found.binding == ("P(cost <= 2M USD) >= 90%",)


def test_at_most_is_the_contrary_at_least() -> None:
    text = "hardware: 64 x H100 for up to 300 days at 38% .. 43% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: ?\n"
    likely, unlikely = (
        value(text + f"require {asked}\nmaximize tokens\n", "tokens")
        for asked in ("P(cost <= 60k USD) >= 85%", "15% >= P(cost > 60k USD)")
    )
    assert likely == pytest.approx(unlikely, rel=1e-9)


@pytest.mark.parametrize("text", ["64 x H100 for up to 200 days", "? x H100 for 30 days", "64 x H100 for ?"])
def test_what_is_told_to_hold_holds(text: str) -> None:
    plan = f"hardware: {text} at 38% .. 43% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 1T\nrequire "
    asked = "P(cost <= 60k USD) >= 90%"
    (found,) = [f for f in solved(plan + asked).findings if f.severity == "error"]
    assert found.code == "B001"
    changes = [change for change in re.findall(r"P\([^)]*\) >= [\d.]+%", found.help[0]) if change != asked]
    assert len(changes) == 2
    for change in changes:
        assert codes(plan + change) == []
    bound = next(float(m[1]) for change in changes if (m := re.search(r"cost <= (\d+) USD", change)))
    assert bound == pytest.approx(RUN / (peak() * SLOW) / HOUR * 2, rel=1e-3)
    share = next(float(m[1]) for change in changes if (m := re.search(r"60k USD\) >= ([\d.]+)%", change)))
    assert share / 100 == pytest.approx((0.43 - RUN / (peak() * 60e3 / 2 * HOUR)) / 0.05, abs=2e-3)


# ---- several things decide: draws


@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.floats(0.6, 0.97), st.floats(1.05, 1.5), st.floats(1.05, 1.5))
def test_a_product_of_what_is_uncertain(share: float, rates: float, prices: float) -> None:
    """Against draws of the test's own: what a run costs goes with the price, and against the rate."""
    random, low = Random(3), 0.30
    text = (
        f"hardware: 64 x H100 for up to 900 days at {100 * low:.2f}% .. {100 * low * rates:.2f}% MFU"
        f" @ 2 USD/GPU/hour .. {2 * prices:.4f} USD/GPU/hour\nmodel: 7B\ntokens: ?\nmaximize tokens\n"
    )
    tokens = value(text + f"require P(cost <= 60k USD) >= {100 * share:.3f}%\n", "tokens")
    at_one = 6 * 7e9 * tokens / peak() / HOUR
    costs = (at_one * random.uniform(2, 2 * prices) / random.uniform(low, low * rates) for _ in range(20000))
    assert sum(cost <= 60e3 for cost in costs) / 20000 == pytest.approx(share, abs=0.015)


def test_the_law_decides_of_a_loss() -> None:
    text = "hardware: ? x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nrequire P(loss <= 2.1) >= 90%\n"
    (found,) = solved(text).solutions
    law = found.problem.law
    params, tokens = found["params"].value, found["tokens"].value
    assert found["loss"].value < 2.1
    below = 0
    drawn = of_constants(law, 3000)[2000:]
    for draw in drawn:
        values = {name.text: value for name, value in draw.items()}
        below += _loss(values, params, tokens) <= 2.1
    assert below / len(drawn) == pytest.approx(0.9, abs=0.03)


def _loss(constants: dict[str, float], params: float, tokens: float) -> float:
    by = constants
    return by["E"] + by["A"] / math.pow(params, by["alpha"]) + by["B"] / math.pow(tokens, by["beta"])


def test_no_hardware_is_cheaper_for_a_loss_than_what_is_found() -> None:
    """Beside the least compute other sizes: none of them is as likely with as little."""
    text = "require P(loss <= 2.1) >= 90%\nminimize compute\n"
    least = value(text, "compute")
    size = value(text, "params")
    for factor in (0.8, 0.9, 1.1, 1.25):
        assert value(text + f"model: {size * factor / 1e9:.6f}B params\n", "compute") > least


A, B = Name("a"), Name("b")
SIDES = st.recursive(
    st.sampled_from([Ref(A), Ref(B), Num(-1.5), Num(0.0), Num(2.0)]),
    lambda parts: st.builds(
        lambda op, a, b: Op(op, (a, b)), st.sampled_from("+ - * / ^ min max".split()), parts, parts
    ),
    max_leaves=4,
)
COMPARED = st.recursive(
    st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from(["<=", ">", "==", "!="]), SIDES, SIDES),
    lambda parts: st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from(["and", "or"]), parts, parts),
    max_leaves=3,
)


@settings(max_examples=50, deadline=None)
@given(COMPARED, st.floats(-3.0, 3.0), st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=4))
def test_draws_together_are_scored_as_each(condition: Op, chosen: float, drawn: list[float]) -> None:
    made = made_of(condition, lambda expr: expr)
    each = [score_of(made, {A: chosen, B: value}) for value in drawn]
    together = scores_of(made, {A: chosen, B: Column(drawn)}, len(drawn))
    assert together is None or together == each  # where one of them is not defined they are taken one by one
    single = made_of(Op("<=", (Op("*", (Ref(A), Ref(B))), Num(2.0))), lambda expr: expr)
    assert scores_of(single, {A: chosen, B: Column(drawn)}, len(drawn)) is not None


def test_both_at_once_are_less_likely_than_each() -> None:
    text = (
        "hardware: 64 x H100 for ? at 38% .. 43% MFU @ 1.8 USD/GPU/hour .. 2.4 USD/GPU/hour\n"
        "model: 7B\ntokens: 1T\nrequire "
    )
    assert codes(text + "P(cost <= 68k USD) >= 85%") == []
    assert codes(text + "P(time <= 19.9 days) >= 85%") == []
    assert codes(text + "P(cost <= 68k USD and time <= 19.9 days) >= 85%") != []
    assert codes(text + "P(cost <= 68k USD or time <= 19.9 days) >= 85%") == []


# ---- what is said of it


def test_the_report_says_how_likely_each_requirement_is_and_the_intervals_agree() -> None:
    text = "hardware: 64 x H100 for ? at 38% .. 43% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 1T\n"
    asked = "require P(cost <= 62k USD) >= 80%\nrequire time <= 20 days\nrequire tokens >= 1T\n"
    report = report_of("x.plan", Files({"x.plan": text + asked}), catalogue=LIBRARY)
    likely, time, tokens = report.solutions[0].odds
    slowest = RUN / (peak() * 62e3 / 2 * HOUR)
    assert likely.share == pytest.approx((0.43 - slowest) / 0.05)
    assert (likely.error, likely.asked) == (0.0, 0.8)
    assert time.share == pytest.approx((0.43 - RUN / (peak() * 64 * 20 * DAY)) / 0.05)
    assert (tokens.share, tokens.certain) == (1.0, True)
    (told, *_) = report.to_dict()["solutions"][0]["requirements"]
    assert told["probability"]["value"] == pytest.approx(likely.share)
    assert told["asked"] == {"value": 0.8, "unit": "1"}


def test_the_interval_of_what_is_asked_to_be_likely_ends_at_its_bound() -> None:
    text = "hardware: 1000 x H100 for up to 6 months @ 2 USD/GPU/hour\nrequire P(cost <= 2M USD) >= 90%\n"
    (found,) = report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY).solutions
    assert found["cost"].high == pytest.approx(2e6, rel=1e-3)
    assert found["params"].low is None
    assert len(found.samples) == 1000


def test_stages_are_off_alike_and_their_costs_add_up() -> None:
    text = "model: 7B\n" + "\n".join(
        f"stage {name} {{\nhardware: {count} x H100 for ? @ 2 USD/GPU/hour\ndata: {tokens} tokens\ntokens: {tokens}\n}}"
        for name, count, tokens in (("first", 512, "1T"), ("second", 64, "200B"))
    )
    cost = value(text + "\n", "cost")
    (found,) = solved(text + f"\nrequire cost <= {1.2 * cost:.0f} USD\n").solutions
    (spread, _) = [d.spread for n, d in found.problem.definitions.items() if n.text == "mfu" and d.spread]
    assert spread is not None
    share = 0.5 * math.erfc(-math.log(1.2) / spread / math.sqrt(2))
    for asked, holds in ((share - 0.01, True), (share + 0.01, False)):
        errors = codes(text + f"\nrequire P(cost <= {1.2 * cost:.0f} USD) >= {100 * asked:.2f}%\n")
        assert (errors == []) == holds


TWO_WAYS = "hardware: 64 x H100 for up to 300 days at 38% .. 43% MFU @ 2 USD/GPU/hour\nmodel: 7B\n"


def test_one_of_several_things_is_to_be_likely() -> None:
    """The way that is better is taken, and each way is its own closed form."""
    text = f"{TWO_WAYS}tokens: ?\nmaximize tokens\n"
    paid = 60e3 / 2 * HOUR * peak() * SLOW / (6 * 7e9)
    timed = 64 * 25 * DAY * peak() * 0.39 / (6 * 7e9)
    either = f"{text}require P(cost <= 60k USD) >= 90% or P(time <= 25 days) >= 80%\n"
    assert value(either, "tokens") == pytest.approx(max(paid, timed), rel=1e-9)
    assert value(f"{either}require cost <= 60k USD or P(time <= 10 days) >= 99%\n", "tokens") < paid * 1.06


def test_where_no_way_is_likely_each_change_that_is_told_is_enough() -> None:
    asked = "P(cost <= 60k USD) >= 90% or P(time <= 25 days) >= 80%"
    plan = f"{TWO_WAYS}tokens: 2T\nrequire "
    (found,) = [f for f in solved(plan + asked).findings if f.severity == "error"]
    told = re.findall(r"P\([^)]*\) >= [\d.]+%", found.help[0])
    assert len(told) == 2
    for change in told:
        assert codes(plan + change) == []


def test_what_the_givens_decide_is_judged_by_each_way() -> None:
    plan = TWO_WAYS.replace("up to 300", "30") + "tokens: 1T\nrequire P(cost <= 60k USD) >= 90% or "
    assert codes(plan + "P(time <= 15 days) >= 80%") == ["B001"]
    assert codes(plan + "P(time <= 20 days) >= 80%") == []
    assert codes(plan + "params >= 1B") == []


def test_one_of_several_things_inside_of_a_probability() -> None:
    """Beside the same run: in every draw the later of two bounds on it decides, and from either of them it is found."""
    text = f"{TWO_WAYS}tokens: ?\nmaximize tokens\nrequire "
    paid = 60e3 / 2 * HOUR * peak() * SLOW / (6 * 7e9)
    timed = 64 * 25 * DAY * peak() * SLOW / (6 * 7e9)
    report = solved(text + "P(cost <= 60k USD or time <= 25 days) >= 90%\n")
    (found,) = report.solutions
    assert found["tokens"].value == pytest.approx(max(paid, timed), rel=1e-6)
    assert value(text + "P(cost <= 60k USD or params >= 70B) >= 90%\n", "tokens") == pytest.approx(paid, rel=1e-6)


@pytest.mark.parametrize(
    ("required", "proof"),
    [("cost <= 400k USD", "convex"), ("loss <= 2.1", "local"), ("time <= 30 days", "convex")],
)
def test_a_choice_about_several_draws_is_not_proven(required: str, proof: str) -> None:
    """One thing decides a cost; the constants of a law together decide a loss, about the choice that was found."""
    text = "hardware: 256 x H100 for up to 60 days at 38% .. 43% MFU @ 2 USD/GPU/hour\n"
    run = "" if "loss" in required else "model: 7B\ntokens: 1T\n"
    (solution,) = solved(f"{text}{run}require P({required}) >= 90%\nminimize cost\n").solutions
    assert solution.certainty == proof


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("P(cost <= 1M USD) >= 90%", "C004"),
        ("P(emissions <= 9 tCO2eq) <= 50%", "C004"),
        ("P(finish <= 2028-01-01) >= 90%", "C004"),
        ("P(cost <= 1M USD or energy <= 1 MWh) >= 90%", "C004"),
        ("P(loss <= 2) >= 90%", "L004"),
    ],
)
@pytest.mark.parametrize(("said", "severity"), [("require", "error"), ("prefer", "warning")])
def test_what_has_no_value_is_neither_likely_nor_unlikely(asked: str, code: str, said: str, severity: str) -> None:
    report = solved(f"use laws llama3\nhardware: 300 x H100 for 90 days at 35% .. 45% MFU\n{said} {asked}\n")
    found = [(f.code, f.severity) for f in report.findings if f.at.span.line == 3]
    assert found == [(code, severity)]
