"""No point of a fine grid is better than the optimum of a random law, and none keeps limits that none can keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from brute import Case, cases, is_close
from hypothesis import given, settings
from reports import under

from runplan.engine.analysis.certainty import NEAR, with_bounds


@given(case=cases())
@settings(max_examples=60, deadline=None)
def test_nothing_on_a_grid_is_better(case: Case) -> None:
    (solution,) = under(case.text).solutions
    best = case.best()
    if solution.status == "infeasible":
        assert best == math.inf, case.text
    elif solution.status == "solved":
        at = case.values(np.array(solution["params"].value), np.array(solution["tokens"].value))
        reached = float(case.goal(at))
        assert float(case.excess(at)) <= 1e-6, case.text
        assert reached <= best or is_close(reached, best), case.text
    else:
        assert {f.code for f in solution.findings} == {"C009"}, case.text


LAW = """law two.valleys "Two valleys" {
  objective CLM of text
  counts total params
  constants { E = 2 nat/token; A = 400; B = 2000 }
  let r = D / (1 token) / (N / (1 param)) / 2000
  loss(params N, tokens D) = E + A / N^0.35 + B / D^0.37 - 0.2 nat/token * exp(-(ln(r))^2)
  cites "nobody" evidence seed
}
use laws two.valleys
compute: 1e22 FLOP
"""


def test_a_valley_that_the_first_search_does_not_end_in() -> None:
    (solution,) = under(LAW).solutions
    size = np.geomspace(1e7, 1e12, 200_001)
    tokens = 1e22 / 6.0 / size
    dip = 0.2 * np.exp(-(np.log(tokens / size / 2000.0) ** 2))
    losses = 2.0 + 400.0 / size**0.35 + 2000.0 / tokens**0.37 - dip
    assert solution["loss"].value <= losses.min() * (1.0 + 1e-9)
    assert solution.certainty == "local"
    bounded = with_bounds(solution)
    assert bounded.certainty == "bounds" and 0.0 <= bounded.gap <= NEAR


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("compute: 1e22 FLOP\n", "convex"),
        ("hardware: 64 x H100 for 30 days at 40% MFU\ndata: 20B tokens up to 4 epochs\n", "convex"),
        ("compute: 1e22 FLOP\ndata a: 20B tokens up to 9 epochs\ndata b: 10B tokens up to 4 epochs\n", "bounds"),
        ("hardware: ? x H100 for 14 days at 40% MFU\nmodel: 7B\ntokens: 2T\n", "convex"),
        ("compute: 1e22 FLOP\nuse laws llama3\n", "convex"),
        ("compute: 1e21 FLOP\nuse laws kaplan.joint\nrequire loss <= 3\nminimize params\n", "convex"),
    ],
)
def test_what_proves_an_optimum(text: str, certainty: str) -> None:
    (solution,) = under(text).solutions
    assert with_bounds(solution).certainty == certainty
