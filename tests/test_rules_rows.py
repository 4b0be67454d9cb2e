"""Rows of the facts to rules: each that a plan can break is named by one, each other has a reason; no false alarms."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from runplan.dsl.finding import Finding
from runplan.dsl.pack import Rule
from runplan.dsl.reader import Buffer, Disk
from runplan.dsl.rule_check import TEXTS
from runplan.engine.catalogue import standard
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report
from runplan.engine.rules import ELSEWHERE, example

ROOT = Path(__file__).resolve().parent.parent
FACTS = ROOT.parent / "shared" / "facts" / "rows.md"
RULES = standard().rules()

# The qualitative rows of the facts that no plan can break, and why.
REASONS = {
    5: "an identity: N D = C / 6 holds in every solution",
    12: "errors of planners, not of plans: the budget always caps what is solved, and C003 says where it does not fit",
    14: "about hardware and practice: cheaper FLOPs, warm-ups on small models; the figures are the devices'",
    15: "challenges that no law counts: quality is taken as constant, and the report says so",
    24: "history: the sizes of Llama 3.1; the law is `llama3`",
    36: "about measures: pre-training follows the size, fine-tuning the shape; rules on shapes are those of row 39",
    74: "no limit is agreed, so none can be passed",
    81: "about reading results: a plan predicts losses, no downstream jumps",
    82: "an opinion on scaling laws as such",
    92: "teams converge on shares of languages that nobody states",
    93: "about cleaning, before there is a plan: its baseline and falling return",
    96: "a choice that the task makes; for a domain of one's own a law is fitted",
    98: "what to do beyond plans: architecture, distillation, quality",
}
# Other rows that the rules are there for, each to be named by one: of the list, and of the defects to warn of.
ALSO = {4, 6, 31, 40, 54, 60, 62, 65, 66, 72, 76, 78, 79, 83, 84, 91}
# Warnings and errors that plans of `plans/` deserve, by plan without its ending.
DESERVED = {
    "backwards-1t": {"H002"},
    "backwards-2t": {"H002"},
    "hundred-a800": {"H002"},
    "over-budget": {"B001"},
    "protein-mlm-to-clm-1e21": {"T031"},
    "protein-transfer-85m-binary": {"D009"},
    "too-much-at-once": {"C003"},
}
PLANS = sorted(path.name for path in (ROOT / "plans").iterdir() if path.name.endswith((".plan", ".plan.yaml")))


def named(rule: Rule) -> str:
    return f"{rule.code}-{rule.severity}"


def report(text: str) -> Report:
    return report_of("example.plan", Buffer("example.plan", text.encode(), Disk(ROOT)), intervals=False)


def flagged(rule: Rule, text: str) -> list[Finding]:
    return [f for f in report(text).findings if (f.code, f.severity) == (rule.code, rule.severity)]


# ---- rows


@pytest.mark.skipif(not FACTS.exists(), reason="the facts lie beside the repository")
def test_every_qualitative_row_has_a_rule_or_a_reason() -> None:
    rows = {int(number) for number in re.findall(r"(?:^|\. )(\d+)\. \[R\]", FACTS.read_text(encoding="utf-8"), re.M)}
    assert len(rows) > 30
    by_rule = {row for rule in RULES for row in rule.rows}
    assert rows - by_rule == REASONS.keys()
    assert rows & by_rule & REASONS.keys() == set()


def test_the_other_rows_have_rules() -> None:
    assert {row for rule in RULES for row in rule.rows} >= ALSO


def test_every_rule_names_its_rows() -> None:
    """H004 rests on a model card and not on a founding document."""
    assert {rule.code for rule in RULES if not rule.rows} == {"H004"}


def test_errors_are_impossible_and_where_the_field_disagrees_it_is_said() -> None:
    assert {rule.code for rule in RULES if rule.severity == "error"} == {"C003", "H002", "N002", "U001"}
    both_sides = [rule for rule in RULES if 73 in rule.rows and rule.code in ("D020", "D021")]
    assert [rule.severity for rule in both_sides] == ["info", "info"]


# ---- examples, at their lines


def statements(text: str) -> dict[str, list[int]]:
    """The lines of an example's statements by the word that they begin with; those inside a block belong to it."""
    found: dict[str, list[int]] = defaultdict(list)
    depth, word = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if depth == 0:
            word = re.split(r"[\s:{]", line, maxsplit=1)[0]
        found[word].append(number)
        depth += line.count("{") - line.count("}")
    return found


# What a rule blames that is no statement: the statement that states it, and its place where that tells several apart.
STATED = {
    "rate": "hardware", "vocab": "model", "layers": "model", "heads": "model", "ffn": "model", "batch": "optimizer",
    "learning_rate": "optimizer", "decay_share": "phase", "warmup_share": "phase", "sft_in_decay": "phase",
    "most_epochs": "data", "high_quality_epochs": "data", "sft_early": "data", "reasoning_share": "data",
    "pretrain_code": "data", "high_quality_early": "schedule", "pretrain_share": "objective",
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_example_is_flagged_at_the_statement_that_is_blamed(rule: Rule) -> None:
    text = example(rule.breaks)
    found = flagged(rule, text)
    assert found
    lines = statements(text)
    wanted = STATED.get(rule.blames, rule.blames)
    allowed = {line for name in (wanted, *ELSEWHERE.get(wanted, ())[: wanted not in lines]) for line in lines[name]}
    assert {f.at.span.line for f in found} <= allowed, (text, wanted)
    assert flagged(rule, example(rule.keeps)) == []


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_what_is_said_has_the_numbers_in_it(rule: Rule) -> None:
    for found in flagged(rule, example(rule.breaks)):
        said = " ".join((found.message, *found.help))
        assert "{" not in said, said
        assert len(found.message) <= 200
        filled = set(re.findall(r"\{([\w.]+)%?\}", rule.says)) - set(TEXTS)
        assert not filled or any(character.isdigit() for character in found.message)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_an_example_breaks_no_more_than_it_says(rule: Rule) -> None:
    """The twin that keeps a rule raises no warning of another, but for what several rules weigh together."""
    others = {f.code for f in report(example(rule.keeps)).findings if f.severity != "info"}
    assert others <= ({"T020"} if rule.code == "T022" else set())


# ---- places


def place(text: str, code: str) -> list[tuple[int, str]]:
    return [(f.at.span.line, f.at.span.text) for f in report(text).findings if f.code == code]


def test_the_most_repeated_source_is_blamed() -> None:
    text = """model: 1B
tokens: 100B
data web:  90B tokens weight 80%
data code: 3B tokens up to 8 epochs weight 20%
"""
    assert place(text, "D010") == [(4, "data code: 3B tokens up to 8 epochs weight 20%")]


def test_the_phase_that_is_too_short_is_blamed() -> None:
    text = """model: 1B
tokens: 30B
phase warmup: 1% warmup
phase stable: 98% constant
phase decay:  1% linear
"""
    assert place(text, "T002") == [(5, "linear")]


def test_a_statement_that_is_not_there_is_not_blamed() -> None:
    assert place("compute: 1e21 FLOP\nmodel: 40B\n", "D002") == [(2, "model: 40B")]
    assert place("model: 2B\ndata: 8B tokens\n", "D001") == [(2, "data: 8B tokens")]


def test_words_are_compared_whatever_their_case() -> None:
    assert place("model: 1B\ntokens: 30B\noptimizer: sgd\n", "T023") == [(3, "optimizer: sgd")]


# ---- what the law chose, and what others do, is no mistake


@pytest.mark.parametrize("law", ["chinchilla", "llama3", "kaplan", "kaplan.joint", "minicpm", "chinchilla.approach1"])
@pytest.mark.parametrize("compute", ["1e19", "1e22", "1e25"])
def test_a_law_that_chooses_freely_is_not_blamed(law: str, compute: str) -> None:
    found = report(f"use laws {law}\ncompute: {compute} FLOP\n")
    assert [f.code for f in found.findings if f.code[0] in "DT"] == []


PUBLISHED = {
    "Llama 3 8B": """model {
  layers: 32; hidden: 4096; heads: 32; kv_heads: 8; ffn: 14336; vocab: 128256; context: 8192 tokens
}
tokens: 15T
optimizer: AdamW { batch: 4M tokens; learning_rate: 3e-4 }
""",
    "Llama 3 70B": """model {
  layers: 80; hidden: 8192; heads: 64; kv_heads: 8; ffn: 28672; vocab: 128256; context: 8192 tokens
}
tokens: 15T
optimizer: AdamW { batch: 16M tokens; learning_rate: 1.5e-4 }
""",
    "Llama 3 405B": """model { layers: 126; hidden: 16384; heads: 128; kv_heads: 8; ffn: 53248; vocab: 128256 }
tokens: 15.6T
optimizer: AdamW { batch: 16M tokens; learning_rate: 8e-5 }
schedule: cosine
""",
    "LLaMA 65B": """model { layers: 80; hidden: 8192; heads: 64; ffn: 22016; vocab: 32000; context: 2048 tokens }
tokens: 1.4T
optimizer: AdamW { batch: 4M tokens; learning_rate: 1.5e-4 }
schedule: cosine
""",
    "MiniCPM 2.4B": """model { layers: 40; hidden: 2304; heads: 36; ffn: 5760; vocab: 122753; tied: true }
tokens: 1.1T
optimizer: AdamW { batch: 4M tokens }
schedule: WSD
""",
    "Chinchilla 70B": """model { layers: 80; hidden: 8192; heads: 64; ffn: 22016; vocab: 32000 }
data: 1.4T tokens
optimizer: AdamW { batch: 3M tokens; learning_rate: 1e-4 }
schedule: cosine
""",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_runs_raise_no_warning(name: str) -> None:
    found = report(PUBLISHED[name])
    assert found.solutions[0].status == "solved"
    assert [f"{f.code} {f.message}" for f in found.findings if f.severity != "info"] == []


@pytest.mark.parametrize("name", PLANS)
def test_plans_raise_no_false_alarm(name: str) -> None:
    found = report_of(f"plans/{name}", Disk(ROOT), intervals=False).findings
    deserved = DESERVED.get(name.removesuffix(".yaml").removesuffix(".plan"), set())
    assert {f.code for f in found if f.severity != "info"} == deserved


def test_transfer_from_data_that_the_law_does_not_weigh() -> None:
    """Where a law says nothing of the first stage, its data are named and cap nothing."""
    text = """use laws hernandez
objective: transfer from text to python
model: 1B
data python: 100M tokens for finetune
data prose: 10B tokens for pretrain
"""
    assert report(text).solutions[0].status == "solved"
