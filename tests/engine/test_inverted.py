"""A law the other way round, and in the params of plans: as a plan under it is solved."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY
from reports import under

from runplan.dsl.packs.pack import Law
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.text.reader import Files
from runplan.engine.laws.form import Refused
from runplan.engine.laws.totals import in_totals


def law(name: str) -> Law:
    found = LIBRARY.law(name)
    assert found is not None
    return found


def outputs(name: str, **given: float) -> dict[str, float]:
    return {o.name: o.value for o in in_totals(law(name), given, "CLM of text", catalogue=LIBRARY).outputs.values()}


def with_optimum() -> list[str]:
    found = []
    for one in LIBRARY.laws():
        try:
            if {"params", "tokens"} <= outputs(one.name, compute=1e22).keys():
                found.append(one.name)
        except Refused:
            continue
    return found


OPTIMA = with_optimum()


def test_many_laws_have_an_optimum() -> None:
    assert len(OPTIMA) > 20


@pytest.mark.parametrize("name", OPTIMA)
@settings(max_examples=1, deadline=None)
@given(st.floats(19.5, 25.0))
def test_an_optimum_is_found_from_its_size_and_from_its_tokens(name: str, power: float) -> None:
    compute = 10.0**power
    best = outputs(name, compute=compute)
    by_table = any(table.output == "compute" for table in law(name).tables)
    for known in ("params", "tokens"):
        if by_table and known == "params":
            continue  # what its paper prints there is another thing
        found = outputs(name, **{known: best[known]})
        # Near its kink a surface is flat, and its optimum known to half of the digits.
        assert found["compute"] == pytest.approx(compute, rel=1e-4)


@pytest.mark.parametrize("name", OPTIMA)
def test_the_optimum_is_that_of_a_plan(name: str) -> None:
    plan = under("compute: 1e22 FLOP\n", name).solutions[0]
    best = outputs(name, compute=1e22)
    if plan.status == "solved":
        assert best["params"] == pytest.approx(plan["params"].value, rel=1e-4)
        assert best["tokens"] == pytest.approx(plan["tokens"].value, rel=1e-4)
    stated = under("model: 1B\ntokens: 22B\n", name).solutions[0]
    given = outputs(name, params=1e9, tokens=22e9)
    for known in ("loss", "compute", "params_non_embedding"):
        if known in given and known in stated:
            assert given[known] == pytest.approx(stated[known].value, rel=1e-9)


def test_the_optimum_for_a_size() -> None:
    assert outputs("chinchilla", params=7e9)["tokens"] == pytest.approx(144408281578.42, rel=1e-6)
    assert outputs("chinchilla.approach3_rounded", params=67e9)["tokens"] == pytest.approx(7263182674458, rel=1e-6)
    assert outputs("llama3", params=8e9)["tokens"] == pytest.approx(180.275e9, rel=1e-4)
    assert outputs("chinchilla.rule20", params=7e9)["tokens"] == pytest.approx(140e9)


def test_a_loss_and_one_of_size_and_tokens_give_the_other() -> None:
    tokens = outputs("chinchilla", params=7e9, loss=2.1)["tokens"]
    assert outputs("chinchilla", params=7e9, tokens=tokens)["loss"] == pytest.approx(2.1)
    params = outputs("chinchilla", tokens=3e11, loss=2.2)["params"]
    assert outputs("chinchilla", params=params, tokens=3e11)["loss"] == pytest.approx(2.2)
    best = outputs("chinchilla", loss=2.1)
    assert best["compute"] == pytest.approx(2.14105e22, rel=1e-4)
    assert outputs("chinchilla", compute=best["compute"])["loss"] == pytest.approx(2.1)


@pytest.mark.parametrize(("at", "floor"), [({"loss": 1.5}, "1.817"), ({"loss": 1.9, "params": 7e9}, "1.998")])
def test_a_loss_that_is_never_reached_is_refused_with_the_floor_that_it_meets(at: dict[str, float], floor: str) -> None:
    with pytest.raises(Refused, match=f"stays above {floor}"):
        outputs("chinchilla", **at)


def test_params_are_all_of_them_under_every_law() -> None:
    assert outputs("kaplan.joint", params=1e9, tokens=22e9)["loss"] == pytest.approx(2.37634, rel=1e-5)
    assert outputs("kaplan.joint", params_non_embedding=1e9, tokens=22e9)["loss"] == pytest.approx(2.36932, rel=1e-5)
    found = outputs("kaplan", compute=10 * 8.64e19)
    assert found["params"] == pytest.approx(7.07218e9, rel=1e-5)
    assert found["params_non_embedding"] == pytest.approx(6.98141e9, rel=1e-5)
    assert outputs("steplaw", params=7e9, tokens=1.4e12)["learning_rate"] == pytest.approx(9.25096e-4, rel=1e-5)
    with pytest.raises(Refused, match="contradict each other"):
        outputs("kaplan.joint", params=1e9, params_non_embedding=1e9, tokens=22e9)


# What `plan fit` writes: a factor that rises with size, and with it the loss, far beyond the runs.
DRIFTING = """law drifting "A surface with a drift" {
  objective CLM of text
  counts total params
  constants { E = 0.5; A = 1000; alpha = 0.6; B = 30000; beta = 0.65; drift = 0.05 }
  loss(params N, tokens D) = (E + A / N^alpha + B / D^beta) * max(1, N * D / (5e14 param*token))^drift
  cites "a test"
}
"""
DRIFTED = LIBRARY.with_files(pack_files(Files({"packs/a.plan": DRIFTING}), "packs", "packs", "pack"))


@settings(max_examples=6, deadline=None)
@given(st.floats(6.5, 8.0), st.floats(7.5, 9.0))
def test_a_loss_that_rises_again_far_away_is_reached_before_that(size: float, data: float) -> None:
    drifting = DRIFTED.law("drifting")
    assert drifting is not None

    def given_(**known: float) -> dict[str, float]:
        found = in_totals(drifting, known, "CLM of text", catalogue=DRIFTED)
        return {o.name: o.value for o in found.outputs.values()}

    params, tokens = 10.0**size, 10.0**data
    at = given_(params=params, tokens=tokens)
    # The loss still falls there: what it gains by more is more than the drift takes.
    if given_(params=params * 1.01, tokens=tokens)["loss"] < at["loss"]:
        assert given_(loss=at["loss"], tokens=tokens)["params"] == pytest.approx(params, rel=1e-4)
    if given_(params=params, tokens=tokens * 1.01)["loss"] < at["loss"]:
        assert given_(loss=at["loss"], params=params)["tokens"] == pytest.approx(tokens, rel=1e-4)
    with pytest.raises(Refused, match=r"stays above 0\.[67]"):
        given_(loss=0.5, params=params)
