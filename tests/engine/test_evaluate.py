"""Laws at inputs: the closed form against optimiser and numpy, tables, relations, objectives, refusals."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from known import LIBRARY, known_of

from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.packs.quantity import Counted
from runplan.dsl.packs.reader import PackReader
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.text.source import Source
from runplan.dsl.units.base import TOKEN
from runplan.engine.laws.evaluate import evaluate, in_base, inputs_of
from runplan.engine.laws.form import Refused
from runplan.engine.laws.goldens import check_goldens
from runplan.engine.numeric import functions as smooth
from runplan.engine.numeric.closed_form import optimum_of_two_power_laws
from runplan.engine.numeric.functions import Monomial
from runplan.engine.numeric.optimise import minimise

CHINCHILLA = (482.01, 0.3478, 2085.43, 0.3658)
HEAD = 'objective CLM of text; counts total params; cites "a test" evidence derived'


def own(body: str) -> Library:
    """The standard library with a law `own` in front."""
    file, findings = parse_file(Source("own.plan", f'law own "A law of a test" {{ {HEAD}\n{body}\n}}\n'))
    reader = PackReader(*known_of(LIBRARY))
    pack = reader.pack(file.statements)
    assert [f.message for f in (*findings, *reader.findings)] == []
    return LIBRARY.with_pack(pack)


def known(name: str) -> Law:
    law = LIBRARY.law(name)
    assert law is not None
    return law


def outputs(
    name: str, given: Mapping[str, float], objective: str | None = None, catalogue: Library | None = None
) -> dict[str, float]:
    catalogue = catalogue or LIBRARY
    law = catalogue.law(name)
    assert law is not None
    found = evaluate(law, given, objective, catalogue=catalogue)
    assert catalogue.findings == ()
    return {name: output.value for name, output in found.outputs.items()}


# ---- the closed form


@drawn(
    st.floats(1.0, 1e6),
    st.floats(0.05, 1.5),
    st.floats(1.0, 1e6),
    st.floats(0.05, 1.5),
    st.floats(1.0, 100.0),
    st.floats(1e15, 1e27),
)
def test_the_closed_form_is_where_the_optimiser_ends(
    c1: float, p: float, c2: float, q: float, k: float, budget: float
) -> None:
    x, y = optimum_of_two_power_laws(c1, p, c2, q, k, budget)
    loss = smooth.log_of_monomials((Monomial(c1, {"x": -p}), Monomial(c2, {"y": -q})), ("x", "y"))
    spent = smooth.log_of_monomials((Monomial(k / budget, {"x": 1.0, "y": 1.0}),), ("x", "y"))
    middle = 0.5 * math.log(budget / k)
    found = minimise([loss], [], [spent], start=(middle, middle))
    assert found.outcome == "optimal"
    assert found.x == pytest.approx((math.log(x), math.log(y)), abs=1e-6)
    assert k * x * y == pytest.approx(budget, rel=1e-9)


def test_the_closed_form_works_on_arrays() -> None:
    budgets = np.array([1e20, 5.76e23])
    a = np.array([[482.01], [406.401]])
    x, y = optimum_of_two_power_laws(a, 0.3478, 2085.43, 0.3658, 6.0, budgets)
    assert x.shape == y.shape == (2, 2)
    for i in range(2):
        for j in range(2):
            one = optimum_of_two_power_laws(float(a[i, 0]), 0.3478, 2085.43, 0.3658, 6.0, float(budgets[j]))
            assert (x[i, j], y[i, j]) == pytest.approx(one)


def test_the_optimum_of_the_refit() -> None:
    found = outputs("chinchilla", {"compute": 1e21})
    assert found["params"] == pytest.approx(2.77846e9, rel=1e-5)
    assert found["tokens"] == pytest.approx(5.99853e10, rel=1e-5)
    assert found["loss"] == pytest.approx(
        1.8172 + 482.01 / found["params"] ** 0.3478 + 2085.43 / found["tokens"] ** 0.3658
    )


def test_a_surface_of_another_form_goes_to_the_optimiser() -> None:
    """The joint form of Kaplan: its optimum has a closed solution, too, by Lagrange."""
    found = outputs("kaplan.joint", {"compute": 1e21})
    r = 0.076 / 0.103
    # minimise (N_c / N)^r + D_c / D: again two power laws
    n, d = optimum_of_two_power_laws(6.4e13**r, r, 1.8e13, 1.0, 6.0, 1e21)
    assert (found["params"], found["tokens"]) == pytest.approx((n, d), rel=1e-6)


def test_the_optimum_of_a_law_with_a_further_input() -> None:
    scarce = outputs("muennighoff", {"compute": 1e22, "data_tokens": 25e9})
    plenty = outputs("muennighoff", {"compute": 1e22, "data_tokens": 1e15})
    assert scarce["loss"] > plenty["loss"]
    assert 6 * scarce["params"] * scarce["tokens"] == pytest.approx(1e22)
    for factor in (0.99, 1.01):
        n, d = scarce["params"] * factor, scarce["tokens"] / factor
        assert outputs("muennighoff", {"params": n, "tokens": d, "data_tokens": 25e9})["loss"] > scarce["loss"]


# ---- what follows from what


def test_any_two_of_compute_params_and_tokens_give_the_third() -> None:
    assert outputs("chinchilla", {"params": 7e10, "tokens": 1.4e12})["compute"] == pytest.approx(5.88e23)
    assert outputs("chinchilla", {"params": 7e10, "compute": 5.88e23})["tokens"] == pytest.approx(1.4e12)
    found = outputs("chinchilla", {"tokens": 1.4e12, "compute": 5.88e23})
    assert found["params"] == pytest.approx(7e10)
    assert found["loss"] == pytest.approx(1.97388, rel=1e-5)


def test_two_givens_come_before_what_a_law_says_of_one() -> None:
    found = outputs("llama3", {"compute": 6e21, "params": 1e9})
    assert found == {"tokens": pytest.approx(1e12)}


def test_a_line_gives_its_side_and_the_budget_the_other() -> None:
    found = outputs("kaplan", {"compute": 10 * 8.64e19})
    assert found["params"] == pytest.approx(6.98141e9, rel=1e-5)
    assert found["tokens"] == pytest.approx(10 * 8.64e19 / 6 / found["params"])
    assert found["optimal_tokens"] == pytest.approx(3.72417e10, rel=1e-5)


def test_a_table_is_read_between_its_rows_and_not_beyond() -> None:
    assert outputs("chinchilla.approach1", {"params": 1e9})["compute"] == 1.21e20
    between = outputs("chinchilla.approach1", {"params": math.sqrt(1e9 * 10e9)})
    assert between["compute"] == pytest.approx(math.sqrt(1.21e20 * 1.23e22))
    assert between["tokens"] == pytest.approx(math.sqrt(20.2e9 * 205.1e9))
    # Beyond its ends the law's own line is turned round.
    for beyond in (399e6, 10.1e12):
        found = evaluate(known("chinchilla.approach1"), {"params": beyond}, catalogue=LIBRARY).outputs["compute"]
        assert found.formula.startswith("where params(compute C)")
        assert outputs("chinchilla.approach1", {"compute": found.value})["params"] == pytest.approx(beyond)


def test_outputs_are_inputs_of_other_outputs() -> None:
    found = outputs("kaplan.batch", {"loss": 3.0, "steps": 1e5, "batch": 1069110.0})
    assert found["critical_batch"] == pytest.approx(1069110, rel=1e-5)
    assert found["min_steps"] == pytest.approx(5e4, rel=1e-5)


def test_an_input_of_the_laws_own_may_be_counted_in_its_own_unit() -> None:
    catalogue = own("constants { k = 2 }\nbatch(width w in 1e3 param) in 1e6 token = k * w")
    law = catalogue.law("own")
    assert law is not None
    assert inputs_of(law, catalogue)["width"].factor == 1e3
    assert outputs("own", {"width": 5e3}, catalogue=catalogue)["batch"] == pytest.approx(10e6)


def test_the_objective_chooses_and_the_first_is_the_default() -> None:
    clm, mlm = (outputs("plm", {"compute": 1e21}, objective)["loss"] for objective in ("CLM", "MLM of protein"))
    assert [clm, mlm] == pytest.approx([2.23618, 1.95612], rel=1e-5)
    assert outputs("plm", {"compute": 1e21})["loss"] == clm


def test_a_second_stage_has_a_budget_of_its_own() -> None:
    given = {"finetune_tokens": 48e9, "params": 85e6}
    found = outputs("plm", given, "transfer from CLM to MLM")
    assert found["finetune_compute"] == pytest.approx(6 * 48e9 * 85e6)
    assert found["loss"] == pytest.approx(11.133 * found["finetune_compute"] ** -0.038)
    assert found["transferred_tokens"] == pytest.approx(8.94496e9, rel=1e-5)


def test_an_output_names_formula_and_inputs() -> None:
    law = LIBRARY.law("chinchilla")
    assert law is not None
    found = evaluate(law, {"params": 7e10, "tokens": 1.4e12}, catalogue=LIBRARY)
    loss = found.outputs["loss"]
    assert loss.formula == "loss(params N, tokens D) = E + A / N^alpha + B / D^beta"
    assert loss.inputs == ("params", "tokens")
    assert found.beyond == ("params", "compute")


# ---- what has no value


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_a_value_outside_the_domain_is_refused(value: float) -> None:
    with pytest.raises(Refused, match="`params` must be a number above 0"):
        outputs("chinchilla", {"params": value})


def test_an_input_of_the_laws_own_may_be_zero() -> None:
    assert outputs("abnar", {"params": 1e9, "tokens": 20e9, "sparsity": 0.0})["loss"] == pytest.approx(
        2.56568, rel=1e-5
    )
    with pytest.raises(Refused, match="0 or more"):
        outputs("abnar", {"params": 1e9, "tokens": 20e9, "sparsity": -0.1})


def test_what_the_law_does_not_take_is_refused() -> None:
    with pytest.raises(Refused, match="does not take `gpus`"):
        outputs("chinchilla", {"gpus": 8.0})
    with pytest.raises(Refused, match="is for CLM of text, not for MLM"):
        outputs("chinchilla", {"compute": 1e21}, "MLM")


def test_a_contradiction_is_refused() -> None:
    with pytest.raises(Refused, match="contradict each other"):
        outputs("chinchilla", {"params": 7e10, "tokens": 1.4e12, "compute": 1e24})


def test_what_leaves_the_domain_of_a_formula_is_absent() -> None:
    assert outputs("abnar", {"params": 1e9, "tokens": 20e9, "sparsity": 2.0}).keys() == set()
    assert "loss" not in outputs(
        "own", {"params": 1e9}, catalogue=own("constants { a = free }\nloss(params N) = a * N")
    )


def test_a_free_constant_is_no_value_and_no_error() -> None:
    catalogue = own('constants { a = free }\nloss(params N) = a * N\ngolden "own.a" at params = 1 gives loss = 1')
    law = catalogue.law("own")
    assert law is not None
    (result,) = check_goldens(law, catalogue)
    assert (result.verdict, result.got) == ("fail", {})
    assert "loss" in result.note


def test_a_golden_value_that_is_off_fails() -> None:
    catalogue = own(
        'constants { a = 2 }\nloss(params N) = a * N\ngolden "own.a" at params = 3 gives loss = 6, a = 3 within 1e-3'
    )
    law = catalogue.law("own")
    assert law is not None
    (result,) = check_goldens(law, catalogue)
    assert (result.verdict, result.expected, result.got) == ("fail", {"loss": 6.0, "a": 3.0}, {"loss": 6.0, "a": 2.0})


def test_a_golden_value_at_a_wrong_unit_fails_and_says_so() -> None:
    catalogue = own('constants { a = 2 }\nloss(params N) = a * N\ngolden "own.a" at params = 3 tokens gives loss = 6')
    law = catalogue.law("own")
    assert law is not None
    (result,) = check_goldens(law, catalogue)
    assert (result.verdict, result.note) == ("fail", "`params` is in param, not in token")


# ---- every output that the inputs determine


def test_an_optimum_line_is_turned_round() -> None:
    found = outputs("llama3", {"tokens": 1e12})
    assert found["compute"] == pytest.approx((1e12 / 0.299) ** (1 / 0.537))
    assert found["params"] == pytest.approx(found["compute"] / 6e12)
    assert outputs("chinchilla.rule20", {"params": 7e9})["tokens"] == pytest.approx(140e9)
    assert outputs("kaplan", {"params": 1.3e9})["compute"] == pytest.approx(8.64e19)


def test_products_of_quantities_lead_to_inputs() -> None:
    assert outputs("muennighoff", {"tokens": 600e9, "epochs": 6.0})["effective_tokens"] == pytest.approx(
        5.269e11, rel=1e-4
    )
    assert outputs("kaplan", {"compute": 8.64e19})["steps"] == pytest.approx(8.64e19 / 6 / 1.3e9 / 2e6)
    given = {"params": 40e6, "finetune_tokens": 1e5, "characters_per_token": 3.0}
    assert outputs("hernandez", given)["transferred_characters"] == pytest.approx(1.42370e8, rel=1e-5)


def test_what_follows_from_an_output_by_a_formula() -> None:
    found = outputs("chinchilla", {"params": 70e9, "tokens": 1.4e12})
    assert found["perplexity"] == pytest.approx(math.exp(1.97388), rel=1e-4)


def test_the_objective_is_the_first_that_takes_the_inputs() -> None:
    found = evaluate(known("plm"), {"params": 470e6, "finetune_tokens": 85e9}, catalogue=LIBRARY)
    assert found.objective == "transfer from CLM to MLM of protein"
    assert found.outputs["transferred_tokens"].value == pytest.approx(18.1814e9, rel=1e-4)
    assert evaluate(known("plm"), {"params": 470e6}, catalogue=LIBRARY).objective == "CLM of protein"


def test_a_given_output_that_the_law_gives_otherwise_is_refused() -> None:
    with pytest.raises(Refused, match="`params`, `tokens`, `loss` contradict each other"):
        outputs("chinchilla", {"params": 70e9, "tokens": 1.4e12, "loss": 5.0})


def test_an_input_without_a_part_is_named() -> None:
    found = evaluate(known("llama3"), {"compute": 1e22, "epochs": 2.0}, catalogue=LIBRARY)
    assert found.unused == ()
    assert evaluate(known("deepseek"), {"compute": 1e22, "params": 1e9}, catalogue=LIBRARY).unused == ()
    bits = {"params": 1e9, "tokens": 20e9, "weight_bits": 4.0}
    assert evaluate(known("kumar"), bits, catalogue=LIBRARY).unused == ()
    idle = {"compute": 1e22, "params": 1e9, "epochs": 2.0}
    assert evaluate(known("kaplan.compute"), idle, catalogue=LIBRARY).unused == ()
    assert evaluate(known("chinchilla"), {"batch": 1e6}, catalogue=LIBRARY).unused == ("batch",)


def test_an_input_may_be_left_out_where_it_has_a_default() -> None:
    law = "constants { a = 2 }\nloss(params N, tokens D, share s in 1 else 0.5) in 1 = a * s + N / D * 0 token/param"
    assert outputs("own", {"params": 1e9, "tokens": 1e9}, catalogue=own(law))["loss"] == 1.0
    assert outputs("own", {"params": 1e9, "tokens": 1e9, "share": 1.0}, catalogue=own(law))["loss"] == 2.0


def test_a_mixture_has_no_compute_of_all_its_params() -> None:
    with pytest.raises(Refused, match="does not take `compute`"):
        outputs("krajewski", {"compute": 1e21, "granularity": 8.0})


def test_a_share_is_no_input_in_a_unit() -> None:
    with pytest.raises(Refused, match="`tokens` is in token; `50%` is a plain number"):
        in_base("tokens", Num(0.5, text="50%"), Counted(1.0, TOKEN, "token"))
    assert in_base("tokens", Num(5e10, text="50B"), Counted(1.0, TOKEN, "token")) == 5e10
    assert in_base("mfu", Num(0.5, text="50%"), Counted(1.0, (), "1")) == 0.5
