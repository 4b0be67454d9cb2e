"""SARIF, code quality and JUnit reports, held to what those formats require: schemas of ours, closed, of what we write.

Written from SARIF 2.1.0 (OASIS, the sections in brackets), GitLab's page on code quality reports, and the schema that
Jenkins' xUnit plugin reads JUnit by (junit-10). RUNPLAN_SARIF_SCHEMA names a file with the schema of OASIS, against
which the same reports are then validated.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator, validators

from runplan.cli.main import main

TEXT = {"type": "string"}
FILLED = {"type": "string", "minLength": 1}
MESSAGE = {"type": "object", "required": ["text"], "additionalProperties": False, "properties": {"text": FILLED}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
FROM_1 = {"type": "integer", "minimum": 1}


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "additionalProperties": False, "properties": properties}


def many(of: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": of, **more}


REGION = closed(dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), FROM_1))  # 3.30
ARTIFACT = closed({"uri": {"type": "string", "pattern": r"^[\w./%~-]+$"}, "uriBaseId": {"const": "%SRCROOT%"}})  # 3.4
PLACE = closed({"artifactLocation": ARTIFACT, "region": REGION})  # 3.29
REPLACED = closed({"deletedRegion": REGION, "insertedContent": closed({"text": TEXT})})  # 3.57
FIX = closed(  # 3.55
    {
        "description": MESSAGE,
        "artifactChanges": many(
            closed({"artifactLocation": ARTIFACT, "replacements": many(REPLACED, minItems=1)}), minItems=1
        ),
    }
)
RESULT = closed(  # 3.27
    {
        "ruleId": FILLED,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": many(closed({"physicalLocation": PLACE}), minItems=1, maxItems=1),
        "partialFingerprints": closed({"planFinding/v1": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}),
    },
    {
        "relatedLocations": many(closed({"id": FROM_1, "physicalLocation": PLACE}, {"message": MESSAGE}), minItems=1),
        "fixes": many(FIX, minItems=1),
    },
)
RULE = closed(  # 3.49
    {
        "id": FILLED,
        "name": FILLED,
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": MESSAGE,
        "defaultConfiguration": closed({"level": LEVEL}),
    }
)
DRIVER = closed(  # 3.19
    {
        "name": FILLED,
        "version": FILLED,
        "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
        "informationUri": {"type": "string", "pattern": "^https://"},
        "rules": many(RULE, minItems=1, uniqueItems=True),
    }
)
RUN = closed(  # 3.14
    {
        "tool": closed({"driver": DRIVER}),
        "automationDetails": closed({"id": FILLED}),
        "columnKind": {"const": "unicodeCodePoints"},
        "results": many(RESULT),
    }
)
SARIF = closed(  # 3.13
    {"$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"}, "runs": many(RUN, minItems=1)}
)
AT = closed({"line": FROM_1, "column": FROM_1})
CODE_QUALITY = many(
    closed(
        {
            "description": FILLED,
            "check_name": FILLED,
            "fingerprint": FILLED,
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": closed(
                {
                    # From the root of the repository, and without a leading `./`.
                    "path": {"type": "string", "pattern": r"^(?!\./|/)."},
                    "positions": closed({"begin": AT, "end": AT}),
                }
            ),
        }
    )
)
# Of each element of JUnit: the attributes that it has to have, those that it may have, and the elements within it.
JUNIT = {
    "testsuites": (set[str](), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"time", "file", "timestamp"}, {"testcase", "properties"}),
    "testcase": ({"name"}, {"time", "classname"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}

HARDWARE = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour"
# Of every kind of finding something: an edit that is offered, related places, a note of a rule, text that is hostile.
PLANS = {
    "kept.plan": f"{HARDWARE}\n",
    "over.plan": f'{HARDWARE}\nlet budget = 1k USD\nrequire cost <= budget because "a < b & \\"c\\""\n',
    "wrong.plan": f"{HARDWARE}\nhardwear: 3\ntokens: 3 minutes\nmodel: 7 Gi\n",
    "ü a/deep b.plan": f'plan "<script>\u202e ]]> \u0007"\n{HARDWARE}\nlet a = b\ntokens: 10Gi tokens\n',
    "given-twice.plan.yaml": f"{HARDWARE}\ntokens: 1T\ntokens: 2T\n",
    "binary.plan": "\0\1",
}


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the reports, of plans that are broken in many ways and of none that is."""
    for name, text in PLANS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    files = [f"{kind}=all.{kind}" for kind in ("sarif", "gitlab", "junit", "json")]
    assert main(["check", ".", *(word for file in files for word in ("-o", file))]) == 1
    clean = [f"{kind}=clean.{kind}" for kind in ("sarif", "gitlab", "junit")]
    assert main(["check", "kept.plan", "--ignore", "L,H", *(word for file in clean for word in ("-o", file))]) == 0
    return tmp_path


@pytest.mark.parametrize("name", ["all", "clean"])
def test_sarif(name: str, reports: Path) -> None:
    found = json.loads((reports / f"{name}.sarif").read_text("utf-8"))
    assert [error.message for error in Draft7Validator(SARIF).iter_errors(found)] == []
    (run,) = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)  # 3.19.23: no two of a run have the same
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]  # 3.27.6
        region = result["locations"][0]["physicalLocation"]["region"]
        assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])  # 3.30.7
    prints = [result["partialFingerprints"]["planFinding/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints) and bool(prints) == (name == "all")
    kinds = {key for result in run["results"] for key in result}
    assert name == "clean" or {"relatedLocations", "fixes"} <= kinds, "the plans have something of everything"
    if path := os.environ.get("RUNPLAN_SARIF_SCHEMA"):
        official = json.loads(Path(path).read_text("utf-8"))
        assert [error.message for error in validators.validator_for(official)(official).iter_errors(found)] == []


@pytest.mark.parametrize("name", ["all", "clean"])
def test_code_quality(name: str, reports: Path) -> None:
    found = json.loads((reports / f"{name}.gitlab").read_text("utf-8"))
    assert [error.message for error in Draft7Validator(CODE_QUALITY).iter_errors(found)] == []
    assert len({entry["fingerprint"] for entry in found}) == len(found)
    assert all((reports / entry["location"]["path"]).exists() for entry in found)
    assert bool(found) == (name == "all")


@pytest.mark.parametrize("name", ["all", "clean"])
def test_junit(name: str, reports: Path) -> None:
    root = ElementTree.fromstring((reports / f"{name}.junit").read_text("utf-8"))
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, within = JUNIT[element.tag]
        assert required <= set(element.attrib) <= required | optional
        assert {child.tag for child in element} <= within
    for counted in (root, *root):
        cases = list(counted.iter("testcase"))
        assert counted.attrib["tests"] == str(len(cases)) and cases
        assert counted.attrib["failures"] == str(sum(case.find("failure") is not None for case in cases))


def test_no_finding_is_lost_in_a_format(reports: Path) -> None:
    found = json.loads((reports / "all.json").read_text("utf-8"))["findings"]
    codes = sorted(finding["code"] for finding in found)
    results = json.loads((reports / "all.sarif").read_text("utf-8"))["runs"][0]["results"]
    entries = json.loads((reports / "all.gitlab").read_text("utf-8"))
    assert sorted(result["ruleId"] for result in results) == codes
    assert sorted(entry["check_name"] for entry in entries) == codes
    cases = ElementTree.parse(reports / "all.junit").getroot().iter("testcase")
    assert sorted(case.attrib["name"].split()[0] for case in cases if case.attrib["name"] != "the plan holds") == codes
