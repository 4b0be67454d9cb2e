"""A `?` in the place of any figure: the plan is made from an answer, and gets the answer back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

PEAK = 989.5e12  # of one H100, dense bf16
DAY = 86400.0
RUN = "model: 7B\ntokens: 1T\n"


def report(text: str) -> Report:
    return report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False)


def answer(text: str, name: str) -> float:
    found = report(text)
    assert found.solutions[0].status == "solved", [f.message for f in found.findings]
    return found.solutions[0][name].value


# ---- every figure of hardware

# How a block says each, and what it is for one unit of it.
FIGURES = {
    "mfu": ("{:.17g}", 0.05, 0.6),
    "availability": ("{:.17g}", 0.3, 1.0),
    "hours_per_day": ("{:.17g} hours", 4.0, 24.0),
    "price": ("{:.17g} USD/GPU/hour", 0.2, 9.0),
    "power": ("{:.17g} W", 100.0, 1500.0),
    "pue": ("{:.17g}", 1.0, 2.0),
    "carbon_intensity": ("{:.17g} gCO2eq/kWh", 5.0, 900.0),
    "peak": ("{:.17g} TFLOP/s", 100.0, 3000.0),
}
IN_BASE = {"hours_per_day": 3600.0, "price": 1 / 3600, "peak": 1e12}


@st.composite
def answers(draw: st.DrawFn) -> dict[str, float]:
    found = {name: draw(st.floats(low, high)) for name, (_, low, high) in FIGURES.items()}
    return {**found, "gpus": draw(st.integers(8, 4096)), "days": draw(st.floats(2.0, 200.0))}


@settings(max_examples=40, deadline=None)
@given(answers(), st.sampled_from(sorted(FIGURES)))
def test_a_figure_that_is_left_open_is_found_again(figures: dict[str, float], asked: str) -> None:
    """The run takes all of what the figures give, and costs and emits what is allowed: so each of them is the worst."""
    f = figures
    used = f["availability"] * f["hours_per_day"] / 24
    compute = f["gpus"] * f["peak"] * 1e12 * f["mfu"] * f["days"] * DAY * used
    hours = f["gpus"] * f["days"] * 24
    energy = hours * f["power"] * f["pue"] / 1000
    block = "; ".join(f"{name}: {'?' if name == asked else FIGURES[name][0].format(f[name])}" for name in FIGURES)
    text = f"""
hardware {{ gpus: {f["gpus"]}; device: H100; time: {f["days"]:.17g} days; {block} }}
model: 7B
tokens: {compute / 6 / 7e9:.17g}
require cost <= {hours * f["price"]:.17g} USD
require energy <= {energy:.17g} kWh
require emissions <= {energy * f["carbon_intensity"] / 1e6:.17g} tCO2eq
"""
    solution = report(text).solutions[0]
    assert solution.status == "solved"
    value = solution[asked]
    if asked not in ("power", "carbon_intensity"):  # in base units these are counted in watt-hours and tonnes
        assert value.value == pytest.approx(f[asked] * IN_BASE.get(asked, 1.0), rel=1e-9)
    assert solution["energy"].value == pytest.approx(energy * 1000, rel=1e-9)
    assert solution["compute"].value == pytest.approx(compute, rel=1e-9)


@pytest.mark.parametrize(
    ("plan", "name", "wanted"),
    [
        ("hardware: ? x H100 for 14 days at 40% MFU\nmodel: 7B\ntokens: 2T\n", "gpus", 176),
        ("hardware: 1024 x A100 for ? at 43% MFU\nmodel: 70B\ntokens: 2T\n", "time", 70.77 * DAY),
        ("hardware: 256 x H100 for 30 days at 40% MFU @ ?\nrequire cost <= 300k USD\n" + RUN, "price", 1.62760 / 3600),
        # The run takes 4.798 days, and what is left of the money may go into the price.
        ("hardware: 256 x H100 for ? at 40% MFU @ ?\nrequire cost <= 300k USD\n" + RUN, "price", 10.1767 / 3600),
        # What is sought instead of a figure says as much as a `?` in its place.
        ("hardware: 256 x H100 for 30 days\nminimize needed_mfu\n" + RUN, "mfu", 6 * 7e21 / (256 * 30 * DAY * PEAK)),
        (
            "hardware: 256 x H100 for 30 days at 40% MFU\nmaximize price\nrequire cost <= 300k USD\n" + RUN,
            "price",
            1.62760 / 3600,
        ),
        # Several pools that ask for the same are asked alike.
        (
            "hardware: 256 x H100 for 30 days at ? MFU + 256 x A100 for 30 days at ? MFU\n" + RUN,
            "pool2.mfu",
            6 * 7e21 / (256 * 30 * DAY * (PEAK + 312e12)),
        ),
        # A pool that is not worth its price keeps one device.
        (
            "hardware: ? x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour + ? x A100 for 30 days at 40% MFU @ 1 "
            "USD/GPU/hour\nmodel: 7B\ntokens: 2T\n",
            "pool2.gpus",
            1,
        ),
        # Only the worse end of what nature decides is told: it is that.
        ("hardware { gpus: 64; device: H100; time: 9 days; mfu: at least 35% }\nmodel: 7B\n", "mfu", 0.35),
        ("hardware { gpus: 64; device: H100; time: 9 days; mfu: 40%; price: up to 2 USD/GPU/hour }\n", "cost", 27648),
        # What is bought is chosen within its bounds.
        (
            "hardware { gpus: 64; device: H100; time: 9 days; mfu: 40%; hours_per_day: 8 .. 20 }\n",
            "hours_per_day",
            72e3,
        ),
    ],
)
def test_what_is_asked_of_hardware(plan: str, name: str, wanted: float) -> None:
    assert answer(plan, name) == pytest.approx(wanted, rel=2e-4)


@pytest.mark.parametrize(
    ("plan", "said", "offered"),
    [
        ("hardware: 64 x H100 for 30 days at 40% MFU @ ?\nmodel: 7B\n", "`price`", "require cost <= 120000 USD"),
        (
            "hardware { gpus: 64; device: H100; time: 30 days; mfu: 40%; pue: 1.1; power: ? }\nmodel: 7B\n",
            "`power`",
            "require energy <= 36 MWh",
        ),
        (
            "hardware { gpus: 64; device: H100; time: 30 days; mfu: ?; availability: ? }\nmodel: 7B\ntokens: 100B\n",
            "`mfu` and `availability`",
            "availability: 90%",
        ),
        ("hardware { gpus: 64; device: H100; time: 30 days; mfu: up to 45% }\nmodel: 7B\n", "how low `mfu`", ""),
    ],
)
def test_what_nothing_determines_is_said_with_what_would(plan: str, said: str, offered: str) -> None:
    found = report(plan)
    assert found.solutions[0].status == "undecided"
    (c002,) = [f for f in found.findings if f.code == "C002"]
    assert said in c002.message
    assert offered in " ".join(c002.help)
    if offered.startswith("require"):
        assert report(plan + offered + "\n").solutions[0].status == "solved"
