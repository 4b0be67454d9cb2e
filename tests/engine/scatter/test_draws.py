"""Draws come to the same, to the last bit, whoever evaluates them, and in whichever chunks."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest
from known import LIBRARY
from reports import H100

from runplan.dsl.text.reader import Files
from runplan.engine.analysis.intervals import Drawn
from runplan.engine.pipeline import report_of
from runplan.engine.problem.points import Points
from runplan.engine.problem.solution import Solution
from runplan.engine.scatter.processes import processes
from runplan.engine.scatter.work import Workers

# Along the edge of what the limits allow, what a loss takes, by the general solver, what is chosen before a chance.
PLANS = {
    "edge": H100,
    "loss": "hardware: ? x H100 for 3 months @ 2 USD/GPU/hour\nrequire loss <= 2.0\nminimize cost\n",
    "general": "use laws muennighoff\nhardware: 200 x H100 for 30 days\ndata web: 300B tokens up to 4 epochs\n"
    "data code: 100B tokens up to 4 epochs\nrequire loss <= 2.3\nminimize compute\n",
    "chance": "hardware: ? x H100 for 30 days\nmodel: 7B\ntokens: 300B\nrequire P(time <= 30 days) >= 90%\n",
}


def solutions(text: str, draws: int, workers: Workers | None = None) -> tuple[Solution, ...]:
    files = Files({"x.plan": text})
    return report_of("x.plan", files, catalogue=LIBRARY, draws=draws, workers=workers).solutions


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    with processes(2) as workers:
        yield workers


@pytest.mark.parametrize("name", PLANS)
def test_two_processes_draw_what_one_does(name: str, two: Workers) -> None:
    one, other = solutions(PLANS[name], 90), solutions(PLANS[name], 90, two)
    assert [solution.samples for solution in one] == [solution.samples for solution in other]
    assert all(len(solution.samples) > 45 and solution.draws == 90 for solution in one)
    assert [{**s.values} for s in one] == [{**s.values} for s in other]


def test_draws_are_the_same_in_any_chunks() -> None:
    drawn = Drawn(solutions(PLANS["edge"], 1)[0], 30)
    whole = drawn(0, 30)
    again = pickle.loads(pickle.dumps(drawn))
    parts = [again(20, 30), again(3, 20), again(0, 3)]
    assert Points.one_after_the_other(reversed(parts)) == whole
