"""`minimize regret`: the least worst regret over the laws named, against a grid and plain arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports import under

from runplan.engine.analysis.regret import regret_of
from runplan.engine.report import Report

# E, A, B, alpha, beta: Besiroglu et al. 2024 (arXiv:2404.10102), and Hoffmann et al. 2022 (arXiv:2203.15556), rounded.
SURFACES = {
    "chinchilla.epoch": (1.8172, 482.01, 2085.43, 0.3478, 0.3658),
    "chinchilla.approach3_rounded": (1.69, 406.4, 410.7, 0.34, 0.28),
}
BOTH = "use laws chinchilla.epoch, chinchilla.approach3_rounded\nminimize regret\n"


def regret(law: str, params: float, tokens: float) -> float:
    """The compute beyond the least for the loss of a run, as a share: in closed form, by none of the engine's code."""
    _, a, b, alpha, beta = SURFACES[law]
    excess = a / params**alpha + b / tokens**beta
    g = (alpha * a / (beta * b)) ** (1 / (alpha + beta))
    # At the optimum of a budget both terms fall with one power of it: a G^-alpha + b G^beta at one FLOP pair.
    at_one = a / g**alpha + b * g**beta
    pairs: float = (at_one / excess) ** ((alpha + beta) / (alpha * beta))
    return params * tokens / pairs - 1.0


def worst(params: float, tokens: float) -> float:
    return max(regret(law, params, tokens) for law in SURFACES)


def params_of(report: Report) -> list[float]:
    return [solution["params"].value for solution in report.solutions]


def test_the_least_worst_regret_is_where_both_laws_regret_alike() -> None:
    report = under("compute: 1e23 FLOP\n" + BOTH)
    for solution in report.solutions:
        params, tokens = solution["params"].value, solution["tokens"].value
        assert solution.status == "solved"
        assert params * tokens * 6 == pytest.approx(1e23, rel=1e-12)
        assert solution["regret"].value == pytest.approx(regret(solution.resolved, params, tokens), abs=1e-9)
        assert solution["worst_regret"].value == pytest.approx(worst(params, tokens), abs=1e-9)
        assert solution.binding == ("compute",)
    first, second = report.solutions
    assert first["regret"].value == pytest.approx(second["regret"].value, rel=1e-9)
    assert params_of(report)[0] == pytest.approx(params_of(report)[1], rel=1e-9)


@settings(max_examples=12)
@given(st.floats(19, 26), st.floats(-1.0, 1.0), st.sampled_from(("", "params", "tokens")))
def test_no_run_on_a_fine_grid_is_less_regretted(power: float, off: float, capped: str) -> None:
    budget = 10.0**power
    middle = math.sqrt(budget / 6)
    cap = float(f"{middle * 10.0**off:.6g}")  # the grid is bounded by the digits that the plan states
    limit = f"require {capped} <= {cap:.6g} {capped.removesuffix('s')}\n" if capped else ""
    found = under(f"compute: {budget:.12g} FLOP\n{limit}" + BOTH).solutions[0]
    assert found.status == "solved"
    grid = [middle * 10.0 ** (step / 200) for step in range(-600, 601)]
    runs = [(n, budget / 6 / n) for n in grid]
    if capped == "params":
        runs = [(n, d) for n, d in runs if n <= cap]
    elif capped == "tokens":
        runs = [(n, d) for n, d in runs if d <= cap]
    best = min(worst(*run) for run in runs)
    assert worst(found["params"].value, found["tokens"].value) <= best + 1e-6


def test_a_law_that_counts_otherwise_judges_by_its_own_count() -> None:
    report = under("use laws chinchilla, kaplan.joint\ncompute: 1e23 FLOP\nmodel: 7B\nminimize regret\n")
    one, other = report.solutions
    alone = under(f"model: 7B\ntokens: {one['tokens'].value:.12g}\n", "kaplan.joint").solutions[0]
    assert one["kaplan.joint.regret"].value == pytest.approx(regret_of(alone), rel=1e-5)
    assert one["worst_regret"].value == pytest.approx(one["kaplan.joint.regret"].value, rel=1e-9)
    assert other["regret"].value == pytest.approx(other["worst_regret"].value, rel=1e-9)


def test_repeated_data_is_regretted_against_the_best_use_of_the_same_data() -> None:
    text = "use laws chinchilla, muennighoff\ncompute: 1e23 FLOP\ndata: 100B tokens up to 8 epochs\nminimize regret\n"
    report = under(text)
    sizes = params_of(report)
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-6)
    alone = sorted(under(text.replace("minimize regret", "minimize loss"), law).solutions[0]["params"].value
                   for law in ("chinchilla", "muennighoff"))  # fmt: skip
    assert alone[0] < sizes[0] < alone[1]
    regrets = [solution["regret"].value for solution in report.solutions]
    assert regrets[0] == pytest.approx(regrets[1], rel=1e-6)


def test_without_a_bound_on_the_compute_what_is_spent_is_regretted() -> None:
    for hardware in ("", "hardware: ? x H100 for 60 days at 40% MFU @ 2 USD/GPU/hour\n"):
        report = under(f"use laws chinchilla, kaplan.joint\n{hardware}require loss <= 2.2\nminimize regret\n")
        assert [solution.status for solution in report.solutions] == ["solved", "solved"]
        first = report.solutions[0]
        assert first["loss"].value == pytest.approx(2.2)
        assert first["worst_regret"].value == pytest.approx(first["kaplan.joint.regret"].value, rel=1e-6)


def test_one_law_regrets_least_at_its_optimum() -> None:
    (found,) = under("compute: 1e22 FLOP\nminimize regret\n").solutions
    best = under("compute: 1e22 FLOP\nminimize loss\n").solutions[0]
    assert found["params"].value == pytest.approx(best["params"].value, rel=1e-6)
    assert "worst_regret" not in found


def test_a_law_without_a_surface_is_named_and_not_asked() -> None:
    report = under("use laws chinchilla, llama3\ncompute: 1e23 FLOP\nminimize regret\n")
    assert [solution.status for solution in report.solutions] == ["solved", "undecided"]
    (said,) = [finding for finding in report.findings if finding.code == "L004"]
    assert "llama3" in said.message and said.severity == "warning"


def test_what_cannot_hold_together_names_the_plans_figures_only() -> None:
    text = "use laws chinchilla, kaplan.joint\nhardware: 512 x H100 for 60 days at 40% MFU\nmodel: 700B\ntokens: 30T\n"
    report = under(text + "minimize regret\n")
    assert {solution.status for solution in report.solutions} == {"infeasible"}
    (said,) = [finding for finding in report.findings if finding.severity == "error"]
    assert said.code == "C003" and said.help
    assert "sure_compute" not in said.message


def test_a_run_that_nothing_bounds_is_not_the_smallest_that_there_is() -> None:
    report = under("use laws chinchilla, kaplan.joint\ndata: 1T tokens\nminimize regret\n")
    assert {solution.status for solution in report.solutions} == {"undecided"}
    (said, *_) = [finding for finding in report.findings if finding.code == "C002"]
    assert said.message == "nothing in the plan determines `tokens` and `model`"
    (sized, _) = under("use laws chinchilla, kaplan.joint\nmodel: 7B\nminimize regret\n").solutions
    assert sized["worst_regret"].value == pytest.approx(0.1016, rel=1e-3)


def test_the_hardware_of_all_stages_is_spent() -> None:
    stages = "".join(
        f"stage {name} {{ hardware: 512 x H100 for {days} days at 40% MFU }}\n" for name, days in (("a", 30), ("b", 5))
    )
    one = "hardware: 512 x H100 for 35 days at 40% MFU\n"
    laws = "use laws chinchilla, kaplan.joint\nminimize regret\n"
    split, whole = (under(text + laws).solutions[0] for text in (stages, one))
    assert split["params"].value == pytest.approx(whole["params"].value, rel=1e-6)
    assert split["worst_regret"].value == pytest.approx(whole["worst_regret"].value, rel=1e-6)
