"""Conditions by `and`, `or` and comparisons alone: true where the condition is, for whatever values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runplan.dsl.expr.logic import bent, failing, gap, kleene, known_ways, needed, parts, verdict, ways
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Ref, Unbound, names, words
from runplan.dsl.expr.values import value
from runplan.dsl.units.base import DATE, GPU, PARAM

A, B, C = (Name(letter) for letter in "abc")
LEAVES = st.one_of(st.sampled_from((Ref(A), Ref(B), Ref(C))), st.integers(-3, 3).map(lambda n: Num(float(n))))


def sides(conditions: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    def bigger(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        pair = st.tuples(inner, inner)
        return st.one_of(
            st.builds(Op, st.sampled_from(("+", "-", "min", "max")), pair),
            inner.map(lambda x: Op("abs", (x,))),
            st.builds(lambda test, both: Op("if", (test, *both)), conditions, pair),
        )

    return st.recursive(LEAVES, bigger, max_leaves=3)


COMPARED = st.builds(Op, st.sampled_from(COMPARISONS), st.tuples(LEAVES, LEAVES))


def joined(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(Op, st.sampled_from(("and", "or")), st.tuples(inner, inner)),
        inner.map(lambda x: Op("not", (x,))),
        st.builds(Op, st.sampled_from(COMPARISONS), st.tuples(sides(inner), sides(inner))),
    )


CONDITIONS = st.recursive(COMPARED, joined, max_leaves=4)
VALUES = st.fixed_dictionaries(dict.fromkeys((A, B, C), st.integers(-4, 4).map(float)))


@given(CONDITIONS, VALUES)
def test_the_ways_to_keep_a_condition_hold_where_it_does(condition: Expr, env: dict[Name, float]) -> None:
    every = ways(condition)
    assert bool(value(every, env)) == bool(value(condition, env))
    for part in parts(every):
        assert isinstance(part, Op) and part.op in COMPARISONS and bent(part) is None


@given(CONDITIONS, VALUES)
def test_a_verdict_is_the_value_where_all_is_known(condition: Expr, env: dict[Name, float]) -> None:
    # On whole numbers what a figure leaves out is itself.
    assert verdict(condition, env, 0.0) == bool(value(condition, env))
    assert bool(list(failing(condition, env, 0.0))) != bool(value(condition, env))


@given(CONDITIONS, VALUES, st.sets(st.sampled_from((A, B, C))))
def test_what_is_not_known_never_turns_a_verdict(condition: Expr, env: dict[Name, float], hidden: set[Name]) -> None:
    known = {name: at for name, at in env.items() if name not in hidden}
    assert verdict(condition, known, 0.0) in (None, verdict(condition, env, 0.0))


def joined_of(inner: st.SearchStrategy[Op]) -> st.SearchStrategy[Op]:
    return st.builds(Op, st.sampled_from(("and", "or")), st.lists(inner, min_size=2, max_size=3).map(tuple))


POSITIVE = st.sampled_from("abc").map(lambda word: Op(">", (Unbound(word), Num(0.0))))
WORDED = st.recursive(POSITIVE, lambda inner: st.one_of(joined_of(inner), inner.map(lambda x: Op("not", (x,)))))


@given(WORDED, st.dictionaries(st.sampled_from("abc"), st.sampled_from((-1.0, 1.0))))
def test_without_a_word_that_is_needed_a_condition_is_not_told_to_hold(condition: Op, env: dict[str, float]) -> None:
    def holds(part: Expr) -> bool | None:
        return bool(value(part, env)) if words(part) <= env.keys() else None

    found = kleene(condition, holds)
    assert found is not True or needed(condition) <= env.keys()
    assert found is not False or needed(condition, to_fail=True) <= env.keys()


def test_unknown_or_true_is_true_and_unknown_and_false_is_false() -> None:
    unknown, true, false = (Op("<=", (Ref(x), Num(1.0))) for x in (C, A, B))
    env = {A: 0.0, B: 2.0}
    assert verdict(Op("or", (unknown, true)), env, 0.0) is True
    assert verdict(Op("or", (unknown, false)), env, 0.0) is None
    assert verdict(Op("and", (unknown, false)), env, 0.0) is False
    assert verdict(Op("and", (unknown, true)), env, 0.0) is None
    assert verdict(Op("not", (unknown,)), env, 0.0) is None


def test_ways_that_name_what_is_not_known_are_left_out() -> None:
    unknown, known = (Op("<=", (Ref(x), Num(1.0))) for x in (C, A))

    def is_known(part: Expr) -> bool:
        return C not in names(part)

    assert known_ways(Op("or", (unknown, known)), is_known) == known
    assert known_ways(Op("and", (unknown, known)), is_known) is None


def test_a_bound_on_the_largest_is_one_on_each_and_no_choice() -> None:
    largest = Op("<=", (Op("max", (Ref(A), Ref(B))), Num(1.0)))
    assert ways(largest) == Op("and", (Op("<=", (Ref(A), Num(1.0))), Op("<=", (Ref(B), Num(1.0)))))


def test_a_figure_leaves_out_its_digits_and_half_a_per_cent_at_most() -> None:
    def left_out(number: Num) -> float:
        return gap(Op("!=", (Ref(A), number)))

    assert left_out(Num(7.03e9, PARAM, "7.03B")) == 0.005 / 7.03
    assert left_out(Num(7e9, PARAM, "7B")) == 0.005
    assert left_out(Num(1000.0, GPU, "1000")) == 0.0
    assert left_out(Num(1.7e9, DATE, "2023-11-14")) * 1.7e9 == 43200.0
