"""What the limits of a solution are worth, and what its values answer to, as plain data: for JSON and other programs.

Figures stand in the units of exchange of `dsl/units/show.py`; a key that does not apply is absent.
"""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.expr.name import Name
from runplan.dsl.text.source import Span
from runplan.engine.analysis.constants import constants_of
from runplan.engine.analysis.sensitivity import Slope, elasticities
from runplan.engine.analysis.tornado import Swing, swings
from runplan.engine.analysis.worth import Price, Worth, worth_of
from runplan.engine.documents.figures import amount
from runplan.engine.problem.solution import Solution

# Digits of a derivative.
DIGITS = 6


def worth_document(solution: Solution) -> dict[str, object]:
    """What more of each limit is worth by the plan's goal; nothing where the plan has nothing to choose."""
    worth = worth_of(solution)
    if worth is None:
        return {}
    goal = {"goal": worth.goal, "sense": "maximize" if worth.rises else "minimize"}
    return {**goal, **amount(worth.value, worth.dim), "limits": [_price(worth, price) for price in worth.prices]}


def _price(worth: Worth, price: Price) -> dict[str, object]:
    """A limit: `change` is the derivative times `more`, `solved` what the goal comes to, solved anew."""
    out: dict[str, object] = {"of": price.text, **_place(price.span)}
    if price.more is not None:
        out["more"] = amount(price.more, price.dim)
    reached = (("change", price.change), ("solved", price.solved), ("without", price.without))
    out |= {key: amount(value, worth.dim) for key, value in reached if value is not None}
    return {**out, "source": price.source} if price.source else out


def swings_document(solution: Solution, name: Name) -> list[dict[str, object]]:
    """What a value answers to: how many per cent it goes up for one, and of what matters most what the ends give.

    Where the two sides of a figure differ each is said; null is a side without a solution.
    """
    slopes = {slope.cause.factor: slope for slope in elasticities(solution, name)}
    tried = {swing.cause.factor: swing for swing in swings(solution, name, tuple(slopes.values()))}
    rows = [_swing(solution, name, tried.get(each), slopes.get(each)) for each in {**tried, **slopes}]
    return [*rows, *_constants(solution, name)] if rows else rows


def _constants(solution: Solution, name: Name) -> Iterator[dict[str, object]]:
    """What the constants of the law leave open, drawn jointly: the ends of the 80 % interval that they alone give."""
    constants = constants_of(solution, name)
    if constants is not None:
        dim = solution.values[name].dim
        ends = {"low": {"to": amount(constants.low, dim)}, "high": {"to": amount(constants.high, dim)}}
        yield {"name": constants.text, "kind": "law", **ends}


def _swing(solution: Solution, name: Name, swing: Swing | None, slope: Slope | None) -> dict[str, object]:
    cause = swing.cause if swing is not None else slope.cause if slope is not None else None
    assert cause is not None, "one of them tells of it"
    out: dict[str, object] = {"name": cause.text, "kind": cause.kind, **amount(cause.value, cause.dim)}
    if not cause.likely:  # how likely something is to be has no derivative that is told
        out["elasticity"] = 0.0 if slope is None else _digits(slope.elasticity)
    if slope is not None and not slope.is_smooth:
        for side, by in (("above", slope.more), ("below", slope.less)):
            out[f"elasticity_{side}"] = None if by is None else _digits(by / slope.value)
    for key, end in (("low", swing.low), ("high", swing.high)) if swing is not None else ():
        to = None if end.value is None else amount(end.value, solution.values[name].dim)
        out[key] = {"at": amount(end.figure, cause.dim), "to": to}
    return {**out, **_place(cause.span)}


def _place(span: Span | None) -> dict[str, object]:
    return {} if span is None else {"file": span.source.path, "line": span.line}


def _digits(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
