"""What would change a value: elasticities that the formulas fix, and those that the law's exponents fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.expr.name import quantity
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.analysis.sensitivity import Change, changes
from runplan.engine.pipeline import report_of


def found(text: str, name: str) -> tuple[Change, ...]:
    report = report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)
    return changes(report.solutions[0], quantity(name))


def elasticities(text: str, name: str) -> dict[str, float]:
    return {change.text: round(change.elasticity, 4) for change in found(text, name)}


HARDWARE = "hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\n"


def test_a_product_answers_to_its_factors() -> None:
    assert elasticities(HARDWARE, "cost") == {"gpus": 1.0, "price": 1.0, "reserved_time": 1.0}


def test_the_optimal_size_answers_to_compute_by_the_exponent_of_the_law() -> None:
    """Besiroglu et al. 2024: a = beta / (alpha + beta) = 0.512612."""
    assert elasticities("compute: 1e22 FLOP\n", "params") == {"compute_budget": 0.5126}
    assert set(elasticities(HARDWARE, "params").values()) == {0.5126}


def test_a_requirement_is_named_as_the_plan_writes_it() -> None:
    by = elasticities(f"{HARDWARE}require tokens / params >= 40\n", "params")
    assert by.pop("tokens / params >= 40") == -0.5
    assert by["gpus"] == 0.5 and "price" not in by


def test_a_let_that_is_a_bound_counts() -> None:
    assert elasticities(f"let ratio = 40\n{HARDWARE}require tokens / params >= ratio\n", "params")["ratio"] == -0.5


def test_what_is_computed_while_posing_answers_too() -> None:
    """The shares of a mix follow from the amounts, and a law's own count of params from the total."""
    sources = "data a: 1T tokens\ndata b: 2T tokens\nmodel: 70B\n"
    by = elasticities(sources, "tokens")
    assert by["available.a"] == pytest.approx(1 / 3, abs=2e-3) and by["available.b"] == pytest.approx(2 / 3, abs=2e-3)
    by = elasticities("use laws kaplan.joint\nmodel: 7B\ntokens: 1T\n", "loss")
    assert set(by) == {"params", "tokens"} and by["params"] < 0


def test_devices_are_whole() -> None:
    """What the plan comes to is whole devices, and 1 % more of a figure moves them by one, by several or not at all."""
    counted = "hardware: ? x H100 for 30 days at 40% MFU\nmodel: 30B\ntokens: 300B\n"
    by = {change.text: (change.before, change.after) for change in found(counted, "gpus")}
    assert by == {"params": (53, 54), "tokens": (53, 54), "availability": (53, 54), "hours_per_day": (53, 54)}
    wanted = "hardware: ? x H100 for 30 days at 40% MFU\nrequire loss <= 2.1\nminimize gpus\n"
    (change,) = [change for change in found(wanted, "gpus") if change.text == "loss <= 2.1"]
    assert (change.before, change.after) == (21, 14)


def test_what_is_at_its_most_is_lowered() -> None:
    text = f"{HARDWARE[:-1]} availability 100%\n"
    by = {change.text: change for change in found(HARDWARE, "params")}
    assert {name for name, change in by.items() if change.step < 0} == {"availability", "hours_per_day"}, text
    assert by["availability"].per_cent < 0 < by["gpus"].per_cent


@pytest.mark.parametrize("name", ["finish", "start"])
def test_a_date_answers_to_nothing(name: str) -> None:
    text = "hardware: 64 x H100 for 30 days at 40% MFU from 2026-12-01\n"
    assert found(text, name) == ()


def test_what_has_no_solution_answers_to_nothing() -> None:
    assert found(f"{HARDWARE}model: 70B\ntokens: 10T\n", "compute") == ()


def test_one_per_cent_more_is_that() -> None:
    """A required loss curves: 1 % more of it is another share than 1 % less, and is solved for."""
    text = "hardware: ? x H100 for 30 days at 40% MFU\nmodel: 7B\nrequire loss <= {}\n"
    (change,) = [change for change in found(text.format("2.1"), "compute") if change.text == "loss <= 2.1"]
    files = (Buffer("x.plan", text.format(loss).encode(), Disk(Path())) for loss in ("2.1", "2.121"))
    reports = (report_of("x.plan", file, catalogue=LIBRARY, intervals=False) for file in files)
    before, after = (report.solutions[0]["tokens"].value for report in reports)
    assert change.per_cent == pytest.approx(100 * (after / before - 1), rel=1e-4)
    assert change.per_cent == pytest.approx(-40.3, abs=0.1)
