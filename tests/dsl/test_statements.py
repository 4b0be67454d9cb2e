"""Every row of the table of statements is what the readers make of it, in both spellings."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.plan.lower import lower
from runplan.dsl.plan.overrides import overridden
from runplan.dsl.syntax import cache, grammar, recovery
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.syntax.statements import CONTINUING, KINDS, LAW_FIELDS, OF_PACKS, OF_PLANS, RECORDS, RESERVED
from runplan.dsl.syntax.statements import Statement as Row
from runplan.dsl.syntax.tree import File
from runplan.dsl.syntax.yaml import SHAPES, parse_yaml
from runplan.dsl.text.source import Source
from runplan.dsl.typed import fields

GRAMMAR = Path(grammar.__file__).with_name("plan.lark").read_text(encoding="utf-8")
RULES = dict(re.findall(r"^\??(\w+)(?:\.\d+)?:((?:.*\n)(?:[ \t]+.*\n)*)", re.sub("//.*", "", GRAMMAR), re.MULTILINE))
BASE = "hardware: 6 x H100 for 6 months\n"
# One of each, as a line and as YAML; a text alone is the value in both.
SAMPLES: dict[str, str | tuple[str, str]] = {
    "plan": ('plan "A title"', "plan: A title"),
    "use": "chinchilla, llama3",
    "let": ("let a = 3 USD", "let: {a: 3 USD}"),
    "import_": "other.plan",
    "rate": "EUR = 1.08 USD on 2026-01-15",
    "calendar": "month = 30.4375 days",
    "hardware": "8 x A100 for 2 months",
    "compute": "1e24 FLOP",
    "data": "3T tokens",
    "data_named": "3T tokens up to 2 epochs",
    "tokens": "at least 2T",
    "model": "7B, 1B active",
    "start": "checkpoint llama-3-8b on 15T tokens",
    "objective": "MLM of protein",
    "inference": "2T tokens",
    "context": "32k tokens",
    "reserve": '15% because "repairs"',
    "schedule": "WSD quality late",
    "phase": "100% constant",
    "layout": "tp 8, pp 4, dp ?, micro_batch 2 sequences, recompute full in megatron",
    "stage": ("stage a { tokens: 1T }", "stages: {a: {tokens: 1T}}"),
    "optimizer": (
        "optimizer: AdamW8bit { lora: 16; lora_on: qv }",
        "optimizer: {name: AdamW8bit, lora: 16, lora_on: qv}",
    ),
    "require": 'cost <= 3M USD because "board"',
    "prefer": "tokens >= 1T",
    "minimize": "loss",
    "maximize": "tokens",
}


def spelled(row: Row) -> tuple[str, str]:
    """The sample of a statement as a line of a `.plan` file, and in YAML."""
    sample = SAMPLES[row.rule]
    if isinstance(sample, tuple):
        return sample[0] + "\n", sample[1] + "\n"
    if row.times == "name":
        key = next(other.key for other in OF_PLANS if other.key and other.fills == row.fills)
        return f"{row.keyword} a: {sample}\n", f"{key}: {{a: {sample!r}}}\n"
    return f"{row.keyword}: {sample}\n", f"{row.key}: {sample!r}\n"


def lines(text: str) -> File:
    file, findings = parse_file(Source("p", text))
    assert findings == []
    return file


def mapped(text: str) -> File:
    file, findings = parse_yaml(Source("p", text))
    assert findings == []
    return file


def plan_of(file: File) -> object:
    return lower(file, LIBRARY.vocabulary()).plan


def codes(file: File) -> list[str]:
    return [f.code for f in lower(file, LIBRARY.vocabulary()).findings if f.severity == "error"]


rows = pytest.mark.parametrize("row", OF_PLANS, ids=lambda row: row.rule)


@rows
def test_both_spellings_of_a_statement_say_the_same_and_something(row: Row) -> None:
    line, text = spelled(row)
    other = "compute: 1e21 FLOP\n" if row.rule == "hardware" else BASE
    if row.rule == "import_":  # what it says depends on the other file
        assert lines(line).statements == mapped(text).statements
        return
    plan = plan_of(lines(other + line))
    assert plan is not None
    assert plan == plan_of(mapped(other + text))
    assert plan != plan_of(lines(other))


@pytest.mark.parametrize("row", [row for row in OF_PLANS if row.settable], ids=lambda row: row.rule)
def test_what_is_settable_is_set_as_if_the_plan_had_said_so(row: Row) -> None:
    value = "A title" if row.rule == "plan" else spelled(row)[0].partition(":")[2].strip()
    file, findings = overridden(lines("compute: 1e24 FLOP\n"), [f"{row.key}={value}"])
    assert findings == []
    rest = "" if row.rule == "compute" else "compute: 1e24 FLOP\n"
    assert plan_of(file) == plan_of(lines(rest + spelled(row)[0]))


@pytest.mark.parametrize("row", [r for r in OF_PLANS if r.key and not r.settable], ids=lambda row: row.rule)
def test_what_is_not_settable_is_refused(row: Row) -> None:
    assert [f.code for f in overridden(lines(BASE), [f"{row.key}=1"])[1]] == ["N002"]


@rows
def test_a_statement_stands_in_a_stage_where_the_table_says_so(row: Row) -> None:
    inside = codes(lines(f"compute: 1e21 FLOP\nstage s {{\n{spelled(row)[0]}}}\n"))
    assert inside == ([] if row.in_stage else ["N001"])


@rows
def test_a_statement_stands_twice_where_the_table_says_so(row: Row) -> None:
    if row.rule in ("let", "rate"):  # twice with other names only
        return
    line = spelled(row)[0]
    other = "compute: 1e21 FLOP\n" if row.rule == "hardware" else BASE
    found = codes(lines(other + line + line))
    assert ("N005" in found) == (row.times != "likes")


# ---- what stays in plan.lark


def test_every_value_is_a_rule_of_the_grammar() -> None:
    assert [row.rule for row in OF_PLANS if row.value and row.value not in RULES] == []
    assert set(grammar.STARTS) <= set(RULES)


def test_a_statement_without_a_value_is_spelled_out_in_the_grammar() -> None:
    whole = [row for row in (*OF_PLANS, *OF_PACKS) if not row.value]
    assert [row.rule for row in whole if row.rule not in RULES] == []
    begin = {row.rule: re.findall(r'"(\w+)"', RULES[row.rule])[:1] for row in whole if row.rule != "record"}
    assert begin == {row.rule: [row.keyword] for row in whole if row.rule != "record"}


def test_each_row_stands_once() -> None:
    assert len({row.rule for row in OF_PLANS}) == len(OF_PLANS) == len(SAMPLES)
    keys = [row.key for row in OF_PLANS if row.key]
    assert len(set(keys)) == len(keys)


def test_joining_words_are_words_of_the_grammar() -> None:
    words = set(re.findall(r"[A-Za-z]+", GRAMMAR))
    assert [word for word in RESERVED if word not in words] == []
    assert len(set(RESERVED)) == len(RESERVED) and set(CONTINUING) <= set(RESERVED)


def test_what_a_law_may_say_is_what_its_grammar_reads() -> None:
    items = [item for item in re.findall(r"\w+", RULES["_law_item"]) if item != "law_function"]
    assert [re.findall(r'"(\w+)"', RULES[item])[0] for item in items] == LAW_FIELDS


def test_the_kinds_of_records_are_those_that_have_figures() -> None:
    # `model` begins a statement of plans, too: its records have a rule of their own.
    assert set(fields.RECORDS) == set(RECORDS) == {*KINDS, "model"} - {"defaults"}


def test_recovery_knows_the_items_of_blocks() -> None:
    assert recovery.ITEMS - {"_statement"} <= set(RULES)
    in_blocks = {item for text in RULES.values() for item in re.findall(r"\((\w+) _s\w*\)\*", text)}
    assert in_blocks == recovery.ITEMS


def test_every_shape_is_read_and_used() -> None:
    assert {row.shape for row in OF_PLANS if row.key} == set(SHAPES)


# ---- the cache


def test_what_shapes_a_tree_marks_the_cache() -> None:
    """Of the files that a reader imports all but those that only say what is wrong, or are made of the others."""
    folder = Path(cache.__file__).parent
    seen, waiting = {"plan_tables.py"}, ["parse.py", "yaml.py", "cache.py"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in ast.walk(ast.parse((folder / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("runplan.dsl.syntax"):
                module = (node.module or "").removeprefix("runplan.dsl.syntax").removeprefix(".")
                names = [module] if module else [alias.name for alias in node.names]
                waiting.extend(f"{name}.py" for name in names)
    saying = {f"{name}.py" for name in "messages mistake mistake_help recovery repairs yaml_help".split()}
    assert seen - {"plan_tables.py"} - saying == set(cache.SHAPING) - {"plan.lark"}
