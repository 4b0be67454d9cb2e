"""A quantity that a pack adds by its block alone is a field of a statement, a word of rules and a row of reports."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

from runplan.cli.show.comparison.content import content as compared
from runplan.cli.show.report.content import content
from runplan.cli.show.report.csv import render as csv
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.text.reader import Files
from runplan.engine.comparison.compare import compared_plans
from runplan.engine.documents.solve import document
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

PACKS = (Path(__file__).parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")
# `network`, as the document shows it.
SHOWN = re.findall(r"^quantity network.*?^}$", PACKS, re.MULTILINE | re.DOTALL)[0]
DEVICE = """\
device z1 "One with a network" {
  peak bf16 400 TFLOP/s from "its data sheet"
  memory 80 GB from "its data sheet"
  power 500 W from "its data sheet"
  network 100 Gbit/s from "its data sheet"
}
"""
RULE = """\
rule ACME1 slow-network warning {
  when network < 50 GB/s
  says "{network} to other nodes is slow"
  blames network
  cites "our own practice"
}
"""
PLAN = RULE + "hardware { gpus: 64; device: z1; time: 30 days; mfu: 40%; network: 320 Gbit/s }\n"
YAML = """\
hardware:
  gpus: 64
  device: z1
  time: 30 days
  mfu: 40%
  network: 320 Gbit/s
"""
POOLS = RULE + "hardware {\n  gpus: 64; device: z1; time: 30 days; mfu: 40%; network: 480 Gbit/s\n} + {\n"
POOLS += "  gpus: 64; device: z1; time: 30 days; mfu: 40%; network: 240 Gbit/s\n}\n"


def library(quantity: str = SHOWN) -> Library:
    files = Files({"packs/quantities.plan": quantity + "\n", "packs/z1.plan": DEVICE})
    return LIBRARY.with_files(pack_files(files, "packs", "packs", "pack"))


def solved(text: str, name: str = "p.plan", *settings: str, quantity: str = SHOWN) -> Report:
    known = library(quantity)
    assert known.findings == ()
    return report_of(name, Files({name: text}), catalogue=known, settings=settings, intervals=False)


def figure(report: Report) -> Any:
    found: Any = document(report)
    return found["solutions"][0].get("network", {}).get("value")


@pytest.mark.parametrize(("name", "text"), [("p.plan", PLAN), ("p.plan.yaml", YAML)])
def test_it_is_given_in_both_spellings(name: str, text: str) -> None:
    report = solved(text, name)
    assert figure(report) == 40e9 and report.solutions[0]["network"].kind == "given"
    assert figure(solved(text, name, "hardware.network=80 Gbit/s")) == 10e9
    assert figure(solved(text, name, "hardware.network=10 GB/s/GPU")) == 10e9


def test_it_is_a_row_of_every_format() -> None:
    report = solved(PLAN)
    rows = [line[0] for line in content(report).solutions.lines]
    assert rows.index("network, of one device") == rows.index("GPUs") + 1
    assert "chinchilla,chinchilla.epoch,solved,network,40000000000.0,byte/second,," in csv(report)
    both = compared_plans((("p", report), ("q", solved(PLAN, "q.plan", "hardware.network=80 Gbit/s"))))
    assert next(line[1:] for line in compared(both).table.lines if line[0] == "network, of one device")


def test_a_rule_reads_it() -> None:
    (slow,) = (f for f in solved(PLAN).findings if f.code == "ACME1")
    assert slow.message == "40 GB/s to other nodes is slow" and slow.at.span.text == "320 Gbit/s"
    assert "ACME1" not in {f.code for f in solved(PLAN, "p.plan", "hardware.network=800 Gbit/s").findings}


@pytest.mark.parametrize(("how", "total"), [("sum", 90e9), ("least", 30e9), ("most", 60e9), ("apart", None)])
def test_pools_come_to_what_it_says(how: str, total: float | None) -> None:
    report = solved(POOLS, quantity=SHOWN.replace("least", how))
    assert figure(report) == total
    assert [report.solutions[0][f"pool{i}.network"].value for i in (1, 2)] == [60e9, 30e9]
    # What pools have apart is judged of each.
    slow = [f.message for f in report.findings if f.code == "ACME1"]
    assert slow == ([] if how in ("sum", "most") else ["30 GB/s to other nodes is slow"])


def test_a_device_states_it() -> None:
    report = solved(PLAN.replace("; network: 320 Gbit/s", ""))
    assert figure(report) == 12.5e9
    (assumed,) = (a for a in report.assumptions if str(a.name) == "network")
    assert assumed.source == "z1: its data sheet"


@pytest.mark.parametrize("text", ["300 Gbit/s .. 400 Gbit/s", "up to 400 Gbit/s", "at least 400 Gbit/s", "?"])
def test_what_is_not_solved_is_said(text: str) -> None:
    report = solved(PLAN, "p.plan", f"hardware.network={text}")
    assert "C009" in {f.code for f in report.findings} and report.solutions[0].status == "undecided"
    natural = solved(PLAN, "p.plan", f"hardware.network={text}", quantity=SHOWN.replace("}", "  decided nature\n}"))
    # What nature decides may be asked for: here nothing determines it, and which end is the worse is not known.
    assert ("C002" in {f.code for f in natural.findings}) == (".." not in text)


def test_a_share_is_read_in_per_cent_and_data_stay_out_of_tables() -> None:
    asked = 'quantity spare in 1 "devices kept back" { pools apart; field hardware "5%" most 100%; per_cent; row 125 }'
    text = PLAN.removeprefix(RULE).replace("network: 320 Gbit/s", "spare: 5%")
    rows = {line[0]: line[1] for line in content(solved(text, quantity=asked)).solutions.lines}
    assert rows["spare"] == "5%"
    report = solved(text, quantity=asked.replace("row", "row data"))
    assert "spare" not in {line[0] for line in content(report).solutions.lines} and ",spare,0.05," in csv(report)
