"""A solution is held to the text of its plan: what is moved by a hair too much is a bug that is caught."""

from __future__ import annotations

import pytest
from reports import under

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import quantity
from runplan.engine.judge.restated import restate
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report
from runplan.engine.solve.verify import BrokenInvariant

PLAN = """\
hardware: ? x H100 for up to 90 days at 40% MFU @ 2 USD/GPU/hour in nodes of 8
model: 7B .. 13B params
data web: 400B tokens up to 2 epochs weight 80%
data code: 200B tokens weight 20%
tokens: at least 500B
require cost <= 2M USD and (params >= 8B or tokens >= 600B)
minimize loss
"""


def moved(solution: Solution, name: str, factor: float) -> Solution:
    value = solution[name]
    own = next(n for n, v in solution.values.items() if v is value)
    return replace(solution, values={**solution.values, own: replace(value, value=value.value * factor)})


def report() -> Report:
    found = under(PLAN)
    assert found.solutions[0].status == "solved" and found.plan is not None
    return found


def test_what_is_solved_does_what_is_said() -> None:
    found = report()
    assert found.plan is not None
    restate(found.plan, found.solutions[0], ())


@pytest.mark.parametrize(
    ("name", "factor", "text"),
    [
        ("params", 0.1, "params"),
        ("tokens", 0.1, "tokens"),
        ("gpus", 1.003, "nodes of 8"),
        ("price", 1.01, "price"),
        ("reserved_time", 0.5, "what the devices give"),
        ("reserved_time", 9.0, "reserved_time"),
        ("tokens.web", 3.0, "tokens of web"),
        ("share.code", 1.1, "weight of code"),
        ("cost", 20.0, "cost <= 2M USD"),
    ],
)
def test_what_is_not_is_caught(name: str, factor: float, text: str) -> None:
    found = report()
    assert found.plan is not None
    with pytest.raises(BrokenInvariant, match=text):
        restate(found.plan, moved(found.solutions[0], name, factor), ())


def test_a_requirement_that_has_its_finding_is_no_bug() -> None:
    found = under("hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\nrequire cost <= 100k USD\n")
    assert found.plan is not None and quantity("cost") in found.solutions[0].values
    restate(found.plan, found.solutions[0], found.findings)
    with pytest.raises(BrokenInvariant, match="nothing says so"):
        restate(found.plan, found.solutions[0], ())
