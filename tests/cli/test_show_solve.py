"""A solved plan as JSON, table, Markdown and CSV, and the derivation of its values."""

# ruff: noqa: RUF001 - what is printed has dashes of its own

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

from runplan.cli.output import spelled
from runplan.cli.show import explain, figures, solve_csv, solve_json, solve_markdown, solve_size, solve_table
from runplan.cli.show.section import Section
from runplan.cli.show.terminal import columns
from runplan.dsl.expr.tree import Num, Op, Ref
from runplan.dsl.text.reader import Buffer, Disk
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show
from runplan.engine.analysis.regret import loss_function
from runplan.engine.analysis.sensitivity import changes
from runplan.engine.document import amount
from runplan.engine.document import document as document_of
from runplan.engine.pipeline import report_of
from runplan.engine.problem.problem import Definition
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Assumption, Report

PARAM = unit("param").dim
SCHEMA = json.loads(Path(__file__).with_name("schema_solve.json").read_text(encoding="utf-8"))

H100 = """\
plan "Thousand H100s, half a year"
use laws chinchilla, llama3

let budget = 30M USD

hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
data web:  10T tokens
data code: 800B tokens up to 4 epochs
data math: 200B tokens up to 4 epochs quality high
objective: CLM
schedule:  WSD

require cost <= budget because "board, 2026-03"
require tokens / params >= 20
minimize loss
"""
SMALL = """\
plan "Sixty-four"
hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour
"""
PLANS = {
    "h100": H100,
    "one line": "hardware: 1000 x H100 for 6 months\n",
    "over budget": SMALL + "require cost <= 100k USD\n",
    "contradiction": "hardware: 64 x H100 for 20 days at 40% MFU\nmodel: 30B\ntokens: 3T\n",
    "requirement": "compute: 3e19 FLOP\nuse laws chinchilla, llama3\nrequire loss <= 2.5\n",
    "how many": "hardware: ? x A100 for 30 days at 50% MFU\nmodel: 3B\ntokens: 300B\n",
    "energy": """\
hardware: {
  gpus: 512; device: H100; time: 60 days; mfu: 40%; pue: 1.1  # measured
  carbon_intensity: 385 gCO2eq/kWh
  from: 2026-12-01
}
reserve: 15% because "ablations"
""",
    "pools": "hardware: 256 x H100 for 60 days at 40% MFU + 128 x A100 for 50 days at 45% MFU\ndata: 1T tokens\n",
    "free": "model: 7B\n",
    "many laws": "compute: 1e23 FLOP\nuse laws chinchilla, chinchilla.approach1, chinchilla.approach2, llama3\n",
    "served": "hardware: 64 x H100 for 60 days at 40% MFU\nuse laws chinchilla, kaplan.joint\ninference: 2T tokens\n",
    "transfer": """\
use laws plm, plm.refit
objective: transfer from CLM to MLM of protein
model: 85M params
data: 48B tokens
""",
    "repeats": "hardware: 32 x H100 for 21 days at 38% MFU\ndata: 40B tokens up to 4 epochs\nschedule: cosine\n",
    "small": "compute: 1e22 FLOP\nmodel: 100M params\n",
    "wrong": "hardware: 64 x H1000 for 30 days\n",
}


@lru_cache(None)
def solved(text: str) -> Report:
    """The report of a plan that stands in no file; it cannot change, and is shared by the tests."""
    here = Path(__file__).parent
    return report_of("small.plan", Buffer("small.plan", text.encode(), Disk(here)), catalogue=LIBRARY)


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
        values = {name: value for name, value in solution.values.items() if name in keep}
        values["loss"] = replace(values["loss"], value=2.0488, low=2.0381, high=2.0638)
        values["params"] = replace(values["params"], value=23.73e9, low=19.3e9, high=28.9e9)
        values["tokens"] = replace(values["tokens"], value=461.1e9, low=378e9, high=566e9)
        solutions.append(replace(solution, values=values, problem=replace(solution.problem, phases=())))
    assumption = Assumption("mfu", 0.4, (), "a table that says so at length: " + "lorem/ipsum-dolor@" * 4, None)
    return replace(report, solutions=tuple(solutions), assumptions=(assumption,), findings=(), bands=(), notes=())


# ---- JSON


def wrong(value: Any, schema: Mapping[str, Any], path: str = "$") -> Iterator[str]:
    """What is wrong with a document, by the part of JSON Schema that the schema uses."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    kinds: dict[str, tuple[type, ...]] = {
        "object": (dict,),
        "array": (list,),
        "string": (str,),
        "number": (int, float),
        "integer": (int,),
        "null": (type(None),),
    }
    types = schema.get("type", [])
    if types and not any(isinstance(value, kinds[t]) for t in ([types] if isinstance(types, str) else types)):
        yield f"{path}: {value!r} is no {types}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} is not {schema['pattern']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path}: {value} is too small"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{path}: too short"
        for i, item in enumerate(value):
            yield from wrong(item, schema.get("items", {}), f"{path}[{i}]")
    if isinstance(value, dict):
        yield from (f"{path}: no `{key}`" for key in schema.get("required", ()) if key not in value)
        for key, item in value.items():
            other = schema.get("additionalProperties", {})
            inner = schema.get("properties", {}).get(key, other)
            if inner is False:
                yield f"{path}: `{key}` is unknown"
            else:
                yield from wrong(item, inner, f"{path}.{key}")


def test_json_follows_the_schema(report: Report) -> None:
    text = solve_json.render(report)
    document = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert document == document_of(report)
    assert list(wrong(document, SCHEMA)) == []
    assert text == solve_json.render(report)


def test_the_schema_finds_what_is_wrong(h100: Report) -> None:
    document: Any = document_of(h100)
    document["solutions"][0]["loss"]["unit"] = "nat"
    document["solutions"][1]["status"] = "done"
    document["solutions"][1]["law_params"] = {"value": 1.0}
    del document["plan"]["file"]
    assert len(list(wrong(document, SCHEMA))) == 4


def test_json_of_the_example(h100: Report) -> None:
    document: Any = document_of(h100)
    assert document["plan"] == {"title": "Thousand H100s, half a year", "file": "small.plan"}
    assert document["budget"]["compute"] == {"value": 6.15485952e24, "unit": "FLOP"}
    assert document["budget"]["gpu_hours"] == {"value": 4.32e6, "unit": "GPU*hour"}
    first, second = document["solutions"]
    assert (first["law"], first["resolved"], first["status"]) == ("chinchilla", "chinchilla.epoch", "solved")
    assert first["binding"] == ["compute", "tokens / params >= 20"]
    assert first["cost"] == {"value": 10.8e6, "unit": "USD"}
    assert first["idle_share"] == {"value": 0.0, "unit": "1"}
    assert first["loss"]["low"] < first["loss"]["value"] < first["loss"]["high"]
    assert "loss" not in second
    assert [source["source"] for source in first["mix"]] == ["web", "code", "math"]
    assert math.isclose(sum(s["tokens"]["value"] for s in first["mix"]), first["tokens"]["value"], rel_tol=1e-9)
    assert [phase["name"] for phase in first["phases"]] == ["warmup", "stable", "decay"]
    assert sum(phase["share"]["value"] for phase in first["phases"]) == pytest.approx(1)
    assert "conflict" not in first and "transfer" not in first


def test_json_of_a_contradiction() -> None:
    document: Any = document_of(solved(PLANS["contradiction"]))
    (solution,) = document["solutions"]
    assert solution["status"] == "infeasible"
    rooms = {room["to"]["unit"]: room for room in solution["conflict"]}
    assert rooms["GPU"] == {
        "text": "gpus: 64", "line": 1, "change": "gpus >= 790", "to": {"value": 790.0, "unit": "GPU"}
    }  # fmt: skip
    assert rooms["second"]["to"]["value"] == pytest.approx(21319739.2359)
    assert "idle_share" not in solution, "less than nothing is left idle"


def test_a_contradiction_is_said_in_words() -> None:
    found = solved(PLANS["contradiction"])
    headline = " ".join(solve_table.render(found, width=140, color=False).split())
    assert "`gpus: 64`" in headline and "cannot hold together" in headline
    assert "What cannot hold together, and a change that alone makes room" in headline


def test_json_of_what_is_undecided() -> None:
    document: Any = document_of(solved(PLANS["requirement"]))
    second = document["solutions"][1]
    assert second["status"] == "undecided"
    assert {"params", "tokens", "loss"}.isdisjoint(second)


def test_json_of_a_date_and_of_a_text_that_is_no_plan() -> None:
    document: Any = document_of(solved(PLANS["energy"]))
    assert document["solutions"][0]["finish"] == {"value": "2027-01-30", "unit": "date"}
    document = document_of(solved(PLANS["wrong"]))
    assert document["plan"] == {"file": "small.plan"} and document["solutions"] == []
    assert document["findings"][0]["code"] == "N002"


@pytest.mark.parametrize(
    ("value", "dim", "shown"),
    [
        (1e-13, (), {"value": 0.0, "unit": "1"}),
        (-2e-15, (), {"value": 0.0, "unit": "1"}),
        (3600.0, unit("GPU*second").dim, {"value": 1.0, "unit": "GPU*hour"}),
        (299999999999.99976, unit("token").dim, {"value": 3e11, "unit": "token"}),
        (2.5 / 3600, unit("USD/GPU/second").dim, {"value": 2.5, "unit": "USD/GPU/hour"}),
        (2e-10, unit("FLOP").dim, {"value": 2e-10, "unit": "FLOP"}),
        (1796083200.0, unit("date").dim, {"value": "2026-12-01", "unit": "date"}),
    ],
)
def test_an_amount_in_json(value: float, dim: Any, shown: dict[str, object]) -> None:
    assert amount(value, dim) == shown


# ---- table


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100, 140])
def test_no_line_is_longer_than_the_width(report: Report, width: int) -> None:
    text = solve_table.render(report, width=width, color=False)
    for line in text.split("\n"):
        assert columns(line) <= width
        assert line == line.rstrip()
    assert text.endswith("\n") and not text.endswith("\n\n") and "\n\n\n" not in text
    colored = solve_table.render(report, width=width, color=True)
    assert "\x1b[" in colored and re.sub(r"\x1b\[[0-9;]*m", "", colored) == text


def test_the_table() -> None:
    assert solve_table.render(bare(solved(SMALL)), width=60, color=False) == (
        """\
Sixty-four
small.plan

Holds: 23.73B params, 461.1B tokens, loss 2.049, 1 month,
138,240 USD

Budget
  hardware      64 x H100 for 30 days at 40% MFU @ 3
                USD/GPU/hour
  compute       6.565e22 FLOP
  GPU-hours     46,080
  reserved for  1 month
  cost          138,240 USD

Solution
                    chinchilla
                    = chinchilla.epoch
  ─────────────────────────────────────────
  params            23.73B  (19.3B – 28.9B)
  tokens            461.1B  (378B – 566B)
  tokens per param  19.4
  compute           6.565e22 FLOP
  loss, nat/token   2.049   (2.038 – 2.064)
  time              1 month
  GPUs              64
  GPU-hours paid    46,080
  cost              138,240 USD
  idle share        0%
  limited by        compute

  In brackets: the 80 % interval of a law's constants.

Assumptions
  name  value  rests on
  ──────────────────────────────────────────────────────────
  mfu   40%    a table that says so at length: lorem/ipsum-
               dolor@lorem/ipsum-dolor@lorem/ipsum-dolor@
               lorem/ipsum-dolor@
"""
    )


def test_intervals_go_under_the_figures_where_that_saves_room() -> None:
    report = bare(solved(SMALL))
    report = replace(report, solutions=(*report.solutions, *report.solutions))
    text = solve_table.render(report, width=62, color=False)
    assert "  params            23.73B              23.73B\n" in text
    dash = figures.NOTHING
    assert f"\n                    (19.3B {dash} 28.9B)     (19.3B {dash} 28.9B)\n" in text
    assert text.count("params  ") == 1


def test_the_table_of_the_example(h100: Report) -> None:
    text = solve_table.render(h100, width=80, color=False)
    assert "\nHolds: 226.5B params, 4.529T tokens, loss 1.920, 6 months, 10.8M USD\n" in text
    assert "1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour" in text
    assert "  limited by        compute                 compute\n" in text
    assert "                    tokens / params >= 20\n" in text
    assert "No interval: `llama3` publishes no uncertainty of its constants." in text
    assert "  web     3.235T  71.4%  0.324 of 1      6.76T  3.235T  9.97T, 99.7%\n" in text
    assert "  math    258.8B   5.7%   1.29 of 4       541B  258.3B     190B, 95%\n" in text
    assert "Batch and learning rate by `deepseek`." in text
    assert "`plan check small.plan` shows them in full" in text


def test_a_broken_plan_says_so_first() -> None:
    text = solve_table.render(solved(PLANS["over budget"]), width=80, color=False)
    assert text.startswith("Sixty-four\nsmall.plan\n\nOver budget: `cost` is 138")
    text = solve_table.render(solved(PLANS["contradiction"]), width=80, color=False)
    assert text.startswith("small.plan\n\nCannot be done: ")
    assert "  1     gpus: 64       gpus >= 790\n" in text
    assert "  status            infeasible\n" in text
    text = solve_table.render(solved(PLANS["requirement"]), width=80, color=False)
    assert "infeasible          undecided\n" in text
    assert "The figures under `chinchilla` are those without `loss <= 2.5`." in text
    text = solve_table.render(solved(PLANS["free"]), width=80, color=False)
    assert text.startswith("small.plan\n\nUndecided: ")
    text = solve_table.render(solved(PLANS["wrong"]), width=80, color=False)
    assert text.startswith("small.plan\n\nCannot be read: 1 error\n")


def test_a_block_of_hardware_is_one_line() -> None:
    (text,) = solve_table.hardware(solved(PLANS["energy"]))
    assert text == (
        "gpus: 512; device: H100; time: 60 days; mfu: 40%; pue: 1.1; carbon_intensity: 385 gCO2eq/kWh; from: 2026-12-01"
    )
    names = {line[0] for line in solve_table.budget(solved(PLANS["energy"]))}
    assert {"energy", "emissions"} <= names
    assert [name for name, _ in solve_table.budget(solved(PLANS["pools"]))][:2] == ["pool 1", "pool 2"]


def test_what_a_plan_says_cannot_steer_a_terminal() -> None:
    report = solved(SMALL)
    assert report.plan is not None
    hostile = replace(report, plan=replace(report.plan, title="[red]a[/] \x1b[31m:smile:\u202e"))
    first = solve_table.render(hostile, width=80, color=False).split("\n")[0]
    assert first == "[red]a[/] \ufffd[31m:smile:\ufffd"


# ---- the parts between the solutions and what they rest on


def part(report: Report, title: str) -> Section:
    (found,) = (section for section in solve_table.sections(report) if section.title == title)
    return found


def test_how_much_the_size_matters() -> None:
    report = solved(SMALL)
    solution, band = report.solutions[0], report.bands[0]
    assert band is not None
    size = {line[0]: line[1] for line in part(report, "Size").lines}
    assert size["optimum"] == size["the plan's size"] == "23.73B" and size["its regret"] == "none"
    low, high = (figures.bare(show(end, PARAM)) for end in band.by_loss)
    assert size["within 0.005 nats"] == f"{low} {figures.NOTHING} {high}"
    assert set(size) >= {"its loss", "within 1% compute"}
    loss = loss_function(solution)
    assert loss is not None
    others = part(report, "Other sizes")
    assert [line[0] for line in others.lines] == ["0.5x", "0.67x", "optimum", "1.5x", "2x"]
    for share, line in zip((0.5, 2 / 3, 1, 1.5, 2), others.lines, strict=True):
        params = share * band.optimum
        assert line[3] == f"{loss(params, band.compute / 6 / params):.4f}"
    assert others.lines[2][4] == "0%" and others.lines[4][4] == "+15%"


def test_the_extra_compute_of_a_size_reaches_the_least_loss() -> None:
    report = solved(SMALL)
    solution, band = report.solutions[0], report.bands[0]
    loss = loss_function(solution)
    assert band is not None and loss is not None
    for share in (0.5, 0.7, 1.3, 3.1):
        size = share * band.optimum
        regret = solve_size._at(band, math.log(size), lambda i: band.points[i].regret)
        assert regret is not None
        assert loss(size, band.compute * (1 + regret) / 6 / size) == pytest.approx(band.loss, abs=2e-5)
    assert solve_size._at(band, math.log(100 * band.optimum), lambda i: band.points[i].loss) is None


def test_the_chart_marks_the_optimum_the_plan_and_the_band() -> None:
    found = part(solved(SMALL + "model: 7B\n"), "Size")
    assert found.chart is not None
    lines = found.chart(78)
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
    assert max(map(columns, lines)) <= 8 + solve_size.WIDEST
    narrow = found.chart(46)
    assert max(map(columns, narrow[1:])) <= 46 and "0.005 nats" in narrow[11] and "within 1% compute" in narrow[12]
    assert found.chart(30) == [], "too narrow to say anything"
    together = part(solved(SMALL), "Size").chart
    assert together is not None and "● the plan and the optimum" in together(78)[-1]
    far = part(solved(PLANS["small"]), "Size").chart
    assert far is not None and far(78)[-1].endswith("the plan's 100M lies off to the left")


def test_an_optimum_that_the_data_do_not_give_says_so() -> None:
    report = solved(PLANS["repeats"])
    (said,) = part(report, "Size").said
    assert said.startswith("The optimum is out of reach: it takes 2") and said.endswith("data give 160B tokens.")
    others = part(report, "Other sizes")
    assert [line[2].endswith("*") for line in others.lines] == [True, True, True, False, False]
    assert others.notes[-1] == "* More tokens than the plan's data give."


def test_several_laws_with_a_band_stand_side_by_side() -> None:
    report = solved(PLANS["served"])
    found = part(report, "Size")
    assert found.heads == ("", "chinchilla", "kaplan.joint")
    assert found.notes[-1] == "Under `kaplan.joint` the sizes here are params without embeddings."
    assert found.chart is not None and found.chart(78)[0].endswith(", under chinchilla")
    assert part(report, "Other sizes, under chinchilla").heads[1] == "params"


def test_a_law_without_a_loss_has_no_band() -> None:
    report = solved("compute: 1e23 FLOP\nuse laws llama3\n")
    assert not any(section.title.startswith(("Size", "Other")) for section in solve_table.sections(report))


def test_a_transfer() -> None:
    report = solved(PLANS["transfer"])
    found = part(report, "Transfer, under plm and plm.refit")
    assert found.heads == ("stage", "tokens", "of tokens", "compute", "of compute")
    assert found.lines == (
        ("1. CLM", "8.945B", "15.7%", "4.562e18 FLOP", "15.7%"),
        ("2. MLM", "48B", "84.3%", "2.448e19 FLOP", "84.3%"),
    )
    assert found.said[0] == "CLM is worth 8.945B tokens of MLM: more of it is wasted."
    assert found.said[1] == "With its own 48B that is 56.94B tokens, 1.19x as many."
    assert found.said[2] == (
        "From scratch the same loss takes 2.988e19 FLOP of MLM: both stages take 2.8% less;"
        " 18.1% less where a model of CLM is there already."
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
        "From scratch the same loss takes 2.076e18 FLOP of python: 93.1% less where a model of text is there already.",
    )


def test_what_serving_asks_for() -> None:
    found = part(solved("compute: 1e23 FLOP\ninference: 10T tokens\n"), "Inference")
    rows = {line[0]: line[1] for line in found.lines}
    assert re.fullmatch(r"[\d.]+B params on [\d.]+[BT] tokens \([\d.]+% less compute\)", rows["cheapest over its life"])
    assert rows["break-even"].endswith(" tokens served") and found.notes
    document: Any = document_of(solved("compute: 1e23 FLOP\ninference: 10T tokens\n"))
    assert document["solutions"][0]["lifetime"]["break_even_tokens"]["unit"] == "token"


def test_a_transfer_beyond_its_crossover() -> None:
    text = "use laws plm\nobjective: transfer from MLM to CLM of protein\ncompute: 1e21 FLOP\n"
    found = part(solved(text), "Transfer")
    assert found.heads == ("stage", "tokens", "compute")
    assert found.said[-1] == "It pays up to 8.049e19 FLOP of CLM, and this is beyond."
    assert "32.3% more where a model of MLM is there already" in found.said[1]


def test_inference() -> None:
    report = solved(PLANS["served"])
    rows = {line[0]: line[1:] for line in part(report, "Inference").lines}
    assert rows["tokens served"] == ("2T", "2T")
    assert re.fullmatch(r"\S+ FLOP \(\d\d\.\d% of all\)", rows["compute of serving"][0])
    assert rows["lifetime compute"][0].startswith(figures.figure("x", *_value(report, "lifetime_compute")))
    document: Any = document_of(report)
    first = document["solutions"][0]
    assert first["lifetime_compute"]["unit"] == "FLOP" and "inference_tokens" not in first


def _value(report: Report, name: str) -> tuple[float, Any]:
    value = report.solutions[0].values[name]
    return value.value, value.dim


def test_the_branch_point_is_where_the_decay_begins(h100: Report) -> None:
    found = part(h100, "Schedule, under chinchilla")
    assert found.heads[:6] == ("phase", "share", "tokens", "days", "steps", "learning rate")
    assert [line[3] for line in found.lines] == ["1.8", "160.2", "18.0"]
    assert found.said == (
        "Branch point: 4.077T tokens, step 108,731, day 162.0, at the end of `stable`;"
        " a longer run goes on from there, undecayed.",
    )
    # A law without a learning rate; a schedule that never holds one.
    assert part(solved(PLANS["transfer"]), "Schedule, under plm").said[0].startswith("Branch point: 51.25B tokens, at")
    assert part(solved(PLANS["repeats"]), "Schedule").said == ()


def test_what_repeated_data_are_worth() -> None:
    found = part(solved(PLANS["repeats"]), "Data")
    assert found.heads[-2:] == ("worth", "next epoch")
    assert found.lines == (("data", "160B", "100.0%", "4 of 4", "none", "149B", "31.9B, 79.7%"),)
    assert found.notes[0].endswith("By `muennighoff`.") and "149B in all" in found.notes[0]
    assert part(solved("hardware: 8 x H100 for 9 days at 40% MFU\ndata: 1T tokens\n"), "Data").heads[-1] == "left over"


def test_notes_of_the_laws(h100: Report) -> None:
    said = solve_table.remarks(h100)
    of_any = [text for law, text in said if not law]
    assert any(text.startswith("The loss is the law's: ") and text.endswith(". [K015]") for text in of_any)
    assert {law for law, _ in said} == {"", "chinchilla.epoch", "llama3"}
    text = solve_table.render(solved(PLANS["transfer"]), width=80, color=False)
    assert re.search(r"\n +\d more: `plan law plm`\n", text)
    assert "`plm.refit` is the one for" in text


def test_no_section_says_nothing(report: Report) -> None:
    for section in solve_table.sections(report):
        assert section.title and section.lines
        for i in range(len(section.heads)):
            assert any(line[i] != figures.NOTHING for line in section.lines), section.heads[i]


# ---- characters


def test_characters_that_an_encoding_lacks_are_spelled(h100: Report) -> None:
    text = solve_table.render(h100, width=80, color=False)
    plain = spelled(text, "ascii")
    assert plain.isascii() and "?" not in plain.replace("? ", "")
    assert [len(line) for line in plain.split("\n")] == [columns(line) for line in text.split("\n")]
    assert "0 ->2.48e-4" in plain and "(1.901 - 1.943)" in plain
    assert spelled(text, "utf-8") == text
    assert spelled("a – b ─ é Å 10² ½ 漢 →\n", "ascii") == "a - b - e A 10? ? ? ->\n"
    assert spelled("a – b ─ é\n", "cp1252") == "a – b - é\n"
    assert spelled("＜b＞ ｜ ＠x \udc80", "ascii") == "?b? ? ?x ?", "nothing becomes markup"


def test_markdown_has_the_same_parts(report: Report) -> None:
    text = solve_markdown.render(report)
    for section in solve_table.sections(report):
        assert f"**{section.title}**" in text
    for _, note in solve_table.remarks(report):
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
        ("pool2.mfu", 0.4, "40%"),
        ("share.web", 0.5, "50%"),
        ("phase.decay.share", 0.1, "10%"),
        ("phase.decay.mix.web", 0.1, "10%"),
        ("epochs.share", 0.1, "0.1"),
        ("epochs.mfu", 0.1, "0.1"),
        ("learning_rate", 3e-4, "3e-4"),
        ("learning_rate", 2.484e-5, "2.48e-5"),
        ("steps", 120812.7, "120,813"),
        ("phase.decay.steps", 12.3, "12"),
    ],
)
def test_a_figure_without_a_unit(name: str, value: float, text: str) -> None:
    assert figures.figure(name, value, ()) == text


# ---- Markdown and CSV


def test_markdown() -> None:
    dash = figures.NOTHING
    lines = solve_markdown.render(bare(solved(SMALL))).split("\n")
    assert lines[:4] == [
        "### Sixty-four",
        "",
        "✅ **Holds:** 23.73B params, 461.1B tokens, loss 2.049, 1 month, 138,240 USD",
        "",
    ]
    assert "|  | chinchilla = chinchilla.epoch |" in lines
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
    lines = solve_markdown.render(report).split("\n")
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
    first = solve_markdown.render(solved(text)).split("\n")[0]
    assert first == r"### a\|b \<img\> @<!-- -->team \`c\` \[d\](e)"
    text = 'data "we|b<b>": 1T tokens\ndata "@x": 2T tokens\n' + SMALL
    shown = solve_markdown.render(solved(text))
    assert r"| we\|b\<b\> |" in shown and "| @<!-- -->x |" in shown


def test_csv(h100: Report) -> None:
    rows = list(csv.DictReader(StringIO(solve_csv.render(h100))))
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
    assert solve_csv.render(solved(PLANS["requirement"])).endswith("llama3,llama3,undecided,,,,,\n")


# ---- explain


def test_the_cost_explained(h100: Report) -> None:
    cost, hours = (_line(h100.solutions[0], name) for name in ("cost", "gpu_hours"))
    assert (
        explain.tree(h100.solutions[0], "cost", width=80, color=False)
        == f"""\
cost = 10.8M USD  [derived]
│   = gpu_hours * price
│   = 4.32M GPU-hours * 2.5 USD/GPU/hour
│   cost of the hardware as paid · stdlib/quantities.plan:{cost}
├── gpu_hours = 4.32M GPU-hours  [derived]
│   │   = gpus * reserved_time
│   │   = 1000 GPU * 6 months
│   │   device hours paid for · stdlib/quantities.plan:{hours}
│   ├── gpus = 1000 GPU  [given]  small.plan:6
│   └── reserved_time = 6 months  [given]  small.plan:6
└── price = 2.5 USD/GPU/hour  [given]  small.plan:6
"""
    )
    assert h100.plan is not None
    found = changes(h100.plan, h100.solutions[0], "cost", LIBRARY)
    assert (
        explain.changes_section(h100.solutions[0], found, width=80, color=False)
        == """
What would change it, for 1 % more
  gpus = 1000 GPU               +1 %  small.plan:6
  price = 2.5 USD/GPU/hour      +1 %  small.plan:6
  reserved_time = 6 months      +1 %  small.plan:6
"""
    )


def _line(solution: Solution, name: str) -> int:
    span = solution.values[name].span
    assert span is not None
    return span.line


def test_the_loss_explained(h100: Report) -> None:
    text = explain.tree(h100.solutions[0], "loss", width=140, color=False)
    assert text.startswith("loss = 1.920")
    assert "= E + A / N^alpha + B / D^beta   N is params, D is effective_tokens\n" in text
    assert "= 1.8172 nat/token + 482.01 / (226.5B params)^0.3478 + 2085.43 / (4.527T tokens)^0.3658\n" in text
    assert "├── alpha = 0.3478 ± 0.02  [constant]  stdlib/laws/chinchilla.plan:" in text
    assert "arXiv:2404.10102" in text.split("\n")[3]
    assert "law." not in text


def test_what_is_solved_explained(h100: Report) -> None:
    text = explain.tree(h100.solutions[0], "params", width=120, color=False)
    assert text.split("\n")[:4] == [
        "params = 226.5B params  [solved]",
        "│   solved: minimize loss, subject to compute, tokens / params >= 20",
        "│     compute <= capacity: 6.155e24 FLOP <= 6.155e24 FLOP",
        "│     20 <= tokens / params: 20 <= 4.529T tokens / 226.5B params",
    ]
    text = explain.tree(h100.solutions[0], "tokens", width=120, color=False)
    assert text.startswith("tokens = 4.529T tokens  [solved]")


def test_every_value_is_opened_once(report: Report) -> None:
    for solution in report.solutions:
        for name in solution.values:
            document: Any = explain.explain_json(solution, name)
            found = [node["name"] for node in document["nodes"]]
            assert len(found) == len(set(found))
            assert {child for node in document["nodes"] for child in node["inputs"]} <= set(found)
            json.dumps(document, allow_nan=False)


@pytest.mark.parametrize("width", [40, 100])
def test_no_line_of_a_tree_is_longer_than_the_width(report: Report, width: int) -> None:
    for solution in report.solutions:
        for name in solution.values:
            text = explain.tree(solution, name, width=width, color=False)
            assert max(map(columns, text.split("\n"))) <= width
            assert "max_epochs." not in text and "available." not in text and "law." not in text


def test_a_deep_tree_stays_on_the_page(h100: Report) -> None:
    solution = h100.solutions[0]
    values, definitions = dict(solution.values), dict(solution.problem.definitions)
    base = values["cost"]
    for i in range(2000):
        last = f"x{i - 1}" if i else "cost"
        expr = Op("+", (Ref(last), Num(1.0, base.dim)))
        definitions[f"x{i}"] = Definition(f"x{i}", base.dim, expr, "derived")
        values[f"x{i}"] = replace(base, name=f"x{i}", formula=f"{last} + 1 USD", inputs=(last,), span=None)
    deep = replace(solution, values=values, problem=replace(solution.problem, definitions=definitions))
    text = explain.tree(deep, "x1999", width=80, color=False)
    assert max(map(len, text.split("\n"))) <= 80
    assert text.count("cost = 10.8M USD") == 1


def test_a_let_has_the_unit_of_its_expression(h100: Report) -> None:
    solution = h100.solutions[0]
    assert explain.tree(solution, "budget", width=80, color=False) == "budget = 30M USD  [given]  small.plan:4\n"
    assert {"budget", "cost", "tokens.web"} <= set(explain.public(solution))
    assert {"capacity", "law.A", "available.web"}.isdisjoint(explain.public(solution))


def test_explain_json_of_the_cost(h100: Report) -> None:
    document: Any = explain.explain_json(h100.solutions[0], "cost")
    assert [node["name"] for node in document["nodes"]] == ["cost", "gpu_hours", "gpus", "reserved_time", "price"]
    cost, *_, price = document["nodes"]
    assert cost["value"] == 10.8e6 and cost["unit"] == "USD" and cost["inputs"] == ["gpu_hours", "price"]
    assert cost["substituted"] == "4.32M GPU-hours * 2.5 USD/GPU/hour"
    assert price["kind"] == "given" and price["file"] == "small.plan" and price["line"] == 6


def test_mermaid(h100: Report) -> None:
    solution = h100.solutions[0]
    lines = explain.mermaid(solution, "cost").split("\n")
    at = {name: f"#183; stdlib/quantities.plan:{_line(solution, name)}" for name in ("cost", "gpu_hours")}
    assert lines[:7] == [
        "flowchart TD",
        f'    n0["cost = 10.8M USD<br>gpu_hours * price<br>cost of the hardware as paid {at["cost"]}"]:::derived',
        '    n1["gpu_hours = 4.32M GPU-hours<br>gpus * reserved_time<br>'
        f'device hours paid for {at["gpu_hours"]}"]:::derived',
        '    n2["gpus = 1000 GPU<br>small.plan:6"]:::given',
        '    n3["reserved_time = 6 months<br>small.plan:6"]:::given',
        '    n4["price = 2.5 USD/GPU/hour<br>small.plan:6"]:::given',
        "    n1 --> n0",
    ]
    assert "chinchilla.epoch: arXiv:2404.10102" in explain.mermaid(solution, "loss")
    assert explain._escaped('a"b<c>#`d`') == "a#34;b#60;c#62;#35;#96;d#96;"


def test_a_name_that_is_no_value_is_a_key_error(h100: Report) -> None:
    for render in (explain.explain_json, explain.mermaid):
        with pytest.raises(KeyError):
            render(h100.solutions[0], "nothing")
