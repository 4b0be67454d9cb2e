"""What problems that are made of one another have in common is worked out once, and what they need of it alone."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from reports import under

from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.engine.problem import common
from runplan.engine.problem.common import Common
from runplan.engine.problem.derived import derive
from runplan.engine.solve.search import posed

PLANS = Path(__file__).parents[2] / "plans"


def test_what_is_made_of_the_same_expressions_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Expr, ...]] = []

    def work(a: Expr, b: Expr, times: int) -> int:
        made.append((a, b))
        return times * len(made)

    monkeypatch.setattr(common, "MOST", 3)
    one, other = Op("+", (Num(1.0), Num(2.0))), Op("+", (Num(1.0), Num(2.0)))
    of = Common().of
    assert of(work, (one, other), 1) == of(work, (one, other), 1) == 1
    assert of(work, (other, one), 1) == 2  # they are equal, and not the same
    assert of(work, (one, other), 10) == 30
    assert of(work, (one, one), 1) == 4
    assert of(work, (one, other), 1) == 5  # it began again
    assert pickle.loads(pickle.dumps(Common())).of(work, (one, other), 1) == 6


def test_functions_that_a_figure_does_not_move_are_those_of_the_problem_before() -> None:
    hardware = "hardware: { gpus: 64; device: H100; time: 30 days; mfu: 40%; price: 2 USD/GPU/hour }"
    problem = under(f"{hardware}\nrequire cost <= 1M USD").solutions[0].problem.settled()
    variables = tuple(v.name for v in problem.variables)
    price, mfu = (Ref(quantity(text)) for text in ("price", "mfu"))
    before = posed(problem, variables)
    dearer = posed(problem.at({price.name: 3.0}), variables)
    slower = posed(problem.at({mfu.name: 0.3}), variables)
    assert before.goals[0] is dearer.goals[0] is slower.goals[0]
    assert all(a is b for a, b in zip(before.inequalities, dearer.inequalities, strict=True))
    assert any(a is not b for a, b in zip(before.inequalities, slower.inequalities, strict=True))


@pytest.mark.parametrize("name", ["thousand-h100", "three-stages", "over-budget"])
def test_what_is_derived_for_some_expressions_is_what_all_is_derived_to(name: str) -> None:
    for solution in under((PLANS / f"{name}.plan").read_text()).solutions:
        found = {v.name: solution.values[v.name].value for v in solution.problem.variables}
        every = dict(found)
        derive(solution.problem, every)
        for wanted in list(solution.problem.definitions)[::5]:
            some = dict(found)
            derive(solution.problem, some, [Ref(wanted)])
            assert some.get(wanted) == every.get(wanted)
            assert some.items() <= every.items()
