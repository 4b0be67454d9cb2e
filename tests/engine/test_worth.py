"""What more of a limit is worth: closed values, and what is solved beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.text.reader import Buffer, Disk
from runplan.dsl.units.parse import unit
from runplan.engine.analysis.worth import Price, Worth, worth_of
from runplan.engine.pipeline import report_of

HARDWARE = "hardware: up to 2000 x H100 for 14 days at 40% MFU @ 2 USD/GPU/hour\n"
DATA = "data web: 300B tokens up to 4 epochs\ndata books: 100B tokens up to 4 epochs\ndata code: 5T tokens\n"


def worth(text: str) -> Worth | None:
    file = Buffer("x.plan", text.encode(), Disk(Path()))
    return worth_of(report_of("x.plan", file, catalogue=LIBRARY, intervals=False).solutions[0])


def prices(text: str) -> dict[str, Price]:
    found = worth(text)
    assert found is not None
    return {price.text: price for price in found.prices}


def test_a_million_dollars_are_worth_what_the_law_says() -> None:
    """With the loss E + G C^-g at the optimum of a budget C, and C in proportion to the cost."""
    found = worth(
        f"use laws chinchilla.approach3_rounded\n{HARDWARE}require cost <= 20M USD\n".replace("2000", "90000")
    )
    assert found is not None and found.goal == "loss"
    (cost,) = (price for price in found.prices if price.text == "cost <= 20M USD")
    alpha, beta, floor = 0.34, 0.28, 1.69
    g = alpha * beta / (alpha + beta)
    assert cost.more == 1e6 and cost.dim == unit("USD").dim
    assert cost.change == pytest.approx(-g * (found.value - floor) / 20, rel=1e-9)
    assert cost.solved == pytest.approx(floor + (found.value - floor) * (21 / 20) ** -g, rel=1e-9)


def test_a_week_a_node_of_devices_and_what_money_buys() -> None:
    by = prices("hardware: 1000 x H100 for 90 days at 40% MFU @ 2 USD/GPU/hour\n")
    assert by["time"].more == unit("week").factor and by["gpus"].more == 100.0
    money = by["cost, for more gpus"]
    assert money.more == 1e6 and money.now == pytest.approx(1000 * 90 * 24 * 2)
    # So much money buys 23 devices for these days.
    assert money.change == pytest.approx(by["gpus"].change * 1e6 / (90 * 24 * 2 * 100), rel=1e-6)  # type: ignore[operator]


def test_of_a_bound_from_below_less_is_worth_something() -> None:
    ratio = prices("compute: 1e22 FLOP\nrequire tokens / params >= 100\n")["tokens / params >= 100"]
    assert ratio.more == -10.0 and ratio.change is not None and ratio.change < 0 and ratio.without is not None
    assert ratio.solved is not None and ratio.without < ratio.solved


def test_each_source_has_its_worth_and_the_cap_its_cost() -> None:
    text = f"hardware: 2000 x H100 for 30 days at 40% MFU\n{DATA.splitlines()[0]}\n{DATA.splitlines()[1]}\nmodel: 7B\n"
    found = worth(text)
    assert found is not None
    web, books = (price for price in found.prices if price.source)
    assert (web.source, books.source) == ("web", "books") and web.more == books.more == 1e11
    assert web.change is not None and web.change < 0
    caps = [price for price in found.prices if price.more is None]
    assert caps and all(cap.without is not None and cap.without < found.value for cap in caps)
    for price in (web, books):
        more = text.replace(f"{price.source}: {price.now / 1e9:.0f}B", f"{price.source}: {price.now / 1e9 + 100:.0f}B")
        again = worth(more)
        assert again is not None and again.value == pytest.approx(price.solved, rel=1e-9)


def test_data_that_are_left_over_are_worth_nothing_more() -> None:
    by = prices("hardware: 64 x H100 for 14 days at 40% MFU\ndata web: 10T tokens\n")
    (web,) = (price for price in by.values() if price.source)
    assert web.change == 0.0 and web.more == 1e11


def test_a_date_is_worth_a_week() -> None:
    text = "hardware: 64 x H100 for ? at 40% MFU from 2026-01-01\nminimize loss\nrequire finish <= 2026-03-02\n"
    later = prices(text)["finish <= 2026-03-02"]
    assert later.more == unit("week").factor and later.dim == unit("second").dim
    assert later.change is not None and later.change < 0 and later.solved is not None


def test_the_goal_may_be_anything() -> None:
    """What a required loss costs, in devices."""
    found = worth("hardware: ? x H100 for 30 days at 40% MFU\nmodel: 7B\nrequire loss <= 2.1\nminimize gpus\n")
    assert found is not None and found.goal == "gpus"
    (loss, *_) = (price for price in found.prices if price.text == "loss <= 2.1")
    assert loss.more == 0.01 and loss.change is not None and loss.change < 0


@pytest.mark.parametrize(
    "text",
    [
        "hardware: 64 x H100 for 30 days at 40% MFU\nmodel: 7B\ntokens: 1T\n",
        "hardware: 64 x H100 for 30 days at 40% MFU\nmodel: 70B\ntokens: 10T\n",
    ],
)
def test_a_plan_that_leaves_nothing_to_choose_or_cannot_be_has_no_prices(text: str) -> None:
    assert worth(text) is None


def test_the_bound_of_a_probability_is_priced_as_it_is_solved() -> None:
    """A loss that is to be likely: the mean of many draws stands for it, and no price is by that."""
    text = "hardware: ? x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nrequire P(loss <= 2.1) >= 90%\n"
    price = prices(text)["P(loss <= 2.1) >= 90%"]
    assert price.now == pytest.approx(2.1)
    worth_ = worth(text)
    assert worth_ is not None
    assert price.change is not None
    assert price.solved is not None
    beside = worth(text.replace("2.1", "2.11"))
    assert beside is not None
    assert price.solved == pytest.approx(beside.value, rel=1e-3)
    assert price.change == pytest.approx(beside.value - worth_.value, rel=0.2)
