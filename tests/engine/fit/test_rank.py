"""Constants that no run tells: they are refused with the combination, however well the form fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.dsl.expr.tree import Expr
from runplan.dsl.syntax.parse import parse
from runplan.dsl.syntax.tree import as_node
from runplan.dsl.text.source import Source, View
from runplan.dsl.typed.build import Builder
from runplan.engine.fit.covariance import local
from runplan.engine.fit.expression import FormulaModel
from runplan.engine.fit.fit import fit
from runplan.engine.fit.model import Coordinate
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.rank import nulls

SQUARES = Objective("squares", log=False)


def body(text: str) -> Expr:
    node, findings = parse(View(text, Source("form", text)), "constraint")
    assert node is not None and not findings
    return Builder().expr(as_node(node.children[0]))


def model(text: str, constants: str, noise: float = 0.0, digits: int = 12, runs: int = 24) -> FormulaModel:
    rng = np.random.default_rng(3)
    a, b = rng.uniform(0.1, 0.6, (2, runs)).round(digits)
    inputs = {"a": a, "b": b, "c": np.round(1 - a - b, digits)}
    found = tuple(Coordinate(name, False, -3.0, 3.0) for name in constants.split())
    made = FormulaModel(found, np.ones(runs), False, body(text), inputs)
    return made.told(made.predicted(np.linspace(0.5, 1.2, len(found))[None])[0] + noise * rng.normal(size=runs))


@pytest.mark.parametrize("digits", [4, 10])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_shares_that_sum_to_one_are_not_told_apart_from_the_level(digits: int, noise: float) -> None:
    found = fit(model("k + s * a + t * b + u * c", "k s t u", noise, digits), SQUARES, bootstrap=0)
    assert not found.minima and [one.code for one in found.findings] == ["F025"]
    said = found.findings[0]
    assert said.severity == "error" and all(f"`{name}` " in said.message for name in "kstu")
    assert "--hold k=" in said.help[0]


def test_what_is_held_makes_the_rest_told() -> None:
    found = fit(model("0.5 + s * a + t * b + u * c", "s t u"), SQUARES, bootstrap=0)
    assert found.minima and found.minima[0].theta == pytest.approx([0.5, 0.85, 1.2])


def test_a_constant_that_changes_nothing_is_named() -> None:
    found = fit(model("k + s * a + 0 * t", "k s t"), SQUARES, bootstrap=0)
    assert not found.minima and [one.code for one in found.findings] == ["F024"]
    assert "`t`" in found.findings[0].message


def test_a_slope_of_nothing_is_told() -> None:
    made = model("k + s * a + t * b", "k s t")
    flat = made.told(made.predicted(np.array([[0.5, 0.85, 0.0]]))[0])
    found = fit(flat, SQUARES, bootstrap=0)
    assert found.minima and found.minima[0].theta == pytest.approx([0.5, 0.85, 0.0], abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.integers(0, 10**6))
def test_a_direction_moves_no_prediction(theta: list[float], seed: int) -> None:
    made, at = model("k + exp(s * t) * a", "k s t"), np.array(theta)
    for null in nulls(made, SQUARES, at):
        step = np.zeros(3)
        step[list(null.by)] = [*null.by.values()]
        moved = made.predicted((at + 1e-5 * step)[None]) - made.predicted((at - 1e-5 * step)[None])
        assert np.abs(moved).max() <= 1e-6 * np.abs(made.predicted(at[None])).max()
        assert null.by[null.held] == 1


def test_what_rounding_leaves_is_no_misfit() -> None:
    made = model("k + s * a + t * a * b", "k s t")
    sizes = np.geomspace(1e15, 1e20, 24)
    found = fit(made.told(made.measured.round(10)), SQUARES, bootstrap=0, sizes=sizes)
    assert found.minima and not found.findings


def test_a_term_that_has_vanished_tells_none_of_its_constants() -> None:
    # Nothing times what is beyond all figures is no figure: a step away the term is infinite.
    own = model("k + exp(s * (1e6 * a)^exp(5 * g))", "k s g").told(np.ones(24))
    theta = np.array([0.5, -1e-4, 1.0])
    here = local(own, SQUARES, theta)
    assert all(np.isfinite(part).all() for part in (here.residuals, here.slopes, here.bend))
    assert {i for null in nulls(own, SQUARES, theta) for i in null.by} == {1, 2}
