"""Intervals are what they say: each draw is solved anew, devices are whole, and shares stay shares."""

from __future__ import annotations

import math
import sys
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from known import LIBRARY
from reports import ROOT

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import constant
from runplan.dsl.text.reader import Buffer, Disk, Files
from runplan.engine.analysis.intervals import with_intervals
from runplan.engine.analysis.resolve import resolver
from runplan.engine.documents.solve import document
from runplan.engine.pipeline import first_of, report_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem import seeded
from runplan.engine.problem.draws import draws, of_constants, quantile
from runplan.engine.problem.make_seeded import module_of
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.problem.seeded import DRAWS
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.search import optimum_of


def solution(text: str) -> Solution:
    return report_of("a.plan", Buffer("a.plan", text.encode(), Disk(ROOT)), catalogue=LIBRARY).solutions[0]


def ends(found: Solution, name: str) -> tuple[float | None, float | None]:
    return found[name].low, found[name].high


HALF_A_YEAR = "hardware: 1000 x H100 for 6 months at 40% MFU\n"
PLANS = {
    "free": HALF_A_YEAR,
    "a bound that does not bind": HALF_A_YEAR + "require tokens / params >= 17\n",
    "a bound that binds": HALF_A_YEAR + "require tokens / params >= 18\n",
    "a size that binds": HALF_A_YEAR + "require params <= 240B\n",
    "data that bind": HALF_A_YEAR + "data: 4.1T tokens\n",
    "a range": "compute: 1e23 FLOP\nmodel: 10B .. 25B\n",
    "a size": "compute: 1e23 FLOP\nmodel: 10B\n",
    "tokens": "compute: 1e23 FLOP\ntokens: 1T\n",
    "a loss": "require loss <= 2.1\nminimize compute\n",
    "a loss and a bound": "require loss <= 2.1\nrequire tokens / params >= 21\nminimize compute\n",
    "devices": "hardware: ? x H100 for 30 days at 40% MFU @ 2.5 USD/GPU/hour\nmodel: 7B\nrequire loss <= 2.1\n",
    "devices and a size": "hardware: ? x H100 for 30 days at 40% MFU\nrequire loss <= 2.1\n",
    "a rate that is assumed": "hardware: 1000 x H100 for 6 months\n",
    "that rate and data that bind": "hardware: 1000 x H100 for 6 months\ndata: 4.1T tokens\n",
    "pools": "hardware: 500 x H100 for 6 months + 500 x A100 for 3 months at 40% MFU\n",
    "a time": "hardware: 64 x H100 for ?\nmodel: 7B\ntokens: 1T\n",
    "devices at that rate": "hardware: ? x H100 for 30 days @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 1T\n",
    "hours at that rate": "hardware: ? GPU-hours of H100 @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 1T\n",
    "a loss at that rate": "hardware: ? x H100 for 30 days\nmodel: 7B\nrequire loss <= 2.1\n",
    "a size and a loss at that rate": "hardware: ? x H100 for 30 days\nrequire loss <= 2.1\n",
}


@pytest.mark.parametrize("name", PLANS)
def test_each_draw_is_what_the_solver_finds(name: str) -> None:
    """The search for a draw against the general solver, on real numbers: whole devices are another matter."""
    found = solution(PLANS[name])
    resolve, count = resolver(found)
    assert count == DRAWS
    problem = found.problem.deviating()
    starts = tuple(replace(v, start=found.get(v.name) or v.start) for v in problem.variables)
    for draw in draws(problem, DRAWS)[:12]:
        own, other = resolve(draw), optimum_of(replace(problem, variables=starts).at(draw))
        if not other.is_optimal:
            assert own is None
            continue
        assert own is not None
        for variable, value in other.values.items():
            if variable.text == "gpus":
                assert own[variable] == math.ceil(value - 1e-6)
            else:
                assert own[variable] == pytest.approx(value, rel=1e-4)


# ---- a rate that is assumed


def far(found: Solution) -> float:
    """What an assumed rate may be, over its middle, at the upper end of its 80 % interval."""
    return math.exp(QUANTILE * spread_of(found))


def spread_of(found: Solution) -> float:
    """The spread of the rates that a plan assumes."""
    (spread,) = {d.spread for d in found.problem.definitions.values() if d.name.text == "mfu"}
    assert spread is not None
    return spread


def test_the_time_and_the_money_of_a_run_go_with_the_rate() -> None:
    text = "hardware { gpus: 64; device: H100; time: ?; price: 2 USD/GPU/hour; pue: 1.1; from: 2026-01-01 }\n"
    found = solution(text + "model: 7B\ntokens: 1T\n")
    for name in ("time", "gpu_hours", "cost", "energy"):
        low, high = ends(found, name)
        assert low == pytest.approx(found[name].value / far(found), rel=1e-3)
        assert high == pytest.approx(found[name].value * far(found), rel=1e-3)
    low, high = ends(found, "mfu")
    assert (low, high) == pytest.approx((found["mfu"].value / far(found), found["mfu"].value * far(found)), rel=1e-3)
    (first, last), start = ends(found, "finish"), found["start"].value
    assert first is not None and last is not None
    assert (first - start, last - start) == pytest.approx(ends(found, "time"))


def test_what_is_reserved_costs_what_it_costs_and_the_run_is_what_moves() -> None:
    found = solution("hardware: 1000 x H100 for 6 months @ 2.5 USD/GPU/hour\n")
    for name in ("cost", "gpu_hours", "gpus", "time"):
        assert ends(found, name) == (None, None)
    low, high = ends(found, "compute")
    assert (low, high) == pytest.approx(
        (found["compute"].value / far(found), found["compute"].value * far(found)), rel=1e-3
    )
    for name in ("params", "tokens", "loss"):
        assert ends(found, name)[0] is not None


def test_a_run_that_may_take_longer_than_it_has_says_how_long() -> None:
    done = solution("hardware: 512 x A100-SXM-80GB for ?\nmodel: 13B\ntokens: 1T\n")["time"].value / 86400
    found = solution(f"hardware: 512 x A100-SXM-80GB for {1.2 * done:.2f} days\nmodel: 13B\ntokens: 1T\n")
    _, high = ends(found, "time")
    assert high == pytest.approx(found["time"].value * far(found), rel=1e-3)
    assert high is not None and high > 1.2 * done * 86400 > found["time"].value


def test_a_limit_hides_no_part_of_what_a_plan_may_cost() -> None:
    text = "hardware: ? x H100 for 30 days @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 2T\n"
    free = solution(text)
    bounded = solution(text + f"require cost <= {math.ceil(free['cost'].value)} USD\n")
    assert ends(bounded, "cost") == ends(free, "cost")
    _, most = ends(free, "gpus")
    assert most is not None
    assert ends(free, "cost")[1] == pytest.approx(most * 720 * 2, rel=0.01)


def test_a_rate_that_is_stated_leaves_time_and_money_certain() -> None:
    found = solution("hardware: 64 x H100 for ? at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 1T\n")
    for name in ("time", "gpu_hours", "cost", "mfu"):
        assert ends(found, name) == (None, None)
    assert ends(found, "loss") != (None, None)


def test_the_law_and_the_rate_are_drawn_together() -> None:
    """Against draws of their own of both, solved in closed form: `L = E + A/N^a + B/D^b` at a given size."""
    text = "hardware: ? GPU-hours of H100 @ 2 USD/GPU/hour\nmodel: 7B\nrequire loss <= 2.1\n"
    found, random = solution(text), Random(1)
    hours, by = [], spread_of(found)
    for draw in of_constants(found.problem.law, 20000):
        known = {name.text: value for name, value in draw.items()}
        left = 2.1 - known["E"] - known["A"] / 7e9 ** known["alpha"]
        if left > 0:
            tokens = (known["B"] / left) ** (1 / known["beta"])
            rate = 989.4e12 * found["mfu"].value * math.exp(by * random.gauss(0, 1))
            hours.append(6 * 7e9 * tokens / rate)
    assert ends(found, "gpu_hours") == pytest.approx((quantile(hours, 0.1), quantile(hours, 0.9)), rel=0.06)


@settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    st.sampled_from(
        (
            "hardware: 64 x H100 for ? @ 2 USD/GPU/hour\nmodel: {size}B\ntokens: {tokens}B\n",
            "hardware: ? x A100 for 30 days @ 2 USD/GPU/hour\nmodel: {size}B\ntokens: {tokens}B\n",
            "hardware: 64 x H100 for ? + 64 x A100 for ? @ 2 USD/GPU/hour\nmodel: {size}B\ntokens: {tokens}B\n",
            "hardware: 64 x H100 for up to 10 years\nmodel: {size}B\ntokens: {tokens}B\n",
        )
    ),
    st.integers(1, 200),
    st.integers(100, 3000),
    st.floats(0.05, 0.6),
    st.floats(1.1, 2.0),
)
def test_the_wider_the_spread_the_wider_the_interval(
    form: str, size: int, tokens: int, spread: float, wider: float
) -> None:
    found = solution(form.format(size=size, tokens=tokens))
    if found.status != "solved":
        return
    narrow, wide = (with_intervals(spread_by(found, each)) for each in (spread, spread * wider))
    for name in ("gpu_hours", "cost", "energy", "gpus"):  # whole devices may take more or less of a time
        middle, (low, high) = found.get(name), ends(narrow, name) if name in narrow else (None, None)
        if middle is None or low is None or high is None:
            continue
        least, most = ends(wide, name)
        assert least is not None and most is not None
        assert least <= low <= middle <= high <= most
    assert form[10] == "?" or ends(narrow, "gpu_hours") != (None, None)


def spread_by(found: Solution, spread: float) -> Solution:
    """A solution with another spread of what is assumed, and no intervals yet."""
    definitions = {n: replace(d, spread=spread) if d.spread else d for n, d in found.problem.definitions.items()}
    values = {name: replace(value, low=None, high=None) for name, value in found.values.items()}
    return replace(found, problem=replace(found.problem, definitions=definitions), values=values)


def test_an_assumption_says_its_interval() -> None:
    text = "hardware: 64 x H100 for ?\nmodel: 7B\ntokens: 1T\n"
    out = document(report_of("a.plan", Buffer("a.plan", text.encode(), Disk(ROOT)), catalogue=LIBRARY, intervals=False))
    listed: Any = out["assumptions"]
    (mfu,) = (each for each in listed if each["name"] == "mfu")
    by = far(solution(text))
    assert (mfu["low"], mfu["high"]) == pytest.approx((mfu["value"] / by, mfu["value"] * by))


def test_a_limit_that_binds_moves_in_the_draws() -> None:
    """By 200,000 draws of the published covariance, solved by other code."""
    found = solution(PLANS["a bound that binds"])
    assert ends(found, "params") == pytest.approx((177.3e9, 238.7e9), rel=0.01)
    assert ends(found, "tokens") == pytest.approx((4.30e12, 5.79e12), rel=0.01)
    found = solution(PLANS["data that bind"])
    assert ends(found, "params") == pytest.approx((250e9, 333e9), rel=0.2)
    low, high = ends(solution(PLANS["a loss"]), "compute")
    assert high == pytest.approx(2.764e22, rel=0.02)
    assert low is not None and low < 2.14e22


def test_devices_are_whole_and_costs_can_be_bought() -> None:
    found = solution(PLANS["devices"])
    for end, cost in zip(ends(found, "gpus"), ends(found, "cost"), strict=True):
        assert end is not None and end == int(end)
        assert cost == pytest.approx(end * 720 * 2.5)


def test_shares_stay_between_nothing_and_all() -> None:
    found = solution("hardware: 64 x H100 for 30 days at 38%..43% MFU\nmodel: 7B\ntokens: 1.55T\n")
    low, high = ends(found, "idle_share")
    assert low is not None and 0.0 <= low <= found["idle_share"].value
    assert high is not None and high < 0.1
    assert found.left_out == "mfu 38%"
    for value in found.values.values():
        known = found.problem.quantities.get(value.name.text)
        if known and known.facts.per_cent and value.name.text != "regret" and value.low is not None:
            assert value.low >= 0.0 and (value.high or 0.0) <= 1.0


def test_an_end_that_cannot_be_has_no_numbers() -> None:
    text = "hardware: ? x H100 for 30 days at 38% MFU @ 2 USD/GPU/hour .. 3 USD/GPU/hour\nmodel: 7B\ntokens: 1T\n"
    found = solution(text + "require cost <= 85k USD\n")
    for name in ("gpus", "cost"):
        for end in ends(found, name):
            assert end is None or name != "gpus" or end == int(end)


def test_quantiles_are_linear_between_values() -> None:
    assert quantile([3.0, 1.0, 2.0], 1 / 3) == pytest.approx(1.5)


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Laws as fits to runs would give them: off the truth as their covariance says, jointly. Eight in ten hold it."""
    fitted = solution("model: 7B\ntokens: 1T\n")
    law, true, count = fitted.problem.law, fitted["loss"].value, 60
    held = 0
    for draw in of_constants(law, 4 * count)[3 * count :]:
        constants = {text: replace(c, value=draw[constant(law.name, text)]) for text, c in law.constants.items()}
        problem = replace(fitted.problem.at(draw), law=replace(law, constants=constants))
        by = {name.text: value for name, value in draw.items()}
        loss = by["E"] + by["A"] / 7e9 ** by["alpha"] + by["B"] / 1e12 ** by["beta"]
        values = {**fitted.values, q.LOSS: replace(fitted["loss"], value=loss, low=None, high=None)}
        found = with_intervals(replace(fitted, problem=problem, values=values))["loss"]
        assert found.low is not None
        assert found.high is not None
        held += found.low <= true <= found.high
    assert held / count == pytest.approx(0.8, abs=0.15)


LINE = """
law ours "a line of best sizes" {
  objective CLM of text
  counts total params
  corpus "ours"
  constants { G = 0.05 +- 0.005; a = 0.5 +- 0.01 }
  jointly ln(G), a { 0.01, 0; 0, 0.0001 }
  params(compute C) = G * (C / (1 FLOP))^a * (1 param)
  cites "ours"
}
use laws ours
"""


@pytest.mark.parametrize("budget", ["compute: 1e23 FLOP\n", HALF_A_YEAR, HALF_A_YEAR + "require tokens <= 12T\n"])
def test_a_line_of_best_sizes_moves_with_its_constants(budget: str) -> None:
    found = solution(LINE + budget)
    (low, high), centre, compute = ends(found, "params"), found["params"].value, found["compute"].value
    assert low is not None and high is not None
    # As the law itself: two constants that vary by themselves.
    spread = math.sqrt(0.01 + (0.01 * math.log(compute)) ** 2)
    assert math.log(high / centre) == pytest.approx(QUANTILE * spread, rel=0.1)
    if "require" not in budget:
        assert math.log(low / centre) == pytest.approx(-QUANTILE * spread, rel=0.1)
    else:  # fewer tokens are allowed than the smallest sizes would be given
        assert low >= compute / 6 / 12e12 * 0.999


def test_each_draw_along_a_line_is_what_the_solver_finds() -> None:
    found = solution(LINE + HALF_A_YEAR + "require tokens <= 12T\n")
    resolve, count = resolver(found)
    assert count == DRAWS
    problem = found.problem.deviating()
    for draw in draws(problem, count)[::97]:
        reached = optimum_of(problem.at(draw))
        got = resolve(draw)
        assert got is not None
        for name, value in got.items():
            assert value == pytest.approx(reached.values[name], rel=1e-4)


@pytest.mark.parametrize(
    "stated", ["model: 15B\ntokens: 1T", "compute: 1e22 FLOP", "tokens: 1T\nrequire tokens_to_law == 1"]
)
@pytest.mark.parametrize("of", ["objective: MLM of protein", "use laws llama3", "use laws chinchilla.approach2"])
def test_a_rate_that_may_be_lower_takes_more_hours(stated: str, of: str) -> None:
    """What the hardware takes is none of its limits: no draw is without a solution because it takes longer."""
    solution = report_of(
        "x.plan", Files({"x.plan": f"{of}\nhardware: 512 x V100 for ?\n{stated}\n"}), catalogue=LIBRARY
    ).solutions[0]
    low, high = ends(solution, "gpu_hours")
    assert low is not None and high is not None
    assert low < 0.8 * solution["gpu_hours"].value < 1.2 * solution["gpu_hours"].value < high


@pytest.mark.parametrize("about", ["cost", "loss", "batch"])
def test_a_value_that_is_asked_for_alone_has_the_interval_that_it_has_among_all(about: str) -> None:
    text = "hardware: 64 x H100 for 60 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\n"
    reader = Files({"a.plan": text})
    (alone,) = first_of("a.plan", reader, catalogue=LIBRARY, about=about).solutions
    (whole,) = report_of("a.plan", reader, catalogue=LIBRARY).solutions
    assert alone[about] == whole[about]
    assert (about == "cost") == (alone.samples.moving == {}), "nothing is drawn where nothing uncertain leads to it"


def test_what_a_wheel_has_ready_made_is_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[object]:
        few, many = DRAWS * seeded.NORMALS, DRAWS * seeded.NORMALS + 1
        figures = [tuple(seeded.normals(count)) for count in (0, 7, few, many)]
        counts = ((DRAWS, 0), (DRAWS, seeded.ORDERS), (DRAWS, seeded.ORDERS + 1), (50, 1))
        return [*figures, *(tuple(seeded.orders(*each)) for each in counts), *map(seeded.quantiles, (DRAWS, 50))]

    monkeypatch.setitem(sys.modules, "runplan.engine.problem.seeded_table", None)
    drawn = found()
    module = ModuleType("runplan.engine.problem.seeded_table")
    exec(module_of(), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert seeded.normals(7) == module.NORMALS[:7]
    assert found() == drawn
