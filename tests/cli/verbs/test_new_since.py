"""`plan check --new-since REF`: what a commit did not find, whoever moved it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repositories import commit, git, repository, write

from runplan import Project, Report
from runplan.cli.main import main

PLAN = """\
use laws chinchilla
hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour
require cost <= 100k USD
"""
Codes = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path)
    commit(folder, {"plans/a.plan": PLAN})
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def new(top: Path, capsys: pytest.CaptureFixture[str]) -> Codes:
    def checked(*words: str) -> tuple[int, list[str]]:
        since = [] if "--new-since" in words else ["--new-since", "HEAD"]
        code = main(["check", "-o", "json", *since, "--ignore", "L,H004", *words])
        told = json.loads(capsys.readouterr().out)
        return code, [one["code"] for one in told.get("findings", [])]

    return checked


def test_what_the_commit_has_is_not_told(new: Codes) -> None:
    assert new() == (0, [])


def test_it_is_the_same_wherever_it_stands_and_whatever_else_changes(top: Path, new: Codes) -> None:
    write(top, {"plans/a.plan": "# moved\n\nprefer tokens >= 1B\n" + PLAN.replace("<= 100k USD", "<= 110k USD")})
    assert new() == (0, [])


def test_a_plan_that_is_renamed_has_what_it_had(top: Path, new: Codes) -> None:
    git(top, "mv", "plans/a.plan", "plans/b.plan")
    assert new() == (0, [])
    commit(top)
    write(top, {"plans/c.plan": (top / "plans/b.plan").read_text("utf-8")})
    (top / "plans/b.plan").unlink()
    assert new() == (0, [])
    (top / "plans/c.plan").unlink()
    write(top, {"c.plan.yaml": PLAN.replace("use laws", "laws:").replace("require cost", "require: cost")})
    assert new() == (0, [])


def test_what_has_grown_is_new(top: Path, new: Codes) -> None:
    write(top, {"plans/a.plan": PLAN.replace("64 x", "65 x")})
    assert new() == (1, ["B001"])
    write(top, {"plans/a.plan": PLAN.replace("64 x", "63 x")})
    assert new() == (0, [])


def test_a_new_plan_has_all_of_its_findings(top: Path, new: Codes) -> None:
    write(top, {"plans/b.plan": "compute: 1e22 FLOP\nrequire loss <= 1.7\nprefer params <= 1B\n"})
    assert new()[1] != []
    assert new("plans/a.plan") == (0, [])


def test_a_pack_that_changed_brings_findings(top: Path, new: Codes) -> None:
    price = 'price team { price 1 USD/GPU/hour from "a contract" }\n'
    plan = PLAN.replace("3 USD/GPU/hour", "team")
    commit(top, {"runplan.toml": 'packs = ["team.plan"]\n', "team.plan": price, "plans/a.plan": plan})
    assert new("plans") == (0, [])
    write(top, {"team.plan": price.replace("price 1 USD", "price 4 USD")})
    assert new("plans") == (1, ["B001"])


def test_what_is_the_same_is_not_solved_again(top: Path, new: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    solved: list[str] = []
    report = Project.report

    def counting(self: Project, path: str, **rest: Any) -> Report:
        solved.append(path)
        return report(self, path, **rest)

    monkeypatch.setattr(Project, "report", counting)
    commit(top, {"plans/b.plan": PLAN})
    write(top, {"plans/b.plan": PLAN.replace("64 x", "63 x")})
    assert new("plans") == (0, [])
    assert solved == ["plans/a.plan", "plans/b.plan", "plans/b.plan"]


def test_what_cannot_be_solved_decides_though_it_is_not_new(
    top: Path, new: Codes, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(top, {"plans/a.plan": "hardware: 64 x H100 for 20 days at 40% MFU\nmodel: 30B\ntokens: 3T\n"})
    assert new() == (1, [])
    write(top, {"plans/a.plan": "hardwear: 64 x H100 for 20 days\n"})
    code, found = new()
    assert code == 1 and found == ["N001"]


def test_a_commit_of_another_branch_is_that_at_which_it_was_left(top: Path, new: Codes) -> None:
    git(top, "checkout", "-q", "-b", "mine")
    git(top, "checkout", "-q", "main")
    commit(top, {"plans/a.plan": PLAN.replace("64 x", "6 x")})
    git(top, "checkout", "-q", "mine")
    assert new("--new-since", "main") == (1, ["B001"])
    assert new("--new-since", "main...") == (0, [])


@pytest.mark.parametrize("ref", ["none", "-p", "main:plans"])
def test_a_commit_that_is_not_there_is_exit_2(top: Path, new: Codes, ref: str) -> None:
    assert new(f"--new-since={ref}") == (2, [])


def test_a_plan_outside_of_the_repository_is_exit_2(
    top: Path, new: Codes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "x.plan"
    other.write_text(PLAN, encoding="utf-8")
    assert new("plans", str(other)) == (2, [])
