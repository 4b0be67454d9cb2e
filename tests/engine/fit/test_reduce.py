"""Runs into the best of each budget: parabolas and envelopes, and what is left out with a reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.pack import Reads
from runplan.dsl.text.source import Source
from runplan.engine.fit.lack import Noise, pooled
from runplan.engine.fit.reduce import budgets, reduced
from runplan.engine.fit.table import Column, Floats, RunTable

MINIMA, ENVELOPE = (Reads(how, "loss", "compute") for how in ("minima", "envelope"))
SOURCE = Source("runs.csv", "\n" * 200)


def table(compute: Floats, params: Floats, loss: Floats) -> RunTable:
    figures = {"compute": compute, "params": params, "tokens": compute / 6 / params, "loss": loss}
    columns = {name: Column(name, name, (), values) for name, values in figures.items()}
    return RunTable("runs.csv", "", columns, tuple(range(2, len(loss) + 2)), ("",) * len(loss))


def parabolas(budgets_: Floats, offsets: Floats, best: Floats, bend: float = 0.1) -> RunTable:
    """Runs whose loss is a parabola in the logarithm of their size, lowest at the best of each budget."""
    c, o = (grid.ravel() for grid in np.meshgrid(budgets_, offsets, indexing="ij"))
    at = np.repeat(best, len(offsets))
    return table(c, at * np.exp(o), 2.0 + 1e3 / c**0.15 + bend * o**2)


def test_what_is_a_parabola_comes_back() -> None:
    spent, best = np.geomspace(1e18, 1e20, 4), np.geomspace(1e7, 1e8, 4)
    found = reduced(parabolas(spent, np.array([-1.0, -0.3, 0.4, 0.9]), best), MINIMA, "params", SOURCE)
    assert found.table is not None and found.findings == ()
    np.testing.assert_allclose(found.table.values("params"), best, rtol=1e-9)
    np.testing.assert_allclose(found.table.values("loss"), 2.0 + 1e3 / spent**0.15, rtol=1e-9)
    np.testing.assert_allclose(found.table.values("tokens"), spent / 6 / best, rtol=1e-9)
    assert [round(p.curvature or 0.0, 6) for p in found.profiles] == [0.2] * 4


@given(st.lists(st.floats(-0.05, 0.05), min_size=12, max_size=12), st.integers(2, 5))
def test_budgets_that_nearly_agree_are_one(off: list[float], count: int) -> None:
    spent = np.repeat(10.0 ** np.arange(count), 12)[: 12 * count] * np.exp(np.resize(off, 12 * count))
    assert [len(rows) for rows in budgets(spent)] == [12] * count


@pytest.mark.parametrize(
    ("offsets", "bend", "why"),
    [
        ([0.0, 0.5], 0.1, "2 sizes"),
        ([0.2, 0.5, 0.9], 0.1, "beyond the smallest size"),
        ([-0.9, -0.5, -0.2], 0.1, "beyond the largest size"),
        ([-0.5, 0.0, 0.5], -0.1, "bends down"),
    ],
)
def test_a_budget_without_a_lowest_point_is_named(offsets: list[float], bend: float, why: str) -> None:
    spent, best = np.geomspace(1e18, 1e20, 3), np.geomspace(1e7, 1e8, 3)
    found = reduced(parabolas(spent, np.array(offsets), best, bend), MINIMA, "params", SOURCE)
    assert found.table is None
    assert [f.code for f in found.findings] == ["F040", "F041"]
    assert "3 budgets" in found.findings[0].message and why in found.findings[0].message


def test_the_envelope_is_of_runs_that_none_beats() -> None:
    spent = np.array([1e18, 1e19, 1e20, 1e19, 1e20, 1e21])
    found = reduced(
        table(spent, np.arange(1.0, 7.0), np.array([3.0, 2.8, 2.5, 2.9, 2.6, 2.7])), ENVELOPE, "params", SOURCE
    )
    assert found.table is not None
    assert found.table.values("loss").tolist() == [3.0, 2.8, 2.5]


def test_an_envelope_of_two_sizes_tells_no_best_size() -> None:
    spent, sizes = np.geomspace(1e18, 1e21, 8), np.repeat([1e8, 1e9], 4)
    found = reduced(table(spent, sizes, np.linspace(3.0, 2.0, 8)), ENVELOPE, "params", SOURCE)
    assert found.table is not None and "params" not in found.table.columns and "loss" in found.table.columns
    assert [(one.code, one.severity) for one in found.findings] == [("F022", "warning")]


def test_an_envelope_of_two_runs_is_refused() -> None:
    found = reduced(table(np.array([1e18, 1e19]), np.ones(2), np.array([3.0, 2.0])), ENVELOPE, "params", SOURCE)
    assert found.table is None and [f.code for f in found.findings] == ["F041"]


def test_parabolas_are_in_what_a_token_costs() -> None:
    """Params with embeddings say little of how large a small model is; compute over tokens does."""
    spent, best = np.geomspace(1e18, 1e20, 4), np.geomspace(1e7, 1e8, 4)
    runs = parabolas(spent, np.array([-1.0, -0.3, 0.4, 0.9]), best)
    with_embeddings = Column("params", "params", (), runs.values("params") + 20 * runs.values("params") ** 0.8)
    found = reduced(replace(runs, columns={**runs.columns, "params": with_embeddings}), MINIMA, "params", SOURCE)
    assert found.table is not None
    np.testing.assert_allclose(found.table.values("loss"), 2.0 + 1e3 / spent**0.15, rtol=1e-9)
    np.testing.assert_allclose(found.table.values("tokens"), spent / 6 / best, rtol=1e-9)
    np.testing.assert_allclose(found.table.values("params"), best + 20 * best**0.8, rtol=0.01)


def test_a_budget_is_what_its_best_run_spends() -> None:
    spent, best = np.geomspace(1e18, 1e20, 4), np.geomspace(1e7, 1e8, 4)
    runs = parabolas(spent, np.array([-0.9, -0.3, 0.3, 0.9]), best)
    off = (runs.values("params") / np.repeat(best, 4)) ** 0.05
    more = Column("compute", "compute", (), runs.values("compute") * off)
    found = reduced(table(more.values, runs.values("params"), runs.values("loss")), MINIMA, "params", SOURCE)
    assert found.table is not None
    np.testing.assert_allclose(found.table.values("compute"), spent, rtol=1e-3)


@given(st.floats(0.3, 1.0), st.integers(3, 6))
def test_an_envelope_is_as_coarse_as_its_sizes_lie_apart(step: float, count: int) -> None:
    spent, at = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e18, 1e20, 4), np.arange(float(count))))
    sizes = 1e8 * np.exp(step * at) * (spent / 1e18) ** 0.5
    found = reduced(table(spent, sizes, 3.0 - 0.1 * np.log10(spent / 1e18) + 0.01 * at), ENVELOPE, "params", SOURCE)
    assert found.coarse == pytest.approx(step / 12**0.5)


def test_a_lowest_point_is_as_uncertain_as_all_parabolas_tell() -> None:
    """Each of a few budgets leaves a run or two to tell its error by, and all of them enough."""
    rng = np.random.default_rng(0)
    spent, best = np.geomspace(1e18, 1e20, 5), np.geomspace(1e7, 1e8, 5)
    runs = parabolas(spent, np.array([-0.9, -0.4, 0.1, 0.5, 1.0]), best)
    told: list[list[float]] = []
    for _ in range(60):
        wrong = runs.values("loss") * np.exp(0.003 * rng.standard_normal(25))
        noisy = replace(runs, columns={**runs.columns, "loss": replace(runs.columns["loss"], values=wrong)})
        found = reduced(noisy, MINIMA, "params", SOURCE)
        assert found.table is not None and {one.freedom for one in found.noise.values()} == {10}
        off = [found.table.values("params") / best, found.table.values("loss") / (2.0 + 1e3 / spent**0.15)]
        sizes = [found.noise[name].size for name in ("params", "loss")]
        told.append([*(float(np.mean(np.log(of) ** 2)) for of in off), *(size**2 for size in sizes)])
    size_off, loss_off, size, loss = np.mean(told, axis=0)
    assert 0.7 < size / size_off < 1.4 and 0.7 < loss / loss_off < 1.4


def test_a_noise_that_is_known_goes_together_with_what_a_form_leaves_where_both_are_one() -> None:
    left = np.array([0.01, -0.01, 0.01, -0.01])
    both = pooled(Noise(0.01, 8), left, 3)
    assert both is not None and both.freedom == 9 and both.size == pytest.approx(0.0115, rel=0.02)
    assert pooled(Noise(0.001, 8), left, 3) is None  # the form leaves more than noise
    assert pooled(Noise(0.5, 8), left, 3) is None
    assert pooled(Noise(0.01, 0), left, 3) is None and pooled(Noise(0.01, 8), left, 4) is None
