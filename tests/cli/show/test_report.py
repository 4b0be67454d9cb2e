"""A solved plan as table, Markdown and CSV, and the sections that they are made of."""

# ruff: noqa: RUF001 - what is printed has dashes of its own

from __future__ import annotations

import csv
import json
import math
import re
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from known import LIBRARY
from reports import H100, PLANS, SMALL, laid_out, solved

from runplan.cli.show.findings import full
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.report import csv as csv_format
from runplan.cli.show.report import json as json_format
from runplan.cli.show.report import markdown, terminal
from runplan.cli.show.report.budget import hardware
from runplan.cli.show.report.content import content
from runplan.cli.show.text import chart, figures
from runplan.cli.show.text.chart import drawn
from runplan.cli.show.text.content import NOTHING, Section
from runplan.cli.show.text.curve import between
from runplan.cli.show.text.look import Look
from runplan.cli.show.text.markdown import inline
from runplan.cli.show.text.width import columns
from runplan.cli.spelling import spelled
from runplan.dsl.dataclass import replace
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.units.base import FLOP
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show
from runplan.engine.analysis.regret import surface_of
from runplan.engine.documents.solve import document as document_of
from runplan.engine.problem import quantities as q
from runplan.engine.report import Assumption, Report

PARAM = unit("param").dim


@pytest.fixture(params=PLANS)
def report(request: pytest.FixtureRequest) -> Report:
    return solved(PLANS[request.param])


@pytest.fixture
def h100() -> Report:
    return solved(H100)


def bare(report: Report) -> Report:
    """The same without what the standard library adds to it over time."""
    keep = ("params", "tokens", "compute", "loss", "time", "gpus", "gpu_hours", "cost", "idle_share", "capacity")
    solutions = []
    for solution in report.solutions:
        values = {name: value for name, value in solution.values.items() if str(name) in keep}
        values[q.LOSS] = replace(values[q.LOSS], value=2.0488, low=2.0381, high=2.0638)
        values[q.PARAMS] = replace(values[q.PARAMS], value=23.73e9, low=19.3e9, high=28.9e9)
        values[q.TOKENS] = replace(values[q.TOKENS], value=461.1e9, low=378e9, high=566e9)
        problem = replace(solution.problem, phases=())
        solutions.append(replace(solution, values=values, problem=problem, layouts=()))
    assumption = Assumption(q.MFU, 0.4, (), "a table that says so at length: " + "lorem/ipsum-dolor@" * 4, None)
    return replace(report, solutions=tuple(solutions), assumptions=(assumption,), findings=(), bands=(), notes=())


def test_a_contradiction_is_said_in_words() -> None:
    found = solved(PLANS["contradiction"])
    headline = " ".join(terminal.render(found, Look(140)).split())
    assert "`gpus: 64`" in headline and "cannot hold together" in headline
    assert "What cannot hold together, and a change that alone makes room" in headline


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100, 140])
def test_no_line_is_longer_than_the_width(report: Report, width: int) -> None:
    text = terminal.page_of(content(report), Look(width))
    for line in text.split("\n"):
        assert columns(line) <= width
        assert line == line.rstrip()
    assert text.endswith("\n") and not text.endswith("\n\n") and "\n\n\n" not in text
    colored = terminal.page_of(content(report), Look(width, color=True))
    assert "\x1b[" in colored and re.sub(r"\x1b\[[0-9;]*m", "", colored) == text


def test_the_table() -> None:
    assert terminal.render(bare(solved(SMALL)), Look(60)) == (
        """\
Sixty-four    small.plan

Holds: 23.73B params, 461.1B tokens, loss 2.049, 30 days,
138,240 USD

Budget
  64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour
  6.565e22 FLOP · 46,080 GPU-hours · reserved for 30 days
  138,240 USD

Solution
                    chinchilla.epoch
  params            23.73B  (19.3B – 28.9B)
  tokens            461.1B  (378B – 566B)
  tokens per param  19.4
  loss, nat/token   2.049   (2.038 – 2.064)
  limited by        compute
  In brackets: 80 % intervals.

Assumptions
  MFU  40%  a table that says so at length …
"""
    )


def test_the_details() -> None:
    text = terminal.render(bare(solved(SMALL)), Look(60, details=True))
    assert "  GPU-hours paid    46,080\n  cost              138,240 USD\n  idle share        0%\n" in text
    assert text.endswith(
        """\
Assumptions
  name  value  rests on
  mfu   40%    a table that says so at length: lorem/ipsum-
               dolor@lorem/ipsum-dolor@lorem/ipsum-dolor@
               lorem/ipsum-dolor@
"""
    )


def test_intervals_go_under_the_figures_where_that_saves_room() -> None:
    report = bare(solved(SMALL))
    report = replace(report, solutions=(*report.solutions, *report.solutions))
    text = terminal.render(report, Look(62))
    assert "  params            23.73B            23.73B\n" in text
    dash = NOTHING
    assert f"\n                    (19.3B {dash} 28.9B)   (19.3B {dash} 28.9B)\n" in text
    assert text.count("params  ") == 1


def test_the_table_of_the_example(h100: Report) -> None:
    text = terminal.render(h100, Look(80, details=True))
    assert "\nHolds: 226.5B params, 4.529T tokens, loss 1.920, 6 months, 10.8M USD\n" in text
    assert "1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour" in text
    assert re.search(r"^  limited by +compute +compute$", text, re.MULTILINE)
    assert "                    tokens / params >= 20\n" in text
    assert "No interval: `llama3` publishes no uncertainty of its constants." in text
    assert "  web     4.118T  90.9%  0.412 of 1      5.88T\n" in text
    assert "  math    82.35B   1.8%  0.412 of 4       718B\n" in text
    assert "Batch and learning rate by `usual`." in text
    assert "`plan check small.plan` shows them in full" in text


def test_a_broken_plan_says_so_first() -> None:
    text = terminal.render(solved(PLANS["over budget"]), Look(80))
    assert text.startswith("Sixty-four    small.plan\n\nOver budget: `cost` is 138")
    assert "\n  help: it fits with gpus <= 46, or" in text, "what to change comes right after what is wrong"
    text = terminal.render(solved(PLANS["contradiction"]), Look(80))
    assert text.startswith("small.plan\n\nCannot be done: ")
    assert "  1     gpus: 64       790 x H100\n" in text
    assert text.index("790 x H100") < text.index("Budget"), "and so does what would make room"
    text = terminal.render(solved(PLANS["requirement"]), Look(80))
    assert "infeasible        undecided\n" in text
    assert "The figures under `chinchilla` are those without `loss <= 2.5`." in text
    text = terminal.render(solved(PLANS["free"]), Look(80))
    assert text.startswith("small.plan\n\nUndecided: ")
    wrong = solved(PLANS["wrong"])
    assert terminal.page_of(content(wrong), Look()).startswith("small.plan\n\nCannot be read: 1 error\n")
    assert terminal.render(wrong) == full.render(Checked(wrong.findings, 1)), "its findings say more"


def test_hardware_is_one_line_whichever_form_it_has() -> None:
    assert hardware(solved(PLANS["energy"])) == (
        "512 x H100 for 60 days at 40% MFU from 2026-12-01, pue 1.1, carbon intensity 385 gCO2eq/kWh",
    )
    assert content(solved(PLANS["energy"])).budget[-2:] == ("567.7 MWh", "218.6 tCO2eq")
    assert [text.split(" for ")[0] for text in hardware(solved(PLANS["pools"]))] == ["256 x H100", "128 x A100"]
    (bought,) = hardware(solved("hardware: ? GPU-hours of H800 at 38% MFU\nmodel: 7B\ntokens: 1T\n"))
    assert bought == "31,043 GPU-hours of H800 at 38% MFU"


def test_the_budget_is_what_was_solved() -> None:
    assert hardware(solved(SMALL, "hardware.gpus=128")) == ("128 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour",)
    assert hardware(solved(SMALL, "hardware.time=2 months"))[0].startswith("64 x H100 for 2 months at")
    assert content(solved(SMALL, "hardware.time=2 months")).budget[2] == "reserved for 2 months"
    text = "let many = 8 * 16\nlet dear = 3 USD/GPU/hour\nhardware: (many) x H100 for 2160 hours at 40% MFU @ dear\n"
    assert hardware(solved(text)) == ("128 x H100 for 2160 hours at 40% MFU @ 3 USD/GPU/hour",)
    assert content(solved(text)).budget[2] == "reserved for 2160 hours"
    assert hardware(solved(PLANS["how many"])) == ("14 x A100 for 30 days at 50% MFU",), "what `?` came to"


def test_what_a_plan_says_cannot_steer_a_terminal() -> None:
    report = solved(SMALL)
    assert report.plan is not None
    hostile = replace(report, plan=replace(report.plan, title="[red]a[/] \x1b[31m:smile:\u202e"))
    first = terminal.render(hostile, Look(80)).split("\n")[0]
    assert first == "[red]a[/] \ufffd[31m:smile:\ufffd    small.plan"


# ---- the parts between the solutions and what they rest on


def part(report: Report, title: str) -> Section:
    (found,) = (section for section in content(report).sections if section.title == title)
    return found


def test_how_much_the_size_matters() -> None:
    report = solved(SMALL)
    solution, band = report.solutions[0], report.bands[0]
    assert band is not None
    size = {line[0]: line[1] for line in part(report, "Size").table.lines}
    assert size["optimum"] == size["the plan's size"] == "23.73B" and size["its regret"] == "none"
    low, high = (figures.bare(show(end, PARAM)) for end in band.by_loss)
    assert size["within 0.005 nats"] == f"{low} {NOTHING} {high}"
    assert set(size) >= {"its loss", "within 1% compute"}
    surface = surface_of(solution)
    assert surface is not None
    others = part(report, "Other sizes")
    assert [line[0] for line in others.table.lines] == ["0.5x", "0.67x", "optimum", "1.5x", "2x"]
    for share, line in zip((0.5, 2 / 3, 1, 1.5, 2), others.table.lines, strict=True):
        params = share * band.optimum
        assert line[3] == f"{surface.at(params, band.compute):.4f}"
    assert others.table.lines[2][4] == "0%" and others.table.lines[4][4] == "+15%"


def test_the_extra_compute_of_a_size_reaches_the_least_loss() -> None:
    report = solved(SMALL)
    solution, band = report.solutions[0], report.bands[0]
    surface = surface_of(solution)
    assert band is not None and surface is not None
    for share in (0.5, 0.7, 1.3, 3.1):
        size = share * band.optimum
        regret = between([(p.params, p.regret) for p in band.points], math.log(size))
        assert regret is not None
        assert surface.at(size, band.compute * (1 + regret)) == pytest.approx(band.loss, abs=2e-5)
    assert between([(p.params, p.loss) for p in band.points], math.log(100 * band.optimum)) is None


def test_the_chart_marks_the_optimum_the_plan_and_the_band() -> None:
    found = part(solved(SMALL + "model: 7B\n"), "Size")
    assert found.chart is not None
    lines = drawn(found.chart, 78)
    assert lines[0] == "loss, nat/token, against params at 6.565e22 FLOP"
    rows = lines[1:9]
    assert all(re.match(r"\d\.\d{3} ┤", row) for row in rows)
    (best,) = (row.index("○") for row in rows if "○" in row)
    (own,) = (row.index("●") for row in rows if "●" in row)
    assert rows[-1].index("○") == best and own < best
    assert lines[9].lstrip()[0] == "└" and lines[9].count("┬") >= 3 and "10B" in lines[10]
    for bar, name in zip(lines[11:13], ("within 0.005 nats", "within 1% compute"), strict=True):
        assert name in bar and bar.index("├") < best < bar.index("┤")
    assert lines[13].strip() == "○ optimum 23.73B   ● the plan 7B"
    assert max(map(columns, lines)) <= 8 + chart.WIDEST
    narrow = drawn(found.chart, 46)
    assert max(map(columns, narrow[1:])) <= 46 and "0.005 nats" in narrow[11] and "within 1% compute" in narrow[12]
    assert drawn(found.chart, 30) == [], "too narrow to say anything"
    together = part(solved(SMALL), "Size").chart
    assert together is not None and "● the plan and the optimum" in drawn(together, 78)[-1]
    far = part(solved(PLANS["small"]), "Size").chart
    assert far is not None and drawn(far, 78)[-1].endswith("the plan's 100M lies off to the left")


def test_an_optimum_that_the_data_do_not_give_says_so() -> None:
    report = solved(PLANS["repeats"])
    (said,) = part(report, "Size").said
    assert said.startswith("The optimum is out of reach: it takes 2") and said.endswith("data give 160B tokens.")
    others = part(report, "Other sizes")
    assert [line[2].endswith("*") for line in others.table.lines] == [True, True, True, False, False]
    assert others.notes[-1] == "* More tokens than the plan's data give."


def test_several_laws_with_a_band_stand_side_by_side() -> None:
    report = solved(PLANS["served"])
    found = part(report, "Size")
    assert found.table.heads == ("", "chinchilla", "kaplan.joint")
    assert found.notes[-1] == "Under `kaplan.joint` the sizes here are params without embeddings."
    assert found.chart is not None and drawn(found.chart, 78)[0].endswith(", under chinchilla")
    assert part(report, "Other sizes, under chinchilla").table.heads[1] == "params"


def test_a_law_without_a_loss_has_no_band() -> None:
    report = solved("compute: 1e23 FLOP\nuse laws llama3\n")
    assert not any(section.title.startswith(("Size", "Other")) for section in content(report).sections)


def test_a_transfer() -> None:
    report = solved(PLANS["transfer"])
    found = part(report, "Transfer, under plm and plm.refit")
    assert found.table.heads == ("stage", "tokens", "of tokens", "compute", "of compute")
    assert found.table.lines == (
        ("1. CLM", "8.945B", "15.7%", "4.562e18 FLOP", "15.7%"),
        ("2. MLM", "48B", "84.3%", "2.448e19 FLOP", "84.3%"),
    )
    assert found.said[0] == "CLM is worth 8.945B tokens of MLM: more of it is wasted."
    assert found.said[1] == "With its own 48B that is 56.94B tokens, 1.19x as many."
    assert found.said[2] == (
        "From scratch the same loss takes 2.988e19 FLOP of MLM: both stages take 2.8% less;"
        " 18.1% less where a model of CLM is there."
    )
    document: Any = document_of(report)
    keys = {"pretrain_tokens", "finetune_tokens", "transferred_tokens", "pretrain_share"}
    keys |= {"effective_finetune_tokens", "data_multiplier", "finetune_compute", "pretrain_compute"}
    keys |= {"scratch_loss", "scratch_compute"}
    assert all(set(solution["transfer"]) == keys for solution in document["solutions"])


def test_a_transfer_in_characters_and_what_it_saves() -> None:
    text = "objective: transfer from text to python\nmodel: 1B\ndata: 1e8 characters at 4 characters/token\n"
    said = part(solved(text), "Transfer").said
    assert said == (
        "text is worth 337.9M tokens of python.",
        "With its own 25M that is 362.9M tokens (1.452B characters), 14.5x as many.",
        "The law does not say how long text takes.",
        "From scratch the same loss takes 2.076e18 FLOP of python: 93.1% less where a model of text is there.",
    )


def test_what_serving_asks_for() -> None:
    found = part(solved("compute: 1e23 FLOP\ninference: 10T tokens\n"), "Inference")
    rows = {line[0]: line[1] for line in found.table.lines}
    assert re.fullmatch(r"[\d.]+B params on [\d.]+[BT] tokens \([\d.]+% less compute\)", rows["cheapest over its life"])
    assert re.fullmatch(r"the plan's is cheaper up to \S+ tokens served, that size beyond", rows["break-even"])
    document: Any = document_of(solved("compute: 1e23 FLOP\ninference: 10T tokens\n"))
    assert document["solutions"][0]["lifetime"]["break_even_tokens"]["unit"] == "token"


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        ("model: 8B\ninference: 1T tokens\n", "that size is cheaper up to 3.385T tokens served, the plan's beyond"),
        ("model: 70B\ninference: 10T tokens\n", "the plan's is cheaper up to 267.3B tokens served, that size beyond"),
    ],
)
def test_which_size_is_cheaper_on_which_side(plan: str, text: str) -> None:
    rows = {line[0]: line[1] for line in part(solved("compute: 1e23 FLOP\n" + plan), "Inference").table.lines}
    assert rows["break-even"] == text


def test_a_transfer_beyond_its_crossover() -> None:
    text = "use laws plm\nobjective: transfer from MLM to CLM of protein\ncompute: 1e21 FLOP\n"
    found = part(solved(text), "Transfer")
    assert found.table.heads == ("stage", "tokens", "compute")
    assert found.said[-1] == "It pays up to 8.049e19 FLOP of CLM, and this is beyond."
    assert "32.3% more where a model of MLM is there" in found.said[1]


def test_inference() -> None:
    report = solved(PLANS["served"])
    rows = {line[0]: line[1:] for line in part(report, "Inference").table.lines}
    assert rows["tokens served"] == ("2T", "2T")
    assert re.fullmatch(r"\S+ FLOP \(\d\d\.\d% of all\)", rows["compute of serving"][0])
    assert rows["lifetime compute"][0].startswith(
        figures.figure("x", *_value(report, "lifetime_compute"), Quantities())
    )
    document: Any = document_of(report)
    first = document["solutions"][0]
    assert first["lifetime_compute"]["unit"] == "FLOP" and "inference_tokens" not in first


def _value(report: Report, name: str) -> tuple[float, Any]:
    value = report.solutions[0].quantity(name)
    assert value is not None
    return value.value, value.dim


def test_the_branch_point_is_where_the_decay_begins(h100: Report) -> None:
    found = part(h100, "Schedule, under chinchilla")
    assert found.table.heads[:6] == ("phase", "share", "tokens", "days", "steps", "learning rate")
    assert [line[3] for line in found.table.lines] == ["1.8", "160.2", "18.0"]
    step = 0.9 * _value(h100, "steps")[0]
    assert found.said == (
        f"Branch point: 4.077T tokens, step {step:,.0f}, day 162.0, at the end of `stable`;"
        " a longer run goes on from there, undecayed.",
    )
    # A law without a learning rate; a schedule that never holds one.
    music = "objective: MLM of music\nmodel: 1B\ntokens: 50B\nschedule: WSD\n"
    assert part(solved(music), "Schedule").said[0].startswith("Branch point: 45B tokens, at the end of")
    assert part(solved(PLANS["repeats"]), "Schedule").said == ()


def test_what_repeated_data_are_worth() -> None:
    found = part(solved(PLANS["repeats"]), "Data")
    assert found.table.heads[-2:] == ("worth", "next epoch")
    assert found.table.lines == (("data", "160B", "100.0%", "4 of 4", "none", "149B", "31.9B, 79.7%"),)
    assert found.notes[0].endswith("By `muennighoff`.") and "149B in all" in found.notes[0]
    assert (
        part(solved("hardware: 8 x H100 for 9 days at 40% MFU\ndata: 1T tokens\n"), "Data").table.heads[-1]
        == "left over"
    )


def test_notes_of_the_laws(h100: Report) -> None:
    said = content(h100).remarks
    of_any = [text for law, text in said if not law]
    assert any(text.startswith("The loss is the law's: ") and text.endswith(". [K015]") for text in of_any)
    assert {law for law, _ in said} == {"", "chinchilla.epoch", "llama3"}
    text = terminal.render(solved(PLANS["transfer"]), Look(80, details=True))
    assert re.search(r"\n +\d more: `plan law plm`\n", text)
    assert "`plm.refit` is the one for" in text


def test_no_section_says_nothing(report: Report) -> None:
    for section in content(report).sections:
        assert section.title and section.table.lines
        for i in range(len(section.table.heads)):
            assert any(line[i] != NOTHING for line in section.table.lines), section.table.heads[i]


# ---- characters


def test_characters_that_an_encoding_lacks_are_spelled(h100: Report) -> None:
    text = terminal.render(h100, Look(80))
    plain = spelled(text, "ascii")
    assert plain.isascii() and "?" not in plain.replace("? ", "")
    assert [len(line) for line in plain.split("\n")] == [columns(line) for line in text.split("\n")]
    assert re.search(r" 0 ->\d", plain) and "(1.901 - 1.943)" in plain
    assert spelled(text, "utf-8") == text
    assert spelled("a – b ─ é Å 10² ½ 漢 →\n", "ascii") == "a - b - e A 10? ? ? ->\n"
    assert spelled("a – b ─ é\n", "cp1252") == "a – b - é\n"
    assert spelled("＜b＞ ｜ ＠x \udc80", "ascii") == "?b? ? ?x ?", "nothing becomes markup"


def test_a_terminal_and_markdown_show_the_same_cells(report: Report) -> None:
    shown, look = content(report), Look(1000, details=True)
    wide, marked = terminal.page_of(shown, look), markdown.render(report, look)
    tables = [section.table for section in (*shown.conflicts, *shown.sections)]
    for table in (shown.solutions, shown.assumptions, *tables):
        for cell in (cell for row in table.rows for cell in row):
            for line in cell.text.split("\n"):
                assert line in wide
                assert inline(f"`{line}`" if cell.code else line) in marked
            assert cell.ends in wide and inline(cell.ends) in marked
    for text in (*shown.hardware, *shown.budget):
        assert text in wide and inline(text) in marked


def test_markdown_has_the_same_parts(report: Report) -> None:
    text = markdown.render(report)
    for section in content(report).sections:
        assert f"**{section.title}**" in text
    for _, note in content(report).remarks:
        assert note.split("`")[0].split(".")[0][:20] in text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.4, "40%"),
        (0.416, "41.6%"),
        (-1e-15, "0%"),
        (1.0, "100%"),
        (0.99999, "99.999%"),
        (1e-5, "0.001%"),
        (30.3, "3,030%"),
    ],
)
def test_a_share_in_per_cent(share: float, text: str) -> None:
    assert figures.per_cent(share) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("mfu", 0.4, "40%"),
        ("share", 0.5, "50%"),
        ("mix", 0.1, "10%"),
        ("epochs", 0.1, "0.1"),
        ("learning_rate", 3e-4, "3e-4"),
        ("learning_rate", 2.484e-5, "2.48e-5"),
        ("steps", 120812.7, "120,813"),
    ],
)
def test_a_figure_without_a_unit(name: str, value: float, text: str) -> None:
    assert figures.figure(name, value, (), LIBRARY.quantities()) == text


# ---- Markdown and CSV


def test_markdown() -> None:
    dash = NOTHING
    lines = markdown.render(bare(solved(SMALL))).split("\n")
    assert lines[:4] == [
        "### Sixty-four",
        "",
        "✅ **Holds:** 23.73B params, 461.1B tokens, loss 2.049, 30 days, 138,240 USD",
        "",
    ]
    assert "|  | chinchilla.epoch |" in lines
    assert f"| params | 23.73B (19.3B {dash} 28.9B) |" in lines
    assert "| limited by | `compute` |" in lines
    assert lines[-8:] == [
        "<details><summary>1 assumption</summary>",
        "",
        "| name | value | rests on |",
        "| --- | --- | --- |",
        "| mfu | 40% | a table that says so at length: " + "lorem/ipsum-dolor@<!-- -->" * 4 + " |",
        "",
        "</details>",
        "",
    ]


def test_markdown_is_made_of_whole_tables(report: Report) -> None:
    lines = markdown.render(report).split("\n")
    tables = [line for line in lines if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    for before, line in pairwise(lines):
        if line.startswith("|") and before.startswith("|"):
            count = len(re.findall(r"(?<!\\)\|", line))
            assert count == len(re.findall(r"(?<!\\)\|", before))
        elif line.startswith("|"):
            assert before == ""


def test_markdown_escapes_what_the_plan_says() -> None:
    text = SMALL.replace("Sixty-four", "a|b <img> @team `c` [d](e)")
    first = markdown.render(solved(text)).split("\n")[0]
    assert first == r"### a\|b \<img\> @<!-- -->team \`c\` \[d\](e)"
    text = 'data "we|b<b>": 1T tokens\ndata "@x": 2T tokens\n' + SMALL
    shown = markdown.render(solved(text))
    assert r"| we\|b\<b\> |" in shown and "| @<!-- -->x |" in shown


def test_csv(h100: Report) -> None:
    rows = list(csv.DictReader(StringIO(csv_format.render(h100))))
    assert {row["law"] for row in rows} == {"chinchilla", "llama3"}
    by = {(row["law"], row["quantity"]): row for row in rows}
    assert by["chinchilla", "cost"] == {
        "law": "chinchilla",
        "resolved": "chinchilla.epoch",
        "status": "solved",
        "quantity": "cost",
        "value": "10800000.0",
        "unit": "USD",
        "low": "",
        "high": "",
    }
    assert float(by["chinchilla", "loss"]["low"]) < float(by["chinchilla", "loss"]["value"])
    assert ("llama3", "tokens.web") in by
    assert len(by) == len(rows)


def test_csv_keeps_the_status_of_a_law_without_numbers() -> None:
    report = solved(PLANS["requirement"])
    silent = replace(report, solutions=(*report.solutions[:-1], replace(report.solutions[-1], values={})))
    assert csv_format.render(silent).endswith("llama3,llama3,undecided,,,,,\n")


def test_json_is_the_document(report: Report) -> None:
    text = json_format.render(report)
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON")) == document_of(report)
    assert text == json_format.render(report)


@pytest.mark.parametrize("middle", [3.5614e24, 9.9954e24, 1.0004e24, 2e24])
@pytest.mark.parametrize(("below", "above"), [(1e-5, 9e-4), (9e-4, 1e-5), (2e-3, 3e-3), (0.011, 0.3)])
def test_the_ends_of_an_interval_lie_on_their_sides(middle: float, below: float, above: float) -> None:
    ends = middle * (1 - below), middle * (1 + above)
    told = figures.between("compute", middle, ends, FLOP, Quantities())
    low, high = (float(text.split()[0]) for text in told.strip("()").split(" – "))
    assert low <= float(figures.figure("compute", middle, FLOP, Quantities()).split()[0]) <= high
    assert low < high


@pytest.mark.parametrize(("batch", "alike"), [("660k", True), ("4M", False)])
def test_layouts_whose_steps_are_not_of_one_batch_say_of_how_many_sequences_they_are(batch: str, alike: bool) -> None:
    plan = "hardware: 128 x A100 for 30 days at 40% MFU\ntokens: 100B\nmodel: 30B\n"
    report = laid_out(f"{plan}optimizer: AdamW {{ batch: {batch} tokens }}\n")
    (layouts,) = report.solutions[0].layouts
    sequences = {math.prod(one.figures[part] for part in ("dp", "micro_batch", "accumulate")) for one in layouts.first}
    assert (len(sequences) == 1) == alike
    page = terminal.render(report, Look(140, details=True))
    assert bool(re.search(r"memory +batch +step", page)) != alike
