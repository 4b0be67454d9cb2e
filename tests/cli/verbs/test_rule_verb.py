"""`plan rule`: the list and the pages, for people and as JSON, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from known import LIBRARY

from runplan.cli.main import main
from runplan.dsl.text.codes import CODES

RULES = LIBRARY.rules()


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["rule", "-o", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "plan.rules/v1"
    rules: list[dict[str, Any]] = document["rules"]
    return rules


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    rules = listed(capsys)
    assert {rule["code"] for rule in rules} == {*CODES, *(rule.code for rule in RULES)}
    assert all(list(rule) == ["code", "name", "severity", "rows", "cites"] for rule in rules)
    assert [rule["code"] for rule in rules] == sorted(rule["code"] for rule in rules)
    mfu = next(rule for rule in rules if (rule["code"], rule["severity"]) == ("H002", "error"))
    assert (mfu["name"], mfu["rows"]) == ("implausible-mfu", [4])
    assert mfu["cites"]
    over = next(rule for rule in rules if rule["code"] == "B001")
    assert over == {"code": "B001", "name": "over-budget", "severity": "error", "rows": [], "cites": []}


def test_the_list_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule"]) == 0
    text = capsys.readouterr().out
    assert "H002  implausible-mfu" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", ["H002", "h002", "implausible-mfu"])
def test_a_page(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["rule", name]) == 0
    text = capsys.readouterr().out
    for part in ("when\n  rate > ceiling\n", "64 x H100 for 30 days at 900 TFLOP/s", "help\n", "why\n", "keeps it\n"):
        assert part in text


def test_a_page_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "H004", "-o", "json"]) == 0
    (rule,) = json.loads(capsys.readouterr().out)["rules"]
    assert rule["when"] == 'assumed(availability) and rate_from == "plan"'
    assert rule["breaks"] == "hardware: 64 x H100 for 30 days at 40% MFU\n"


@pytest.mark.parametrize(("code", "can"), [("B001", True), ("C003", False)])
def test_a_page_of_the_engine(capsys: pytest.CaptureFixture[str], code: str, can: bool) -> None:
    assert main(["rule", code]) == 0
    text = capsys.readouterr().out
    assert CODES[code].name in text
    assert (f"--ignore {code}" in text) == can


@pytest.mark.parametrize(("name", "close"), [("implausible-mfo", "implausible-mfu"), ("zzzzzzz", "")])
def test_an_unknown_rule(capsys: pytest.CaptureFixture[str], name: str, close: str) -> None:
    assert main(["rule", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert (f"did you mean `{close}`?" if close else "`plan rule` lists them") in err


def test_every_rule_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    for rule in listed(capsys):
        assert main(["rule", rule["code"]]) == 0
        assert rule["name"] in capsys.readouterr().out
