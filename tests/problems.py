"""Frozen problems of `tests/facts/problems.jsonl`: data to functions for the solver, and a proof of each by other code.

A line is one problem in logarithms x (k), smooth and convex by its form:

- functions: `linear` (slope'x + constant), `sum` (of c exp(a'x), a term is `[c, a]`), `log` (the logarithm of such a
  sum, and a constant), `bowl` (of w_i (x_i - centre_i)^2), `square` (of a linear one). Every c and w is positive.
- `outcome`, and what proves it. `optimal`: `x` to 30 digits, and for each objective the multipliers of the
  inequalities. `infeasible`: a point and weights whose weighted sum of tangents is positive wherever |x| <= 1e3.
  `unbounded`: a feasible point and a ray along which one objective falls without end, and nothing else rises.

The proofs are checked in decimals of 50 digits, by nothing that the solver is made of.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

from runplan.dsl.dataclass import dataclass
from runplan.engine.numeric.functions import LogSum, Square, Sum
from runplan.engine.numeric.local import Smooth, linear

FILE = Path(__file__).parent / "facts" / "problems.jsonl"
BOX = 1000
DIGITS = 50

Data = dict[str, Any]
Numbers = list[Decimal]
Grid = list[Numbers]


@dataclass(frozen=True)
class Frozen:
    """A problem as data."""

    name: str
    objectives: list[Data]
    inequalities: list[Data]
    equalities: list[Data]
    start: tuple[float, ...]
    outcome: str
    proof: Data


def read(path: Path = FILE) -> list[Frozen]:
    """The problems of a file, one a line."""
    return [Frozen(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


# ---- for the solver


class Bowl:
    """Sum of w_i (x_i - c_i)^2."""

    def __init__(self, weights: Sequence[float], centre: Sequence[float]) -> None:
        self.weights, self.centre = weights, centre

    def __call__(self, x: tuple[float, ...]) -> tuple[float, list[float], list[list[float]]]:
        off = [a - c for a, c in zip(x, self.centre, strict=True)]
        value = sum(w * a * a for w, a in zip(self.weights, off, strict=True))
        g = [2.0 * w * a for w, a in zip(self.weights, off, strict=True)]
        return value, g, [[2.0 * w * (i == j) for j in range(len(x))] for i, w in enumerate(self.weights)]


class Shifted:
    """A function and a constant."""

    def __init__(self, of: Smooth, constant: float) -> None:
        self.of, self.constant = of, constant

    def __call__(self, x: tuple[float, ...]) -> tuple[float, list[float], list[list[float]]]:
        f, g, h = self.of(x)
        return f + self.constant, g, h


def smooth(data: Data, k: int) -> Smooth:
    """A function as the solver takes it."""
    kind = data["kind"]
    if kind == "linear":
        return linear(data["slope"], data["constant"])
    if kind == "square":
        return Square(smooth(data["of"], k))
    if kind == "bowl":
        return Bowl(data["weights"], data["centre"])
    if kind == "sum":
        return Sum([(c, a) for c, a in data["terms"]], k)
    assert kind == "log"
    return Shifted(LogSum([(math.log(c), a) for c, a in data["terms"]], k), data["constant"])


# ---- for the proof


def derivatives(data: Data, x: Numbers) -> tuple[Decimal, Numbers, Grid]:
    """Value, gradient and Hessian of a function, in the decimals of the context."""
    k, kind = len(x), data["kind"]
    flat = [[Decimal(0)] * k for _ in range(k)]
    if kind == "linear":
        slope = decimals(data["slope"])
        return Decimal(data["constant"]) + dot(slope, x), slope, flat
    if kind == "square":
        f, g, _ = derivatives(data["of"], x)
        return f * f, [2 * f * a for a in g], [[2 * a * b for b in g] for a in g]
    if kind == "bowl":
        weights, off = decimals(data["weights"]), [a - Decimal(c) for a, c in zip(x, data["centre"], strict=True)]
        for i, w in enumerate(weights):
            flat[i][i] = 2 * w
        pairs = list(zip(weights, off, strict=True))
        return sum((w * a * a for w, a in pairs), Decimal(0)), [2 * w * a for w, a in pairs], flat
    rows = [decimals(a) for _, a in data["terms"]]
    parts = [Decimal(c) * dot(a, x).exp() for (c, _), a in zip(data["terms"], rows, strict=True)]
    f = sum(parts, Decimal(0))
    g = [sum((p * a[i] for p, a in zip(parts, rows, strict=True)), Decimal(0)) for i in range(k)]
    h = [
        [sum((p * a[i] * a[j] for p, a in zip(parts, rows, strict=True)), Decimal(0)) for j in range(k)]
        for i in range(k)
    ]
    if kind == "sum":
        return f, g, h
    slope = [a / f for a in g]
    bent = [[h[i][j] / f - slope[i] * slope[j] for j in range(k)] for i in range(k)]
    return f.ln() + Decimal(data["constant"]), slope, bent


def decimals(numbers: Sequence[float | str]) -> Numbers:
    """Numbers as exact decimals."""
    return [Decimal(a) for a in numbers]


def dot(a: Numbers, b: Numbers) -> Decimal:
    """a'b."""
    return sum((p * q for p, q in zip(a, b, strict=True)), Decimal(0))


def combined(weights: Numbers, rows: Grid, k: int) -> Numbers:
    """The sum (k) of rows by their weights."""
    return [sum((w * row[i] for w, row in zip(weights, rows, strict=True)), Decimal(0)) for i in range(k)]


def eliminated(rows: Grid, k: int, rounding: Decimal) -> tuple[list[int], Grid]:
    """The first k columns of rows reduced to unit columns, by full pivoting: the pivots' columns, and their rows.

    Rows are scaled to 1 first; what is then below `rounding` counts as zero.
    """
    left = [[a / size for a in row] for row in rows if (size := max(map(abs, row[:k]), default=Decimal(0)))]
    pivots: list[int] = []
    done: Grid = []
    while left:
        n, at = max(
            ((n, j) for n in range(len(left)) for j in range(k)), key=lambda found: abs(left[found[0]][found[1]])
        )
        row = left.pop(n)
        if abs(row[at]) <= rounding:
            break
        row = [a / row[at] for a in row]
        left, done = (
            [[a - other[at] * b for a, b in zip(other, row, strict=True)] for other in grid] for grid in (left, done)
        )
        done.append(row)
        pivots.append(at)
    return pivots, done


def null_space(rows: Grid, k: int, rounding: Decimal) -> Grid:
    """A basis of the x (k) with rows x = 0."""
    pivots, done = eliminated(rows, k, rounding)
    basis = []
    for free in (j for j in range(k) if j not in pivots):
        z = [Decimal(int(j == free)) for j in range(k)]
        for row, at in zip(done, pivots, strict=True):
            z[at] = -row[free]
        basis.append(z)
    return basis


def faults(problem: Frozen, tolerance: float = 1e-25) -> tuple[list[str], bool]:
    """What is wrong with the proof of a problem, and, where it has an optimum, whether that is the only one."""
    with localcontext(prec=DIGITS):
        check = {"optimal": optimal_faults, "infeasible": infeasible_faults, "unbounded": unbounded_faults}
        return check[problem.outcome](problem, Decimal(tolerance))


def optimal_faults(problem: Frozen, tolerance: Decimal) -> tuple[list[str], bool]:
    """Feasibility, complementarity, and stationarity of each objective on the face of optima of those before.

    A direction of a face keeps every earlier objective. So it is across the gradients of all constraints that had a
    multiplier, and the Lagrangian, which is convex, has no curvature along it. Along what is left, a later
    objective's gradient is balanced by constraints that push from one side.
    """
    x = decimals(problem.proof["x"])
    wrong = []
    c = [derivatives(data, x) for data in problem.inequalities]
    e = [derivatives(data, x) for data in problem.equalities]
    wrong += [f"inequality {i} is {f[0]:.3g}" for i, f in enumerate(c) if f[0] > tolerance]
    wrong += [f"equality {i} is {f[0]:.3g}" for i, f in enumerate(e) if abs(f[0]) > tolerance]
    face = null_space([g for _, g, _ in e], len(x), Decimal("1e-20"))
    for level, (data, frozen) in enumerate(zip(problem.objectives, problem.proof["multipliers"], strict=False)):
        weights = decimals(frozen)
        _, g, h = derivatives(data, x)
        scale = max([abs(a) for a in g] + [abs(h[i][i]) for i in range(len(x))] + [Decimal("1e-300")])
        for i, (weight, (value, slope, bent)) in enumerate(zip(weights, c, strict=True)):
            if weight < 0 or abs(weight * value) > tolerance * scale:
                wrong.append(f"multiplier {i} of objective {level} is {weight:.3g}, its constraint {value:.3g}")
            g = [a + weight * b for a, b in zip(g, slope, strict=True)]
            h = [[a + weight * b for a, b in zip(*rows, strict=True)] for rows in zip(h, bent, strict=True)]
        off = max((abs(dot(z, g)) / max(map(abs, z)) for z in face), default=Decimal(0))
        if off > tolerance * scale:
            wrong.append(f"objective {level} is not stationary: {off / scale:.3g}")
        pressed = [[dot(z, slope) for z in face] for weight, (_, slope, _) in zip(weights, c, strict=True) if weight]
        curved = [[dot(z, [dot(row, w) for row in h]) / scale for w in face] for z in face]
        left = null_space([*pressed, *curved], len(face), Decimal("1e-20"))
        face = [combined(ys, face, len(x)) for ys in left]
    return wrong, not face


def infeasible_faults(problem: Frozen, tolerance: Decimal) -> tuple[list[str], bool]:
    """A weighted sum of tangents, each below its convex constraint, that is positive in all of the box."""
    x = decimals(problem.proof["x"])
    bound, slope = Decimal(0), [Decimal(0)] * len(x)
    wrong = []
    for kind, functions in (("inequalities", problem.inequalities), ("equalities", problem.equalities)):
        for weight, data in zip(decimals(problem.proof[kind]), functions, strict=True):
            if kind == "inequalities" and weight < 0:
                wrong.append(f"a weight is {weight:.3g}")
            f, g, _ = derivatives(data, x)
            bound += weight * f
            slope = [a + weight * b for a, b in zip(slope, g, strict=True)]
    bound -= sum((abs(a) * (BOX + abs(at)) for a, at in zip(slope, x, strict=True)), Decimal(0))
    return [*wrong, *([] if bound > 0 else [f"the weighted sum may be {bound:.3g}"])], False


def unbounded_faults(problem: Frozen, tolerance: Decimal) -> tuple[list[str], bool]:
    """A ray from a feasible point: constraints and earlier objectives do not rise along it, the last one falls."""
    x, ray = decimals(problem.proof["x"]), decimals(problem.proof["ray"])
    wrong = [
        f"inequality {i} rises"
        for i, data in enumerate(problem.inequalities)
        if derivatives(data, x)[0] > Decimal("1e-9") or max(rates(data, ray)) > Decimal("1e-12")
    ]
    wrong += [
        f"equality {i} changes"
        for i, data in enumerate(problem.equalities)
        if abs(derivatives(data, x)[0]) > Decimal("1e-9") or max(map(abs, rates(data, ray))) > Decimal("1e-12")
    ]
    *before, last = [rates(data, ray) for data in problem.objectives[: problem.proof["objective"] + 1]]
    wrong += [f"objective {n} changes" for n, found in enumerate(before) if max(map(abs, found)) > Decimal("1e-12")]
    if max(last) > 0 or not min(last) < Decimal("-1e-3"):
        wrong.append("the objective does not fall without end")
    return wrong, False


def rates(data: Data, ray: Numbers) -> Numbers:
    """How fast a function's parts change along a ray: its exponents, or its slope."""
    if data["kind"] == "linear":
        return [dot(decimals(data["slope"]), ray)]
    assert data["kind"] in ("sum", "log")
    return [dot(decimals(a), ray) for _, a in data["terms"]]
