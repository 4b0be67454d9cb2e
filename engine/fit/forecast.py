"""A law with a joint uncertainty at some inputs into what it gives, each with an interval to first order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.tree import Expr, Op, Unbound
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.units.dims import Dim
from runplan.engine.laws.evaluate import evaluate
from runplan.engine.problem.parts import QUANTILE

# Each term is moved by this share of its standard error, to see how a value moves with it.
STEP = 0.01
# The widest error of a logarithm that steps are a share of: a factor of e is then a step.
WIDEST = 100.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a law gives.

    Attributes:
        value, low, high: In base units; the ends are those of the 80 % interval.
    """

    name: str
    value: float
    low: float
    high: float
    dim: Dim


def forecast(law: Law, given: Mapping[str, float], library: Library) -> dict[str, Forecast]:
    """What a law gives at some inputs, in base units, and how sure that is.

    Raises:
        Refused: For inputs that it does not take.
    """
    middle = evaluate(law, given, catalogue=library)
    moved: dict[str, list[float]] = {name: [] for name in middle.outputs}
    covariance = np.array(law.joint.covariance) if law.joint is not None else np.zeros((0, 0))
    errors = np.sqrt(np.diagonal(covariance))
    terms = law.joint.terms if law.joint is not None else ()
    for other, term, error in zip(_moved(law, errors), terms, errors, strict=True):
        step = _step(term, float(error))
        there = evaluate(other, given, catalogue=library).outputs if error > 0.0 else {}
        for name, output in middle.outputs.items():
            near = there.get(name)
            known = near is not None and near.value > 0.0 and output.value > 0.0
            moved[name].append(math.log(near.value / output.value) / step if near is not None and known else 0.0)
    out = {}
    for name, output in middle.outputs.items():
        slopes = np.array(moved[name])
        error = math.sqrt(max(float(slopes @ covariance @ slopes), 0.0)) if len(slopes) else 0.0
        by = math.exp(min(QUANTILE * error, 700.0))
        out[name] = Forecast(name, output.value, output.value / by, output.value * by, output.dim)
    return out


def _step(term: Expr, error: float) -> float:
    """By how much a term is moved; the logarithm of a constant that may be anything no further than has a value."""
    return STEP * (min(error, WIDEST) if isinstance(term, Op) else error)


def _moved(law: Law, errors: np.ndarray) -> Iterator[Law]:
    """The law with each of the terms that vary jointly moved a little, the others as they are."""
    for term, error in zip(law.joint.terms if law.joint is not None else (), errors, strict=True):
        by = _step(term, float(error))
        name = term.args[0] if isinstance(term, Op) else term
        assert isinstance(name, Unbound), "a term is a constant, or the logarithm of one"
        constant = law.constants[name.name]
        assert constant.value is not None, "what varies has a value"
        value = constant.value * math.exp(by) if isinstance(term, Op) else constant.value + by
        yield replace(law, constants={**law.constants, name.name: replace(constant, value=value)})
