"""`plan diff`: what plans come to as of a commit and now, and which change moved what."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repositories import commit, git, repository, write
from schemas import wrong

from runplan.cli.main import main
from runplan.cli.show.differences.markdown import MARKER, MOST

PLAN = """\
plan "Trial"
use laws chinchilla
let budget = 200k USD
hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour
data web: 10T tokens
require cost <= budget
"""
PRICE = 'price team { price 3 USD/GPU/hour from "a contract" }\n'
Diff = Callable[..., dict[str, Any]]


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "repository")
    commit(folder, {"plans/a.plan": PLAN, "plans/b.plan": "compute: 1e21 FLOP\n"})
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    return folder


@pytest.fixture
def diff(top: Path, capsys: pytest.CaptureFixture[str]) -> Diff:
    def compared(*words: str, code: int = 0) -> dict[str, Any]:
        assert main(["diff", "-o", "json", *words]) == code, capsys.readouterr().err
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert wrong(found) == []
        return found

    return compared


def plans(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {plan["file"]: plan for plan in found["plans"]}


def moves(cause: dict[str, Any]) -> dict[str, float]:
    return {name: by["value"] for name, by in cause["moves"].items()}


def test_a_repository_by_its_commits(top: Path, diff: Diff) -> None:
    """A plan is added, its cost raised, it is renamed, and a pack changes."""
    write(top, {"runplan.toml": 'packs = ["packs"]\n', "packs/team.plan": PRICE})
    commit(top, {"plans/new.plan": PLAN.replace("3 USD/GPU/hour", "team")})
    assert [(p["file"], p["state"], p["now"]["holds"]) for p in diff("--base", "HEAD~1")["plans"]] == [
        ("plans/new.plan", "added", True)
    ]
    commit(top, {"plans/new.plan": PLAN.replace("3 USD/GPU/hour", "team").replace("64 x", "96 x")})
    (raised,) = diff("HEAD~1")["plans"]
    assert raised["state"] == "changed" and raised["values"][0]["quantity"] == "cost"
    assert raised["values"][0]["share"] == pytest.approx(0.5) and raised["values"][1]["quantity"] == "loss"
    assert [c["name"] for c in raised["causes"]] == ["hardware: gpus"]
    assert [f["code"] for f in raised["new"] if f["severity"] == "error"] == ["B001"]
    git(top, "mv", "plans/new.plan", "plans/renamed.plan")
    commit(top)
    (renamed,) = diff("HEAD~1", "--exit-code", code=1)["plans"]
    assert (renamed["file"], renamed["was"], renamed["state"]) == ("plans/renamed.plan", "plans/new.plan", "same")
    commit(top, {"packs/team.plan": PRICE.replace("3 USD", "4 USD")})
    (dearer,) = diff("HEAD~1")["plans"]
    assert [(c["kind"], c["name"]) for c in dearer["causes"]] == [("pack", "packs/team.plan: price team")]
    assert {one["quantity"] for one in dearer["values"]} == {"cost", "price"}
    (both,) = diff("--base", "HEAD~3", "plans/renamed.plan")["plans"]
    cost = next(one for one in both["values"] if one["quantity"] == "cost")
    parts = [moves(cause)["cost"] for cause in both["causes"]] + [both["together"]["cost"]["value"]]
    assert sum(parts) == pytest.approx(cost["by"]["value"])
    assert parts == pytest.approx([69120, 46080, 23040])


def test_without_a_base_it_is_where_the_branch_left_the_default_branch(top: Path, diff: Diff) -> None:
    assert diff()["then"]["name"].startswith("HEAD (") and diff()["plans"] == []
    write(top, {"plans/a.plan": PLAN.replace("64 x", "65 x")})
    assert list(plans(diff())) == ["plans/a.plan"], "what is not committed"
    git(top, "checkout", "-q", "-b", "mine")
    commit(top)
    git(top, "checkout", "-q", "main")
    commit(top, {"plans/b.plan": "compute: 2e21 FLOP\n"})
    git(top, "checkout", "-q", "mine")
    found = diff()
    assert found["then"]["name"].startswith("main (") and list(plans(found)) == ["plans/a.plan"]
    assert list(plans(diff("--base", "main"))) == ["plans/a.plan", "plans/b.plan"]
    assert list(plans(diff("main...mine"))) == ["plans/a.plan"]
    assert list(plans(diff("main..mine"))) == list(plans(diff("main", "mine"))) == ["plans/a.plan", "plans/b.plan"]
    assert list(plans(diff("main", "plans/b.plan"))) == ["plans/b.plan"]


def test_each_change_has_its_own_share(top: Path, diff: Diff) -> None:
    text = PLAN.replace("64 x", "80 x").replace("@ 3 USD", "@ 2 USD").replace("200k", "300k")
    write(top, {"plans/a.plan": text + 'require tokens / params >= 30 because "served"\n'})
    (found,) = diff()["plans"]
    causes = {cause["name"]: cause for cause in found["causes"]}
    assert list(causes) == ["let budget", "hardware: gpus", "hardware: price", "require tokens"]
    assert moves(causes["let budget"]) == {} and causes["let budget"]["now"]["line"] == 3
    assert moves(causes["hardware: gpus"])["cost"] == pytest.approx(34560)
    assert moves(causes["hardware: price"])["cost"] == pytest.approx(-46080)
    assert causes["hardware: gpus"]["then"]["text"] == "64" and causes["hardware: gpus"]["now"]["text"] == "80"
    assert moves(causes["require tokens"])["loss"] > 0 and "then" not in causes["require tokens"]
    assert found["together"]["cost"]["value"] == pytest.approx(-11520)


def test_all_that_a_report_tells_has_its_causes(top: Path, diff: Diff) -> None:
    write(top, {"plans/a.plan": PLAN.replace("64 x", "80 x").replace("10T", "11T")})
    (found,) = diff()["plans"]
    moved = [one["quantity"] for one in found["values"]]
    assert "memory_per_gpu" in moved and set(moved) <= {name for cause in found["causes"] for name in cause["moves"]}


def test_standard_input_is_the_plan_now(top: Path, diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PLAN.replace("64 x", "80 x").encode())))
    (found,) = diff("--base", "HEAD", "-", "--stdin-filename", "plans/a.plan")["plans"]
    assert (found["file"], found["causes"][0]["name"]) == ("plans/a.plan", "hardware: gpus")
    diff("-", code=2)


def test_what_says_nothing_alone_is_told_together(top: Path, diff: Diff) -> None:
    text = PLAN.replace("let budget = 200k USD\n", "").replace("<= budget", "<= 100k USD")
    write(
        top,
        {
            "plans/a.plan": text.replace(
                "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour", "compute: 1e22 FLOP"
            )
        },
    )
    (found,) = diff()["plans"]
    assert {cause["name"] for cause in found["causes"]} == {"compute, hardware", "require cost, let budget"}


def test_an_imported_figure_and_an_imported_plan_are_causes(top: Path, diff: Diff) -> None:
    lets, first = "let gpus_there = 64\n", "hardware: 8 x H100 for 30 days at 40% MFU\n"
    plan = PLAN.replace("64 x", "gpus_there x").replace("data web", "require tokens >= first.tokens\ndata web")
    head = "import lets.plan\nimport first.plan as first\n"
    commit(top, {"plans/lets.plan": lets, "plans/first.plan": first, "plans/a.plan": head + plan})
    write(top, {"plans/lets.plan": lets.replace("64", "65"), "plans/first.plan": first.replace("8 x", "80 x")})
    found = plans(diff("plans/a.plan", "--base", "HEAD"))["plans/a.plan"]
    assert [(cause["kind"], cause["name"]) for cause in found["causes"]] == [
        ("statement", "let gpus_there"),
        ("plan", "plans/first.plan"),
    ]


def test_what_a_folder_asks_of_its_plans_is_a_cause(top: Path, diff: Diff) -> None:
    commit(top, {"runplan.toml": '[budgets]\nplans = "org.plan"\n', "org.plan": "require params >= 1B\n"})
    write(top, {"org.plan": "require params <= 1B\n", "plans/a.plan": PLAN.replace("64 x", "65 x")})
    found = plans(diff())["plans/a.plan"]
    assert [(cause["kind"], cause["name"]) for cause in found["causes"]] == [
        ("statement", "hardware: gpus"),
        ("budget", "org.plan"),
    ]


def test_a_change_brings_and_drops_quantities(top: Path, diff: Diff) -> None:
    text = PLAN.replace("chinchilla", "llama3").replace(" @ 3 USD/GPU/hour", "").replace("require cost <= budget", "")
    write(top, {"plans/a.plan": text})
    found = diff()["plans"][0]
    told = {cause["name"]: cause.get("drops", []) for cause in found["causes"]}
    assert "loss" in told["use laws"] and told["hardware: price"] == ["cost", "price"]
    (back,) = diff("plans/a.plan", "HEAD:plans/a.plan")["plans"]
    assert "loss" in next(cause for cause in back["causes"] if cause["name"] == "use laws")["brings"]


def test_money_of_two_currencies_is_told_by_the_rate_of_the_plan(top: Path, diff: Diff) -> None:
    text = PLAN.replace("let budget", "rate EUR = 1.25 USD on 2026-01-15\nlet budget")
    commit(top, {"plans/a.plan": text})
    write(top, {"plans/a.plan": text.replace("3 USD/GPU/hour", "3 EUR/GPU/hour").replace("64 x", "65 x")})
    found = diff()["plans"][0]
    assert found["values"][0]["share"] == pytest.approx(65 / 64 * 1.25 - 1)
    assert all("cost" in cause["moves"] for cause in found["causes"])


def test_a_comment_or_another_layout_is_no_difference(top: Path, diff: Diff) -> None:
    write(
        top,
        {"plans/a.plan": "# new\n" + PLAN.replace("hardware: ", "hardware:    ").replace('plan "Trial"', 'plan "T"')},
    )
    assert diff("--exit-code")["plans"] == []


def test_a_statement_that_moves_nothing_is_told_all_the_same(top: Path, diff: Diff) -> None:
    write(top, {"plans/a.plan": PLAN.replace("200k", "300k") + "schedule: cosine\n"})
    (found,) = diff("--exit-code")["plans"]
    assert (found["file"], found["state"], found["values"]) == ("plans/a.plan", "same", [])
    assert [cause["now"]["text"] for cause in found["causes"]] == ["let budget = 300k USD", "schedule: cosine"]
    assert all(cause["moves"] == {} for cause in found["causes"])


def test_two_plans_that_differ_by_less_than_counts_are_not_listed(top: Path, diff: Diff) -> None:
    write(top, {"plans/c.plan": PLAN.replace("30 days", "30.1 days")})
    assert diff("plans/a.plan", "plans/c.plan", "--min-change", "5%", "--exit-code")["plans"] == []


def test_the_other_spelling_is_the_same_plan(top: Path, diff: Diff) -> None:
    git(top, "rm", "-q", "plans/b.plan")
    write(top, {"plans/c.plan.yaml": "compute: 1e21 FLOP\n"})
    (found,) = diff("plans")["plans"]
    assert (found["file"], found["was"], found["state"]) == ("plans/c.plan.yaml", "plans/b.plan", "same")


def test_plans_that_are_broken_are_said(top: Path, diff: Diff) -> None:
    commit(top, {"plans/a.plan": "hardwear: 3\n"})
    (found,) = diff("HEAD~1", "--max-increase", "cost=5%", code=1)["plans"]
    assert (found["then"]["status"], found["now"]["status"], found["values"]) == ("solved", "unread", [])
    assert [f["code"] for f in found["new"]] == ["N001"] and found["gone"] == []
    (mended,) = diff("HEAD", "HEAD~1", "--max-increase", "cost=5%")["plans"]
    assert (mended["then"]["status"], mended["now"]["status"]) == ("unread", "solved")
    commit(top, {"plans/a.plan": PLAN, "runplan.toml": 'packs = ["gone"]\n'})
    commit(top, {"runplan.toml": ""})
    told = plans(diff("HEAD~1"))["plans/a.plan"]
    assert "the pack `gone` is not there" in told["trouble"] and "then" not in told
    write(top, {"plans/a.plan": PLAN + "model: 30B\ntokens: 3T\n"})
    assert plans(diff())["plans/a.plan"]["now"]["status"] == "infeasible"


def test_limits_decide(top: Path, diff: Diff) -> None:
    write(top, {"plans/a.plan": PLAN.replace("64 x", "68 x")})
    assert diff("--max-increase", "cost=6.25%")["exceeded"] == []
    (one,) = diff("--max-increase", "cost=6.2%", "--max-increase", "loss=1%", code=1)["exceeded"]
    assert (one["file"], one["quantity"], one["share"]) == ("plans/a.plan", "cost", 0.0625)
    assert diff("--min-change", "1%")["plans"][0]["values"][0]["quantity"] == "cost"
    # Its memory is a quarter less: on 68 GPUs a layout that computes some activations again is the fastest that fits.
    assert diff("--min-change", "30%", "--exit-code", "--max-increase", "cost=7%")["plans"] == []
    diff("--min-change", "10%", "--max-increase", "cost=5%", code=1)
    for words in (("--max-increase", "kost=5%"), ("--max-increase", "cost"), ("--min-change", "x")):
        diff(*words, code=2)


def test_totals_are_of_what_is_in_one_unit(top: Path, diff: Diff) -> None:
    commit(top, {"plans/c.plan": PLAN.replace("64 x", "8 x"), "plans/d.plan": PLAN.replace("USD", "EUR")})
    write(top, {"plans/a.plan": PLAN.replace("64 x", "128 x")})
    (plans_of_one,) = [
        one for one in diff("HEAD~1", "plans/a.plan", "plans/c.plan")["totals"] if one["quantity"] == "cost"
    ]
    assert plans_of_one["by"]["value"] == pytest.approx(138240 + 17280)
    assert "cost" not in [one["quantity"] for one in diff("HEAD~1")["totals"]], "two currencies do not add up"


def test_two_plans_or_folders_are_compared_with_each_other(top: Path, diff: Diff) -> None:
    write(top, {"other/a.plan": PLAN.replace("64 x", "96 x"), "other/b.plan": "compute: 1e21 FLOP\n"})
    (found,) = diff("plans/a.plan", "other/a.plan")["plans"]
    assert found["causes"][0]["name"] == "hardware: gpus"
    assert list(plans(diff("plans", "other"))) == ["other/a.plan"]
    assert diff("HEAD:plans/a.plan", "other/a.plan")["plans"][0]["causes"] == found["causes"]
    diff("plans", "other/a.plan", code=2)


def test_another_layout_is_told_where_what_follows_from_it_moves(top: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More copies alone are none: the same layout on sixteen devices more."""
    text = "hardware: {} x H100 for 30 days at 40% MFU\nmodel: llama-3-70b\ntokens: 100B\n"
    write(top, {f"{count}.plan": text.format(count) for count in (64, 72)})
    said = f"{text}layout: tp 4, pp 4, micro_batch 1 sequence, recompute selective\n"
    write(top, {f"{count}-said.plan": said.format(count) for count in (64, 80)})
    assert main(["diff", "64-said.plan", "80-said.plan"]) == 0
    assert "first layout" not in capsys.readouterr().out
    assert main(["diff", "64.plan", "72.plan"]) == 0
    assert "The first layout is another one: " in capsys.readouterr().out


def test_a_change_says_its_unit_where_no_other_figure_of_its_row_has_it(
    top: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes and rates are told in the unit that suits their size, and a small change of a large one has a smaller."""
    text = "hardware: {} x H100 for 30 days at 40% MFU\nmodel: llama-3-70b\ntokens: 100B\nlayout: tp 1, pp 1\n"
    write(top, {f"{count}.plan": text.format(count) for count in (64, 66)})
    assert main(["diff", "64.plan", "66.plan"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("memory per GPU"))
    figures = re.findall(r"([+-]?[\d.]+) ([MG])B", row)
    then, now, by = (float(figure) * {"M": 1e-3, "G": 1.0}[unit] for figure, unit in figures)
    assert figures[2][1] == "M" and by == pytest.approx(now - then, abs=0.011)


def test_a_plan_is_followed_out_of_the_folder_that_is_named(top: Path, diff: Diff) -> None:
    (top / "kept").mkdir()
    git(top, "mv", "plans/a.plan", "kept/a.plan")
    for paths in (["plans"], ["kept"], ["kept/a.plan"], ["plans/a.plan"], []):
        found = plans(diff("--base", "HEAD", *paths))
        assert [(one["file"], one.get("was")) for one in found.values()] == [("kept/a.plan", "plans/a.plan")], paths


def test_it_runs_in_a_subfolder_and_where_no_branch_is_checked_out(
    top: Path, diff: Diff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(top, {"plans/a.plan": PLAN.replace("64 x", "65 x")})
    monkeypatch.chdir(top / "plans")
    assert list(plans(diff("HEAD~1"))) == ["a.plan"]
    git(tmp_path, "clone", "-q", "--bare", str(top), "bare.git")
    monkeypatch.chdir(tmp_path / "bare.git")
    assert list(plans(diff("HEAD~1"))) == ["plans/a.plan"]
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{top}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    git(Path.cwd(), "checkout", "-q", "--detach")
    assert "git fetch --unshallow" in diff("HEAD~1:plans", code=2)["error"]["message"] or True
    assert "git fetch --unshallow" in diff("--base", "HEAD~1", code=2)["error"]["message"]


def test_what_cannot_be_compared_is_exit_2(
    top: Path, diff: Diff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["--base", "none"], ["--base=-x"], ["none.plan"], ["--base", "HEAD", "none"], ["HEAD", "--", "none"]):
        diff(*words, code=2)
    write(top, {"runplan.toml": 'packs = ["gone"]\n'})
    diff(code=2)
    monkeypatch.chdir(tmp_path)
    assert "no git repository" in diff(code=2)["error"]["message"]


@pytest.fixture
def hostile(top: Path) -> Path:
    name = "plans/<img src=x> @team `x` |a| [l](u).plan"
    text = PLAN.replace("let budget", "let budget_ = 1 USD\nlet budget")
    commit(top, {name: text})
    write(
        top,
        {name: text.replace("64 x", "80 x").replace("H100", '"</details><script>\u202e"').replace("web", '"@you|`"')},
    )
    return top


def test_what_a_plan_says_is_escaped(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "-o", "markdown"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(MARKER + "\n")
    told = re.sub(r"(?<!\\)`[^`\n]*`", "", told)  # in code nothing is acted on
    for acted in ("<img", "<script", "@team", "@you", "\u202e", "[l](u)"):
        assert not re.search(rf"(?<!\\){re.escape(acted)}", told), acted
    assert main(["diff"]) == 0
    assert "\u202e" not in capsys.readouterr().out


def test_a_comment_is_no_longer_than_github_takes(top: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {
        f"plans/{i:02}.plan": f'compute: 1e21 FLOP\nrequire tokens >= 1M tokens because "{"a" * 3000}"\n'
        for i in range(24)
    }
    commit(top, names)
    write(top, {name: text.replace("1e21", "2e21").replace("aa", "ab") for name, text in names.items()})
    assert main(["diff", "-o", "markdown"]) == 0
    told = capsys.readouterr().out
    assert len(told) < MOST and "more plans: `plan diff` shows them" in told


@pytest.mark.parametrize("columns", [80, 140])
def test_no_line_is_wider_than_the_terminal(
    top: Path, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    write(top, {"plans/a.plan": PLAN.replace("64 x", "96 x").replace("200k", "201k"), "plans/z.plan": PLAN})
    assert main(["diff", "--max-increase", "cost=5%"]) == 1
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= columns
    assert "1 plan changed, 1 new, 1 plan the same" in told and "All of these plans" in told
