"""Functions and problems of the optimiser to data, as `tests/problems.py` reads it."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from runplan.cli.main import main
from runplan.engine.laws import steps
from runplan.engine.numeric.functions import Constant, Difference, LogSum, Negated, Square, Sum
from runplan.engine.numeric.local import Smooth
from runplan.engine.solve import search

Data = dict[str, Any]
MODULES = (search, steps)  # those that call the optimiser


def form_of(function: Smooth) -> Data | None:
    """A function as data; None where it is not convex by its form."""
    match function:
        case Constant(value, k):
            return {"kind": "linear", "slope": [0.0] * k, "constant": value}
        case LogSum(rows, _):
            return _log(rows)
        case Difference(LogSum(small, _), LogSum([(b, a)], _)):
            return _log([(c - b, [p - q for p, q in zip(row, a, strict=True)]) for c, row in small])
        case Negated(LogSum([(b, a)], _)):
            return {"kind": "linear", "slope": [-p for p in a], "constant": -b}
        case Square(of):
            inner = form_of(of)
            return {"kind": "square", "of": inner} if inner and inner["kind"] == "linear" else None
        case Sum(rows, _) if all(c > 0.0 for c, _ in rows):
            return {"kind": "sum", "terms": [[c, list(a)] for c, a in rows]}
    if hasattr(function, "slope"):
        return {"kind": "linear", "slope": list(function.slope), "constant": function.constant}
    if hasattr(function, "centre"):
        return {"kind": "bowl", "weights": list(function.weights), "centre": list(function.centre)}
    if hasattr(function, "terms"):  # PowerSum of the tests
        return {"kind": "sum", "terms": _terms(function)}
    if hasattr(function, "shift"):  # Log of the tests
        return {"kind": "log", "terms": _terms(function.inner), "constant": -function.shift}
    return None


def _terms(power_sum: Any) -> list[list[Any]]:
    k = len(power_sum.terms[0][1])
    constant = [[power_sum.constant, [0.0] * k]] if power_sum.constant else []
    return constant + [[c, list(a)] for c, a in power_sum.terms]


def _log(rows: Sequence[tuple[float, Sequence[float]]]) -> Data | None:
    if len(rows) == 1:
        return {"kind": "linear", "slope": list(rows[0][1]), "constant": rows[0][0]}
    top = max(b for b, _ in rows)
    terms = [[math.exp(b - top), list(a)] for b, a in rows]
    return {"kind": "log", "terms": terms, "constant": top} if all(c > 0.0 for c, _ in terms) else None


Arguments = tuple[Sequence[Smooth], Sequence[Smooth], Sequence[Smooth], tuple[float, ...]]


def posed(plans: Sequence[Path]) -> Iterator[tuple[str, Arguments]]:
    """Every problem that solving plans poses to the optimiser, with the plan's name."""
    seen: list[Arguments] = []
    kept = {module: module.minimise for module in MODULES}

    def spy(objectives, inequalities, equalities=(), *, start):
        seen.append((objectives, inequalities, equalities, start))
        return kept[search](objectives, inequalities, equalities, start=start)

    for module in MODULES:
        module.minimise = spy
    try:
        for plan in plans:
            seen.clear()
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                main(["solve", str(plan)])
            yield from ((plan.stem, arguments) for arguments in list(seen))
    finally:
        for module, function in kept.items():
            module.minimise = function
