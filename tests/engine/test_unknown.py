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


HELD = "hardware {{ gpus: 64; device: H100; time: 30 days; mfu: 40%; {} }}\n"
TOGETHER = {
    ("power", "pue"): ("require energy <= 36 MWh\n", "pue: 1.1"),
    ("pue", "carbon_intensity"): ("require emissions <= 15 tCO2eq\n", "carbon_intensity: 385 gCO2eq/kWh"),
    ("power", "carbon_intensity"): ("", "power: 700 W"),
    ("power", "pue", "carbon_intensity"): ("require emissions <= 15 tCO2eq\n", "power: 700 W; pue: 1.1"),
}


@pytest.mark.parametrize("run", [RUN, "model: 7B\n", ""])
@pytest.mark.parametrize("open_", TOGETHER)
def test_figures_that_make_up_for_each_other_are_open_and_nothing_else(open_: tuple[str, ...], run: str) -> None:
    limit, given_ = TOGETHER[open_]
    pue = "" if "pue" in open_ else "; pue: 1.1"
    hardware = HELD.format("; ".join(f"{name}: ?" for name in open_) + pue)
    (c002,) = [f for f in report(hardware + run + limit).findings if f.code == "C002"]
    assert c002.message.partition("determines ")[2].replace("`", "").replace(" and ", ", ").split(", ") == [*open_]
    assert given_ in " ".join(c002.help)
    for name in given_.split("; ") if limit else ():
        hardware = hardware.replace(f"{name.partition(':')[0]}: ?", name)
    if limit:
        assert report(hardware + run + limit).solutions[0].status == "solved"


def test_what_is_determined_is_not_told_to_be_open_beside_what_is_not() -> None:
    plan = "hardware: 64 x H100 for 30 days at ? MFU @ ?\nmodel: 7B\nrequire cost <= 50k USD\n"
    (c002,) = [f for f in report(plan).findings if f.code == "C002"]
    assert c002.message == "nothing in the plan determines `tokens` and `mfu`"
    assert answer(plan + "tokens: 300B\n", "price") * 3600 == pytest.approx(50e3 / (64 * 720))


# ---- dates, and what is kept from the run


@pytest.mark.parametrize(
    ("plan", "name", "wanted"),
    [
        ("hardware: 256 x H100 at 40% MFU from 2026-01-01 until ?\nmodel: 7B\ntokens: 2T\n", "finish", "2026-01-10"),
        ("hardware: 256 x H100 at 40% MFU from ? until 2026-06-01\nmodel: 7B\ntokens: 2T\n", "start", "2026-05-22"),
        (
            "hardware: 256 x H100 for 30 days at 40% MFU from ?\nrequire finish <= 2026-06-01\n" + RUN,
            "start",
            "2026-05-27",
        ),
        ("hardware { gpus: 64; device: H100; mfu: 40%; from: 2026-01-01; until: ? }\n" + RUN, "finish", "2026-01-20"),
    ],
)
def test_dates_are_asked_for(plan: str, name: str, wanted: str) -> None:
    assert str(report(plan).solutions[0][name]) == wanted


@pytest.mark.parametrize(
    ("first", "later", "days"),
    [
        ("from 2026-12-01 until ?", "from 2026-12-04 until ?", 7.868814),
        ("for 5 days from 2026-12-01", "from 2026-12-04 until ?", 15.955435),
    ],
)
def test_pools_that_end_on_dates_that_are_asked_for_run_as_long_as_the_run(first: str, later: str, days: float) -> None:
    pools = f"256 x H100 {first} at 40% MFU + 256 x A100 {later} at 45% MFU"
    solution = report(f"hardware: {pools}\nmodel: 7B\ntokens: 2T\n").solutions[0]
    assert solution["time"].value / DAY == pytest.approx(days, rel=2e-4)
    assert str(solution["pool2.deadline"]) == str(solution["finish"])


def test_a_date_that_nothing_determines_is_said() -> None:
    plan = "hardware: 64 x H100 for 90 days at 40% MFU from ?\n" + RUN
    (found,) = [f for f in report(plan).findings if f.code == "C002"]
    assert "`from`" in found.message and "`require finish <= 2026-12-21`" in found.help[0]
    assert answer(plan + "require finish <= 2026-12-21\n", "time") == pytest.approx(19.19 * DAY, rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 0.9))
def test_as_much_is_kept_from_the_run_as_it_can_spare(kept: float) -> None:
    tokens = 256 * 30 * DAY * PEAK * 0.4 * (1 - kept) / 6 / 7e9
    block = "hardware { gpus: 256; device: H100; peak: 989.5 TFLOP/s; time: 30 days; mfu: 40% }\n"
    found = answer(f"{block}model: 7B\ntokens: {tokens!r}\nreserve: ?\n", "reserve")
    assert found == pytest.approx(kept, rel=1e-9)


def test_a_range_of_what_is_kept_is_a_choice() -> None:
    plan = "hardware: 64 x H100 for 30 days at 40% MFU\nreserve: 5% .. 15%\n"
    assert answer(plan, "reserve") == pytest.approx(0.05)
    assert report(plan + "require reserve >= 20%\n").solutions[0].status == "infeasible"


# ---- data

BIG = "hardware: 512 x H100 for 60 days at 40% MFU\nmodel: 7B\n"


@pytest.mark.parametrize(
    ("plan", "name", "wanted"),
    [
        (BIG + "tokens: 300B\ndata: ?\n", "available.data", 3e11),
        (BIG + "tokens: 300B\ndata web: ?\ndata code: 100B tokens\n", "available.web", 2e11),
        (BIG + "tokens: 300B\ndata: 100B tokens up to ? epochs\n", "max_epochs.data", 3),
        (BIG + "tokens: 300B\ndata web: 100B tokens\ndata code: 50B tokens up to ? epochs\n", "max_epochs.code", 4),
        (BIG + "tokens: 2 epochs\ndata: ?\nrequire tokens <= 1T tokens\n", "available.data", 5e11),
        # How much data a loss takes: that of 7B at 2.1 by the law, B = 2085.43 and beta = 0.3658.
        (BIG + "data: ?\nrequire loss <= 2.1\n", "available.data", 6.201e11),
        # A range is uncertain: solved at its middle. Of a bound the worse end is what is there.
        (BIG + "data web: 1T .. 2T tokens\ndata code: 100B tokens\n", "tokens", 1.6e12),
        (BIG + "data: at least 1T tokens\n", "tokens", 1e12),
        (BIG + "data: 1 TB .. 3 TB at 4 bytes/token\n", "tokens", 5e11),
        # The weights of what is open: each source is used as far as there is of it, and else seen as often as others.
        (BIG + "data web: 1T tokens weight ?\ndata code: 100B tokens weight ?\n", "tokens", 1.1e12),
        (BIG + "tokens: 550B\ndata web: 1T tokens weight ?\ndata code: 100B tokens weight ?\n", "tokens.code", 5e10),
        (BIG + "data web: 1T tokens weight 70%..90%\ndata code: 100B tokens weight 10%..30%\n", "share.code", 0.1),
        (
            BIG + "data a: 1T tokens weight 70%\ndata b: 100B tokens weight ?\ndata c: 50B tokens weight 5%..20%\n",
            "tokens",
            5e11,
        ),
        (BIG + "tokens: 100B\ndata a: 1T tokens\ndata b: 1T tokens weight at least 80%\n", "tokens.b", 8e10),
        (
            BIG + "data a: 1T tokens weight ?\ndata b: 1T tokens weight ?\ntokens: 1T\nmaximize share.a\n",
            "share.b",
            0.0,
        ),
    ],
)
def test_what_is_asked_of_data(plan: str, name: str, wanted: float) -> None:
    solution = report(plan).solutions[0]
    if wanted:
        assert answer(plan, name) == pytest.approx(wanted, rel=2e-4)
    else:  # a share of nothing is no share: what runs off is said
        assert solution.status == "undecided"


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.floats(20, 400), st.floats(1, 4)), min_size=2, max_size=4),
    st.floats(0.05, 0.98),
)
def test_open_weights_are_seen_as_often_as_each_may_be(sources: list[tuple[float, float]], used: float) -> None:
    """Nothing asks for other shares: they are as without weights, which are filled up evenly to their epochs."""
    there = sum(amount * epochs for amount, epochs in sources)
    rows = [f"data s{i}: {amount!r}B tokens up to {epochs!r} epochs" for i, (amount, epochs) in enumerate(sources)]
    plan = BIG + f"tokens: {there * used!r}B\n"
    open_, without = (report(plan + "\n".join(row + end for row in rows) + "\n") for end in (" weight ?", ""))
    one, other = open_.solutions[0], without.solutions[0]
    assert one.status == other.status == "solved"
    for i in range(len(sources)):
        assert one[f"share.s{i}"].value == pytest.approx(other[f"share.s{i}"].value, rel=1e-4)


# ---- settings of the optimizer

SOME = "compute: 1e22 FLOP\nmodel: 7B\ntokens: 100B\n"


def test_a_setting_that_is_asked_for_is_what_is_taken_without() -> None:
    asked = "optimizer: AdamW { batch: ?; learning_rate: ?; weight_decay: ? }\n"
    one, other = (report(SOME + text).solutions[0] for text in (asked, ""))
    for name in ("batch", "learning_rate", "weight_decay"):
        assert one[name].value == other[name].value


@pytest.mark.parametrize(
    ("setting", "required", "wanted"),
    [
        ("batch: ?", "require steps <= 50000 step\n", 2e6),  # the law's own is less
        ("batch: ?", "require steps <= 500000 step\n", None),
        ("batch: 4M tokens .. 8M tokens", "", 4e6),
        ("batch: 100k tokens .. 8M tokens", "", None),
        ("batch: up to 500k tokens", "", 5e5),
    ],
)
def test_a_batch_is_as_near_to_the_law_as_may_be(setting: str, required: str, wanted: float | None) -> None:
    usual = answer(SOME, "batch")
    plan = f"{SOME}optimizer: AdamW {{ {setting} }}\n{required}"
    assert answer(plan, "batch") == pytest.approx(wanted or usual, rel=1e-6)


def test_a_setting_that_no_law_gives_is_not_determined() -> None:
    (found,) = [f for f in report(SOME + "optimizer: AdamW { momentum: ? }\n").findings if f.code == "C002"]
    assert "`momentum`" in found.message and "momentum: 0.95" in found.help[0]


def test_the_continuous_answer_stands_beside_the_whole_one() -> None:
    gpus = report("hardware: ? x H100 for 14 days at 40% MFU\nmodel: 7B\ntokens: 2T\n").solutions[0]["gpus"]
    assert gpus.value == 176 and gpus.note == "in whole devices: 175.5 before"


# ---- experts


@pytest.mark.parametrize(
    ("model", "experts"),
    [
        # By Switch layers 30B with 3B active are some 15 experts: as many whole ones as there is room for.
        ("params: 30B; experts: ?; active: 3B", None),
        ("experts: 16 .. 128; active: 3B; params: ?", 128),
        (
            "layers: 48; hidden: 2048; heads: 32; kv_heads: 4; head_dim: 128; vocab: 151936; experts: ?; "
            "active_experts: 8; expert_ffn: 768; params: 40B",
            169,
        ),
    ],
)
def test_experts_are_asked_for_and_whole(model: str, experts: int | None) -> None:
    found = answer(f"hardware: 64 x H100 for 30 days at 35% MFU\nmodel {{ {model} }}\ntokens: 500B\n", "experts")
    assert found == int(found) and (experts is None or found == experts)
