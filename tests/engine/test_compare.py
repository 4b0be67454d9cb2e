"""Laws, and plans, side by side: spread, marks, regrets against arithmetic of its own, reasons, exit codes."""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

from runplan.cli.main import main
from runplan.cli.show.comparison import json as json_format
from runplan.cli.show.comparison import markdown, terminal
from runplan.cli.show.comparison.content import content
from runplan.cli.show.text.look import Look
from runplan.dsl.text.errors import UnknownLaw
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.compare import Comparison, compared_laws, compared_plans, fitting
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

ROOT = Path(__file__).resolve().parents[2]
BUDGET = "compute: 1e21 FLOP\n"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["compare", *argv])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def solved(text: str, *laws: str, name: str = "a.plan") -> Report:
    return report_of(
        name, Buffer(name, text.encode(), Disk(ROOT)), catalogue=LIBRARY, laws=laws or None, intervals=False
    )


def compared(text: str, *laws: str, most: float | None = None) -> Comparison:
    return compared_laws(solved(text, *laws), most)


def document(comparison: Comparison) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json_format.render(comparison))
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
    line = next(line for line in content(comparison).table.lines if line[0] == "compute")
    assert line[1:3] == ("1e24 FLOP*", "1e24 FLOP*")
    inside = compared(BUDGET, "chinchilla", "llama3")
    assert [column.beyond for column in inside.columns] == [{}, {}]
    assert not any("*" in cell for line in content(inside).table.lines for cell in line)


def test_the_end_of_a_range_is_inside() -> None:
    assert compared("compute: 1e21 FLOP\nobjective: CLM of protein\n", "plm").columns[0].beyond == {}


def test_an_infeasible_or_undecided_law_does_not_count() -> None:
    found = compared(BUDGET, "chinchilla", "deepseek")
    assert [column.solution.status for column in found.columns] == ["solved", "undecided"]
    assert spread(document(found), "params") is None
    assert "1 solved, nothing to compare" in content(found).headline


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
    assert any("not comparable" in note for note in content(found).notes)


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
    regret = content(comparison).regret
    assert regret is not None and f"the choice of `{found['least_worst']}`" in regret.notes[0]


def test_where_all_choose_the_same_none_is_the_best() -> None:
    comparison = compared("compute: 1e21 FLOP\nmodel: 1B\ntokens: 10B\n", "chinchilla", "chinchilla.approach3")
    assert comparison.least_worst is None
    regret = content(comparison).regret
    assert regret is not None and regret.notes == ()


def test_without_a_surface_nobody_judges() -> None:
    comparison = compared(BUDGET, "llama3", "chinchilla.approach1")
    assert document(comparison)["regret"] == {"judges": [], "choices": [], "least_worst": None}
    assert content(comparison).regret is None


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
    assert set(found["corpus"].about) == {"chinchilla", "chinchilla.approach3", "kaplan.joint"}


def test_the_same_form_is_seen_under_other_names() -> None:
    reasons = compared(BUDGET, "chinchilla", "sardana").reasons
    assert any(why.kind == "constants" for why in reasons)
    assert not any(why.kind == "constants" for why in compared(BUDGET, "chinchilla", "kaplan.joint").reasons)


def test_one_law_has_no_reason_to_differ_from_itself() -> None:
    assert compared(BUDGET, "chinchilla", "chinchilla.epoch").reasons == ()


# ---- which laws


def test_the_laws_that_fit() -> None:
    plan = solved(BUDGET).plan
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
    for report in (solved(BUDGET, *every),):
        assert {s.law: s.status for s in report.solutions} == dict.fromkeys(every, "solved")


def test_protein_has_variants_only() -> None:
    plan = solved("compute: 1e21 FLOP\nobjective: CLM of protein\n").plan
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
    plan = solved(BUDGET + law).plan
    assert plan is not None
    assert "ours" in fitting(plan, LIBRARY, "chinchilla")
    assert [s.law for s in solved(BUDGET + law, "ours").solutions] == ["ours"]


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(UnknownLaw, match="did you mean `chinchilla`"):
        solved(BUDGET, "chinchila")


# ---- the verb


def test_the_plans_own_laws(plan: Run) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "-o", "json")
    assert code == 0
    assert [column["law"] for column in json.loads(out)["columns"]] == ["chinchilla", "llama3"]


def test_a_plan_of_one_law_is_compared_under_those_that_fit(plan: Run) -> None:
    code, out, _ = plan("plans/compute-only.plan", "-o", "json")
    assert code == 0
    laws = [column["law"] for column in json.loads(out)["columns"]]
    assert laws[0] == "chinchilla"
    assert "kaplan" in laws


@pytest.mark.parametrize(("factor", "expected"), [("10x", 0), ("1.1x", 1), ("1.1", 1)])
def test_max_spread(plan: Run, factor: str, expected: int) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "--max-spread", factor, "-o", "json")
    assert code == expected
    found = [f for f in json.loads(out)["findings"] if f["code"] == "L002"]
    assert [f["data"]["quantity"] for f in found] == (["params", "tokens"] if expected else [])
    for one in found:
        assert (one["name"], one["severity"], one["line"]) == ("laws-disagree", "error", 3)
        assert one["data"]["value"] == pytest.approx(1.353, rel=1e-2)
        assert one["data"]["limit"] == 1.1


def test_max_spread_in_words(plan: Run) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "--max-spread", "1.1x")
    assert code == 1
    said = " ".join(out.split())
    assert "error L002 the laws disagree about params: 167.3B params by `llama3`, 226.5B params by `chinchilla`" in said


def test_plans_side_by_side(plan: Run) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "plans/pretrain-7b.plan", "-o", "json")
    assert code == 0
    found = json.loads(out)
    assert found["by"] == "plan"
    assert [column["name"] for column in found["columns"]] == ["thousand-h100", "pretrain-7b"]
    assert [column["law"] for column in found["columns"]] == ["chinchilla", "chinchilla"]
    assert found["regret"]["judges"] == []
    assert found["losses"]["comparable"] is True


def test_two_spellings_are_the_same(plan: Run) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "plans/thousand-h100.plan.yaml", "-o", "json", "--max-spread", "1x")
    assert code == 0
    found = json.loads(out)
    assert [column["name"] for column in found["columns"]] == ["thousand-h100.plan", "thousand-h100.plan.yaml"]
    assert {row["spread"] for row in found["rows"]} == {1.0}


def test_plans_under_another_law(plan: Run) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "plans/pretrain-7b.plan", "--laws", "llama3", "-o", "json")
    assert code == 0
    assert [column["law"] for column in json.loads(out)["columns"]] == ["llama3", "llama3"]


def test_a_setting_holds_for_the_comparison(plan: Run) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "--set", "tokens=5T", "-o", "json")
    assert code == 0
    assert cells(json.loads(out), "tokens") == [5e12, 5e12]


def test_a_plan_that_is_over_budget(plan: Run) -> None:
    code, out, _ = plan("plans/over-budget.plan", "--laws", "chinchilla,llama3")
    assert code == 1
    assert "B001" in out


def test_a_plan_that_cannot_be_read(plan: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.plan"
    broken.write_text("hardware: 5 x H999 for 1 day\n", encoding="utf-8")
    for arguments in ([str(broken)], [str(broken), "plans/thousand-h100.plan"]):
        code, out, _ = plan(*arguments)
        assert code == 1
        assert "N002" in out
        assert "H999" in out
        found = json.loads(plan(*arguments, "-o", "json")[1])
        assert [f["code"] for f in found["findings"] if f["severity"] == "error"] == ["N002"]
        assert len(found["columns"]) == len(arguments) - 1
        assert plan(*arguments, "-o", "markdown")[0] == 1


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["plans/thousand-h100.plan", "--laws", "chinchila,llama3"], "did you mean `chinchilla`?"),
        (["plans/thousand-h100.plan", "--laws", "zzzzzz"], "`plan law` lists them"),
        (["plans/thousand-h100.plan", "--laws", ","], "names none"),
        (["plans/thousand-h100.plan", "plans/pretrain-7b.plan", "--laws", "chinchilla,llama3"], "under one law"),
        (["plans/thousand-h100.plan", "--max-spread", "big"], "write a factor"),
        (["plans/thousand-h100.plan", "--max-spread", "0.5x"], "write a factor"),
        (["plans/thousand-h100.plan", "-o", "html"], "unknown format"),
        (["plans/nowhere.plan"], "no such file"),
        (["plans/prices.plan"], "only definitions"),
        (["-"], "--stdin-filename"),
    ],
)
def test_what_cannot_run(plan: Run, argv: list[str], why: str) -> None:
    code, out, err = plan(*argv)
    assert (code, out) == (2, "")
    assert err.startswith("plan compare: ")
    assert why in err


# ---- formats


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("laws", ["chinchilla,llama3", "chinchilla,kaplan,llama3,kaplan.joint,chinchilla.approach3"])
def test_the_table_keeps_to_its_width(width: int, laws: str) -> None:
    report = report_of(
        "plans/thousand-h100.plan", Disk(ROOT), catalogue=LIBRARY, laws=tuple(laws.split(",")), intervals=False
    )
    text = terminal.render(compared_laws(report, 1.1), Look(width))
    assert max(map(len, text.splitlines())) <= width
    for said in ("params", "Least worst regret", "Why they differ", "L002"):
        assert said in " ".join(text.split())
    assert "\x1b" not in text


def test_what_all_agree_about_is_said_once_where_the_table_is_split() -> None:
    laws = ("chinchilla", "kaplan", "llama3", "kaplan.joint", "chinchilla.approach3")
    report = report_of("plans/thousand-h100.plan", Disk(ROOT), catalogue=LIBRARY, laws=laws, intervals=False)
    text = " ".join(terminal.render(compared_laws(report), Look(80)).split())
    assert "The same under all: compute 6.155e24 FLOP, time 6 months" in text
    assert text.count("GPU-hours paid") == 1


def test_csv(plan: Run) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "-o", "csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    params = {row["name"]: row for row in rows if row["quantity"] == "params"}
    assert float(params["chinchilla"]["value"]) == pytest.approx(2.265e11, rel=1e-3)
    assert float(params["llama3"]["spread"]) == pytest.approx(1.353, rel=1e-2)
    assert any(row["quantity"] == "regret under chinchilla" for row in rows)


def test_markdown() -> None:
    text = markdown.render(compared(BUDGET, "chinchilla", "chinchilla.approach3", "llama3", most=1.01))
    assert "| params | " in text
    assert "| choice of | chinchilla | chinchilla.approach3 | worst |" in text
    assert "- `chinchilla` and `chinchilla.approach3` are one formula with other constants" in text
    assert "| error | L002 | " in text


def test_what_a_plan_says_is_escaped(tmp_path: Path) -> None:
    reports = [(name, solved(BUDGET, name=f"{name}.plan")) for name in ("a|b", "<i>c")]
    text = markdown.render(compared_plans(reports))
    assert "a\\|b" in text
    assert "<i>" not in text


def test_same_input_same_bytes(plan: Run) -> None:
    argv = ("plans/thousand-h100.plan", "--laws", "chinchilla,kaplan.joint,llama3", "-o", "json")
    assert plan(*argv) == plan(*argv)


def test_the_example_of_the_help_runs(plan: Run) -> None:
    code, out, _ = plan("--help")
    assert code == 0
    example = " ".join(out.split()).partition("example: plan compare ")[2]
    assert plan(*shlex.split(example))[0] == 0
