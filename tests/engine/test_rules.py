"""Every rule keeps what it promises: its examples, its names and dimensions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.packs.pack import Rule
from runplan.dsl.packs.rule_check import checked
from runplan.dsl.text.codes import CODES
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.examples import examples
from runplan.engine.pipeline import report_of

RULES = LIBRARY.rules()
CODE = re.compile(r"[A-Z]\d{3}")


def named(rule: Rule) -> str:
    return f"{rule.code}-{rule.severity}"


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_flags_what_breaks_it_and_not_what_keeps_it(rule: Rule) -> None:
    found = {example.kind: example for example in examples(rule, LIBRARY)}
    assert found.keys() == {"breaks", "keeps"}
    for example in found.values():
        assert example.solved, example.text
        assert example.flagged == (example.kind == "breaks"), example.text


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_names_what_there_is(rule: Rule) -> None:
    quantities = {name: q.counted.dim for name, q in LIBRARY.quantities().items()}
    assert [finding.message for finding in checked(rule, quantities)] == []


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_says_why(rule: Rule) -> None:
    assert CODE.fullmatch(rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.cites
    assert rule.says
    assert not rule.says.endswith(".")


def test_one_name_a_code() -> None:
    names: dict[str, set[str]] = {}
    for code, name in [
        *((code, known.name) for code, known in CODES.items()),
        *((rule.code, rule.name) for rule in RULES),
    ]:
        names.setdefault(code, set()).add(name)
    assert {code: found for code, found in names.items() if len(found) > 1} == {}
    assert len({*names}) == len({name for found in names.values() for name in found})


def test_an_example_that_does_not_do_what_it_should_is_seen() -> None:
    from runplan.dsl.dataclass import replace

    rule = RULES[0]
    swapped = replace(rule, breaks=rule.keeps, keeps=rule.breaks)
    assert [example.holds for example in examples(swapped, LIBRARY)] == [False, False]


POOLS = """rule OURS1 old-device info {
  when device == "a100"
  says "{device} is old: {mfu%}"
  blames hardware
  cites "ours"
}
hardware: 64 x H100 for 30 days at 40% MFU + 32 x A100 for 30 days at 45% MFU
"""


def test_the_words_of_a_device_are_those_of_each_pool() -> None:
    report = report_of("x.plan", Buffer("x.plan", POOLS.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)
    assert [f.message for f in report.findings if f.code == "OURS1"] == ["a100-sxm-80gb is old: 45 %"]


EITHER = """rule OURS2 either info { when loss >= 1 or gpus >= 10; says "one of both"; cites "us" }
rule OURS3 neither info { when not (loss >= 1) or gpus >= 10000; says "not known"; cites "us" }
use laws chinchilla.approach1
hardware: 10 x H100 for 10 days at 40% MFU
"""


def test_a_rule_holds_where_one_of_its_alternatives_does_whatever_else_is_not_known() -> None:
    """The law gives no loss: unknown or true is true, and not unknown is unknown."""
    report = report_of("x.plan", Buffer("x.plan", EITHER.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)
    assert [f.code for f in report.findings if f.code.startswith("OURS")] == ["OURS2"]
