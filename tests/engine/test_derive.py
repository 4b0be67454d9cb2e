"""What is computed for a few expressions is what is computed of everything, as far as they lead to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from reports import PLANS, solved

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.units.dims import NONE
from runplan.engine.problem.derived import derive
from runplan.engine.problem.parts import Definition, leads_to

PROBLEM = solved(PLANS["h100"]).solutions[0].problem
NAMES = [Name(text, "let") for text in "abcdefgh"]


def formulas(own: list[Name]) -> st.SearchStrategy[Expr]:
    """Figures, names that may not be defined, and what is made of two of them."""
    atom = st.sampled_from(own).map(Ref) | st.sampled_from([0.0, 1.0, 2.0]).map(Num)
    return atom | st.builds(lambda op, *args: Op(op, args), st.sampled_from("+-*/"), atom, atom)


@given(
    st.dictionaries(st.sampled_from(NAMES), formulas(NAMES)),
    st.dictionaries(st.sampled_from(NAMES), st.just(3.0), max_size=2),
    st.lists(formulas(NAMES), max_size=3),
)
def test_a_part_is_that_of_the_whole(defined: dict[Name, Expr], known: dict[Name, float], asked: list[Expr]) -> None:
    definitions = {name: Definition(name, NONE, expr, "derived") for name, expr in defined.items()}
    problem = replace(PROBLEM, definitions=definitions)
    whole, part = dict(known), dict(known)
    derive(problem, whole)
    derive(problem, part, asked)
    led_to = leads_to(asked, definitions, known)
    assert part == {name: value for name, value in whole.items() if name in led_to}


def test_it_is_so_of_every_quantity_of_a_plan() -> None:
    solution = solved(PLANS["h100"]).solutions[0]
    problem = solution.problem.settled()
    known = {v.name: solution.values[v.name].value for v in problem.variables}
    whole = dict(known)
    derive(problem, whole)
    for name in problem.definitions:
        part = dict(known)
        derive(problem, part, [Ref(name)])
        led_to = leads_to([Ref(name)], problem.definitions, known)
        assert part == {each: value for each, value in whole.items() if each in led_to}
