"""The optimiser beside libraries, on our own problems, as one table: `python bench/solvers.py [--quick]`.

The problems are the hundred of `tests/facts/problems.jsonl`, and those that `plans/*.plan` pose where they are convex
by their form and their outcome can be proven (`bench/freeze.py`); `--quick` takes every fifth of the hundred. scipy's
SLSQP and trust-constr take part, and Clarabel (directly, and through CVXPY) and IPOPT (through CasADi) where they are
installed; nothing but scipy is needed.

Every solver gets the same functions with the same derivatives, the logarithm of every sum, the box |x| <= 1e3, and one
objective after the other. A library keeps to an earlier objective by a cap, 1e-8 of its scale above the minimum.

Columns: `right` outcomes of all; and of the problems with an optimum and a right outcome, the error of the first
objective (relative to its scale, see `scale_of`), of x where it is unique (the largest, and the share within 1e-9), and
of the multipliers of the first objective (the share whose optimality conditions hold to 1e-6); the median CPU time.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from runplan.dsl.dataclass import dataclass

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

from problems import Data, Frozen, decimals, derivatives, faults, read, smooth  # noqa: E402

from runplan.engine.numeric.optimise import minimise  # noqa: E402

EVERY = {"trust-constr": 8}  # it takes a hundred times as long as the others
FAST = ("own", "Clarabel")  # those that take so little that the least of three times counts
BOX = 1e3
COLUMNS = ("f median", "f worst", "x worst", "x<=1e-9", "mult.", "CPU ms")
CAP = 1e-8  # by how much of its scale an earlier objective may rise, for a library
FEASIBLE = 1e-6  # what a library may be off and still be taken for feasible
Array = np.ndarray


@dataclass(frozen=True)
class Answer:
    """What a solver says: an outcome, a point (k), and the multipliers (m) of the first objective, if it gives any."""

    outcome: str
    x: Sequence[float] = ()
    multipliers: Sequence[float] | None = None


Solver = Callable[[Frozen], Answer]


# ---- the problem as all solvers take it


def in_logs(data: Data) -> Data:
    """The logarithm of a sum; any other function as it is."""
    return {"kind": "log", "terms": data["terms"], "constant": 0.0} if data["kind"] == "sum" else data


def scale_of(f: float, g: Sequence[float], h: Sequence[Sequence[float]]) -> float:
    """What a change of a function is measured by: value, gradient and curvature together."""
    return abs(f) + max(map(abs, g)) + max(abs(a) for row in h for a in row) or 1.0


def in_order(problem: Frozen, solve: Callable[[Data, list[tuple[Data, float]]], Answer]) -> Answer:
    """One objective after the other, each earlier one capped: (objective, its largest value)."""
    caps: list[tuple[Data, float]] = []
    first: Answer | None = None
    answer = Answer("optimal", problem.start)
    for data in map(in_logs, problem.objectives):
        answer = solve(data, caps)
        if answer.outcome != "optimal":
            return answer
        first = first or answer
        f, g, h = smooth(data, len(problem.start))(tuple(answer.x))
        caps.append((data, f + CAP * scale_of(f, g, h)))
    assert first is not None
    weights = first.multipliers
    if weights is not None and problem.objectives[0]["kind"] == "sum":  # of the value, as ours are
        value = smooth(problem.objectives[0], len(problem.start))(tuple(first.x))[0]
        weights = [value * a for a in weights]
    return Answer("optimal", answer.x, weights)


def own(problem: Frozen) -> Answer:
    """The optimiser of this project."""
    groups = (problem.objectives, problem.inequalities, problem.equalities)
    found = minimise(*([smooth(f, len(problem.start)) for f in group] for group in groups), start=tuple(problem.start))
    return Answer(found.outcome, found.x, found.multipliers)


# ---- scipy


def by_scipy(method: str) -> Solver:
    """A method of `scipy.optimize.minimize` that takes constraints."""
    from scipy.optimize import NonlinearConstraint
    from scipy.optimize import minimize as scipy_minimize

    def solver(problem: Frozen) -> Answer:
        k, m = len(problem.start), len(problem.inequalities)
        upper = [smooth(f, k) for f in problem.inequalities]
        equal = [smooth(f, k) for f in problem.equalities]

        def one(data: Data, caps: list[tuple[Data, float]]) -> Answer:
            goal = smooth(data, k)
            rows = upper + [smooth(f, k) for f, _ in caps]
            most = np.array([0.0] * m + [cap for _, cap in caps])
            constraints = []
            for functions, limit in ((equal, 0.0), (rows, most)):
                if functions and method == "SLSQP":
                    kind, sign = ("ineq", -1.0) if functions is rows else ("eq", 1.0)
                    constraints.append(
                        {
                            "type": kind,
                            "fun": lambda x, fs=functions, b=limit, s=sign: s * (values(fs, x) - b),
                            "jac": lambda x, fs=functions, s=sign: s * slopes(fs, x),
                        }
                    )
                elif functions:
                    constraints.append(
                        NonlinearConstraint(
                            lambda x, fs=functions: values(fs, x),
                            -np.inf if functions is rows else 0.0,
                            limit,
                            jac=lambda x, fs=functions: slopes(fs, x),
                            hess=lambda x, v, fs=functions: curvature(fs, x, v),
                        )
                    )
            options = {"maxiter": 1000, "ftol": 1e-14} if method == "SLSQP" else {"maxiter": 3000, "gtol": 1e-10}
            found = scipy_minimize(
                lambda x: goal(tuple(x))[0],
                np.clip(problem.start, -BOX, BOX),
                jac=lambda x: np.array(goal(tuple(x))[1]),
                hess=(lambda x: np.array(goal(tuple(x))[2])) if method != "SLSQP" else None,
                bounds=[(-BOX, BOX)] * k,
                constraints=constraints,
                method=method,
                options=options,
            )
            return Answer(
                outcome_of(found.x, rows, most, equal), found.x.tolist(), multipliers_of(found, len(equal), m)
            )

        return in_order(problem, one)

    return solver


def values(functions: Sequence[Callable], x: Array) -> Array:
    """The functions at x, (m)."""
    return np.array([f(tuple(x))[0] for f in functions])


def slopes(functions: Sequence[Callable], x: Array) -> Array:
    """Their gradients, (m, k)."""
    return np.array([f(tuple(x))[1] for f in functions])


def curvature(functions: Sequence[Callable], x: Array, weights: Array) -> Array:
    """The weighted sum of their Hessians, (k, k)."""
    return sum((v * np.array(f(tuple(x))[2]) for f, v in zip(functions, weights, strict=True)), np.zeros((len(x),) * 2))


def outcome_of(x: Array, rows: Sequence[Callable], most: Array, equal: Sequence[Callable]) -> str:
    """What a point tells, where a solver proves nothing: off means infeasible, far away unbounded."""
    off = max([0.0, *(values(rows, x) - most), *abs(values(equal, x))])
    if not off <= FEASIBLE:
        return "infeasible"
    return "unbounded" if max(abs(x)) > 0.5 * BOX else "optimal"


def multipliers_of(found: object, p: int, m: int) -> list[float] | None:
    """The multipliers (m) of the inequalities, where a result of scipy has them."""
    if getattr(found, "multipliers", None) is not None:  # SLSQP, of scipy 1.16 and later
        return list(found.multipliers[p : p + m])  # type: ignore[attr-defined]
    rows = getattr(found, "v", None)
    return list(rows[1 if p else 0][:m]) if rows is not None and m else None


# ---- libraries that need not be there


def by_ipopt(problem: Frozen) -> Answer:
    """IPOPT through CasADi, which differentiates by itself."""
    import casadi as ca

    k, m = len(problem.start), len(problem.inequalities)

    def expression(data: Data, x: object) -> object:
        if data["kind"] == "linear":
            return ca.dot(ca.DM(data["slope"]), x) + data["constant"]
        if data["kind"] == "square":
            return expression(data["of"], x) ** 2
        if data["kind"] == "bowl":
            return ca.dot(ca.DM(data["weights"]), (x - ca.DM(data["centre"])) ** 2)
        rows = [ca.dot(ca.DM(a), x) + math.log(c) for c, a in data["terms"]]
        return ca.logsumexp(ca.vertcat(*rows)) + data["constant"] if len(rows) > 1 else rows[0] + data["constant"]

    def one(data: Data, caps: list[tuple[Data, float]]) -> Answer:
        x = ca.MX.sym("x", k)
        functions = [*problem.inequalities, *(f for f, _ in caps), *problem.equalities]
        quiet = {"ipopt.print_level": 0, "print_time": 0, "ipopt.sb": "yes", "ipopt.tol": 1e-11}
        rows = ca.vertcat(*(expression(f, x) for f in functions)) if functions else ca.MX(0, 1)
        solver = ca.nlpsol("s", "ipopt", {"x": x, "f": expression(data, x), "g": rows}, quiet)
        most = [0.0] * m + [cap for _, cap in caps]
        p = len(problem.equalities)
        start = np.clip(problem.start, -BOX, BOX)
        found = solver(x0=start, lbx=-BOX, ubx=BOX, lbg=[-np.inf] * len(most) + [0.0] * p, ubg=most + [0.0] * p)
        at = np.array(found["x"]).ravel()
        upper = [smooth(f, k) for f in functions[: len(most)]]
        equal = [smooth(f, k) for f in problem.equalities]
        weights = np.array(found["lam_g"]).ravel()[:m].tolist()
        return Answer(outcome_of(at, upper, np.array(most), equal), at.tolist(), weights)

    return in_order(problem, one)


def by_cvxpy(problem: Frozen) -> Answer:
    """CVXPY, with Clarabel behind it at its own tolerances."""
    import cvxpy as cp

    k = len(problem.start)

    def expression(data: Data, x: object) -> object:
        if data["kind"] == "linear":
            return np.array(data["slope"]) @ x + data["constant"]
        if data["kind"] == "square":
            return cp.square(expression(data["of"], x))
        if data["kind"] == "bowl":
            return cp.sum(cp.multiply(np.array(data["weights"]), cp.square(x - np.array(data["centre"]))))
        rows = np.array([a for _, a in data["terms"]]) @ x + np.log([c for c, _ in data["terms"]])
        return cp.log_sum_exp(rows) + data["constant"]

    def one(data: Data, caps: list[tuple[Data, float]]) -> Answer:
        x = cp.Variable(k)
        limits = [expression(f, x) <= 0.0 for f in problem.inequalities]
        rest = [expression(f, x) == 0.0 for f in problem.equalities]
        rest += [expression(f, x) <= cap for f, cap in caps] + [x <= BOX, x >= -BOX]
        program = cp.Problem(cp.Minimize(expression(data, x)), limits + rest)
        try:
            program.solve(solver=cp.CLARABEL)
        except cp.SolverError:
            return Answer("gave-up")
        said = program.status.removesuffix("_inaccurate")
        if said != "optimal" or x.value is None:
            return Answer(said)
        at = x.value.tolist()
        outcome = "unbounded" if max(map(abs, at)) > 0.5 * BOX else "optimal"
        return Answer(outcome, at, [float(limit.dual_value) for limit in limits])

    return in_order(problem, one)


def by_clarabel(problem: Frozen) -> Answer:
    """Clarabel, on the cones of `cones.py`, at a tolerance of 1e-11."""
    from cones import solved

    return in_order(problem, lambda data, caps: Answer(*solved(problem, data, caps)))


# ---- the table


def solvers() -> dict[str, Solver]:
    """Those that can run here."""
    found: dict[str, Solver] = {
        "own": own,
        "SLSQP": by_scipy("SLSQP"),
        "trust-constr": by_scipy("trust-constr"),
    }
    optional = {"clarabel": ("Clarabel", by_clarabel), "cvxpy": ("CVXPY", by_cvxpy), "casadi": ("IPOPT", by_ipopt)}
    for module, (name, solver) in optional.items():
        if importlib.util.find_spec(module):
            found[name] = solver
        else:
            print(f"{name} is left out: no {module} here", file=sys.stderr)
    return found


@dataclass
class Row:
    """What one solver did on a set of problems."""

    right: list[bool]
    value_errors: list[float]
    x_errors: list[float]
    multipliers: list[bool]
    seconds: list[float]

    def printed(self) -> str:
        """The columns."""

        def share(flags: Sequence[bool]) -> str:
            return f"{100.0 * sum(flags) / len(flags):.1f} %" if flags else "-"

        def most(errors: Sequence[float]) -> str:
            return f"{max(errors):.0e}" if errors else "-"

        near = share([error <= 1e-9 for error in self.x_errors])
        middle = f"{statistics.median(self.value_errors):.0e}" if self.value_errors else "-"
        milliseconds = f"{1000.0 * statistics.median(self.seconds):.2f}"
        cells = [middle, most(self.value_errors), most(self.x_errors), near, share(self.multipliers), milliseconds]
        return f"{share(self.right):>9}" + "".join(f"{cell:>10}" for cell in cells)


def measured(solver: Solver, problems: Sequence[Frozen], rounds: int) -> Row:
    """A solver on problems with known outcomes, the least CPU time of a few rounds."""
    row = Row([], [], [], [], [])
    for problem in problems:
        spent = []
        for _ in range(rounds):
            begun = time.process_time()
            try:
                answer = solver(problem)
            except (ArithmeticError, ValueError) as error:  # a library that breaks down has no outcome
                answer = Answer(f"failed: {error}")
            spent.append(time.process_time() - begun)
        row.seconds.append(min(spent))
        row.right.append(answer.outcome == problem.outcome)
        if row.right[-1] and problem.outcome == "optimal":
            judge(problem, answer, row)
    return row


def judge(problem: Frozen, answer: Answer, row: Row) -> None:
    """The errors of an answer, in decimals, into a row."""
    data = problem.objectives[0]
    x, best = decimals(answer.x), decimals(problem.proof["x"])
    value, g, h = derivatives(data, best)
    off = derivatives(data, x)[0] - value
    row.value_errors.append(
        abs(float(off)) / scale_of(float(value), list(map(float, g)), [list(map(float, r)) for r in h])
    )
    if faults(problem)[1]:
        row.x_errors.append(float(max(abs(a - b) for a, b in zip(x, best, strict=True))))
    if answer.multipliers is not None:
        row.multipliers.append(kkt_residual(problem, answer) <= 1e-6)


def kkt_residual(problem: Frozen, answer: Answer) -> float:
    """Stationarity, complementarity and signs of multipliers at the true optimum, relative to the gradient."""
    x = tuple(map(float, problem.proof["x"]))
    k = len(x)
    _, g, h = smooth(problem.objectives[0], k)(x)
    scale = max([*map(abs, g), *(abs(h[i][i]) for i in range(k)), 1e-290])
    limits = [smooth(f, k)(x) for f in problem.inequalities]
    weights = np.array(answer.multipliers or [])
    force = np.array(g) + (weights @ np.array([slope for _, slope, _ in limits]) if limits else 0.0)
    if problem.equalities:
        rows = np.array([smooth(f, k)(x)[1] for f in problem.equalities])
        force = force - rows.T @ np.linalg.lstsq(rows.T, force, rcond=None)[0]
    loose = [abs(w * c) for w, (c, _, _) in zip(weights, limits, strict=True)] + [max(0.0, -w) for w in weights]
    return float(max([*map(abs, force), *loose]) / scale)


def posed_by_plans() -> list[Frozen]:
    """The problems of `plans/*.plan` that are convex by their form, each once, with a proof."""
    from forms import posed
    from freeze import as_data, proven

    found: dict[str, Frozen] = {}
    total = 0
    for name, arguments in posed(sorted((ROOT / "plans").glob("*.plan"))):
        total += 1
        data = as_data(*arguments) if arguments[0] else None  # without an objective there is nothing to compare
        problem = proven(name, *data) if data is not None else None
        if problem is not None:
            found.setdefault(repr((data[0], data[1], data[2])), problem)
    print(f"plans pose {total} problems; {len(found)} different ones are convex by their form and proven")
    return list(found.values())


def main() -> None:
    """Run all solvers on all sets and print a table a set."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="every fifth of the frozen problems, once each")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")  # of libraries that do not get where they want
    frozen = read()[::5] if quick else read()
    sets = {"frozen": frozen} if quick else {"frozen": frozen, "posed by plans": posed_by_plans()}
    running = solvers()
    for title, problems in sets.items():
        print(f"\n{title}: {len(problems)} problems, {sum(p.outcome == 'optimal' for p in problems)} with an optimum")
        print(f"{'':<14}{'right':>9}" + "".join(f"{name:>10}" for name in COLUMNS))
        for name, solver in running.items():
            share = problems if quick else problems[:: EVERY.get(name, 1)]
            rounds = 1 if quick or name not in FAST else 3
            note = f"  on {len(share)} of them" if len(share) < len(problems) else ""
            print(f"{name:<14}" + measured(solver, share, rounds).printed() + note, flush=True)


if __name__ == "__main__":
    main()
