"""One layout of each spelling, and the way between them: what a plan says never changes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runplan.dsl.syntax.as_yaml import NoSpelling
from runplan.dsl.syntax.formatting import Spelling, formatted, spelling_of
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.text.source import Source

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for where in ("plans", "stdlib", "cli/templates")
    for path in (ROOT / where).rglob("*.plan*")
)
# What defines what belongs in a pack has no YAML: this one has a price of its own.
LACKING = {"plans/spot-by-march.plan"}
NAMES: dict[Spelling, str] = {"plan": "x.plan", "yaml": "x.plan.yaml"}


def laid_out(text: str, own: Spelling, to: Spelling | None = None) -> str:
    result, findings = formatted(Source(NAMES[own], text), to)
    assert findings == []
    return result


def said(text: str, own: Spelling) -> list[str]:
    """The comments of a text, in no order: those of one statement may change places with its others'."""
    return sorted(comment.text.strip() for comment in syntax_of(Source(NAMES[own], text))[0].comments)


UNTIDY = """

# first
use   laws chinchilla,llama3   # laws
plan "A # not a comment"
let a=3*(4+5)-2^3 ;let b = -a/2;;
let c=if a>3 and not b<2 then 1 else 1/3


hardware: {gpus:64;device: "A100 80GB"; time:2 months;   price: 2 USD/GPU/hour;} + 1000x H100
   for up to 6 months
  at 38 %..43% MFU @2.5 USD/GPU/hour + 8 x H100 for 1 month at 40% MFU

model: {
    # the shape

    layers:12
    heads: 8 , d_model : 512,


}
stage one{tokens:2T
  # inside
  require cost<=3M USD because "x  y"
     # end of block
}
require not(cost<=1 USD)or a in 1 .. 2
# last

"""
TIDY = """\
# first
use laws chinchilla, llama3  # laws
plan "A # not a comment"
let a = 3 * (4 + 5) - 2^3
let b = -a / 2
let c = if a > 3 and not b < 2 then 1 else 1/3

hardware: { gpus: 64; device: "A100 80GB"; time: 2 months; price: 2 USD/GPU/hour } + 1000 x H100
  for up to 6 months
  at 38%..43% MFU @ 2.5 USD/GPU/hour + 8 x H100 for 1 month at 40% MFU

model: {
  # the shape

  layers: 12
  heads: 8, d_model: 512
}
stage one { tokens: 2T
  # inside
  require cost <= 3M USD because "x  y"
  # end of block
}
require not (cost <= 1 USD) or a in 1 .. 2
# last
"""
UNTIDY_YAML = """
# top
plan:   'It''s # not'   # title


let:
    # inner
    a:   3*(4+5)
    b:  -a/2     # two
    # tail of let
hardware:
- gpus: 64
  device: A100 80GB
  # price next

  price: 2 USD/GPU/hour
- 8 x H100 for 1 month
data: {web: 3T tokens,  code: "500B tokens"}
require:
    - cost<=3M USD
    -   "tokens >= 1B"
    - >-
      cost <= 4M USD
      because "two lines"
# end
"""
TIDY_YAML = """\
# top
plan: 'It''s # not'  # title

let:
  # inner
  a: 3 * (4 + 5)
  b: -a / 2  # two
  # tail of let
hardware:
  - gpus: 64
    device: A100 80GB
    # price next

    price: 2 USD/GPU/hour
  - 8 x H100 for 1 month
data: {web: 3T tokens, code: "500B tokens"}
require:
  - cost <= 3M USD
  - "tokens >= 1B"
  - >-
    cost <= 4M USD
    because "two lines"
# end
"""


def test_the_layout_of_a_plan() -> None:
    assert laid_out(UNTIDY, "plan") == TIDY
    assert laid_out(UNTIDY_YAML, "yaml") == TIDY_YAML
    assert laid_out(TIDY, "plan") == TIDY
    assert laid_out(TIDY_YAML, "yaml") == TIDY_YAML
    assert laid_out(UNTIDY.replace("\n", "\r\n"), "plan") == TIDY
    assert laid_out(UNTIDY_YAML.replace("\n", "\r\n"), "yaml") == TIDY_YAML


def test_the_other_spelling_of_a_plan() -> None:
    plan = laid_out(UNTIDY_YAML, "yaml", "plan")
    assert plan == (
        """\
# top
plan "It's # not"  # title

# inner
let a = 3 * (4 + 5)
let b = -a / 2  # two
# tail of let
hardware: {
  gpus: 64
  device: "A100 80GB"
  # price next

  price: 2 USD/GPU/hour
} + 8 x H100 for 1 month
data web: 3T tokens
data code: 500B tokens
require cost <= 3M USD
require tokens >= 1B
require cost <= 4M USD because "two lines"
# end
"""
    )
    yaml = laid_out(UNTIDY, "plan", "yaml")
    assert said(yaml, "yaml") == said(UNTIDY, "plan")
    assert "stages:\n  one:\n    tokens: 2T\n    # inside\n    require: cost <= 3M USD" in yaml


@pytest.mark.parametrize("path", FILES)
def test_every_file_is_laid_out_and_says_the_same_in_the_other_spelling(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    own = spelling_of(path)
    assert laid_out(text, own) == text, "`plan fmt plans stdlib cli/templates` lays it out"
    check_ways(text, own, may_lack=path.startswith("stdlib") or path in LACKING)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(strategies.plans(), st.randoms(use_true_random=False))
def test_any_plan_says_the_same_in_its_layout_and_in_the_other_spelling(
    plan: strategies.Data, dice: random.Random
) -> None:
    for own, text in (("plan", strategies.dsl(plan, dice)), ("yaml", strategies.yaml(plan, dice))):
        check_ways(text, own)  # type: ignore[arg-type]


def check_ways(text: str, own: Spelling, *, may_lack: bool = False) -> None:
    """Laid out, a text says the same and stays as it is; there and back, too. `formatted` compares the trees itself."""
    once = laid_out(text, own)
    assert laid_out(once, own) == once
    assert said(once, own) == said(text, own)
    other: Spelling = "yaml" if own == "plan" else "plan"
    try:
        there = laid_out(text, own, other)
    except NoSpelling:
        assert may_lack
        return
    assert said(there, other) == said(text, own)
    assert laid_out(there, other) == there
    back = laid_out(there, other, own)
    assert said(back, own) == said(text, own)
    assert laid_out(back, own, other) == there


YAML = """# every way that YAML has to write a value
"plan": 'it''s
   two'   # its end
hardware: >-   # of a block
   512 x H100

   for 30 days
# below a block
let: {   # within empty brackets
 }
stages:
  a: {model: 7B, require: [ ]}  # in brackets
  b:
    data:   |+ # kept
      1T tokens

    model: 7B
      params  # of two lines
prefer: [ # none
]
require: [
  cost <= 1M USD, # one
  # between
  "params >= 1B"
]
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_way_to_write_a_value_of_yaml_keeps_its_comments(end: str) -> None:
    comments = sorted(line[line.index("# ") :] for line in YAML.splitlines() if "# " in line)
    text = laid_out(YAML.replace("\n", end), "yaml")
    assert laid_out(text, "yaml") == text
    assert said(text, "yaml") == comments
    assert said(laid_out(text, "yaml", "plan"), "plan") == comments
    assert "hardware: >-  # of a block\n" in text and "\nlet: {}" in text and "\nprefer: []" in text
    assert "      params  # of two lines\n" in text


def test_what_yaml_has_no_words_for_is_said() -> None:
    with pytest.raises(NoSpelling, match=r"^x\.plan:2: `law` has no YAML"):
        laid_out('tokens: 2T\nlaw mine "M" {\n  counts total params\n}\n', "plan", "yaml")


def test_a_plan_that_cannot_be_read_stays_as_it_is() -> None:
    text = "tokens: 2T\nhardwear: 8 x H100\n"
    result, findings = formatted(Source("x.plan", text))
    assert result == text
    assert [finding.code for finding in findings] == ["N001"]
