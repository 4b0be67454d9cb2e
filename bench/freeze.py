"""Problems, random and as plans pose them, to `tests/facts/problems.jsonl`, each with a proof of its outcome.

`python bench/freeze.py` chooses a hundred. The optimiser gives a first guess only: an optimum is refined to 30 digits
by Newton's method in decimals of 60, on the constraints that a non-negative least-squares fit (scipy) finds pressing;
what is written has passed `tests/problems.py`, which proves it.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, nnls

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "engine" / "numeric"), str(ROOT / "bench")]

from forms import form_of, posed  # noqa: E402
from problems import (  # noqa: E402
    FILE,
    Data,
    Frozen,
    Grid,
    Numbers,
    combined,
    decimals,
    derivatives,
    dot,
    eliminated,
    faults,
    null_space,
    rates,
    smooth,
)

from runplan.engine.numeric.local import linear  # noqa: E402
from runplan.engine.numeric.optimise import Optimum, minimise  # noqa: E402

WANTED = {"random optimal": 45, "plan optimal": 25, "infeasible": 15, "unbounded": 15}
SEPARATE = Decimal("1e-9")  # ranks, while the point is known to 1e-15 only


def main() -> None:
    """Write the problems and say how many there are of each kind."""
    kept: dict[str, Frozen] = {}
    counts: Counter[str] = Counter()
    of_a_plan: Counter[str] = Counter()
    for kind, name, data in candidates():
        if kind == "plan optimal" and of_a_plan[name] == 2:
            continue
        problem = proven(name, *data)
        if problem is None:
            counts["without a proof"] += 1
            continue
        kind = kind if problem.outcome == "optimal" else problem.outcome
        text = json.dumps(problem.__dict__ | {"name": ""})
        if text not in kept and counts[kind] < WANTED[kind]:
            counts[kind] += 1
            of_a_plan[name] += 1
            kept[text] = problem
        if all(counts[kind] == wanted for kind, wanted in WANTED.items()):
            break
    FILE.write_text("".join(json.dumps(p.__dict__) + "\n" for p in kept.values()), encoding="utf-8")
    print(dict(counts), f"{FILE.stat().st_size / 1000:.0f} kB")


def proven(name, objectives, inequalities, equalities, start) -> Frozen | None:
    """A problem with a proof of its outcome; None where the optimiser gave up, or none was found."""
    groups = (objectives, inequalities, equalities)
    found = minimise(*([smooth(f, len(start)) for f in group] for group in groups), start=start)
    proof = PROOFS[found.outcome](*groups, found)
    problem = Frozen(name, *groups, start, found.outcome, proof or {})
    return problem if proof is not None and not faults(problem)[0] else None


# ---- where problems come from


def candidates() -> Iterator[tuple[str, str, tuple[list[Data], list[Data], list[Data], tuple[float, ...]]]]:
    """Kind, name, and objectives, inequalities, equalities and start as data."""
    for name, arguments in posed(sorted((ROOT / "plans").glob("*.plan"))):
        if (data := as_data(*arguments)) is not None:
            yield "plan optimal", name, data
    for n, arguments in enumerate(drawn(3000)):
        if (data := as_data(*arguments)) is not None:
            yield "random optimal", f"random {n}", data


def as_data(objectives, inequalities, equalities, start):
    """A problem as data; None where a function has no convex form."""
    groups = [[form_of(f) for f in group] for group in (objectives, inequalities, equalities)]
    if not start or any(f is None for group in groups for f in group) or any(f["kind"] != "linear" for f in groups[2]):
        return None
    return (*groups, tuple(start))


def drawn(n: int) -> list:
    """Random problems: with an optimum, contradictory, and without bounds, in turn."""
    from test_optimise import problems

    out = []

    @settings(
        max_examples=n,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(problems(), st.floats(1e-3, 20.0), st.integers(0, 10**6))
    def draw(problem, gap: float, seed: int) -> None:
        objectives, inequalities, equalities, start, inside = problem
        rng = random.Random(seed)
        kind = len(out) % 3
        if kind == 1:
            inequalities = [*inequalities, *contradiction(rng, inside, gap)]
        elif kind == 2:
            inequalities = [c for c in inequalities if rng.random() < 0.4]
        out.append((objectives, inequalities, equalities, start))

    draw()
    return out


def contradiction(rng: random.Random, inside: tuple[float, ...], gap: float) -> list:
    """Half-spaces whose weighted sum is a gap, so that they have no point in common, and fewer of them do."""
    k = len(inside)
    rows = [[rng.choice([0.0, 0.5, 1.0, -1.0, 2.0]) for _ in range(k)] for _ in range(rng.randint(1, k))]
    rows = [row for row in rows if any(row)] or [[1.0] * k]
    rows.append([-sum(row[i] for row in rows) for i in range(k)])
    share = gap / len(rows)
    return [linear(row, share - sum(a * b for a, b in zip(row, inside, strict=True))) for row in rows]


# ---- proofs


def prove_infeasible(objectives, inequalities, equalities, found: Optimum) -> Data | None:
    """The certificate, as it is."""
    c = found.certificate
    return c and {"x": list(found.x), "inequalities": list(c.inequalities), "equalities": list(c.equalities)}


def prove_unbounded(objectives, inequalities, equalities, found: Optimum) -> Data | None:
    """A ray, by linear programming over the exponents."""
    k = len(found.x)
    inside = minimise([], *([smooth(f, k) for f in group] for group in (inequalities, equalities)), start=found.x)
    if inside.outcome != "optimal" or any(f["kind"] in ("bowl", "square") for f in objectives):
        return None

    def rows(data: Data) -> list[list[float]]:
        units = [[Decimal(int(i == j)) for i in range(k)] for j in range(k)]
        return [list(map(float, column)) for column in zip(*(rates(data, u) for u in units), strict=True)]

    for n, last in enumerate(objectives):
        below = [row for f in [*inequalities, last] for row in rows(f)]
        level = [row for f in [*equalities, *objectives[:n]] for row in rows(f)]
        lp = linprog(
            np.sum(rows(last), axis=0),
            A_ub=below or None,
            b_ub=[0.0] * len(below) or None,
            A_eq=level or None,
            b_eq=[0.0] * len(level) or None,
            bounds=[(-1, 1)] * k,
        )
        if lp.status == 0 and lp.fun < -1e-2:
            return {"x": list(inside.x), "ray": [round(a, 15) + 0.0 for a in lp.x.tolist()], "objective": n}
    return None


def prove_optimal(objectives, inequalities, equalities, found: Optimum) -> Data | None:
    """The optimum to 30 digits, and the multipliers of each objective."""
    with localcontext(prec=60):
        x = decimals(found.x)
        supports = pressing(objectives, inequalities, equalities, x)
        if supports is None:
            return None
        for _ in range(6):
            d, multipliers = newton(objectives, inequalities, equalities, supports, x)
            x = [a + b for a, b in zip(x, d, strict=True)]
            if max(map(abs, d)) > Decimal("1e-6"):
                return None
        _, multipliers = newton(objectives, inequalities, equalities, supports, x)
        return {
            "x": [f"{a:.35g}" for a in x],
            "multipliers": [[f"{a:.35g}" if a else "0" for a in m] for m in multipliers],
        }


def pressing(objectives, inequalities, equalities, x: Numbers) -> list[list[int]] | None:
    """The inequalities that press against each objective on the face of those before."""
    c = [derivatives(f, x) for f in inequalities]
    face = null_space([derivatives(f, x)[1] for f in equalities], len(x), SEPARATE)
    active = [i for i, f in enumerate(c) if abs(f[0]) <= Decimal("1e-9")]
    supports: list[list[int]] = []
    for data in objectives:
        _, g, h = derivatives(data, x)
        scale = max([abs(a) for a in g] + [abs(h[i][i]) for i in range(len(x))] + [Decimal("1e-300")])
        g = [a / scale for a in g]
        pulled = np.array([[float(dot(z, c[i][1])) for i in active] for z in face]).reshape(len(face), len(active))
        weights, off = nnls(pulled, np.array([-float(dot(z, g)) for z in face])) if face and active else ([], 0.0)
        if off > 1e-7:
            return None
        support = [i for i, weight in zip(active, weights, strict=False) if weight > 1e-9]
        if any(1e-14 < weight <= 1e-9 for weight in weights):
            return None
        supports.append(support)
        _, _, left = on_face(data, c, face, support, x)
        face = left
        active = [i for i in active if i not in support]
        if not face:
            break
    return supports


def on_face(data: Data, c: list, face: Grid, support: list[int], x: Numbers):
    """Multipliers of a support on a face, the Hessian of the Lagrangian, and the face that is left."""
    _, g, h = derivatives(data, x)
    scale = max([abs(a) for a in g] + [abs(h[i][i]) for i in range(len(x))] + [Decimal("1e-300")])
    system = [[dot(z, c[i][1]) for i in support] + [-dot(z, g)] for z in face]
    weights = solution(system, len(support))
    for weight, i in zip(weights, support, strict=True):
        h = [[a + weight * b for a, b in zip(*rows, strict=True)] for rows in zip(h, c[i][2], strict=True)]
    pressed = [[dot(z, c[i][1]) for z in face] for i in support]
    curved = [[dot(z, [dot(row, w) for row in h]) / scale for w in face] for z in face]
    curved = [row for row in curved if max(map(abs, row)) > SEPARATE]
    left = [combined(ys, face, len(x)) for ys in null_space([*pressed, *curved], len(face), SEPARATE)]
    return weights, h, left


def newton(objectives, inequalities, equalities, supports, x: Numbers) -> tuple[Numbers, Grid]:
    """One step towards the optimum of all objectives in order, and the multipliers at x."""
    k = len(x)
    c = [derivatives(f, x) for f in inequalities]
    e = [derivatives(f, x) for f in equalities]
    d = solution([[*g, -f] for f, g, _ in e], k)
    face = null_space([g for _, g, _ in e], k, SEPARATE)
    multipliers = []
    for data, support in zip(objectives, supports, strict=False):
        weights, h, left = on_face(data, c, face, support, x)
        multipliers.append([weights[support.index(i)] if i in support else Decimal(0) for i in range(len(c))])
        onto = solution([[*(dot(z, c[i][1]) for z in face), -c[i][0] - dot(c[i][1], d)] for i in support], len(face))
        d = [a + b for a, b in zip(d, combined(onto, face, k), strict=True)]
        inner = null_space([[dot(z, c[i][1]) for z in face] for i in support], len(face), SEPARATE)
        free = [combined(ys, face, k) for ys in inner]
        _, g, _ = derivatives(data, x)
        force = [a + dot(row, d) for a, row in zip(g, h, strict=True)]
        scale = max([abs(a) for a in g] + [abs(h[i][i]) for i in range(k)] + [Decimal("1e-300")])
        system = [[*(dot(z, [dot(row, w) for row in h]) for w in free), -dot(z, force)] for z in free]
        system = [row for row in system if max(map(abs, row[:-1])) > SEPARATE * scale]
        d = [a + b for a, b in zip(d, combined(solution(system, len(free)), free, k), strict=True)]
        face = left
    return d, multipliers


def solution(system: Grid, k: int) -> Numbers:
    """One solution (k) of rows with their right sides."""
    pivots, done = eliminated(system, k, SEPARATE)
    y = [Decimal(0)] * k
    for at, row in zip(pivots, done, strict=True):
        y[at] = row[k]
    return y


PROOFS: dict[str, Callable] = {
    "optimal": prove_optimal,
    "infeasible": prove_infeasible,
    "unbounded": prove_unbounded,
    "gave-up": lambda *_: None,
}

if __name__ == "__main__":
    main()
