"""What would change a value: elasticities that the formulas fix, and those that the law's exponents fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from runplan.dsl.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.sensitivity import changes
from runplan.engine.solution import Solution


def solved(text: str) -> Solution:
    (solution,) = report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), intervals=False).solutions
    return solution


def elasticities(text: str, name: str) -> dict[str, float]:
    return {change.cause.name: round(change.elasticity, 4) for change in changes(solved(text), name)}


HARDWARE = "hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\n"


def test_a_product_answers_to_its_factors() -> None:
    assert elasticities(HARDWARE, "cost") == {"gpus": 1.0, "price": 1.0, "reserved_time": 1.0}


def test_the_optimal_size_answers_to_compute_by_the_exponent_of_the_law() -> None:
    """Besiroglu et al. 2024: a = beta / (alpha + beta) = 0.512612."""
    assert elasticities("compute: 1e22 FLOP\n", "params") == {"compute_budget": 0.5126}
    assert set(elasticities(HARDWARE, "params").values()) == {0.5126}


def test_a_requirement_is_named_as_the_plan_writes_it() -> None:
    found = elasticities(f"{HARDWARE}require tokens / params >= 40\n", "params")
    assert found.pop("tokens / params >= 40") == -0.5
    assert found["gpus"] == 0.5 and "price" not in found


def test_a_let_that_is_a_bound_counts() -> None:
    found = elasticities(f"let ratio = 40\n{HARDWARE}require tokens / params >= ratio\n", "params")
    assert found["ratio"] == -0.5


def test_whole_devices_are_not_rounded_here() -> None:
    found = elasticities("hardware: ? x H100 for 30 days at 40% MFU\nmodel: 3B\ntokens: 300B\n", "gpus")
    assert found["params"] == 1.0 and found["mfu"] == -1.0


@pytest.mark.parametrize("name", ["finish", "start"])
def test_a_date_answers_to_nothing(name: str) -> None:
    text = "hardware: 64 x H100 for 30 days at 40% MFU from 2026-12-01\n"
    assert changes(solved(text), name) == ()


def test_what_has_no_solution_answers_to_nothing() -> None:
    text = f"{HARDWARE}model: 70B\ntokens: 10T\n"
    assert solved(text).status == "infeasible" and changes(solved(text), "compute") == ()
