"""The formats of findings that other programs read: what their readers ask for, on findings of every kind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runplan.cli.main import main
from runplan.cli.show.findings import gitlab, jsonl, junit, sarif
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.findings.identity import identified
from runplan.dsl.text.codes import CODES
from runplan.dsl.text.finding import Edit, Finding, Fix, Label, finding
from runplan.dsl.text.source import Source, Span

OVER = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\nrequire cost <= 1k USD\nprefer time <= 10 days\n"
KEPT = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with plans in a folder of it, from where the command is run."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    here = tmp_path / "team a" / "plans"
    here.mkdir(parents=True)
    (here / "over.plan").write_text(OVER, "utf-8")
    (here / "kept.plan").write_text(KEPT, "utf-8")
    monkeypatch.chdir(here)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["check", *arguments]) in (0, 1)
    return capsys.readouterr().out


def sarif_of(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    return dict(run)


# ---- sarif


def test_sarif_has_what_code_scanning_asks_for(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = sarif_of(printed(capsys, "over.plan", "-o", "sarif"))
    rules = run["tool"]["driver"]["rules"]
    assert run["columnKind"] == "unicodeCodePoints"
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    broken = [result for result in run["results"] if result["level"] == "error"]
    assert {result["ruleId"] for result in broken} == {"B001"}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (place,) = [location["physicalLocation"] for location in result["locations"]]
        # From the root of the repository and not from the folder of the command; as a URI.
        assert place["artifactLocation"]["uri"] == "team%20a/plans/over.plan"
        region = place["region"]
        assert (region["startLine"], region["startColumn"]) < (region["endLine"], region["endColumn"])
        assert result["message"]["text"]
    known = [result["partialFingerprints"]["planFinding/v1"] for result in run["results"]]
    assert len(set(known)) == len(known)


def test_sarif_lists_every_rule_and_no_result_where_all_is_well(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = sarif_of(printed(capsys, "kept.plan", "-o", "sarif", "--select", "B"))
    assert run["results"] == []
    listed = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert listed == sorted(set(listed))
    assert main(["rule", "-o", "json"]) == 0
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert set(listed) == {rule["code"] for rule in rules if rule["severity"] != "note"} | set(CODES)


def test_sarif_carries_fixes_and_places_beside_the_first() -> None:
    source = Source("a.plan", "tokens: 2T tokns\nmodel: 7B\n")
    span = Span(source, 11, 16)
    edits = (Edit(span, "tokens"), Edit(Span(source, 17, 22), "size"))
    fix_ = Fix("write `tokens`", edits, safe=True)
    found = finding("U002", "no such unit", span, fixes=[fix_], also=[Label(Span(source, 17, 22), "beside this")])
    (result,) = sarif_of(sarif.render(Checked.of([found], 1)))["results"]
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    replacement, other = change["replacements"]
    assert other["insertedContent"] == {"text": "size"}
    assert replacement["insertedContent"] == {"text": "tokens"}
    assert replacement["deletedRegion"] == {"startLine": 1, "startColumn": 12, "endLine": 1, "endColumn": 17}
    (related,) = result["relatedLocations"]
    assert (related["id"], related["message"]) == (1, {"text": "beside this"})
    assert related["physicalLocation"]["region"]["startLine"] == 2


# ---- who a finding is


def test_a_finding_is_the_same_where_lines_and_figures_move(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def known() -> set[str]:
        entries = json.loads(printed(capsys, "over.plan", "-o", "gitlab", "--select", "B"))
        return {entry["fingerprint"] for entry in entries}

    before = known()
    assert len(before) == 2
    Path("over.plan").write_text("# what the board said\n\n" + OVER.replace("64 x", "72 x"), "utf-8")
    assert known() == before
    Path("over.plan").write_text(OVER.replace("prefer time <= 10 days\n", ""), "utf-8")
    assert known() < before


def test_the_same_twice_is_two() -> None:
    source = Source("a.plan", "one two\n")
    twice = [
        finding("B001", "first", Span(source, 0, 3), key="k"),
        finding("B001", "second", Span(source, 4, 7), key="k"),
    ]
    assert len({known for _, known in identified(Checked.of(twice, 1))}) == 2


# ---- gitlab, junit, lines of json


def test_gitlab_has_what_its_report_asks_for(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = json.loads(printed(capsys, "over.plan", "-o", "gitlab"))
    assert {entry["severity"] for entry in entries} <= {"info", "minor", "major", "critical", "blocker"}
    for entry in entries:
        assert entry["description"].startswith(f"{entry['check_name']}: ")
        assert entry["location"]["path"] == "team a/plans/over.plan"
        positions = entry["location"]["positions"]
        assert 1 <= positions["begin"]["line"] <= positions["end"]["line"]
    assert json.loads(printed(capsys, "kept.plan", "-o", "gitlab", "--select", "B")) == []


def test_github_names_files_from_the_root_of_the_repository(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(capsys, "over.plan", "-o", "github", "--select", "B").splitlines()
    assert len(lines) == 2
    assert all("file=team a/plans/over.plan," in line for line in lines)


def test_junit_has_a_suite_a_plan_and_a_case_a_finding(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suites = ElementTree.fromstring(printed(capsys, "kept.plan", "over.plan", "-o", "junit"))
    kept, over = suites
    assert (kept.get("name"), over.get("name")) == ("kept.plan", "over.plan")
    assert kept[0].get("name") == "the plan holds"
    assert over.get("failures") == suites.get("failures") == "1"
    assert [failure.get("type") for failure in over.iter("failure")] == ["B001"]
    for suite in suites:
        assert suite.get("tests") == str(len(suite))


def test_junit_fails_where_what_decides_is_left_out(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (suite,) = ElementTree.fromstring(printed(capsys, "over.plan", "-o", "junit", "--ignore", "B"))
    assert suite.get("failures") == "1"
    assert suite[0].find("failure") is not None


def test_lines_of_json_are_the_document(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *found, last = [json.loads(line) for line in printed(capsys, "kept.plan", "over.plan", "-o", "jsonl").splitlines()]
    whole = json.loads(printed(capsys, "kept.plan", "over.plan", "-o", "json"))
    assert found == [{"type": "finding", **one} for one in whole["findings"]]
    assert last == {"type": "summary", **{key: value for key, value in whole.items() if key != "findings"}}


# ---- whatever a stranger writes


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["error", "warning", "info"]))
def test_no_text_breaks_a_format(message: str, path: str, severity: Any) -> None:
    source = Source(path or "x", "text")
    found: Finding = finding("B001", message, Span(source, 0, 4), severity=severity, notes=[message], help=[message])
    checked = Checked.of([found], 1)
    assert len(sarif_of(sarif.render(checked))["results"]) == 1
    assert len(json.loads(gitlab.render(checked))) == 1
    assert [json.loads(line)["type"] for line in jsonl.render(checked).splitlines()] == ["finding", "summary"]
    (suite,) = ElementTree.fromstring(junit.render(checked))
    assert len(suite) == 1
    for module in (sarif, gitlab, jsonl, junit):
        text = module.render(checked)
        assert not any(ord(character) < 32 for character in text if character != "\n")
        text.encode("utf-8")
