"""Batch and learning rate: who lends them, in which count of params, and how several laws of them are compared."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY
from reports import compared

from runplan.cli.show.comparison.content import content
from runplan.dsl.expr.name import quantity
from runplan.dsl.text.reader import Files
from runplan.engine.documents.solve import document
from runplan.engine.laws.totals import in_totals
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

SIZED = "model: 7B\ntokens: 1T\n"
OPEN = "compute: 1e21 FLOP\n"
LENT = ("batch", "learning_rate")


def report(text: str, *laws: str) -> Report:
    return report_of("a.plan", Files({"a.plan": text}), catalogue=LIBRARY, laws=laws or None, intervals=False)


def solution(text: str) -> Solution:
    found = report(text)
    assert len(found.solutions) == 1, [s.law for s in found.solutions]
    return found.solutions[0]


def lenders(one: Solution) -> dict[str, str]:
    return {name: value.by for name in LENT if (value := one.quantity(name)) is not None}


# ---- named beside a law of the loss


@pytest.mark.parametrize("plan", [SIZED, OPEN, "hardware: 64 x H100 for 30 days at 40% MFU\n"])
def test_a_law_of_settings_beside_a_law_lends_its_own(plan: str) -> None:
    one = solution(f"use laws chinchilla, steplaw\n{plan}")
    assert (one.law, one.status) == ("chinchilla", "solved")
    assert lenders(one) == dict.fromkeys(LENT, "steplaw")
    assert one.get("batch") == pytest.approx(0.58 * (one.get("tokens") or 0) ** 0.571)


def test_each_setting_is_lent_by_the_first_law_that_gives_it() -> None:
    assert lenders(solution(f"use laws chinchilla, minicpm.batch, steplaw\n{SIZED}")) == {
        "batch": "minicpm.batch",
        "learning_rate": "steplaw",
    }


def test_who_lends_stands_in_the_document_the_assumptions_and_under_the_table() -> None:
    found: dict[str, Any] = document(report(f"use laws chinchilla, steplaw\n{SIZED}"))
    assert found["solutions"][0]["by"] == {**dict.fromkeys(LENT, "steplaw"), "weight_decay": "usual"}
    said = {a["name"]: a["source"] for a in found["assumptions"]}
    assert all(said[name].startswith("steplaw: arXiv:2503.04715") for name in LENT)


def test_a_law_of_settings_lends_to_every_law_beside_it() -> None:
    found = report(f"use laws chinchilla, steplaw, kaplan.joint\n{OPEN}")
    assert [s.law for s in found.solutions] == ["chinchilla", "kaplan.joint"]
    assert all(lenders(s) == dict.fromkeys(LENT, "steplaw") for s in found.solutions)


def test_what_the_plan_states_wins_and_the_lent_is_what_it_is_held_to() -> None:
    one = solution(f"use laws chinchilla, steplaw\n{SIZED}optimizer: AdamW {{ batch: 2M tokens }}\n")
    assert one.get("batch") == 2e6
    assert one.get("law_batch") == pytest.approx(0.58 * 1e12**0.571)
    assert one.values[next(n for n in one.values if n.text == "law_batch")].by == "steplaw"


def test_a_law_of_settings_for_another_objective_lends_nothing() -> None:
    one = solution("use laws plm, steplaw\nobjective: CLM of protein\ncompute: 1e20 FLOP\n")
    assert "steplaw" not in lenders(one).values()


# ---- alone


def test_alone_it_is_the_law_of_a_size_and_tokens_that_are_given() -> None:
    one = solution(f"use laws steplaw\n{SIZED}")
    assert (one.law, one.resolved, one.status) == ("steplaw", "steplaw", "solved")
    assert lenders(one) == dict.fromkeys(LENT, "steplaw")


@pytest.mark.parametrize("law", ["steplaw", "deepseek", "porian", "minicpm.batch"])
def test_alone_it_lends_to_the_usual_law_where_there_is_something_to_choose(law: str) -> None:
    one = solution(f"use laws {law}\n{OPEN}")
    assert (one.law, one.resolved, one.status) == (law, "chinchilla.epoch", "solved")
    assert one.lends
    assert law in lenders(one).values()


# ---- counts of params


@settings(max_examples=20, deadline=None)
@given(size=st.floats(1e7, 1e12), tokens=st.floats(1e9, 1e14))
def test_the_size_is_converted_to_what_the_lending_law_counts(size: float, tokens: float) -> None:
    one = solution(f"use laws chinchilla, steplaw\nmodel: {size:.6e} params\ntokens: {tokens:.6e} tokens\n")
    law = LIBRARY.law("steplaw")
    assert law is not None
    at = in_totals(law, {"params": float(f"{size:.6e}"), "tokens": float(f"{tokens:.6e}")}, catalogue=LIBRARY)
    assert one.get("learning_rate") == pytest.approx(at.outputs["learning_rate"].value, rel=1e-4)
    assert one.get("params_non_embedding") == pytest.approx(at.outputs["params_non_embedding"].value, rel=1e-4)


def test_a_law_of_all_params_lends_to_one_that_counts_no_embeddings() -> None:
    one = solution(f"use laws kaplan.joint, porian\n{SIZED}")
    assert one.get("learning_rate") == pytest.approx(solution(f"use laws porian\n{SIZED}").get("learning_rate"))


def test_the_size_of_a_mixture_is_what_a_token_passes_through() -> None:
    mixed, dense = (
        solution(f"use laws chinchilla, porian\nmodel: {model}\ntokens: 1T\n")
        for model in ("{ params: 70B; active: 7B }", "7B")
    )
    assert mixed.get("learning_rate") == pytest.approx(dense.get("learning_rate"))


def test_the_shape_tells_the_params_without_embeddings() -> None:
    shape = "model { layers: 32; hidden: 4096; ffn: 11008; heads: 32; vocab: 32000 }\ntokens: 1T\n"
    one = solution(f"use laws chinchilla, steplaw\n{shape}")
    count = one.get("params_non_embedding") or 0
    assert one.get("learning_rate") == pytest.approx(1.79 * count**-0.713 * 1e12**0.307)


# ---- side by side


@pytest.mark.parametrize("plan", [SIZED, OPEN])
def test_laws_of_settings_side_by_side(plan: str) -> None:
    comparison = compared(plan, "chinchilla", "steplaw", "porian", "minicpm.batch")
    assert [column.name for column in comparison.columns] == ["chinchilla", "steplaw", "porian", "minicpm.batch"]
    assert {column.solution.resolved for column in comparison.columns} == {"chinchilla.epoch"}
    own = [lenders(column.solution) for column in comparison.columns[1:]]
    assert [law["batch"] for law in own] == ["steplaw", "porian", "minicpm.batch"]
    sizes = {round(math.log(column.solution.get("params") or 0), 6) for column in comparison.columns}
    assert len(sizes) == 1
    assert comparison.judges == (0,)


def test_settings_of_a_law_that_is_used_beyond_its_runs_are_marked() -> None:
    comparison = compared("compute: 1e24 FLOP\n", "deepseek", "steplaw")
    deepseek, steplaw = comparison.columns
    assert deepseek.beyond == pytest.approx(dict.fromkeys(LENT, 1e24 / 2e19))
    assert steplaw.beyond.keys() == set(LENT)


def test_a_law_beyond_its_runs_is_said_where_the_plan_names_it() -> None:
    found = report("use laws chinchilla, deepseek\ncompute: 1e21 FLOP\n")
    (said,) = [f for f in found.findings if f.code == "L001" and "deepseek" in f.message]
    assert said.at.span.text == "deepseek"
    assert "`batch` and `learning_rate`" in said.message


# ---- optimizers


@pytest.mark.parametrize("name", ["AdamW", "adamw", "Adam", "FusedAdam"])
def test_what_has_adamws_step_has_its_rate(name: str) -> None:
    found = report(f"{SIZED}optimizer: {name}\n")
    assert lenders(found.solutions[0]) == dict.fromkeys(LENT, "usual")
    assert not {"T026", "T027"} & {f.code for f in found.findings}


@pytest.mark.parametrize("name", ["LAMB", "Muon", "muon", "Adafactor", "Lion", "SGD"])
@pytest.mark.parametrize("laws", ["", "use laws chinchilla, steplaw\n", "use laws steplaw\n"])
def test_another_step_has_no_rate_of_adamws(name: str, laws: str) -> None:
    found = report(f"{laws}{SIZED}optimizer: {name}\n")
    assert found.solutions[0].status == "solved"
    assert lenders(found.solutions[0]).keys() == {"batch"}
    (said,) = [f for f in found.findings if f.code in ("T026", "T027")]
    assert (said.code, said.severity, said.at.span.text) == ("T027", "info", name)


def test_a_rate_that_is_stated_needs_no_word() -> None:
    found = report(f"{SIZED}optimizer: Muon {{ learning_rate: 2e-4 }}\n")
    assert found.solutions[0].get("learning_rate") == 2e-4
    assert not {"T024", "T026", "T027"} & {f.code for f in found.findings}


@pytest.mark.parametrize(("name", "near"), [("AdmaW", "AdamW"), ("Moun", "Muon"), ("LAMBB", "LAMB"), ("our-own", "")])
def test_an_unknown_optimizer_is_said_once_with_the_nearest(name: str, near: str) -> None:
    found = report(f"{SIZED}optimizer: {name}\n")
    (said,) = [f for f in found.findings if f.code in ("T026", "T027")]
    assert (said.code, said.severity, said.at.span.text) == ("T026", "warning", name)
    assert (f"did you mean `{near}`?" in said.help) == bool(near)
    assert found.solutions[0].status == "solved"


# ---- by how far runs lie about the law


@pytest.mark.parametrize("setting", LENT)
@pytest.mark.parametrize(
    ("off", "found"), [(0.0, None), (1.2, None), (-1.2, None), (1.4, "info"), (-1.4, "info"), (4.5, "warning")]
)
def test_a_setting_is_judged_by_how_far_runs_lie_about_the_law(setting: str, off: float, found: str | None) -> None:
    one = solution(SIZED)
    usual, spread = one.get(setting) or 0.0, one.problem.definitions[quantity(setting)].spread
    assert spread is not None
    unit = " tokens" if setting == "batch" else ""
    stated = report(f"{SIZED}optimizer: AdamW {{ {setting}: {usual * math.exp(off * spread):.6e}{unit} }}\n")
    assert stated.solutions[0].get(f"{setting}_off") == pytest.approx(off, abs=1e-5)
    codes = ("T020", "T021") if setting == "batch" else ("T024",)
    assert [f.severity for f in stated.findings if f.code in codes] == ([found] if found else [])


# ---- a user's own runs

OWN = """
run ours-{i} "Ours" {{
  params 7B from "our log"
  tokens 1T from "our log"
  batch {batch} tokens from "our log"
  learning_rate {rate} from "our log"
}}
"""


def with_own(count: int, times: float) -> Solution:
    plain = solution(SIZED)
    batch, rate = ((plain.get(name) or 0.0) * times for name in LENT)
    return solution(SIZED + "".join(OWN.format(i=i, batch=f"{batch:.6e}", rate=f"{rate:.6e}") for i in range(count)))


@pytest.mark.parametrize("setting", LENT)
@given(count=st.integers(1, 6), times=st.floats(0.25, 4.0))
@settings(max_examples=8, deadline=None)
def test_own_runs_move_the_default_towards_them_and_more_of_them_further(
    setting: str, count: int, times: float
) -> None:
    usual, moved = solution(SIZED).get(setting), with_own(count, times).get(setting)
    assert usual and moved
    assert moved / usual == pytest.approx(times ** (count / (count + 1)), rel=1e-3)


def test_own_runs_do_not_move_a_law_that_is_named() -> None:
    text = f"use laws chinchilla, steplaw\n{SIZED}"
    run = OWN.format(i=0, batch="1M", rate="1e-3")
    assert solution(text + run).get("batch") == solution(text).get("batch")


# ---- what is not given, and who gives what


@pytest.mark.parametrize("plan", ["objective: MLM of music\n", "objective: CLM of speech\n"])
@pytest.mark.parametrize("setting", ["batch", "learning_rate", "weight_decay", "steps"])
def test_a_setting_that_no_law_gives_is_asked_for_and_what_is_offered_clears_it(plan: str, setting: str) -> None:
    most = {"batch": "100M tokens", "steps": "100M steps"}.get(setting, "1")
    text = f"{plan}model: 300M params\ntokens: 30B tokens\nrequire {setting} <= {most}\n"
    found = [one for one in report(text).findings if one.code == "C004"]
    assert [one.message.partition("`")[2].partition("`")[0] for one in found] == [setting]
    statement = found[0].help[0].partition("`")[2].rstrip("`")
    assert not [one for one in report(text + statement + "\n").findings if one.code == "C004"]


@pytest.mark.parametrize("law", ["steplaw", "porian"])
def test_runs_lie_as_far_about_a_law_that_leads_as_about_one_that_lends(law: str) -> None:
    plan = "model: 1B params\ntokens: 20B tokens\n"
    lent, own = (solution(f"use laws {laws}\n{plan}") for laws in (f"chinchilla, {law}", law))
    for name in LENT:
        spreads = [one.problem.definitions[quantity(name)].spread for one in (lent, own)]
        assert spreads[0] is not None and spreads[0] == spreads[1]


def test_a_law_that_reads_the_loss_has_one_where_size_and_tokens_are_given() -> None:
    one = solution(f"use laws minicpm.batch\n{SIZED}")
    assert one.get("batch") == pytest.approx(1.21e9 / (one.get("loss") or 0) ** 6.24, rel=1e-3)


def test_a_comparison_says_whose_a_setting_is_that_the_law_does_not_give() -> None:
    comparison = compared(SIZED, "steplaw", "minicpm.batch")
    notes = content(comparison).notes
    assert "`learning_rate` under `minicpm.batch` is that of `usual`." in notes
    assert not [note for note in notes if note.startswith(("`batch`", "`weight_decay`"))]


def test_a_device_without_bf16_takes_fp16_and_says_so() -> None:
    for device, precision in (("V100", "fp16"), ("T4", "fp16"), ("A100", "bf16")):
        found: dict[str, Any] = document(report(f"hardware: 64 x {device} for 30 days\n"))
        assert not [one for one in found["findings"] if one["severity"] == "error"]
        assert [one["value"] for one in found["assumptions"] if one["name"] == "precision"] == [precision]
