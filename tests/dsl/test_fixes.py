"""What mends a finding: edits of what is written, that clear it; the same in both spellings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runplan
from runplan.dsl.text.finding import Edit, Finding, Fix
from runplan.dsl.text.fixes import apart, edited
from runplan.dsl.text.source import Source, Span

DSL = """plan "A run"  # with its comment
use laws chinchilla, llama3
let budget = 30M USD
hardware: 256 x H100-SXM in bf16 for 30 days at 40% MFU @ 2.50 USD/GPU/hour
data web: 10T tokens  # and another
data code: 800B tokens up to 4 epochs quality high
model: { layers: 32; hidden: 4096; heads: 32; vocab: 128256; context: 8k tokens }
optimizer: AdamW { batch: 4M tokens; weight_decay: 0.1 }
objective: CLM
schedule: WSD
require cost <= budget because "so it is"
require max(tokens, 1B tokens) >= 20B tokens
prefer time <= 20 days
minimize loss
"""
YAML = """plan: A run  # with its comment
laws: [chinchilla, llama3]
let:
  budget: 30M USD
hardware: "256 x H100-SXM in bf16 for 30 days at 40% MFU @ 2.50 USD/GPU/hour"
data:
  web: 10T tokens  # and another
  code: '800B tokens up to 4 epochs quality high'
model: {layers: 32, hidden: 4096, heads: 32, vocab: 128256, context: 8k tokens}
optimizer:
  name: AdamW
  batch: 4M tokens
  weight_decay: 0.1
objective: CLM
schedule: >-
  WSD
require:
- cost <= budget because "so it is"
- max(tokens, 1B tokens) >= 20B tokens
prefer: time <= 20 days
minimize: loss
"""
PLANS = {"a.plan": DSL, "a.plan.yaml": YAML}


def found(text: str, name: str) -> tuple[Finding, ...]:
    return runplan.Project(runplan.Files({name: text})).check(name)


def safe(findings: tuple[Finding, ...]) -> list[Fix]:
    """Of each finding the first of its fixes that is safe."""
    fixes = (next((fix for fix in finding.fixes if fix.safe), None) for finding in findings)
    return [fix for fix in fixes if fix is not None]


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("hardware:", "hardwre:"),
        ("minimize", "minimise"),
        ("laws", "lwas"),
        ("hidden:", "hiden:"),
        ("hidden:", "hidden_size:"),
        ("layers:", "num_hidden_layers:"),
        ("weight_decay:", "wieght_decay:"),
        ("x H100-SXM", "x H100-SMX"),
        ("chinchilla", "chincilla"),
        ("objective: CLM", "objective: CLMM"),
        ("  WSD\n", "  WSDD\n"),
        ("quality high", "quality hihg"),
        ("cost <=", "cosst <="),
        ("<= budget", "<= budgt"),
        ("max(", "maxx("),
        ("2.50 USD/GPU/hour", "2.50 USD/GPU/huor"),
        ("20 days", "20 dyas"),
        ("20 days", "20"),
        ("800B tokens", "800B toknes"),
        ("10T tokens", "10T"),
    ],
)
def test_a_plan_is_as_it_was(right: str, wrong: str, name: str) -> None:
    whole = PLANS[name].replace("schedule: WSD\n", "schedule:   WSD\n")
    text = whole.replace(right, wrong, 1)
    assert text != whole
    assert edited(Source(name, text), safe(found(text, name))) == whole


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("x H100-SXM", "x H10O"),  # which of several
        ("llama3", "llama2"),  # another one's number is no misspelling
        ("cost <=", "lost <="),  # `loss` is as near as `cost`
        ("10T tokens", "10Ti tokens"),  # it says another number
        ("<= budget", "<= money"),  # it would be compared with itself
    ],
)
def test_what_may_mean_another_thing_is_for_a_person(right: str, wrong: str, name: str) -> None:
    text = PLANS[name].replace(right, wrong, 1)
    before = found(text, name)
    assert [f for f in before if f.at.span.text and f.at.span.text in wrong] and safe(before) == []


@settings(max_examples=50)
@given(data=st.data(), name=st.sampled_from(tuple(PLANS)))
def test_each_safe_fix_clears_its_finding_and_brings_none(data: st.DataObject, name: str) -> None:
    words = sorted({word for word in re.findall(r"[a-zA-Z]+", PLANS[name]) if len(word) > 3})
    word = data.draw(st.sampled_from(words))
    at = data.draw(st.integers(0, len(word) - 2))
    wrong = data.draw(st.sampled_from([word[:at] + word[at + 1 :], word[: at + 1] + word[at:]]))
    text = re.sub(rf"\b{word}\b", wrong, PLANS[name], count=1)
    before = found(text, name)
    fixes = apart(safe(before))
    after = edited(Source(name, text), fixes)
    if fixes and after != PLANS[name]:
        mended = {(f.code, f.message) for f in before if safe((f,))}
        left = {(f.code, f.message) for f in found(after, name) if f.severity == "error"}
        assert left <= {(f.code, f.message) for f in before} - mended


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("compute: 1e21 FLOP  # ignore[D002] why\n", "compute: 1e21 FLOP\n"),
        ("compute: 1e21 FLOP\n  # ignore[D002] why\n# so\n", "compute: 1e21 FLOP\n# so\n"),
        ("compute: 1e21 FLOP\r\n# ignore[D002] why\r\n", "compute: 1e21 FLOP\r\n"),
        ("compute: 1e21 FLOP  # ignore[D002, H004] why", "compute: 1e21 FLOP"),
        ("# ignore[under-trained] why\ncompute: 1e21 FLOP # a # ignore[D002] b\n", "compute: 1e21 FLOP # a\n"),
    ],
)
@pytest.mark.parametrize("name", PLANS)
def test_what_ignores_nothing_is_taken_out(before: str, after: str, name: str) -> None:
    text = before
    while fixes := apart(safe(found(text, name))):
        text = edited(Source(name, text), fixes)
    assert text == after


def test_of_those_that_touch_the_first_is_made() -> None:
    source = Source("a", "one two three")
    first, second, third = (Fix("", (Edit(Span(source, a, b), "x"),)) for a, b in ((0, 3), (3, 7), (8, 13)))
    assert apart([first, second, third]) == (first, third)
    assert edited(source, apart([first, second, third])) == "x two x"
