"""`plan compare`: what it compares, what it refuses, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from reports import ROOT

from runplan.cli.main import main

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
    (tokens,) = (row for row in json.loads(out)["rows"] if row["quantity"] == "tokens")
    assert [cell["value"] for cell in tokens["values"]] == [5e12, 5e12]


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
        (["plans/thousand-h100.plan", "plans/pretrain-7b.plan", "--laws", "all"], "under laws that are named"),
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


def test_csv(plan: Run) -> None:
    code, out, _ = plan("plans/thousand-h100.plan", "-o", "csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    params = {row["name"]: row for row in rows if row["quantity"] == "params"}
    assert float(params["chinchilla"]["value"]) == pytest.approx(2.265e11, rel=1e-3)
    assert float(params["llama3"]["spread"]) == pytest.approx(1.353, rel=1e-2)
    assert any(row["quantity"] == "regret under chinchilla" for row in rows)


def test_same_input_same_bytes(plan: Run) -> None:
    argv = ("plans/thousand-h100.plan", "--laws", "chinchilla,kaplan.joint,llama3", "-o", "json")
    assert plan(*argv) == plan(*argv)


def test_the_example_of_the_help_runs(plan: Run) -> None:
    code, out, _ = plan("--help")
    assert code == 0
    example = " ".join(out.split()).partition("example: plan compare ")[2]
    assert plan(*shlex.split(example))[0] == 0
