"""A frozen problem to exponential and second-order cones, and to what Clarabel makes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import clarabel
import numpy as np
from scipy import sparse

Data = dict[str, Any]
Row = tuple[Sequence[float], float]  # a and b of a'x + b
BOX = 1e3
TOLERANCE = 1e-11


class Cones:
    """A program over x and further variables: rows a'x + b that are 0, >= 0, or in threes or more in a cone."""

    def __init__(self, k: int) -> None:
        self.k = self.n = k
        self.zero: list[Row] = []
        self.positive: list[Row] = []
        self.exponential: list[list[Row]] = []  # (u, v, w) with v exp(u / v) <= w
        self.second_order: list[list[Row]] = []  # (u, ...) with |...| <= u

    def variable(self) -> int:
        """One more variable."""
        self.n += 1
        return self.n - 1

    def unit(self, i: int, size: float = 1.0) -> list[float]:
        """A row that is one variable."""
        return [size * (i == j) for j in range(i + 1)]

    def at_most(self, data: Data, most: float, level: int | None = None) -> None:
        """A function at most a number, or, where a `level` is given, at most that variable."""
        if data["kind"] == "linear":
            self.positive.append(([-a for a in data["slope"]], most - data["constant"]))
        elif data["kind"] == "log":  # each exp(...) <= u, and the sum of u <= 1
            parts = [self.variable() for _ in data["terms"]]
            total = [0.0] * self.n
            for (c, a), part in zip(data["terms"], parts, strict=True):
                total[part] = -1.0
                row = [*a, *[0.0] * (self.n - self.k)]
                if level is not None:
                    row[level] = -1.0
                above = (row, math.log(c) + data["constant"] - most)
                self.exponential.append([above, ([], 1.0), (self.unit(part), 0.0)])
            self.positive.append((total, 1.0))
        elif data["kind"] == "square":
            root, inner = math.sqrt(max(most, 0.0)), data["of"]
            self.second_order.append([([], root), (inner["slope"], inner["constant"])])
        else:
            pairs = [(math.sqrt(w), at) for w, at in zip(data["weights"], data["centre"], strict=True)]
            rows: list[Row] = [(self.unit(i, w), -w * at) for i, (w, at) in enumerate(pairs)]
            self.second_order.append([([], math.sqrt(max(most, 0.0))), *rows])

    def objective(self, data: Data) -> tuple[np.ndarray, list[float]]:
        """P (k, k) and q of x'P x / 2 + q'x."""
        flat = np.zeros((self.k, self.k))
        if data["kind"] == "linear":
            return flat, data["slope"]
        if data["kind"] == "log":
            level = self.variable()
            self.at_most(data, 0.0, level)
            return flat, self.unit(level)
        if data["kind"] == "square":
            a = np.array(data["of"]["slope"])
            return 2.0 * np.outer(a, a), list(2.0 * data["of"]["constant"] * a)
        weights = np.array(data["weights"])
        return np.diag(2.0 * weights), list(-2.0 * weights * np.array(data["centre"]))


def solved(problem: Any, data: Data, caps: list[tuple[Data, float]]) -> tuple[str, list[float], list[float]]:
    """Outcome, point (k) and multipliers (m) of one objective under a problem's constraints and caps on others."""
    k, m = len(problem.start), len(problem.inequalities)
    cones = Cones(k)
    cones.zero += [(f["slope"], f["constant"]) for f in problem.equalities]
    for f in problem.inequalities:  # each has one row in `positive`, in order, whose dual is its multiplier
        cones.at_most(f, 0.0)
    for f, most in caps:
        cones.at_most(f, most)
    p, q = cones.objective(data)
    cones.positive += [(cones.unit(i, sign), BOX) for i in range(k) for sign in (1.0, -1.0)]
    blocks = [cones.zero, cones.positive, *cones.exponential, *cones.second_order]
    kinds = [clarabel.ZeroConeT(len(cones.zero)), clarabel.NonnegativeConeT(len(cones.positive))]
    kinds += [clarabel.ExponentialConeT() for _ in cones.exponential]
    kinds += [clarabel.SecondOrderConeT(len(rows)) for rows in cones.second_order]
    rows = [row for block in blocks for row in block]
    a = np.array([[*row, *[0.0] * (cones.n - len(row))] for row, _ in rows])
    whole = np.zeros((cones.n, cones.n))
    whole[:k, :k] = p
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOLERANCE
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(whole)),
        np.array([*q, *[0.0] * (cones.n - len(q))]),
        sparse.csc_matrix(-a),
        np.array([b for _, b in rows]),
        [kind for kind, block in zip(kinds, blocks, strict=True) if block],
        settings,
    )
    found = solver.solve()
    x = list(found.x[:k])
    weights = list(found.z[len(cones.zero) : len(cones.zero) + m])
    return _outcome(str(found.status), x), x, weights


def _outcome(status: str, x: Sequence[float]) -> str:
    if "PrimalInfeasible" in status:
        return "infeasible"
    if "DualInfeasible" in status or max(map(abs, x)) > 0.5 * BOX:
        return "unbounded"
    return "optimal" if "Solved" in status or "InsufficientProgress" in status else "gave-up"
