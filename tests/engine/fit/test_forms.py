"""Forms of laws over runs: their slopes, their scales, and that known constants come back."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from known import LIBRARY

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.law_check import expanded
from runplan.engine.fit.bootstrap import skew
from runplan.engine.fit.expression import FormulaModel, jointly_linear
from runplan.engine.fit.fit import fit
from runplan.engine.fit.fitting import fitted
from runplan.engine.fit.form import chosen, forms_of, named
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.pose import posed
from runplan.engine.fit.scale import coordinates
from runplan.engine.fit.table import Column, RunTable
from runplan.engine.laws.form import functions_for
from runplan.engine.laws.steps import constants_of

SIZES, BUDGETS = np.geomspace(2e7, 2e9, 8), np.geomspace(1e18, 1e21, 6)
# What runs of laws have beside a size and tokens, and where it lies.
OTHERS = {"data_tokens": 0.3, "batch": 2e-5, "steps": 1e-6}


def runs(law_name: str, output: str = "loss", noise: float = 0.0, seed: int = 0) -> RunTable:
    """Runs on a grid of sizes and budgets that come out as a law of the library says."""
    law = LIBRARY.law(law_name)
    assert law is not None
    n, c = (grid.ravel() for grid in np.meshgrid(SIZES, BUDGETS))
    d = c / (6 * n)
    inputs = {"params": n, "tokens": d, "compute": c, "tokens_per_param": d / n}
    # Some are repeated, to many degrees.
    inputs |= {name: d * share * np.geomspace(0.1, 5.0, len(d)) for name, share in OTHERS.items()}
    form = next(form for form in forms_of(law, {}) if form.output == output)
    locals_ = {p.local: inputs[p.quantity] / p.counted.factor for p in form.function.parameters}
    from runplan.dsl.expr.values import compiled

    value = compiled(expanded(form.function.body, law.lets), np)({**constants_of(law), **locals_})
    value = value * np.exp(noise * np.random.default_rng(seed).standard_normal(len(n)))
    figures = {**inputs, "params_non_embedding": n, output: value * form.function.counted.factor}
    dims = {p.quantity: p.counted.dim for p in form.function.parameters}
    columns = {name: Column(name, name, dims.get(name, ()), values) for name, values in figures.items()}
    return RunTable("runs.csv", "0" * 64, columns, tuple(range(2, len(n) + 2)), ("",) * len(n))


@pytest.mark.parametrize("name", ["chinchilla", "kaplan.joint", "gadre", "muennighoff", "skaling", "three_term.loss"])
def test_slopes_are_those_of_differences(name: str) -> None:
    law = LIBRARY.law(name)
    assert law is not None
    table = runs("chinchilla")
    (form, *_) = forms_of(law, {})
    columns = {p.quantity: p.quantity for p in form.function.parameters} | {form.output: "loss"}
    model = posed(form, table, columns)
    rng = np.random.default_rng(1)
    known = {
        **{c.constant: np.exp((c.low + c.high) / 2) if c.log else 0.3 for c in model.coordinates},
        **constants_of(law),
    }
    theta = model.theta(known) + 0.01 * rng.standard_normal((3, len(model.coordinates)))
    predicted, slopes = model.slopes(theta)
    np.testing.assert_allclose(predicted, model.predicted(theta), rtol=1e-12)
    for i in range(theta.shape[1]):
        step = np.zeros_like(theta)
        step[:, i] = 1e-6
        by = (model.predicted(theta + step) - model.predicted(theta - step)) / 2e-6
        off = np.abs(by - slopes[:, i]) / (np.abs(by) + 1e-6 * np.abs(predicted))
        assert np.median(off) < 1e-4


def test_slopes_leave_nothing_for_the_collector_of_cycles() -> None:
    """It looks at few objects, however large: the arrays of a bootstrap lay there by the gigabyte."""
    law, table = LIBRARY.law("chinchilla"), runs("chinchilla")
    assert law is not None
    model = posed(next(forms_of(law, {})), table, {name: name for name in ("params", "tokens", "loss")})
    theta = np.array([[0.5, 6.0, 7.0, 0.3, 0.3]])
    model.slopes(theta)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            model.slopes(theta)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_what_is_linear_is_found() -> None:
    found = {name: _linear(name) for name in ("chinchilla", "gadre", "kaplan.joint", "skaling", "muennighoff")}
    assert found == {
        "chinchilla": {"E", "A", "B"},
        "gadre": {"E", "a", "b"},
        "kaplan.joint": set(),
        "skaling": {"E"},
        "muennighoff": {"E"},
    }


def _linear(name: str) -> frozenset[str]:
    law = LIBRARY.law(name)
    assert law is not None
    form = next(forms_of(law, {}))
    return jointly_linear(form.body, form.free)


@pytest.mark.parametrize("name", ["chinchilla", "kaplan.joint", "gadre", "kaplan.size", "kaplan.data"])
def test_the_constants_of_a_law_lie_where_a_search_starts(name: str) -> None:
    law = LIBRARY.law(name)
    assert law is not None
    table = runs(name)
    form = next(forms_of(law, {}))
    inputs = {p.local: table.values(p.quantity) / p.counted.factor for p in form.function.parameters}
    for found in coordinates(form.body, form.free, inputs, table.values("loss"), {}):
        value = constants_of(law)[found.constant]
        assert found.low <= (np.log(value) if found.log else value) <= found.high, found


def test_a_floor_that_was_published_as_nothing_is_looked_for_above_that() -> None:
    """Below, it falls on and on where exponents are small: a power is a logarithm then, and that has no floor."""
    law, table = LIBRARY.law("plm.tableA9"), runs("chinchilla")
    assert law is not None and constants_of(law)["E_mlm"] == 0.0
    trained = "MLM of protein"
    own = replace(law, functions=tuple(functions_for(law, trained)), objectives=(trained,))
    (form,) = forms_of(own, {})
    inputs = {"N": table.values("params"), "D": table.values("tokens")}
    (floor, *_) = coordinates(form.body, form.free, inputs, table.values("loss"), constants_of(law))
    assert floor.constant == "E_mlm" and floor.log and floor.elsewhere is None


def test_a_size_at_which_an_exponent_turns_lies_where_the_runs_do() -> None:
    law, of = LIBRARY.law("form.rl.log_linear"), runs("chinchilla").values("params")
    assert law is not None
    (form,) = forms_of(law, {})
    inputs, measured = {"N": of, "X": np.geomspace(10, 1e6, len(of))}, np.linspace(0.1, 2.0, len(of))
    found = {c.constant: c for c in coordinates(form.body, form.free, inputs, measured, {})}
    assert found["N_0"].log and np.exp(found["N_0"].low) < of.min() * 2 and of.max() / 2 < np.exp(found["N_0"].high)
    assert not found["K_max"].log


def test_what_is_held_stays() -> None:
    law, table = LIBRARY.law("chinchilla"), runs("chinchilla")
    assert law is not None
    found = fitted(law, table, held={"alpha": 0.3478}, objective=Objective(), bootstrap=0)
    assert found.constants["alpha"] == 0.3478 and found.constants["beta"] == pytest.approx(0.3658, rel=1e-4)


def test_runs_without_noise_leave_what_is_rounding() -> None:
    """The figures have so many digits, and draws that are all one no skew."""
    law, table = LIBRARY.law("chinchilla"), runs("chinchilla").rows(np.arange(0, 48, 3))
    assert law is not None
    (part,) = fitted(law, table, held={}, objective=Objective(), starts=16, bootstrap=0).parts
    assert part.exact and part.drift == 0.0 and 1e-7 < part.misfit < 1e-5
    assert (skew(np.ones((9, 2))) == 0.0).all()


def test_a_name_is_the_form_that_the_runs_can_be_held_to() -> None:
    def taken(name: str, *columns: str) -> str | None:
        way = chosen(named(LIBRARY, name), [""], columns)
        return way[0].name if way else None

    assert taken("chinchilla", "params", "tokens", "loss") == "chinchilla.epoch"
    assert taken("kaplan", "params_non_embedding", "tokens", "loss", "batch", "compute") == "kaplan.joint"
    assert taken("kaplan", "compute", "loss") == "kaplan.compute"
    assert taken("chinchilla", "params", "loss") is None


def test_a_model_of_some_runs_is_the_model_of_those() -> None:
    table = runs("chinchilla")
    law = LIBRARY.law("chinchilla")
    assert law is not None
    form = next(forms_of(law, {}))
    columns = {"params": "params", "tokens": "tokens", "loss": "loss"}
    whole, some = posed(form, table, columns), np.arange(5)
    part = whole.rows(some)
    assert isinstance(part, FormulaModel)
    theta = np.array([[0.5, 6.0, 7.0, 0.3, 0.3]])
    np.testing.assert_array_equal(part.predicted(theta), whole.predicted(theta)[:, some])


def test_a_floor_that_the_runs_would_rather_have_below_zero_is_none() -> None:
    spent = 10.0 ** np.arange(18.0, 21.0)
    spent = np.sort(np.concatenate([spent, 3 * spent]))
    # Steeper with each budget: what a public ladder of seven budgets did, whose law then had no loss at all.
    loss = 3.5 * (spent / 1e19) ** -0.049 - 0.002 * np.log(spent / 1e19) ** 2
    law = LIBRARY.law("isoflop")
    assert law is not None
    figures = {"compute": (spent, (("FLOP", 1.0),)), "params": (spent**0.5, (("param", 1.0),)), "loss": (loss, ())}
    dims = {f.output: f.counted.dim for f in law.functions}
    columns = {name: Column(name, name, dims.get(name, dim), values) for name, (values, dim) in figures.items()}
    table = RunTable("runs.csv", "0" * 64, columns, tuple(range(2, len(loss) + 2)), ("",) * len(loss))
    found = fitted(law, table, held={}, objective=Objective("squares"), bootstrap=200)
    part = next(part for part in found.parts if part.form.output == "loss")
    assert part.constants["E"] < 1e-6 and abs(part.constants["c"] - 0.05) < 0.01
    # It may be more, and a draw of it is, too.
    terms, covariance = part.jointly
    assert terms[0] == "E" and part.errors["E"] == covariance[0, 0] ** 0.5 > 0.01


def test_an_interval_over_zero_by_slopes_alone_refuses_no_fit() -> None:
    """An exponent of 0.2 that is known to within 0.4: at 0, with all else as is best then, the runs are far off."""
    law, table = LIBRARY.law("skaling"), runs("chinchilla", noise=0.04, seed=7)
    assert law is not None
    (form, *_) = forms_of(law, {})
    model = posed(form, table.rows(np.arange(0, len(table), 2)), {name: name for name in ("params", "tokens", "loss")})
    found = fit(model, Objective(), bootstrap=0)
    alpha = found.known[[c.constant for c in model.coordinates].index("alpha")].within[0.8]
    assert alpha.low < 0.0 < alpha.high and not any(one.severity == "error" for one in found.findings)
