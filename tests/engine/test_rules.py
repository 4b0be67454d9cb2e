"""Every rule keeps what it promises: its examples, its names and dimensions; and `plan rule` lists and shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

from runplan.cli.main import main
from runplan.dsl.packs.pack import Rule
from runplan.dsl.packs.rule_check import checked
from runplan.dsl.text.codes import CODES
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.examples import examples
from runplan.engine.pipeline import report_of

RULES = LIBRARY.rules()
CODE = re.compile(r"[A-Z]\d{3}")


def named(rule: Rule) -> str:
    return f"{rule.code}-{rule.severity}"


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_flags_what_breaks_it_and_not_what_keeps_it(rule: Rule) -> None:
    found = {example.kind: example for example in examples(rule, LIBRARY)}
    assert found.keys() == {"breaks", "keeps"}
    for example in found.values():
        assert example.solved, example.text
        assert example.flagged == (example.kind == "breaks"), example.text


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_names_what_there_is(rule: Rule) -> None:
    quantities = {name: q.counted.dim for name, q in LIBRARY.quantities().items()}
    assert [finding.message for finding in checked(rule, quantities)] == []


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_says_why(rule: Rule) -> None:
    assert CODE.fullmatch(rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.cites
    assert rule.says
    assert not rule.says.endswith(".")


def test_one_name_a_code() -> None:
    names: dict[str, set[str]] = {}
    for code, name in [
        *((code, known.name) for code, known in CODES.items()),
        *((rule.code, rule.name) for rule in RULES),
    ]:
        names.setdefault(code, set()).add(name)
    assert {code: found for code, found in names.items() if len(found) > 1} == {}
    assert len({*names}) == len({name for found in names.values() for name in found})


def test_an_example_that_does_not_do_what_it_should_is_seen() -> None:
    from dataclasses import replace

    rule = RULES[0]
    swapped = replace(rule, breaks=rule.keeps, keeps=rule.breaks)
    assert [example.holds for example in examples(swapped, LIBRARY)] == [False, False]


# ---- the verb


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
    assert rule["when"] == "assumed(availability)"
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


def test_the_standard_library_is_tested_with_its_examples(capsys: pytest.CaptureFixture[str]) -> None:
    main(["test", "--stdlib", "-o", "json"])
    results = {result["id"]: result for result in json.loads(capsys.readouterr().out)["results"]}
    assert results["rule.H002.error.breaks"]["got"] == 1.0
    assert results["rule.H002.error.keeps"]["got"] == 0.0


POOLS = """rule OURS1 old-device info {
  when device == "a100"
  says "{device} is old: {mfu%}"
  blames hardware
  cites "ours"
}
hardware: 64 x H100 for 30 days at 40% MFU + 32 x A100 for 30 days at 45% MFU
"""


def test_the_words_of_a_device_are_those_of_each_pool() -> None:
    report = report_of("x.plan", Buffer("x.plan", POOLS.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)
    assert [f.message for f in report.findings if f.code == "OURS1"] == ["a100-sxm-40gb is old: 45 %"]
