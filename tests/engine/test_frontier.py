"""The frontier of two quantities: each point is what the plan gives with one held, and none is better in both."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.plan.ir import Sense
from runplan.dsl.text.reader import Files
from runplan.engine.documents.frontier import document
from runplan.engine.frontier.frontier import Frontier, NoFrontier, frontier_of
from runplan.engine.pipeline import report_of

UP_TO = """\
use laws chinchilla.approach3_rounded
hardware: 64 x H100 for up to 60 days at 40% MFU @ 2 USD/GPU/hour
data: 2T tokens
require tokens / params >= 20
require params >= 1B
"""
NODES = """\
use laws chinchilla.approach3_rounded
hardware: ? x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour in nodes of 8
data: 3T tokens
require cost <= 120k USD
minimize loss
"""


def followed(
    text: str, x: str, y: str, *senses: Sense | None, count: int = 7, set: tuple[str, ...] = (), law: str | None = None
) -> Frontier:
    both = (*senses, None, None)
    return frontier_of(
        "a.plan",
        Files({"a.plan": text}),
        (x, y),
        senses=(both[0], both[1]),
        catalogue=LIBRARY,
        settings=set,
        law=law,
        count=count,
    )


def solved(text: str, quantity: str, *settings_: str) -> float:
    """A quantity of a plan with more settings, by the way of every plan."""
    report = report_of("a.plan", Files({"a.plan": text}), catalogue=LIBRARY, settings=settings_, intervals=False)
    (solution,) = report.solutions
    assert solution.status == "solved"
    return solution[quantity].value


def curve(frontier: Frontier) -> list[tuple[float, float]]:
    return [(point.x.value, point.y.value) for point in frontier.points]


def test_each_point_is_the_plan_with_one_quantity_held() -> None:
    frontier = followed(UP_TO, "cost", "loss")
    points = curve(frontier)
    assert len(points) == 7 and frontier.missed == 0
    for cost, loss in points:
        # Of several requirements that are set all hold, and the plan's own are set anew.
        held = (f"require=cost <= {cost:.12g} USD", "require=tokens / params >= 20", "require=params >= 1B")
        assert solved(UP_TO, "loss", "minimize=loss", *held) == pytest.approx(loss, rel=1e-7)
    assert points[0][0] == pytest.approx(solved(UP_TO, "cost", "minimize=cost"), rel=1e-7)
    assert points[-1][1] == pytest.approx(solved(UP_TO, "loss", "minimize=loss"), rel=1e-9)


def test_none_is_better_in_both_and_the_other_way_round_it_is_the_same_curve() -> None:
    found = followed(UP_TO, "cost", "loss", count=4)
    for (x, y), (x2, y2) in pairwise(curve(found)):
        assert x < x2 and y > y2
    turned = followed(UP_TO, "loss", "cost", count=2)
    for (loss, cost), end in zip(curve(turned), (-1, 0), strict=True):
        assert (cost, loss) == pytest.approx(curve(found)[end], rel=1e-6)


def test_whole_nodes_are_all_found() -> None:
    """Under the budget there are ten counts of nodes, and each is a point."""
    frontier = followed(NODES, "cost", "loss", count=24)
    counts = [point.solution["gpus"].value for point in frontier.points]
    assert counts == [8.0 * (i + 1) for i in range(10)]
    for point, gpus in zip(frontier.points, counts, strict=True):
        assert point.y.value == pytest.approx(solved(NODES, "loss", f"hardware.gpus={gpus:g}"), rel=1e-7)


def test_a_quantity_that_is_better_large() -> None:
    frontier = followed(UP_TO, "cost", "params", None, "maximize")
    points = curve(frontier)
    assert all(x < x2 and y < y2 for (x, y), (x2, y2) in pairwise(points))
    assert points[-1][1] == pytest.approx(solved(UP_TO, "params", "maximize=params"), rel=1e-7)


def test_expressions_and_dates_are_quantities_too() -> None:
    dated = UP_TO.replace("at 40%", "from 2026-12-01 at 40%")
    frontier = followed(dated, "finish", "loss", count=5)
    assert len(frontier.points) == 5
    assert all(b.x.value - a.x.value > 3600 for a, b in pairwise(frontier.points))
    ratio = followed(UP_TO, "cost", "tokens / params", None, "maximize", count=5)
    assert len(ratio.points) >= 2


def test_where_both_are_best_at_once_there_is_one_point() -> None:
    frontier = followed("hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\n", "cost", "loss")
    ((cost, _),) = curve(frontier)
    assert cost == pytest.approx(64 * 720 * 2)


def test_what_gets_better_without_end_is_followed_so_far() -> None:
    least = followed(UP_TO.replace("require params >= 1B\n", ""), "cost", "loss")
    assert [axis.open for axis in least.axes] == [True, False]
    assert least.points[0].x.value == pytest.approx(least.points[-1].x.value / 1000, rel=1e-6)
    most = followed(NODES.replace("require cost <= 120k USD\n", ""), "cost", "loss", count=3)
    assert [axis.open for axis in most.axes] == [False, True]
    assert most.points[0].solution["gpus"].value == 8.0


def test_the_plan_as_it_stands_is_told() -> None:
    frontier = followed(UP_TO + "minimize cost\nrequire loss <= 2.3\n", "cost", "loss")
    assert frontier.own is not None and frontier.own.y.value == pytest.approx(2.3)


def test_what_is_required_of_memory_is_kept_by_each_point() -> None:
    plan = """\
hardware: 8 x H100 for up to 300 days at 40% MFU @ 2 USD/GPU/hour
require memory_per_gpu <= 40 GB
minimize loss
"""
    cheapest, *_, largest = followed(plan, "cost", "loss", count=2).points
    assert largest.solution["params"].value == solved(plan, "params") < 20e9  # of the compute alone it would be 26.6B
    assert cheapest.solution["params"].value < largest.solution["params"].value


@pytest.mark.parametrize(
    ("x", "y", "senses", "said"),
    [
        ("cost", "tokens", (), "which way `tokens` is better"),
        ("cots", "loss", (), "did you mean `cost`"),
        ("cost", "cost", (), "two quantities"),
        ("cost", "2 + 2", (), "fixed number"),
        ("cost", "memory_per_gpu", (), "found for a run that is solved"),
        ("cost", "cost + loss", ("minimize", "minimize"), "`cost + loss`"),
    ],
)
def test_what_is_no_pair_of_quantities_is_refused(x: str, y: str, senses: tuple[Sense, ...], said: str) -> None:
    with pytest.raises(NoFrontier, match=said.replace("+", r"\+")):
        followed(UP_TO, x, y, *senses)


def test_a_law_without_a_loss_is_refused() -> None:
    with pytest.raises(NoFrontier, match="no `loss` under `llama3`"):
        followed("compute: 1e23 FLOP\n", "compute", "loss", law="llama3")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (UP_TO + "require loss <= 1.8\n", "B002"),
        ("hardware: 64 x H100 for up to 30 days at 40% MFU\n", "C004"),
        ("hardware: 64 x H100 for 30 days at 40% MFU @ 2\n", "U003"),
        ("hardware: ? x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\n", ""),
    ],
)
def test_a_plan_without_a_frontier_says_why(text: str, code: str) -> None:
    frontier = followed(text, "cost", "loss", count=3)
    found = {f.code for f in frontier.findings if f.severity == "error"}
    assert (bool(frontier.points), found) == ((False, {code}) if code else (True, set()))
    assert document(frontier)["schema"] == "plan.frontier/v1"


@settings(max_examples=5, deadline=None)
@given(
    st.floats(20, 400).map(lambda days: round(days)),
    st.floats(0.5, 5).map(lambda price: round(price, 2)),
    st.sampled_from(["cost", "time", "compute", "gpu_hours"]),
    st.sampled_from(["loss", "params", "tokens"]),
)
def test_random_plans(days: int, price: float, x: str, y: str) -> None:
    """Each point is kept to what a plan gives that holds the first quantity to it."""
    text = UP_TO.replace("60 days", f"{days} days").replace("@ 2", f"@ {price}")
    sense: Sense = "minimize" if y == "loss" else "maximize"
    frontier = followed(text, x, y, None, sense, count=4)
    for (a, b), (c, d) in pairwise(curve(frontier)):
        assert a < c and (b > d if sense == "minimize" else b < d)
    point = frontier.points[len(frontier.points) // 2]
    unit = {"cost": "USD", "time": "days", "compute": "FLOP", "gpu_hours": "GPU-hours"}[x]
    scale = {"time": 86400.0, "gpu_hours": 3600.0}.get(x, 1.0)
    held = f"require={x} <= {point.x.value / scale:.13g} {unit}"
    rest = ("require=tokens / params >= 20", "require=params >= 1B")
    assert math.isclose(solved(text, y, f"{sense}={y}", held, *rest), point.y.value, rel_tol=1e-6)
