"""What is nearly a statement, of every kind and in both spellings: help says how it is written, and that reads."""

from __future__ import annotations

import re

import pytest
from known import LIBRARY

from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.mistake_help import in_yaml
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.syntax.statements import EXAMPLES, OF_PLANS, Statement
from runplan.dsl.syntax.yaml import parse_yaml
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source

# What is written, and how help writes it; of what is a figure elsewhere, an example of one.
LINES = {
    "hardware: 64 x h100 sxm for 30 days": 'hardware: 64 x "h100 sxm" for 30 days',
    "hardware: 64 x NVIDIA H100 for 30 days": 'hardware: 64 x "NVIDIA H100" for 30 days',
    "hardware: 64 x A100 80 GB for 30 days": 'hardware: 64 x "A100 80 GB" for 30 days',
    "hardware: TPU v4 x 64 for 30 days": 'hardware: 64 x "TPU v4" for 30 days',
    "hardware: 64 x H100 30 days": "hardware: 64 x H100 for 30 days",
    "hardware: 8 nodes of 8 H100 for 30 days": "hardware: 8 nodes x H100 for 30 days in nodes of 8",
    "hardware: 64 x H100 for 30 days, 40% MFU": "hardware: 64 x H100 for 30 days at 40% MFU",
    "hardware: 64 x H100 for 30 days in bf16": "hardware: 64 x H100 in bf16 for 30 days",
    "data: The Pile": "data The-Pile: 10T tokens",
    "data: pile 300B tokens": "data pile: 300B tokens",
    "data: 300B tokens of the pile": "data pile: 300B tokens",
    "compute: lots of FLOP": "compute: 5e24 FLOP",
    "tokens: 20 per param": "require tokens / params == 20",
    "start: from scratch": "start: scratch",
    "layout: tp 8 pp 4": "layout: tp 8, pp 4",
    "objective: next token": "objective: CLM",
    "optimizer: AdamW lr 3e-4": "optimizer: AdamW { learning_rate: 3e-4 }",
    "require cost 1M USD": "require cost <= 1M USD",
    "require finish <= June 2026": "require finish <= 2026-06-30",
    "prefer cost small": "prefer loss <= 2.1",
    "minimize the loss": "minimize loss",
    "use laws chinchilla and llama3": "use laws chinchilla, llama3",
    "rate EUR 1.08 USD on 2026-01-15": "rate EUR = 1.08 USD on 2026-01-15",
    "calendar month 30.4375 days": "calendar month = 30.4375 days",
}
# Figures that are none, or not in a form of the language, and the help.
FIGURES = {
    "model: moe { layers: 32 }": "`7B`",
    "model: moe": "`7B`",
    "model: 7B-A1B": "`7B, 1B active`",
    "data: pile": "`10T tokens`",
    "tokens: lots": "`2T`",
    "reserve: some": "`15%`",
    "inference: lots": "`2T tokens`",
    "layout: tp eight": "`8`",
}


def found(text: str, yaml: bool) -> list[Finding]:
    file, wrong = (parse_yaml if yaml else parse_file)(Source("a.plan.yaml" if yaml else "a.plan", text + "\n"))
    return [one for one in (*wrong, *lower(file, LIBRARY.vocabulary()).findings) if one.severity == "error"]


def offered(finding: Finding) -> str:
    """The whole statement that help offers."""
    return next(m[1] for line in finding.help for m in [re.search(r"(?:write|it like|such as) `(.*)`", line)] if m)


@pytest.mark.parametrize("yaml", [False, True], ids=["lines", "yaml"])
@pytest.mark.parametrize("text", LINES)
def test_a_statement_that_is_nearly_one_is_offered_as_one(text: str, yaml: bool) -> None:
    first = found(in_yaml(text) if yaml and text != "prefer cost small" else text.replace("prefer ", "prefer: "), yaml)[
        0
    ]
    written = in_yaml(LINES[text]) if yaml else LINES[text]
    if "{" in written and yaml and not written.startswith("data"):
        return  # a block is a mapping there
    assert any(f"`{written}`" in line for line in first.help), (first.message, first.help)
    assert not [one for one in found(written, yaml) if one.code in ("S001", "N001", "N002")], written


@pytest.mark.parametrize("text", FIGURES)
def test_a_word_in_the_place_of_a_figure_is_told_of_a_figure(text: str) -> None:
    (first,) = found(text, False)
    assert any(FIGURES[text] in line for line in first.help), first.help
    word = first.at.span.text
    pasted = text.replace(word if "-A" not in text else "7B-A1B", FIGURES[text].strip("`"))
    assert not found(pasted, False), pasted


@pytest.mark.parametrize("row", OF_PLANS, ids=lambda row: row.rule)
def test_a_keyword_alone_is_told_by_an_example(row: Statement) -> None:
    if row.rule == "data_named":
        return  # it begins as `data` does
    example = EXAMPLES[row.rule]
    assert not [one for one in found(example, False) if one.code in ("S001", "N001")]
    (first, *_) = found(row.keyword, False)
    assert any(f"`{example}`" in line for line in first.help), (first.message, first.help)
