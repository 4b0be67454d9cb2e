"""`plan schema`: what is printed tells of all that the verbs print, and of plans in YAML as they are read."""

from __future__ import annotations

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import strategies
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from known import LIBRARY
from reports import PLANS, solved
from schemas import closed, validator, wrong

import runplan
from runplan.cli.main import main
from runplan.cli.schemas import of_plans, outputs
from runplan.cli.schemas.named import schema, titles
from runplan.cli.verbs.init import TEMPLATES
from runplan.dsl.syntax.statements import OF_PLANS
from runplan.dsl.syntax.yaml import SHAPES
from runplan.engine.documents.solve import document
from runplan.engine.sweep.job import STATUSES

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(runplan.__file__).parent
# Kept for a command that goes on with its own work, and read by nothing else.
OWN_BUSINESS = {"plan.trajectory/v1", "plan.journal/v1"}
SMALL = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\n"
OVER = SMALL + "require cost <= 10k USD\nminimise loss\n"
# Their ends are dates that are uncertain.
DATED = "hardware: {} x H100 for ? from 2026-03-01\nmodel: 7B\ntokens: 1T\n"


@pytest.fixture(autouse=True)
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.plan").write_text(SMALL, "utf-8")
    (tmp_path / "over.plan").write_text(OVER, "utf-8")
    (tmp_path / "dated.plan").write_text(DATED.format(64), "utf-8")
    (tmp_path / "later.plan").write_text(DATED.format(48), "utf-8")
    shutil.copy(ROOT / "tests/facts/h100_ladder.csv", tmp_path / "runs.csv")
    monkeypatch.chdir(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    main(list(argv))
    return json.loads(capsys.readouterr().out)


# ---- what verbs print


def test_every_document_of_the_program_has_a_schema() -> None:
    """Its name stands in the source under `schema`, and in the list; and a schema is of something that is written."""
    sources = [path for folder in ("cli", "engine") for path in sorted((PACKAGE / folder).rglob("*.py"))]
    said = [path.read_text("utf-8") for path in sources if "/cli/schemas/" not in path.as_posix()]
    named = {name for text in said for name in re.findall(r"plan\.[a-z-]+/v\d+", text)}
    named |= {f"plan.{kind}/v1" for kind in ("devices", "device", "models", "model")}  # by the kind of a record
    known = {of for name, (of, _) in titles().items() if name not in ("plan", outputs.LINE)}
    assert named - OWN_BUSINESS == known


# A command, and the names of what it prints; the last is what its document says of itself.
PRINTED = [
    ("check over.plan", "check"),
    ("check missing.plan", "error"),
    ("solve over.plan", "solve"),
    ("solve small.plan --details --draws 20", "solve"),
    ("solve dated.plan --draws 20", "solve"),
    ("compare small.plan --laws chinchilla,llama3", "compare"),
    ("compare dated.plan later.plan", "compare"),
    ("frontier small.plan cost loss --points 3", "frontier"),
    ("ladder small.plan --budgets 2 --sizes 3", "ladder"),
    ("explain small.plan loss", "explain"),
    ("backtest phi-4", "backtest"),
    ("sweep small.plan hardware.gpus=8,64 --ask loss,cost", "sweep"),
    ("fit runs.csv --form chinchilla --bootstrap 0", "fit"),
    ("fit runs.csv --form muennighoff --bootstrap 0", "fit"),
    ("fit runs.csv --forms chinchilla,muennighoff --bootstrap 0", "fits"),
    ("law", "laws"),
    ("law chinchilla.approach1", "law"),
    ("law kaplan.joint", "law"),
    ("law chinchilla --at params=70B tokens=1.4T", "law"),
    ("device", "devices"),
    ("device H100", "device"),
    ("model", "models"),
    ("model llama-3-8b", "model"),
    ("rule", "rules"),
    ("rule H002", "rule"),
    ("rule S001", "rule"),
    ("config", "config"),
    ("test small.plan", "error"),
]


@pytest.mark.parametrize(("command", "name"), PRINTED)
def test_what_a_verb_prints_is_as_its_schema_says(command: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, *command.split(), "-o", "json")
    assert found["schema"].startswith(f"plan.{name}/v") and wrong(found) == []


def test_what_packs_give_and_what_is_lived_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rule.plan").write_text(
        'rule X100 too-few warning { when gpus < 8; says "few"; breaks { hardware: 100 x H100 for 1 day } }\n', "utf-8"
    )
    found = printed(capsys, "test", "rule.plan", "-o", "json")
    assert found["results"] and wrong(found, "test") == []
    assert main(["check", "over.plan", "--write-baseline", "--baseline", "known.json"]) in (0, 1)
    capsys.readouterr()
    assert wrong(json.loads((tmp_path / "known.json").read_text("utf-8"))) == []


def test_each_line_of_findings(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", ".", "-o", "jsonl"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["type"] for line in lines} == {"finding", "summary"}
    assert [found for line in lines for found in wrong(line, outputs.LINE)] == []
    assert wrong({"type": "finding"}, outputs.LINE) != []


@pytest.mark.parametrize("name", PLANS)
def test_reports_of_every_kind(name: str) -> None:
    assert wrong(document(solved(PLANS[name]))) == []


def test_a_key_that_no_schema_tells_of_is_found() -> None:
    """Here; to a reader it says that there may be others, for a later version may add some."""
    found: Any = document(solved(PLANS["contradiction"]))
    found["verdict"]["more"] = 1
    found["solutions"][0]["more"] = 1
    found["findings"][0]["also"] = [{"file": "a.plan"}]
    assert len(wrong(found)) == 1 + 1 + 5
    del found["solutions"][0]["more"], found["findings"][0]["also"]
    found["findings"][0]["also"] = []
    Draft7Validator(schema("solve", LIBRARY.vocabulary())).validate(found)


def test_the_statuses_of_points_are_those_of_sweeps() -> None:
    assert of_plans.OF_POINTS == STATUSES


# ---- the verb


def test_the_list_and_each_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    told = capsys.readouterr().out
    for name, (of, _) in titles().items():
        assert re.search(rf"^{re.escape(name)} +{re.escape(of)} ", told, re.M)
        for asked in (name, of):
            found = printed(capsys, "schema", asked)
            assert found["$id"] == of
            Draft7Validator.check_schema(found)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("plan.check/v2", "this version of runplan writes and reads `plan.check/v1`"),
        ("chek", "did you mean `check`?"),
        ("plan.journal/v1", "unknown schema `plan.journal/v1`"),
        ("../check", "unknown schema"),
    ],
)
def test_a_name_or_a_version_that_there_is_not(asked: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", asked]) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err


# ---- plans in YAML


class _AsEditors(yaml.SafeLoader):
    """YAML as editors read it: a date is text."""


_AsEditors.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize("path", [*sorted((ROOT / "plans").glob("*.yaml")), TEMPLATES / "training.plan.yaml"], ids=str)
def test_plans_are_as_their_schema_says(path: Path) -> None:
    assert wrong(yaml.load(path.read_text("utf-8"), _AsEditors), "plan") == []


def test_every_statement_that_yaml_has_is_told_of_by_its_shape() -> None:
    from runplan.cli.schemas import plan

    assert set(plan.SHAPES) == set(SHAPES)
    told = schema("plan", LIBRARY.vocabulary())
    assert list(told["properties"]) == [row.key for row in OF_PLANS if row.key]
    assert list(told["definitions"]["stage"]["properties"]) == [row.key for row in OF_PLANS if row.key and row.in_stage]


# What is often written wrong: a word misspelled, a value left out, a list or a mapping where a text is wanted.
def _renamed(block: dict[str, Any], key: str) -> None:
    block[f"{key[:-1]}_{key[-1]}q"] = block.pop(key)


def _emptied(block: dict[str, Any], key: str) -> None:
    block[key] = None


def _nested(block: dict[str, Any], key: str) -> None:
    block[key] = [[block[key]]]


def _blocks(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The mappings of which the keys are words of the language: the plan, its stages, and blocks of fields."""
    stages = plan.get("stages", {})
    whole = [plan, *(stage for stage in stages.values() if isinstance(stage, dict))]
    inner = [block.get(key) for block in whole for key in ("hardware", "model", "optimizer")]
    pools = [pool for value in inner for pool in (value if isinstance(value, list) else [value])]
    return [*whole, *(pool for pool in pools if isinstance(pool, dict))]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.plans(), st.data())
def test_a_plan_is_as_the_schema_says_and_with_a_mistake_it_is_not(plan: dict[str, Any], data: st.DataObject) -> None:
    assert wrong(plan, "plan") == []
    broken = copy.deepcopy(plan)
    block = data.draw(st.sampled_from([block for block in _blocks(broken) if block]))
    key = data.draw(st.sampled_from(sorted(block)))
    data.draw(st.sampled_from([_renamed, _emptied, _nested]))(block, key)
    assert not validator("plan").is_valid(broken)


@pytest.mark.parametrize(
    "text",
    [
        "hardwear: 8 x H100 for 1 day",
        "hardware: {gpu: 8}",
        "model: {layer: 32}",
        "optimizer: {batch: 4M tokens}",
        "let: budget",
        "stages: [a, b]",
        "stages: {a: 10B}",
        "stages: {a: {model: 7B}}",
        "tokens: [1T]",
        "tokens:",
        "require: {cost: 1M USD}",
        "- a",
        "{}",
    ],
)
def test_common_mistakes_do_not_validate(text: str) -> None:
    assert wrong(yaml.load(text, _AsEditors), "plan") != []


def test_closing_a_schema_keeps_what_it_takes() -> None:
    part = {"properties": {"a": {"type": "object"}}, "anyOf": [{"required": ["a"]}, {"properties": {"b": True}}]}
    assert closed(part)["additionalProperties"] is False
    assert "additionalProperties" not in closed(part)["anyOf"][1]
