"""What one may write at a place, in either spelling, on lines that are whole and on lines that are broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from editing import one

from runplan.dsl.syntax.statements import BY_KEY, KEYWORDS, OF_PLANS
from runplan.editor.completion import completion

PLAN = 'let budget = 3M USD\ndata web: 10T tokens\ndata "my code": 3T tokens\n'
YAML = "let:\n  budget: 3M USD\ndata:\n  web: 10T tokens\n  code: 3T tokens\n"


def offered(folder: Path, text: str, name: str) -> dict[str, str]:
    """What is offered, by label, with its kind."""
    there = one(folder, text, name)
    return {item.label: item.kind for item in completion(there.document(), there.at).items}


IN_PLANS = [
    ("▮", ["hardware", "let", "law", "device"], ["cost", "for"]),
    ("mod▮", ["model"], []),
    ("stage a {\n  ▮\n}", ["hardware", "tokens", "require"], ["let", "law", "model"]),
    ("use laws chin▮", ["chinchilla", "llama3"], ["cost"]),
    ("hardware: 1000 ▮", ["x"], ["H100"]),
    ("hardware: 1000 x ▮", ["H100", "h100-sxm"], ["cost"]),
    ("hardware: 1000 x H100 ▮", ["for", "at", "in", "from"], ["H100"]),
    ("hardware: 8 x H100 in ▮", ["bf16", "fp8", "nodes"], ["int4"]),
    ("hardware: 8 x H100 for 6 ▮", ["months", "days", "at"], []),
    ("hardware: {\n  ▮\n}", ["device", "gpus", "price", "paid"], ["layers"]),
    ("hardware: { paid: ▮", ["reserved", "running"], ["cost"]),
    ("data b: 3T tokens ▮", ["quality", "weight", "up to", "domain"], ["cost"]),
    ("data b: 3T tokens quality ▮", ["high", "ordinary", "sft"], ["cost"]),
    ("data b: 3T tokens domain ▮", ["text", "protein"], ["optimizers"]),
    ("model: ▮", ["llama-3-8b", "?", "budget"], ["x"]),
    ("model: { layers: 3; ▮", ["hidden", "heads"], ["gpus"]),
    ("start: ▮", ["scratch", "checkpoint"], []),
    ("objective: ▮", ["CLM", "MLM", "transfer"], []),
    ("objective: CLM of ▮", ["text", "protein"], ["CLM"]),
    ("schedule: ▮", ["WSD", "cosine"], ["linear"]),
    ("schedule: WSD quality ▮", ["late", "early"], ["high"]),
    ("phase a: ▮", ["rest", "budget"], ["linear"]),
    ("phase a: 10% ▮", ["linear", "constant"], ["WSD"]),
    ("phase a: 10% linear mix ▮", ["web", "my code"], ["cost"]),
    ("optimizer: ▮", ["AdamW", "Muon"], ["cost"]),
    ("optimizer: AdamW { ▮", ["batch", "learning_rate"], ["gpus"]),
    ("require cost <= ▮", ["budget", "cost", "tokens.web", "min"], ["months"]),
    ("require cost <= 5 ▮", ["USD", "and", "because"], ["budget"]),
    ("require cost <= bud▮ because", ["budget"], []),
    ("minimize ▮", ["loss", "cost"], ["USD"]),
    ("law x extends ▮", ["chinchilla"], ["cost"]),
    ("law x {\n  constants { E = 1; A = 2 }\n  loss(params N) in nat/token = E + ▮\n}", ["E", "A"], ["x"]),
    ("tokens: 2T # ignore[▮", ["H004", "availability-assumed", "B001"], ["S001"]),
    ("tokens: 2T # ▮", [], ["H004", "cost"]),
    ("nonsense here too ▮", ["budget", "cost"], ["hardware"]),
    ("nonsense 5 ▮", ["USD", "days"], []),
]
IN_YAML = [
    ("▮", ["hardware", "laws", "stages"], ["use", "cost"]),
    ("laws: [chinchilla, ▮", ["llama3"], ["cost"]),
    ("hardware: 1000 x ▮", ["H100"], []),
    ("hardware: 8 x H100 for 6 ▮", ["months"], []),
    ("hardware:\n  ▮", ["device", "gpus", "precision"], ["layers"]),
    ("hardware: {gpus: 8, ▮", ["device", "price"], ["layers"]),
    ("hardware:\n  device: ▮", ["H100"], ["cost"]),
    ("hardware:\n  - 8 x H100 for 6 ▮", ["months"], []),
    ("model:\n  layers: 3\n  ▮", ["hidden", "name"], ["gpus"]),
    ("optimizer:\n  name: ▮", ["AdamW"], ["cost"]),
    ("schedule:\n  a: 10% ▮", ["linear"], ["WSD"]),
    ("schedule:\n  a: 10% linear mix ▮", ["web", "code"], []),
    ("stages:\n  pre:\n    ▮", ["hardware", "tokens"], ["let", "model"]),
    ("stages:\n  pre:\n    tokens: 3T ▮", ["tokens"], []),
    ("require:\n  - cost <= ▮", ["budget", "tokens.web"], ["months"]),
    ("require: cost <= 5 ▮", ["USD"], ["budget"]),
    ('require: "cost <= ▮', ["budget"], []),
    ("tokens: 2T # ignore[▮", ["H004"], []),
    ("nonsense\nrequire: cost <= ▮", ["budget"], []),
]


@pytest.mark.parametrize(("text", "there", "not_there"), IN_PLANS)
def test_what_a_plan_is_offered(tmp_path: Path, text: str, there: list[str], not_there: list[str]) -> None:
    found = offered(tmp_path, PLAN + text, "a.plan")
    assert [word for word in there if word not in found] == []
    assert [word for word in not_there if word in found] == []


@pytest.mark.parametrize(("text", "there", "not_there"), IN_YAML)
def test_what_yaml_is_offered(tmp_path: Path, text: str, there: list[str], not_there: list[str]) -> None:
    found = offered(tmp_path, YAML + text, "a.plan.yaml")
    assert [word for word in there if word not in found] == []
    assert [word for word in not_there if word in found] == []


def test_statements_are_those_of_the_table(tmp_path: Path) -> None:
    found = offered(tmp_path, "▮", "a.plan")
    assert {word for word, kind in found.items() if kind == "statement"} == set(KEYWORDS)
    assert set(offered(tmp_path, "▮", "a.plan.yaml")) == set(BY_KEY)
    inner = {row.keyword for row in OF_PLANS if row.in_stage}
    assert set(offered(tmp_path, "stage a {\n▮\n}", "a.plan")) == inner


def test_what_is_chosen_takes_the_place_of_the_word(tmp_path: Path) -> None:
    for text, word in (
        ("require tokens.w▮", "tokens.w"),
        ("tokens: 10▮", ""),
        ("use laws chinchilla.ap▮", "chinchilla.ap"),
    ):
        there = one(tmp_path, PLAN + text)
        assert there.document().source.text[completion(there.document(), there.at).start : there.at] == word


def test_units_of_what_is_counted_come_first(tmp_path: Path) -> None:
    for text, unit in (
        ("hardware: 8 x H100 for 6 ▮", "days"),
        ("tokens: 3 ▮", "tokens"),
        ("require cost <= 5 ▮", "USD"),
        ("compute: 3 ▮", "FLOP"),
    ):
        there = one(tmp_path, text)
        items = [item for item in completion(there.document(), there.at).items if item.kind == "unit"]
        assert {item.order for item in items if item.label == unit} == {1}
        assert {item.order for item in items if item.label == "gCO2eq"} == {5}


def test_files_beside_it_are_offered_to_an_import(tmp_path: Path) -> None:
    (tmp_path / "prices.plan").touch()
    assert "prices.plan" in offered(tmp_path, "import ▮", "a.plan")
    assert "prices.plan" in offered(tmp_path, 'import "▮', "a.plan")
