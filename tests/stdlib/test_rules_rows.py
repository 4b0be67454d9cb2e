"""Claims to rules: what a plan can break is found where it is broken, what none can is noted, and no false alarms.

The claims are those of `docs/claims.md`; a rule names in its `rows` those that it stands for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.packs.cards import TEXTS
from runplan.dsl.packs.pack import Rule
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.judge.rules import ELSEWHERE, example
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

ROOT = Path(__file__).resolve().parents[2]
RULES = LIBRARY.rules()
LINTS = [rule for rule in RULES if rule.severity != "note"]

# The claims that no plan can break: a note says them where they bear on a plan.
NOTED = {5, 12, 14, 15, 24, 36, 37, 71, 74, 81, 82, 92, 93, 96, 98}
NOTES = [rule for rule in RULES if rule.severity == "note"]
# Claims that are no advice, and that a plan can break all the same: each is named by a rule.
ALSO = {4, 6, 31, 40, 54, 60, 62, 65, 66, 72, 76, 78, 79, 83, 84, 91}
# Warnings and errors that plans of `plans/` deserve, by plan without its ending.
DESERVED = {
    "backwards-1t": {"H002"},
    "backwards-2t": {"H002"},
    "hundred-a800": {"H002"},
    "over-budget": {"B001"},
    "pretrain-7b": {"H005"},
    "protein-mlm-to-clm-1e21": {"T031"},
    "protein-transfer-85m-binary": {"D009"},
    "too-much-at-once": {"C003"},
}
PLANS = sorted(path.name for path in (ROOT / "plans").iterdir() if path.name.endswith((".plan", ".plan.yaml")))


def named(rule: Rule) -> str:
    return f"{rule.code}-{rule.severity}"


def report(text: str, name: str = "example.plan") -> Report:
    return report_of(name, Buffer(name, text.encode(), Disk(ROOT)), catalogue=LIBRARY, intervals=False)


def flagged(rule: Rule, text: str) -> list[Finding]:
    return [f for f in report(text).findings if (f.code, f.severity) == (rule.code, rule.severity)]


# ---- claims


def test_what_no_plan_can_break_is_noted_and_never_found() -> None:
    assert {row for rule in NOTES for row in rule.rows} == NOTED
    assert {row for rule in RULES if rule.severity != "note" for row in rule.rows}.isdisjoint(NOTED)


@pytest.mark.parametrize("rule", NOTES, ids=named)
def test_a_note_is_in_the_report_where_it_bears_and_there_alone(rule: Rule) -> None:
    bears, does_not = (report(example(statements)) for statements in (rule.breaks, rule.keeps))
    assert rule.code in {note.code for note in bears.notes}
    assert rule.code not in {note.code for note in does_not.notes} | {f.code for f in bears.findings}


def test_other_claims_that_a_plan_can_break_have_rules() -> None:
    assert {row for rule in RULES for row in rule.rows} >= ALSO


def test_what_a_rule_stands_for_may_be_left_out() -> None:
    """H004 rests on a model card, and on no claim: `rows` is optional, in the library as in a pack."""
    assert [rule.rows for rule in RULES if rule.code == "H004"] == [()]


def test_errors_are_impossible_and_where_the_field_disagrees_it_is_said() -> None:
    assert {rule.code for rule in RULES if rule.severity == "error"} == {"C003", "H001", "H002", "H012", "U001"}
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
    "learning_rate": "optimizer", "decay_share": "phase", "warmup_share": "phase", "final_rate": "phase",
    "sft_in_decay": "phase",
    "most_epochs": "data", "high_quality_epochs": "data", "sft_early": "data", "reasoning_share": "data",
    "pretrain_code": "data", "high_quality_early": "schedule", "pretrain_share": "objective",
    "inference_tokens": "inference",
    "pretrain_data": "data",
}  # fmt: skip


@pytest.mark.parametrize("rule", LINTS, ids=named)
def test_the_example_is_flagged_at_the_statement_that_is_blamed(rule: Rule) -> None:
    text = example(rule.breaks)
    found = flagged(rule, text)
    assert found
    lines = statements(text)
    wanted = STATED.get(rule.blames, rule.blames)
    allowed = {line for name in (wanted, *ELSEWHERE.get(wanted, ())[: wanted not in lines]) for line in lines[name]}
    # What no statement of the example is about is said of its hardware, or of its first statement.
    assert {f.at.span.line for f in found} <= (allowed or set(lines["hardware"]) or {1}), (text, wanted)
    assert flagged(rule, example(rule.keeps)) == []


@pytest.mark.parametrize("rule", LINTS, ids=named)
def test_what_is_said_has_the_numbers_in_it(rule: Rule) -> None:
    for found in flagged(rule, example(rule.breaks)):
        said = " ".join((found.message, *found.help))
        # What a rule could not fill in is a name in braces; a block has blanks inside its own.
        assert not re.search(r"\{[\w.]+%?\}", said), said
        assert len(found.message) <= 200
        filled = set(re.findall(r"\{([\w.]+)%?\}", rule.says)) - set(TEXTS)
        assert not filled or any(character.isdigit() for character in found.message)


@pytest.mark.parametrize("rule", LINTS, ids=named)
def test_an_example_breaks_no_more_than_it_says(rule: Rule) -> None:
    """The twin that keeps a rule raises no warning of another."""
    others = {f.code for f in report(example(rule.keeps)).findings if f.severity != "info"}
    assert others == set()


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
    assert any(f.message.startswith("`code` is seen for 6.667 epochs") for f in report(text).findings)


def test_the_phase_that_is_too_short_is_blamed() -> None:
    text = """model: 1B
tokens: 30B
phase warmup: 1% warmup
phase stable: 98% constant
phase decay:  1% linear
"""
    assert place(text, "T002") == [(5, "linear")]


def test_a_statement_that_is_not_there_is_not_blamed() -> None:
    assert place("compute: 1e21 FLOP\nmodel: 12B\n", "D002") == [(2, "model: 12B")]
    assert place("model: 2B\ndata: 10B tokens\n", "D001") == [(2, "data: 10B tokens")]


def test_words_are_compared_whatever_their_case() -> None:
    assert place("model: 1B\ntokens: 30B\noptimizer: sgd\n", "T023") == [(3, "optimizer: sgd")]


# ---- claims, broken and kept

TRANSFER = "objective: transfer from CLM to MLM of protein\nmodel: 85M params\n"
HARDWARE = "hardware: 64 x H100 for 30 days at 40% MFU\n"
BACK = "objective: transfer from MLM to CLM of protein\n"
LONG = "model { params: 70B; context: 2048 tokens }\ntokens: 1T\n"
RUN = "model: 1B\ntokens: 30B\n"


def phases(*said: str) -> str:
    """A line for each phase."""
    return "".join(f"phase p{i}: {text}\n" for i, text in enumerate(said))


# For each claim: a plan that breaks it, the lines where a rule that names it says so, and a twin that keeps it.
BROKEN: list[tuple[int, str, set[int], str]] = [
    (
        58,
        TRANSFER + "data clm: 50B tokens for pretrain\ndata mlm: 50B tokens for finetune\n",
        {3},
        TRANSFER + "data clm: 9B tokens for pretrain\ndata mlm: 50B tokens for finetune\n",
    ),
    (
        66,
        TRANSFER + "data mlm: 48B tokens for finetune\ndata clm: 1B tokens for pretrain\n",
        {4},
        TRANSFER + "data mlm: 48B tokens for finetune\ndata clm: 12B tokens for pretrain\n",
    ),
    (
        67,
        TRANSFER + "data clm: 30B tokens weight 100% for pretrain\ndata mlm: 30B tokens weight 100% for finetune\n",
        {1, 3},
        TRANSFER + "data: 48B tokens\n",
    ),
    (
        58,
        TRANSFER + "tokens: 60B\ndata clm: 30B tokens for pretrain\ndata mlm: 30B tokens for finetune\n",
        {1, 4},
        TRANSFER + "tokens: 60B\ndata clm: 9B tokens for pretrain\ndata mlm: 51B tokens for finetune\n",
    ),
    (55, BACK + "compute: 1e21 FLOP\n", {1}, "compute: 1e21 FLOP\nobjective: transfer from CLM to MLM of protein\n"),
    (31, "model: 1B\ntokens: 20B\n", {2}, "model: 1B\ntokens: 23B\n"),
    (35, HARDWARE + "model: 10B\ntokens: 20B\n", {3}, HARDWARE + "model: 10B\ntokens: 200B\n"),
    (31, HARDWARE + "data: 10T tokens\nmodel: 200B\n", {3}, HARDWARE + "data: 10T tokens\nmodel: 30B\n"),
    (31, HARDWARE + "data: 10B tokens\nmodel: 10B\n", {2}, HARDWARE + "data: 200B tokens\nmodel: 10B\n"),
    (34, HARDWARE + "require tokens / params >= 500\n", {2}, HARDWARE + "require tokens / params >= 15\n"),
    (69, HARDWARE + "require tokens / params <= 2\n", {2}, HARDWARE + "require tokens / params <= 30\n"),
    (77, RUN + "optimizer: AdamW { batch: 64M tokens }\n", {3}, RUN + "optimizer: LAMB { batch: 64M tokens }\n"),
    (94, RUN + "optimizer: AdamW { batch: 60M tokens }\n", {3}, RUN + "optimizer: LARS { batch: 60M tokens }\n"),
    (
        94,
        LONG + "optimizer: AdamW { batch: 60000 sequences }\n",
        {3},
        LONG + "optimizer: LAMB { batch: 60000 sequences }\n",
    ),
    (
        75,
        "tokens: 3B\nmodel { params: 100M; vocab: 256000 }\n",
        {2},
        "tokens: 3B\nmodel { params: 100M; vocab: 8000 }\n",
    ),
    (39, "tokens: 60B\nmodel { params: 3B; layers: 8 }\n", {2}, "tokens: 60B\nmodel { params: 3B; layers: 32 }\n"),
    (91, RUN + "require loss <= 3 bit/byte\n", {3}, RUN + "require loss <= 3 nat/token\n"),
    (78, RUN + phases("1% warmup", "97% constant", "2% linear"), {5}, RUN + "schedule: minicpm\n"),
    (
        79,
        RUN + phases("1% warmup", "96.6% constant", "2.4% linear"),
        {5},
        RUN + phases("1% warmup", "96.5% constant", "2.5% linear"),
    ),
    (
        76,
        RUN + phases("1% warmup", "10% linear", "89% constant"),
        {5},
        RUN + phases("1% warmup", "69% constant", "20% cosine", "10% constant"),
    ),
    (56, "compute: 3e19 FLOP\n" + BACK, {2}, "compute: 3e19 FLOP\nobjective: CLM of protein\n"),
    (55, "use laws plm.refit\ncompute: 1e20 FLOP\n" + BACK, {3}, "compute: 1e20 FLOP\nobjective: CLM of protein\n"),
]


MIXED = [
    "CLM + MLM of protein", "CLM and MLM of protein", "CLM, MLM of protein", "CLM 50%, MLM 50% of protein",
    "50% CLM, 50% MLM of protein", "mixed of protein", "mixed CLM and MLM of protein", "mixed", "CLM, MLM",
]  # fmt: skip


@pytest.mark.parametrize("objective", MIXED)
def test_mixed_objectives_are_read_and_flagged(objective: str) -> None:
    text = f"compute: 1e20 FLOP\nobjective: {objective}\n"
    assert lines_of_row(text, 57) == {2}
    assert {f.code for f in report(text).findings} == {"T035", "L004"}
    assert report(text).solutions[0].status == "undecided"


@pytest.mark.parametrize(
    "objective", ["[CLM, MLM of protein]", "{CLM: 50%, MLM: 50%}", "\n  - CLM\n  - MLM of protein", "CLM, MLM"]
)
def test_mixed_objectives_in_yaml(objective: str) -> None:
    assert lines_of_row(f"compute: 1e20 FLOP\nobjective: {objective}\n", 57, "example.plan.yaml") == {2}


def test_what_is_said_of_mixed_objectives_is_a_rule_that_may_be_replaced() -> None:
    rule = 'override rule T035 mixed-objectives info { when objective == "mixed"; says "so be it"; blames objective }\n'
    found = report(rule + "compute: 1e20 FLOP\nobjective: CLM, MLM\n").findings
    assert [(f.severity, f.message, f.at.span.line) for f in found if f.code == "T035"] == [("info", "so be it", 3)]


@pytest.mark.parametrize(
    ("objective", "unknown"), [("UL2", ["UL2"]), ("CLM + UL2", ["UL2"]), ("mixture CLM, MLM", ["mixture"])]
)
def test_an_unknown_objective_is_no_mixed_one(objective: str, unknown: list[str]) -> None:
    text = f"compute: 1e20 FLOP\nobjective: {objective}\n"
    assert [text for _, text in place(text, "N002")] == unknown
    assert lines_of_row(text, 57) == set()


def lines_of_row(text: str, row: int, name: str = "example.plan") -> set[int]:
    """Where a rule that names the row says something of a plan."""
    rules = {(rule.code, rule.severity) for rule in RULES if row in rule.rows}
    return {f.at.span.line for f in report(text, name).findings if (f.code, f.severity) in rules}


@pytest.mark.parametrize(("row", "breaks", "lines", "keeps"), BROKEN)
def test_a_plan_that_breaks_a_row_is_flagged_and_its_twin_is_not(
    row: int, breaks: str, lines: set[int], keeps: str
) -> None:
    assert lines_of_row(breaks, row) == lines
    assert lines_of_row(keeps, row) == set()


def test_a_small_model_with_a_usual_vocabulary_is_worth_a_word_and_no_warning() -> None:
    gpt2 = "model { layers: 12; hidden: 768; heads: 12; ffn: 3072; vocab: 50257; tied: true }\ntokens: 10B\n"
    assert [(f.code, f.severity) for f in report(gpt2).findings if f.code == "D030"] == [("D030", "info")]


def test_an_estimated_width_is_said_to_be_one() -> None:
    found = report("model { params: 3B; layers: 8 }\ntokens: 60B\n")
    assert any("about 5590 wide" in f.message for f in found.findings)
    assert any(str(a.name) == "hidden" and "12 layers hidden^2" in a.source for a in found.assumptions)


def test_a_batch_in_sequences_needs_their_length() -> None:
    batch = report(LONG + "optimizer: AdamW { batch: 2000 sequences }\n").solutions[0].get("batch")
    assert batch == 2000 * 2048
    (found,) = report(RUN + "optimizer: AdamW { batch: 2000 sequences }\n").findings
    assert (found.code, found.at.span.text) == ("C004", "2000 sequences")
    assert "context" in found.help[0]


def test_few_data_for_pretraining_do_not_shrink_the_second_stage() -> None:
    text = TRANSFER + "data clm: 1B tokens for pretrain\ndata mlm: 48B tokens for finetune\n"
    solution = report(text).solutions[0]
    assert solution.get("finetune_tokens") == pytest.approx(48e9)
    assert solution.get("pretrain_tokens") == pytest.approx(1e9)
    assert solution.get("worth_tokens") == pytest.approx(8.94496e9, rel=1e-5)
    assert solution.get("transferred_tokens") == pytest.approx(1e9)
    assert solution.get("data_multiplier") == pytest.approx(49 / 48)


def test_data_for_the_first_stage_alone_bound_nothing() -> None:
    assert {f.code for f in report(TRANSFER + "data: 50B tokens for pretrain\n").findings} == {"C002"}
    bounded = report(TRANSFER.replace("model: 85M params", "compute: 1e20 FLOP") + "data: 50B tokens for pretrain\n")
    assert bounded.solutions[0].status == "solved"


@pytest.mark.parametrize("objective", [TRANSFER, BACK + "model: 85M params\n"])
def test_weights_are_of_one_stage(objective: str) -> None:
    text = objective + "data a: 50B tokens weight 50% for pretrain\ndata b: 50B tokens weight 50% for finetune\n"
    assert place(text, "U004") == [(3, "50%"), (4, "50%")]


# ---- what the law chose, and what others do, is no mistake


@pytest.mark.parametrize("law", ["chinchilla", "llama3", "kaplan", "kaplan.joint", "minicpm", "chinchilla.approach1"])
@pytest.mark.parametrize("compute", ["1e19", "1e22", "1e25"])
def test_a_law_that_chooses_freely_is_not_blamed(law: str, compute: str) -> None:
    found = report(f"use laws {law}\ncompute: {compute} FLOP\n")
    assert [f.code for f in found.findings if f.code[0] in "DT"] == []


@pytest.mark.parametrize("law", ["chinchilla", "minicpm", "kaplan.joint", "llama3"])
@pytest.mark.parametrize("more", ["require tokens / params >= 0.01", "data: 1000T tokens", "tokens: at least 1B"])
def test_what_does_not_bind_makes_no_choice_of_the_plan(law: str, more: str) -> None:
    found = report(f"use laws {law}\ncompute: 1e22 FLOP\n{more}\n")
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
    found = report_of(f"plans/{name}", Disk(ROOT), catalogue=LIBRARY, intervals=False).findings
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
