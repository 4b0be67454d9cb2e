"""Laws, or plans, side by side: spreads, marks, losses that must not be compared, regrets and reasons."""

from __future__ import annotations

import math
from typing import Any

import pytest
from known import LIBRARY
from reports import BUDGET, compared, under

from runplan.cli.show.comparison import csv, markdown, terminal
from runplan.dsl.text.errors import UnknownLaw
from runplan.engine.comparison.compare import Comparison, compared_plans, fitting
from runplan.engine.comparison.rows import of_money
from runplan.engine.documents.compare import document as document_of


def document(comparison: Comparison) -> dict[str, Any]:
    found: dict[str, Any] = document_of(comparison)
    assert found["schema"] == "plan.compare/v1"
    return found


def cells(found: dict[str, Any], quantity: str) -> list[Any]:
    row = next(row for row in found["rows"] if row["quantity"] == quantity)
    return [cell and cell["value"] for cell in row["values"]]


def spread(found: dict[str, Any], quantity: str) -> Any:
    return next(row for row in found["rows"] if row["quantity"] == quantity)["spread"]


# ---- the table


def test_laws_side_by_side() -> None:
    found = document(compared(BUDGET, "chinchilla", "llama3"))
    assert [column["resolved"] for column in found["columns"]] == ["chinchilla.epoch", "llama3"]
    params = cells(found, "params")
    assert spread(found, "params") == pytest.approx(max(params) / min(params))
    tokens = cells(found, "tokens")
    assert cells(found, "tokens_per_param") == pytest.approx([t / n for t, n in zip(tokens, params, strict=True)])
    assert spread(found, "compute") == 1.0
    assert cells(found, "loss")[1] is None
    assert spread(found, "loss") is None


def test_figures_outside_a_range_are_marked() -> None:
    comparison = compared("compute: 1e24 FLOP\n", "chinchilla", "llama3")
    found = document(comparison)
    compute = next(row for row in found["rows"] if row["quantity"] == "compute")
    assert [cell["beyond"] for cell in compute["values"]] == pytest.approx([1e24 / 1.5e22, 1e24 / 1e22])
    inside = compared(BUDGET, "chinchilla", "llama3")
    assert [column.beyond for column in inside.columns] == [{}, {}]


def test_the_end_of_a_range_is_inside() -> None:
    assert compared("compute: 1e21 FLOP\nobjective: CLM of protein\n", "plm").columns[0].beyond == {}


def test_an_infeasible_or_undecided_law_does_not_count() -> None:
    found = compared(BUDGET, "chinchilla", "compute.6nd")
    assert [column.solution.status for column in found.columns] == ["solved", "undecided"]
    assert spread(document(found), "params") is None


# ---- losses


def test_losses_of_one_corpus_are_compared() -> None:
    found = compared(BUDGET, "chinchilla", "chinchilla.approach3")
    assert found.losses == ""
    losses = cells(document(found), "loss")
    assert spread(document(found), "loss") == pytest.approx(max(losses) / min(losses))


@pytest.mark.parametrize(("law", "why"), [("kaplan.joint", "on WebText2"), ("kumar", "`kumar` names no corpus")])
def test_losses_of_others_are_not(law: str, why: str) -> None:
    found = compared(BUDGET, "chinchilla", law)
    assert why in found.losses
    assert spread(document(found), "loss") is None
    assert document(found)["losses"]["comparable"] is False


# ---- regret, against arithmetic of its own


def chinchilla_loss(params: float, tokens: float) -> float:
    return 1.8172 + 482.01 * math.pow(params, -0.3478) + 2085.43 * math.pow(tokens, -0.3658)


def least_compute(loss: float) -> float:
    """In closed form: at the optimum, alpha A / N^alpha = beta B / D^beta."""
    a, b, alpha, beta = 482.01, 2085.43, 0.3478, 0.3658

    def at(compute: float) -> float:
        params = (alpha * a / (beta * b)) ** (1 / (alpha + beta)) * (compute / 6) ** (beta / (alpha + beta))
        return chinchilla_loss(params, compute / 6 / params)

    low, high = 1e15, 1e28
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if at(middle) > loss else (low, middle)
    return high


def test_the_regret_of_a_choice() -> None:
    found = document(compared(BUDGET, "chinchilla", "llama3", "kaplan"))
    assert found["regret"]["judges"] == ["chinchilla"]
    params, tokens = cells(found, "params"), cells(found, "tokens")
    for i, choice in enumerate(found["regret"]["choices"]):
        said = choice["under"]["chinchilla"]
        loss = chinchilla_loss(params[i], tokens[i])
        assert said["loss"]["value"] == pytest.approx(loss, rel=1e-9)
        # All params count here, those of the embeddings too, whatever the law that chose them counts.
        expected = 6 * params[i] * tokens[i] / least_compute(loss) - 1
        assert said["regret"] == pytest.approx(expected, abs=1e-6)
        assert choice["worst"] == said["regret"]
    own = found["regret"]["choices"][0]
    assert own["under"]["chinchilla"]["regret"] == pytest.approx(0, abs=1e-9)
    assert own["under"]["chinchilla"]["loss"]["value"] == pytest.approx(cells(found, "loss")[0])


def test_a_choice_in_another_count_of_params_is_turned_back() -> None:
    comparison = compared(BUDGET, "kaplan.joint", "chinchilla")
    regret = document(comparison)["regret"]
    own = regret["choices"][0]["under"]["kaplan.joint"]
    assert own["regret"] == pytest.approx(0, abs=1e-6)
    assert own["loss"]["value"] == pytest.approx(cells(document(comparison), "loss")[0])
    # Chinchilla's total, read as Kaplan counts it: N + 47491 N^(1/3) is the total.
    total, tokens = (cells(document(comparison), name)[1] for name in ("params", "tokens"))
    inner = total
    for _ in range(200):
        inner = total - 47491 * inner ** (1 / 3)
    loss = ((6.4e13 / inner) ** (0.076 / 0.103) + 1.8e13 / tokens) ** 0.103
    assert regret["choices"][1]["under"]["kaplan.joint"]["loss"]["value"] == pytest.approx(loss, rel=1e-6)


def test_the_least_worst_regret() -> None:
    comparison = compared(BUDGET, "chinchilla", "chinchilla.approach3", "llama3")
    found = document(comparison)["regret"]
    worst = {choice["choice"]: choice["worst"] for choice in found["choices"]}
    assert found["least_worst"] == min(worst, key=lambda name: worst[name])


def test_where_all_choose_the_same_none_is_the_best() -> None:
    comparison = compared("compute: 1e21 FLOP\nmodel: 1B\ntokens: 10B\n", "chinchilla", "chinchilla.approach3")
    assert comparison.least_worst is None


def test_without_a_surface_nobody_judges() -> None:
    comparison = compared(BUDGET, "llama3", "chinchilla.approach1")
    nobody: dict[str, Any] = {"judges": [], "choices": [], "least_worst": None, "knowing_law": None}
    assert document(comparison)["regret"] == nobody


def test_a_law_of_the_loss_by_size_alone_is_no_judge() -> None:
    assert [compared(BUDGET, "chinchilla", "kaplan.size").columns[i].name for i in (0, 1)] == [
        "chinchilla",
        "kaplan.size",
    ]
    assert document(compared(BUDGET, "chinchilla", "kaplan.size"))["regret"]["judges"] == ["chinchilla"]


# ---- why


def test_reasons() -> None:
    laws = ("chinchilla", "chinchilla.approach3", "kaplan.joint", "llama3")
    comparison = compared("compute: 1e23 FLOP\nrequire tokens / params >= 60\n", *laws)
    found = {why.kind: why for why in comparison.reasons}
    assert found["constants"].about == ("chinchilla", "chinchilla.approach3")
    assert "`kaplan.joint` counts the params without the embeddings" in found["counts"].text
    assert "`llama3` gives the best tokens for a budget" in found["form"].text
    assert "kaplan.joint" in found["range"].about
    assert found["line"].about == ("llama3",)
    assert set(found["corpus"].about) == {"chinchilla", "chinchilla.approach3", "kaplan.joint", "llama3"}


def test_the_same_form_is_seen_under_other_names() -> None:
    reasons = compared(BUDGET, "chinchilla", "sardana").reasons
    assert any(why.kind == "constants" for why in reasons)
    assert not any(why.kind == "constants" for why in compared(BUDGET, "chinchilla", "kaplan.joint").reasons)


def test_one_law_has_no_reason_to_differ_from_itself() -> None:
    assert compared(BUDGET, "chinchilla", "chinchilla.epoch").reasons == ()


# ---- which laws


def test_the_laws_that_fit() -> None:
    plan = under(BUDGET).plan
    assert plan is not None
    fit = fitting(plan, LIBRARY, "chinchilla")
    assert fit[0] == "chinchilla"
    assert {"kaplan", "llama3"} <= set(fit)
    assert not {"chinchilla.epoch", "chinchilla.approach3", "plm", "deepseek", "compute.6nd", "params.pearce"} & set(
        fit
    )
    every = fitting(plan, LIBRARY, "chinchilla", variants=True)
    assert set(fit) < set(every)
    assert "chinchilla.epoch" not in every
    for report in (under(BUDGET, *every),):
        assert {s.law: s.status for s in report.solutions} == dict.fromkeys(every, "solved")


def test_what_is_set_aside_is_taken_by_its_name_only() -> None:
    plan = under(BUDGET).plan
    assert plan is not None
    aside = {law.name for law in LIBRARY.laws() if law.aside}
    assert {"llama3.text_rounding", "minicpm.panel3", "kaplan.headline"} <= aside
    assert not aside & set(fitting(plan, LIBRARY, "chinchilla", variants=True))
    assert fitting(plan, LIBRARY, "minicpm.panel3")[0] == "minicpm.panel3"


def test_no_range_of_an_input_that_the_plan_does_not_have() -> None:
    (column,) = compared(BUDGET, "kumar").columns
    assert set(column.beyond) == {"params"}


def test_protein_has_variants_only() -> None:
    plan = under("compute: 1e21 FLOP\nobjective: CLM of protein\n").plan
    assert plan is not None
    assert {"plm", "plm.refit"} <= set(fitting(plan, LIBRARY, "plm"))


def test_a_law_of_the_plan_itself() -> None:
    law = """law ours {
      objective CLM of text
      counts total params
      constants { a = 0.1 }
      params(compute C) = a * C^0.5
      cites "us"
    }
    """
    plan = under(BUDGET + law).plan
    assert plan is not None
    assert "ours" in fitting(plan, LIBRARY, "chinchilla")
    assert [s.law for s in under(BUDGET + law, "ours").solutions] == ["ours"]


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(UnknownLaw, match="did you mean `chinchilla`"):
        under(BUDGET, "chinchila")


# ---- money


PRICED = "hardware: 64 x H100 for 30 days at 40% MFU @ 2 {}/GPU/hour\n"


def plans_in(*texts: str) -> Comparison:
    return compared_plans([(f"plan{i}", under(text)) for i, text in enumerate(texts)])


def test_plans_keep_their_own_currency() -> None:
    comparison = plans_in(PRICED.format("USD"), PRICED.format("EUR"))
    found = document(comparison)
    costs = next(row for row in found["rows"] if row["quantity"] == "cost")
    assert [(cell["value"], cell["unit"]) for cell in costs["values"]] == [(92160.0, "USD"), (92160.0, "EUR")]
    assert costs["spread"] is None
    assert "no plan declares a rate" in of_money(comparison.columns)
    shown = csv.render(comparison)
    assert "cost,92160.0,USD" in shown and "cost,92160.0,EUR" in shown
    for form in (markdown, terminal):
        shown = form.render(comparison)
        assert "92,160 USD" in shown and "92,160 EUR" in shown


def test_money_is_compared_by_a_rate_that_a_plan_declares() -> None:
    rate = "rate EUR = 1.08 USD on 2026-01-15\n"
    comparison = plans_in(PRICED.format("USD"), rate + PRICED.format("EUR"))
    found = document(comparison)
    assert spread(found, "cost") == pytest.approx(1.08)
    assert cells(found, "cost") == [92160.0, 92160.0]  # each in its own
    twice = plans_in(rate.replace("1.08", "1.2") + PRICED.format("USD"), rate + PRICED.format("EUR"))
    assert spread(document(twice), "cost") is None
