"""By how much parabolas put the best size of a budget off is said, where it is worth saying."""

from __future__ import annotations

import numpy as np
import pytest
from known import LIBRARY

from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source, Span
from runplan.engine.fit.bias import bias_of_parabolas
from runplan.engine.fit.reduce import budgets, profile
from runplan.engine.fit.table import Column, RunTable

BUDGETS = np.geomspace(1e18, 1e20, 3)


def told(factor: float, around: float) -> tuple[Finding, ...]:
    """What is said of five sizes a factor apart, around the best of each budget or to one side of it."""
    e, a, b, alpha, beta = 1.7, 400.0, 1800.0, 0.34, 0.37
    spent, step = (grid.ravel() for grid in np.meshgrid(BUDGETS, np.arange(-2.0, 3.0), indexing="ij"))
    best = (alpha * a / (beta * b) * (spent / 6) ** beta) ** (1 / (alpha + beta))
    n = best * around * factor**step
    d = spent / 6 / n
    figures = {"params": n, "tokens": d, "compute": spent, "loss": e + a / n**alpha + b / d**beta}
    columns = {name: Column(name, name, (), values) for name, values in figures.items()}
    table = RunTable("runs.csv", "0" * 64, columns, tuple(range(2, 17)), ("",) * 15)
    profiles = [profile(rows, spent, n, figures["loss"]) for rows in budgets(spent)]
    surface = LIBRARY.law("chinchilla")
    assert surface is not None
    return bias_of_parabolas(surface, table, profiles, "any", Span(Source("runs.csv", ""), 0, 0))


def test_sizes_near_the_best_put_nothing_off() -> None:
    assert told(1.2, 1.0) == ()


@pytest.mark.parametrize(("factor", "around"), [(4.0, 1.0), (2.5, 3.0)])
def test_sizes_that_reach_far_or_lie_to_one_side_put_the_best_off(factor: float, around: float) -> None:
    (found,) = told(factor, around)
    assert found.code == "F031" and "put the best size off by" in found.message
    assert max(abs(float(share)) for share in found.data.values()) > 0.01


def test_budgets_that_forecast_larger_ones_are_not_doubted_for_another_form() -> None:
    """Parabolas whose lowest losses follow a power of compute, as no surface of two powers has it."""
    spent, off = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e18, 3e20, 6), np.linspace(-1.2, 1.2, 5)))
    n = 0.08 * spent**0.5 * np.exp(off)
    figures = {"params": n, "tokens": spent / 6 / n, "compute": spent, "loss": 1.8 + 60 / spent**0.09 + 0.05 * off**2}
    columns = {name: Column(name, name, (), values) for name, values in figures.items()}
    table = RunTable("runs.csv", "0" * 64, columns, tuple(range(2, 32)), ("",) * 30)
    profiles = [profile(rows, spent, n, figures["loss"]) for rows in budgets(spent)]
    surface, at = LIBRARY.law("chinchilla"), Span(Source("runs.csv", ""), 0, 0)
    assert surface is not None
    said = {
        few: {one.code for one in bias_of_parabolas(surface, table, profiles, "any", at, few=few)}
        for few in (True, False)
    }
    assert said[True] - said[False] == {"F030"}
