"""A hundred frozen problems: their proofs, and what the optimiser makes of them, by other arithmetic than its own."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, localcontext

import pytest
from problems import DIGITS, Frozen, Numbers, decimals, derivatives, dot, faults, null_space, read, smooth

from runplan.dsl.dataclass import replace
from runplan.engine.numeric.optimise import Optimum, minimise

PROBLEMS = read()
each_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)


def minimised(problem: Frozen) -> Optimum:
    groups = (problem.objectives, problem.inequalities, problem.equalities)
    objectives, inequalities, equalities = ([smooth(f, len(problem.start)) for f in group] for group in groups)
    return minimise(objectives, inequalities, equalities, start=tuple(problem.start))


def test_there_are_a_hundred_of_all_kinds() -> None:
    assert len(PROBLEMS) == 100
    assert Counter(problem.outcome for problem in PROBLEMS) == {"optimal": 70, "infeasible": 15, "unbounded": 15}


@each_problem
def test_the_frozen_outcome_is_proven(problem: Frozen) -> None:
    assert faults(problem)[0] == []


def test_a_wrong_proof_is_seen() -> None:
    for problem in PROBLEMS:
        if problem.outcome == "optimal" and faults(problem)[1]:
            moved = [str(Decimal(a) + Decimal("1e-12")) for a in problem.proof["x"]]
            assert faults(replace(problem, proof=problem.proof | {"x": moved}))[0]
        elif problem.outcome == "infeasible":
            nothing = {kind: [0.0] * len(problem.proof[kind]) for kind in ("inequalities", "equalities")}
            assert faults(replace(problem, proof=problem.proof | nothing))[0]
        elif problem.outcome == "unbounded":
            back = [-a for a in problem.proof["ray"]]
            assert faults(replace(problem, proof=problem.proof | {"ray": back}))[0]


@each_problem
def test_the_outcome(problem: Frozen) -> None:
    assert minimised(problem).outcome == problem.outcome


@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.outcome == "optimal"], ids=lambda problem: problem.name)
def test_the_optimum(problem: Frozen) -> None:
    found = minimised(problem)
    unique = faults(problem)[1]
    with localcontext(prec=DIGITS):
        x, best = decimals(found.x), decimals(problem.proof["x"])
        if unique:
            assert max(abs(a - b) for a, b in zip(x, best, strict=True)) <= Decimal("1e-9")
        assert all(derivatives(f, x)[0] <= Decimal("1.01e-9") for f in problem.inequalities)
        assert all(abs(derivatives(f, x)[0]) <= Decimal("1.01e-9") for f in problem.equalities)
        for data in problem.objectives[: len(problem.proof["multipliers"])]:
            value, g, h = derivatives(data, best)
            scale = abs(value) + max(map(abs, g)) + max(abs(a) for row in h for a in row)
            assert abs(derivatives(data, x)[0] - value) <= Decimal("1e-10") * scale
        assert Decimal(found.value) == pytest.approx(derivatives(problem.objectives[0], x)[0], rel=Decimal("1e-12"))
        check_multipliers(problem, x, decimals(found.multipliers))


def check_multipliers(problem: Frozen, x: Numbers, multipliers: Numbers) -> None:
    """Signs, complementarity, stationarity along the equalities; and the frozen ones, where no others would do."""
    _, g, h = derivatives(problem.objectives[0], x)
    scale = max([abs(a) for a in g] + [abs(h[i][i]) for i in range(len(x))] + [Decimal("1e-290")])
    slopes = [derivatives(f, x) for f in problem.inequalities]
    for weight, (value, slope, _) in zip(multipliers, slopes, strict=True):
        assert weight >= 0 and weight * abs(value) <= Decimal("1e-8") * scale
        g = [a + weight * b for a, b in zip(g, slope, strict=True)]
    level = [derivatives(f, x)[1] for f in problem.equalities]
    along = null_space(level, len(x), Decimal("1e-12"))
    assert all(abs(dot(z, g)) <= Decimal("1e-8") * scale * max(map(abs, z)) for z in along)
    active = [slope for value, slope, _ in slopes if abs(value) <= Decimal("1e-9")]
    rank = len(x) - len(null_space([*level, *active], len(x), Decimal("1e-12")))
    if rank == len(level) + len(active):
        frozen = decimals(problem.proof["multipliers"][0])
        assert all(abs(a - b) <= Decimal("1e-8") * scale for a, b in zip(multipliers, frozen, strict=True))


@pytest.mark.parametrize(
    "problem", [p for p in PROBLEMS if p.outcome == "infeasible"], ids=lambda problem: problem.name
)
def test_the_certificate(problem: Frozen) -> None:
    found = minimised(problem)
    assert found.certificate is not None
    proof = {
        "x": list(found.x),
        "inequalities": list(found.certificate.inequalities),
        "equalities": list(found.certificate.equalities),
    }
    assert faults(replace(problem, proof=proof))[0] == []
