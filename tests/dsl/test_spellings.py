"""Both spellings of a plan mean the same, and no text at all makes the readers fail."""

from __future__ import annotations

import logging
import random
from functools import lru_cache

import lark
import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.plan.ir import Lowered, Plan
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax import grammar
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.syntax.tree import File, Node, Word
from runplan.dsl.syntax.yaml import parse_yaml
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source, Span

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])


@lru_cache(1)
def vocabulary() -> Vocabulary:
    return LIBRARY.vocabulary()


def read(text: str, spelling: str) -> tuple[File, Lowered, list[Finding]]:
    """What a text says, and all that is wrong with it before anything is solved."""
    file, findings = (parse_yaml if spelling == "yaml" else parse_file)(Source("p", text))
    lowered = lower(file, vocabulary())
    return file, lowered, [*findings, *lowered.findings]


def meant(text: str, spelling: str) -> Plan:
    _, lowered, findings = read(text, spelling)
    assert [f.message for f in findings if f.code != "S006"] == []
    assert lowered.plan is not None
    return lowered.plan


@relaxed
@given(strategies.plans(), st.randoms(use_true_random=False))
def test_both_spellings_mean_the_same(plan: strategies.Data, dice: random.Random) -> None:
    assert meant(strategies.dsl(plan, dice), "plan") == meant(strategies.yaml(plan, dice), "yaml")


def spans(file: File) -> list[Span]:
    out: list[Span] = []
    stack: list[Node | Word | None] = [*file.statements, *file.comments]
    while stack:
        item = stack.pop()
        if item is not None:
            out.append(item.span)
        if isinstance(item, Node):
            stack.extend(item.children)
    return out


def check_anything(text: str, spelling: str) -> None:
    """Whatever the text: a plan or a finding, at places that are in the text."""
    file, lowered, findings = read(text, spelling)
    places = spans(file) + [label.span for f in findings for label in (f.at, *f.also)]
    assert [s for s in places if not 0 <= s.start <= s.end <= len(text)] == []
    assert lowered.plan is not None or findings


@relaxed
@given(strategies.broken("plan"))
def test_a_broken_dsl_plan_is_told_and_nothing_worse(text: str) -> None:
    check_anything(text, "plan")


@relaxed
@given(strategies.broken("yaml"))
def test_a_broken_yaml_plan_is_told_and_nothing_worse(text: str) -> None:
    check_anything(text, "yaml")


@relaxed
@given(
    st.lists(st.one_of(st.sampled_from(strategies.PIECES), st.text(max_size=5)), max_size=30),
    st.sampled_from(["plan", "yaml"]),
)
def test_noise_is_told_and_nothing_worse(pieces: list[str], spelling: str) -> None:
    check_anything(" ".join(pieces), spelling)


@relaxed
@given(
    strategies.plans(), st.randoms(use_true_random=False), st.sampled_from(["hardwarez: 6 x y", "tokens 3 4", "}", '"'])
)
def test_a_line_that_cannot_be_read_costs_no_other(plan: strategies.Data, dice: random.Random, bad: str) -> None:
    lines = strategies.statements(plan, dice)
    at = dice.randrange(len(lines) + 1)
    whole, _ = parse_file(Source("p", "\n".join(lines)))
    rest, findings = parse_file(Source("p", "\n".join([*lines[:at], bad, *lines[at:]])))
    assert len(findings) == 1
    assert rest.statements == whole.statements


def test_the_grammar_leaves_nothing_to_choose() -> None:
    """Lark would settle a conflict by shifting, and say nothing."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    lark.logger.addHandler(handler)
    level = lark.logger.level
    lark.logger.setLevel(logging.DEBUG)
    try:
        starts, hook = list(grammar.STARTS), grammar.from_the_table
        lark.Lark(grammar.grammar_text(), parser="lalr", start=starts, debug=True, edit_terminals=hook)
    finally:
        lark.logger.setLevel(level)
        lark.logger.removeHandler(handler)
    assert [line for line in said if "onflict" in line] == []


# ---- names and words that could be taken for something else


HARDWARE = "hardware: 6 x H100 for 6 months\n"


@pytest.mark.parametrize(
    "text",
    [
        *("hardware: 6xH100 for 6 months", "hardware: 6x H100 for 6 months", "hardware: 6\u00d7H100 for 6 months"),
        *(
            "hardware: 6 \u00d7 H100 for 6 months",
            'hardware: 6 x "H100" for 6 months',
            "hardware 6 x h100 for 6 months",
        ),
        *("hardware: 6 x H100\n  for 6 months\n  at 40% MFU", "let x = 6\nhardware: x x H100 for 6 months at 40% MFU"),
        "let x = 3\nlet y = x * 2\nhardware: y x H100 for 6 months",
    ],
)
def test_the_times_sign_and_a_name_x_are_told_apart(text: str) -> None:
    (pool,) = meant(text + "\n", "plan").stages[0].hardware
    assert pool.device is not None and pool.device.text.upper() == "H100"
    assert "6" in str(pool.figures["gpus"])


@pytest.mark.parametrize("name", strategies.NAMES)
@pytest.mark.parametrize("spelling", ["plan", "yaml"])
def test_any_word_can_name_a_source_and_a_phase(name: str, spelling: str) -> None:
    if spelling == "plan":
        text = f"data {name}: 10T tokens\nphase {name}: 100% constant mix {strategies.bare(name)} 100%\n"
    else:
        mix = strategies.bare(name)
        text = f"data:\n  {name}: 10T tokens\nschedule:\n  {name}: 100% constant mix {mix} 100%\n"
    (stage,) = meant(text, spelling).stages
    assert [source.name for source in stage.data] == [name]
    assert stage.schedule is not None
    assert [(p.name, [i.source.text for i in p.mix]) for p in stage.schedule.phases] == [(name, [name])]


@pytest.mark.parametrize(
    "name", ["forever", "format", "atlas", "uptown", "android", "order", "in-house", "because-of", "x"]
)
def test_a_word_that_begins_like_a_keyword_is_a_name(name: str) -> None:
    plan = meant(f"let {name} = 3 USD\n{HARDWARE}require cost <= {name} + {name}\n", "plan")
    assert list(map(str, plan.lets)) == [name]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10T tokens", 1e13),
        ("1_000 tokens", 1000.0),
        ("1e3 tokens", 1000.0),
        ("3E+2 tokens", 300.0),
        ("85Mi tokens", 85 * 2.0**20),
        ("2.3T", 2.3e12),
        ("1 / 2 tokens", None),
        ("2 * 3T tokens", 6e12),
        ("(1T + 500B) * 2", None),
        ("2T tokens / 2", 1e12),
    ],
)
def test_a_number_and_its_unit_bind_tightest(text: str, value: float | None) -> None:
    for spelling in ("plan", "yaml"):
        _, lowered, findings = read(f"{HARDWARE}tokens: {text}\n", spelling)
        tokens = lowered.plan.stages[0].tokens if lowered.plan else None
        got = getattr(getattr(tokens, "value", None), "value", None)
        if value is not None:
            assert got == value
        elif text.startswith("1 /"):
            assert [f.code for f in findings if f.severity == "error"] == ["U001"]  # 1 / (2 tokens)


@pytest.mark.parametrize(
    "scalar", ["no", "NO", "yes", "on", "null", "~", "1:30", "010", "1e25", "=", "2026-01-01", "0x10", ".5", "1_000"]
)
def test_yaml_never_makes_another_value_of_a_scalar(scalar: str) -> None:
    _, lowered, findings = read(
        f"data: {{{scalar if ':' not in scalar else 'a'}: 10T tokens}}\nplan: {scalar}\n", "yaml"
    )
    if lowered.plan is not None:
        assert lowered.plan.title == scalar
    else:
        assert {f.at.span.line for f in findings} == {1}


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("hardware: 6 x H100 for 6 months at 140% MFU", 36),
        ('hardware: "6 x H100 for 6 months at 140% MFU"', 37),
        ("hardware: '6 x H100 for 6 months at 140% MFU'", 37),
        ('hardware: "6 x \\x48100 for 6 months at 140% MFU"', 40),
        ("hardware: '6 x \"H100\" for 6 months at 140% MFU'", 39),
        ("hardware: |\n  6 x H100 for 6 months at 140% MFU", 28),
        ("hardware: >\n  6 x H100\n  for 6 months at 140% MFU", 19),
        ("{hardware: 6 x H100 for 6 months at 140% MFU}", 37),
        ("# é漢🙂\nhardware: 6 x H100 for 6 months at 140% MFU", 36),
    ],
)
def test_a_place_in_a_yaml_scalar_is_a_place_in_the_file(text: str, column: int) -> None:
    _, _, findings = read(text, "yaml")
    (found,) = findings
    assert (found.at.span.line, found.at.span.column) == (text.count("\n") + 1, column)
    assert found.at.span.text == "140%"
