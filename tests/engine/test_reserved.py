"""Dates and durations of hardware: what bounds a run, and how long it takes on pools of unequal length."""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.tree import walk
from runplan.dsl.text.reader import Files
from runplan.engine.documents.solve import document
from runplan.engine.layout.fit import GLANCE
from runplan.engine.pipeline import plan_at, report_of
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

DAY = 86400.0
FIRST = date(2026, 1, 1)
RUN = "model: 7B\ntokens: 300B\n"


def report(text: str) -> Report:
    return report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False, look=GLANCE)


def solved(text: str) -> Solution:
    found = report(text)
    assert found.solutions and found.solutions[0].status == "solved", [f.message for f in found.findings]
    return found.solutions[0]


def errors(text: str) -> list[str]:
    return [f.code for f in report(text).findings if f.severity == "error"]


# ---- `until`


@pytest.mark.parametrize("time", ["?", "up to 40 days", "10 days .. 40 days"])
@pytest.mark.parametrize("rest", [RUN, "require loss <= 2.2\n"])
def test_until_bounds_a_time_that_is_free(time: str, rest: str) -> None:
    plan = "hardware: 64 x H100 for {} at 30% MFU @ 2 USD/GPU/hour from 2026-01-01 {}\n" + rest
    bound = {"?": "?", "up to 40 days": "up to 30 days", "10 days .. 40 days": "10 days .. 30 days"}[time]
    one, other = solved(plan.format(time, "until 2026-01-31")), solved(plan.format(bound, ""))
    for name in ("params", "tokens", "time", "cost", "finish"):
        assert one.get(name) == pytest.approx(other.get(name), rel=1e-6)


def test_until_is_kept_where_all_of_it_is_used() -> None:
    solution = solved("hardware: 64 x H100 for up to 40 days from 2026-01-01 until 2026-01-31 at 30% MFU\n")
    assert solution.get("time") == pytest.approx(30 * DAY)
    assert solution.get("compute") == pytest.approx(4.924e22, rel=1e-3)
    assert "until" in solution.binding


@pytest.mark.parametrize(
    "hardware",
    [
        "64 x H100 for ? from 2026-01-01 until 2026-01-31 at 30% MFU",
        "{ gpus: 64; device: H100; mfu: 30%; from: 2026-01-01; until: 2026-01-31 }",
        "32 x H100 for ? from 2026-01-01 until 2026-01-31 at 30% MFU + 32 x H100 for 1 day at 30% MFU",
    ],
)
def test_a_deadline_that_cannot_be_kept_is_in_the_conflict(hardware: str) -> None:
    (found,) = report(f"hardware: {hardware}\nmodel: 7B\ntokens: 3T\n").solutions
    assert found.status == "infeasible"
    (until,) = (one for one in found.conflict if "until" in one.text)
    assert until.span is not None
    assert until.span.text.endswith("2026-01-31")
    assert until.change is not None
    assert "until >= 2026-0" in until.change.said


# ---- pools side by side


@pytest.mark.parametrize(
    ("hardware", "rest", "known"),
    [
        (
            "64 x H100 for 20 days at 30% MFU + 320 x A100 for 10 days at 40% MFU",
            RUN,
            {"time": 213_804.0, "idle_share": 1 - 1.26e22 / 6.733e22},
        ),
        (
            "256 x H100 for 60 days at 40% MFU + 512 x A100-80GB for 90 days at 45% MFU",
            "model: 30B\ntokens: 3T\n",
            {"time": 36.09 * DAY},
        ),
        (  # what is `for up to` is paid for as it is used
            "64 x H100 for up to 20 days at 30% MFU @ 2 USD/GPU/hour"
            " + 320 x A100 for up to 10 days at 40% MFU @ 1 USD/GPU/hour",
            RUN,
            {"time": 213_804.0, "cost": 213_804.0 / 3600 * (64 * 2 + 320), "idle_share": 0.0},
        ),
        (
            "64 x H100 for up to 20 days at 30% MFU @ 2 USD/GPU/hour"
            " + 320 x A100 for up to 10 days at 40% MFU @ 1 USD/GPU/hour",
            "require cost <= 100k USD\n",
            {"cost": 1e5, "time": 1e5 / (64 * 2 + 320) * 3600},
        ),
    ],
)
def test_pools_work_until_the_run_is_done(hardware: str, rest: str, known: dict[str, float]) -> None:
    solution = solved(f"hardware: {hardware}\n{rest}")
    assert {name: solution.get(name) for name in known} == pytest.approx(known, rel=1e-3, abs=1e-9)


def test_a_requirement_on_the_time_is_judged_by_the_time_of_the_run() -> None:
    hardware = "hardware: 64 x H100 for 20 days at 30% MFU + 320 x A100 for 10 days at 40% MFU\n"
    assert errors(hardware + RUN + "require time <= 3 days\n") == []
    assert errors(hardware + RUN + "require time <= 2 days\n") == ["B001"]


@pytest.mark.parametrize("count", ["", "up to "])
def test_the_least_cost_of_pools(count: str) -> None:
    pools = (
        f"{count}64 x H100 for up to 20 days at 30% MFU @ 2 USD/GPU/hour"
        f" + {count}320 x A100 for up to 10 days at 40% MFU @ 1 USD/GPU/hour"
    )
    solution = solved(f"hardware: {pools}\nrequire loss <= 2.2\nminimize cost\n")
    assert solution.get("loss") == pytest.approx(2.2)
    # The H100 is the cheaper for its rate: where the counts are free, of the other there is but one.
    whole = (64 * 2 + 320) / (64 * 0.3 * 989.4 + 320 * 0.4 * 312)
    least = whole if not count else (64 * 2 + 1) / (64 * 0.3 * 989.4 + 0.4 * 312)
    assert solution["cost"].value == pytest.approx(least / 1e12 * solution["compute"].value / 3600, rel=1e-3)


def test_the_finish_of_pools_is_that_of_the_run() -> None:
    plan = "hardware: 64 x H100 for 20 days at 30% MFU from 2026-01-01 + 32 x A100 for 20 days at 40% MFU {}\n"
    for begins in ("from 2026-01-01", ""):
        plan_ = plan.format(begins) + "require finish <= 2026-01-30\n"
        assert errors(plan_) == []
        finish, start = solved(plan_).get("finish"), solved(plan_).get("start")
        assert finish is not None
        assert start is not None
        assert finish - start == pytest.approx(20 * DAY)


Beside = tuple[str, int, float, float, int, int, str]


@st.composite
def pools(draw: st.DrawFn) -> list[Beside]:
    """Pools: the device, its count, FLOP/s, price, days after the first, days, and how the days are said."""
    out = []
    for _ in range(draw(st.integers(2, 3))):
        rate = draw(st.integers(100, 500))
        forms = st.sampled_from(("for {} days", "for up to {} days"))
        begins = draw(st.sampled_from((0, 0, 3, 9)))
        out.append(("H100", draw(st.integers(8, 512)), rate * 1e12, 2.0, begins, draw(st.integers(2, 30)), draw(forms)))
    first = min(pool[4] for pool in out)
    return [(*pool[:4], pool[4] - first, *pool[5:]) for pool in out]


def unordered(solutions: Any) -> list[Any]:
    """Solutions whose pools have no numbers."""
    kept = [sorted(str(one | {"pool": 0}) for one in solution.get("pool_layouts", ())) for solution in solutions]
    return [solution | {"pool_layouts": lists} for solution, lists in zip(solutions, kept, strict=True)]


@settings(max_examples=40)
@given(pools(), st.floats(0.05, 0.95))
def test_the_time_of_pools_is_that_of_a_simulation(some: list[Beside], share: float) -> None:
    """By hours: each pool that is there computes; the order of the pools does not matter."""
    total = sum(count * rate * days * DAY for _, count, rate, _, _, days, _ in some)
    tokens = f"{share * total / 6e9 / 1e9:.6f}B"
    compute = 6e9 * float(tokens[:-1]) * 1e9
    texts = [
        f"{count} x {device} {form.format(days)} at {rate / 1e12:.0f} TFLOP/s @ {price} USD/GPU/hour"
        f" from {FIRST + timedelta(begins)}"
        for device, count, rate, price, begins, days, form in some
    ]
    edges = sorted({at for _, _, _, _, begins, days, _ in some for at in (begins, begins + days)})
    done, time = 0.0, 0.0
    for start, end in itertools.pairwise(edges):
        speed = sum(count * rate for _, count, rate, _, b, d, _ in some if b <= start < b + d)
        if done + speed * (end - start) * DAY >= compute:
            time = start * DAY + (compute - done) / speed
            break
        done += speed * (end - start) * DAY
    hours = sum(
        count * (days * DAY if "up to" not in form else min(days * DAY, max(0.0, time - begins * DAY))) / 3600
        for _, count, _, _, begins, days, form in some
    )
    solutions = []
    for text in (texts, texts[::-1]):
        found = report(f"hardware: {' + '.join(text)}\nmodel: 1B\ntokens: {tokens}\n")
        assert found.solutions[0].get("time") == pytest.approx(time, rel=1e-6)
        assert found.solutions[0].get("cost") == pytest.approx(2.0 * hours, rel=1e-6)
        solutions.append(unordered(document(found)["solutions"]))
    assert solutions[0] == solutions[1]


# ---- what is bought by the hour, and what is paid

BOUGHT = "hardware: {} of H800 at 38% MFU @ 2 USD/GPU/hour\n"
OPEN = {"gpus", "time", "reserved_time", "finish", "nodes"}


@pytest.mark.parametrize(
    ("hours", "rest", "known"),
    [
        ("1.02M GPU-hours", "", {"cost": 2.04e6, "compute": 1.02e6 * 3600 * 0.38 * 989.4e12, "idle_share": 0.0}),
        ("up to 1.02M GPU-hours", "model: 7B\ntokens: 1T\n", {"gpu_hours": 4.2e22 / (0.38 * 989.4e12)}),
        ("? GPU-hours", "model: 7B\ntokens: 1T\n", {"gpu_hours": 4.2e22 / (0.38 * 989.4e12)}),
        ("? GPU-hours", "require cost <= 10k USD\n", {"gpu_hours": 5000 * 3600.0}),
        ("?", "require loss <= 2.1\n", {"compute": 2.1410e22}),
    ],
)
def test_hours_of_devices(hours: str, rest: str, known: dict[str, float]) -> None:
    solution = solved(BOUGHT.format(hours) + rest)
    assert {name: solution.get(name) for name in known} == pytest.approx(known, rel=1e-3, abs=1e-9)
    assert not OPEN & set(solution.keys())


@pytest.mark.parametrize(
    "block",
    [
        "hardware { gpu_hours: 100k GPU-hours; device: H800; mfu: 38%; price: 2 USD/GPU/hour }\n",
        "hardware:\n  gpu_hours: 100k GPU-hours\n  device: H800\n  mfu: 38%\n  price: 2 USD/GPU/hour\n",
        "hardware: 100k GPU-hours of H800 at 38% MFU @ 2 USD/GPU/hour\n",
        "let hours = 100k GPU-hours\nhardware: hours of H800 at 38% MFU @ 2 USD/GPU/hour\n",
    ],
)
def test_hours_are_said_in_each_spelling(block: str) -> None:
    path = "x.plan.yaml" if "\n  " in block else "x.plan"
    one = report_of(path, Files({path: block}), catalogue=LIBRARY, intervals=False)
    other = document(report(BOUGHT.format("100k GPU-hours")))
    assert document(one)["solutions"] == other["solutions"]


def test_hours_that_are_not_needed_are_not_bought() -> None:
    plan = "hardware: 64 x A100 for 30 days at 40% MFU + up to 100k GPU-hours of H100 at 40% MFU\ncompute: 1e21 FLOP\n"
    solution = solved(plan)
    assert solution["gpu_hours"].value / 3600 == pytest.approx(64 * 720 + 1)


def test_hours_and_a_count_give_the_time() -> None:
    block = "hardware {{ {}; gpu_hours: 1.02M GPU-hours; device: H800; mfu: 38% }}\n"
    assert solved(block.format("gpus: 2048")).get("time") == pytest.approx(1.02e6 / 2048 * 3600)
    assert report(block.format("gpus: 8; time: 30 days")).solutions[0].status == "infeasible"


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (BOUGHT.format("100k GPU-hours") + RUN + "require time <= 30 days\n", "C004"),
        (BOUGHT.format("100 hours"), "U001"),
        (BOUGHT.format("? days"), "U001"),
        (BOUGHT.format("100k"), "U003"),
        (BOUGHT.format("10 GPU-hours") + RUN, "C003"),
        ("hardware { gpus: 8; device: A100; time: 90 days; paid: runing }\n", "N002"),
    ],
)
def test_hours_that_cannot_be(plan: str, code: str) -> None:
    assert errors(plan) == [code]


@pytest.mark.parametrize(
    ("time", "paid", "cost"),
    [
        ("up to 90 days", "running", 534.188),
        ("up to 90 days", "reserved", 4 * 534.188),
        ("90 days", "running", 8 * 90 * 6 * 2),
        ("90 days", "reserved", 8 * 90 * 24 * 2),
    ],
)
def test_hours_in_which_it_is_stopped_are_paid_or_not(time: str, paid: str, cost: float) -> None:
    block = (
        f"hardware {{ gpus: 8; device: A100; time: {time}; mfu: 40%; price: 2 USD/GPU/hour; hours_per_day: 6 hours; "
        f"paid: {paid}; power: 400 W; pue: 1.1 }}\nmodel: 1B\ntokens: 20B\n"
    )
    solution = solved(block)
    assert solution.get("cost") == pytest.approx(cost, rel=1e-5)
    assert solution.get("energy") == pytest.approx(cost / 2 * 400 * 1.1, rel=1e-5)


def test_hours_that_idle_have_no_time_to_be_reserved_for() -> None:
    (found,) = (
        f
        for f in report("hardware: 1M GPU-hours of H100 at 40% MFU\nmodel: 7B\ntokens: 1T\n").findings
        if f.code == "H005"
    )
    assert not any("{" in line for line in found.help)


def test_the_time_of_many_pools_is_written_in_few_words() -> None:
    begins = [f"64 x H100 for {20 + i} days at 40% MFU from 2026-01-{1 + i:02}" for i in range(10)]
    plan = "hardware: " + " + ".join(begins) + "\n" + RUN
    problem = next(plan_at("x.plan", Files({"x.plan": plan}), catalogue=LIBRARY).problems())
    assert sum(1 for _ in walk(problem.definitions[quantity("time")].expr)) < 4 * 10**3


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 90.0), st.integers(1, 60))
def test_what_to_write_of_hardware_that_is_reserved_beyond_its_last_date_is_in_time(days: float, until: int) -> None:
    last = FIRST + timedelta(days=until)
    text = f"hardware: 8 x H100 for {days:.3f} days at 40% MFU from {FIRST} until {last}\n"
    for found in report(text).findings:
        if found.code == "C001":
            offered = re.findall(r"`([^`]+)`", found.help[0])
            assert len(offered) == 2
            for each in offered:
                was = f"for {days:.3f} days" if each.startswith("for") else f"until {last}"
                assert errors(text.replace(was, each)) == []
            return
    assert days <= until
