"""A comparison as table and Markdown, and what both are made of."""

from __future__ import annotations

import functools

import pytest
from known import LIBRARY
from reports import BUDGET, ROOT, compared, under

from runplan.cli.show.comparison import markdown, terminal
from runplan.cli.show.comparison.content import content
from runplan.cli.show.text.content import table
from runplan.cli.show.text.look import Look
from runplan.cli.show.text.terminal import Page
from runplan.dsl.text.reader import Disk
from runplan.engine.comparison.compare import Comparison, compared_laws, compared_plans
from runplan.engine.pipeline import report_of


def test_figures_outside_a_range_are_marked() -> None:
    lines = content(compared("compute: 1e24 FLOP\n", "chinchilla", "llama3")).table.lines
    (line,) = (line for line in lines if line[0] == "compute")
    assert line[1:3] == ("1e24 FLOP*", "1e24 FLOP*")
    inside = content(compared(BUDGET, "chinchilla", "llama3")).table.lines
    assert not any("*" in cell for line in inside for cell in line)


def test_one_solved_law_is_compared_with_nothing() -> None:
    assert "1 solved, nothing to compare" in content(compared(BUDGET, "chinchilla", "compute.6nd")).headline


def test_losses_that_are_not_comparable_say_so() -> None:
    assert any("not comparable" in note for note in content(compared(BUDGET, "chinchilla", "kumar")).notes)


def test_the_choice_of_least_worst_regret_is_named() -> None:
    comparison = compared(BUDGET, "chinchilla", "chinchilla.approach3", "llama3")
    regret, least = content(comparison).regret, comparison.least_worst
    assert regret is not None and least is not None
    assert f"the choice of `{comparison.columns[least].name}`" in regret.notes[0]


def test_where_all_choose_the_same_none_is_named() -> None:
    comparison = compared("compute: 1e21 FLOP\nmodel: 1B\ntokens: 10B\n", "chinchilla", "chinchilla.approach3")
    regret = content(comparison).regret
    assert regret is not None and regret.notes == ()
    assert content(compared(BUDGET, "llama3", "chinchilla.approach1")).regret is None


FIVE = "chinchilla,kaplan,llama3,kaplan.joint,chinchilla.approach3"


@functools.cache  # what is decided of a comparison is found once, and kept with it
def of_a_thousand(laws: str) -> Comparison:
    names = tuple(laws.split(","))
    report = report_of("plans/thousand-h100.plan", Disk(ROOT), catalogue=LIBRARY, laws=names, intervals=False)
    return compared_laws(report, 1.1)


@pytest.mark.parametrize("laws", ["chinchilla,llama3", FIVE])
def test_the_table_keeps_to_its_width(laws: str) -> None:
    for width in (40, 80, 140):
        holds_its_width(terminal.render(of_a_thousand(laws), Look(width)), width)


def holds_its_width(text: str, width: int) -> None:
    assert max(map(len, text.splitlines())) <= width
    for said in ("params", "Least worst regret", "Why they differ", "L002"):
        assert said in " ".join(text.split())
    assert "\x1b" not in text


def test_what_all_agree_about_is_said_once_where_the_table_is_split() -> None:
    text = " ".join(terminal.render(of_a_thousand(FIVE), Look(80)).split())
    assert "The same under all: compute 6.155e24 FLOP, time 6 months" in text
    assert text.count("GPU-hours paid") == 1


def test_markdown() -> None:
    text = markdown.render(compared(BUDGET, "chinchilla", "chinchilla.approach3", "llama3", most=1.01))
    assert "| params | " in text
    assert "| choice of | chinchilla | chinchilla.approach3 | worst |" in text
    assert "- `chinchilla` and `chinchilla.approach3` are one formula with other constants" in text
    assert "| error | L002 | " in text


def test_what_a_plan_says_is_escaped() -> None:
    reports = [(name, under(BUDGET, name=f"{name}.plan")) for name in ("a|b", "<i>c")]
    text = markdown.render(compared_plans(reports))
    assert "a\\|b" in text
    assert "<i>" not in text


def test_a_table_without_rows_is_none() -> None:
    page = Page(Look(80))
    page.table(table((), ("what", "why"), wrap=1))
    page.table(table((), (), wrap=2))
    assert page.text() == ""
