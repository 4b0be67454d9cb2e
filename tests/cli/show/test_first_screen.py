"""What a lead sees first: the report of each plan of `plans/` in a screen, at the widths that people have."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

import pytest
from known import LIBRARY
from reports import solved

from runplan.cli.show.report import terminal
from runplan.cli.show.text.look import Look
from runplan.cli.show.text.terminal import in_a_line
from runplan.cli.show.text.width import columns
from runplan.dsl.text.reader import Disk
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

ROOT = Path(__file__).resolve().parents[3]
PLANS = sorted(name for name in os.listdir(ROOT / "plans") if name != "prices.plan")
ROWS = 50
# The order in which a lead asks: does it hold, what is there, what comes out, what is it made of, what if it is wrong.
PARTS = (
    "What cannot hold",
    "Budget",
    "Solution",
    "Transfer",
    "Inference",
    "Data",
    "Schedule",
    "Assumptions",
    "Findings",
)
LONG_NAMES = """\
use laws chinchilla.approach3_rounded, chinchilla.approach2, llama3
hardware: 64 x H100 for 30 days at 40% MFU
data "commoncrawl-filtered-english": 800B tokens weight 60%
data "another-name-that-is-as-long-as-that": 800B tokens weight 40%
"""


@lru_cache(None)
def report(name: str) -> Report:
    return report_of(f"plans/{name}", Disk(ROOT), catalogue=LIBRARY)


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w.\-]+", text))


@pytest.mark.parametrize("name", PLANS)
def test_a_report_is_a_screen(name: str) -> None:
    lines = terminal.render(report(name), Look(80)).splitlines()
    assert len(lines) <= ROWS and max(map(columns, lines)) <= 80
    found = [part for line in lines for part in PARTS if line.startswith(part)]
    assert found == sorted(found, key=PARTS.index)
    assert "Notes" not in lines and not any(line.startswith(("Size", "Other sizes")) for line in lines)


@pytest.mark.parametrize("name", PLANS)
def test_a_wide_terminal_is_used(name: str) -> None:
    narrow, wide = (terminal.render(report(name), Look(width)) for width in (80, 140))
    assert max(map(columns, wide.split("\n"))) <= 140
    # What there is room for only beside another may be on the wide page alone, if that is still a screen.
    more = "\nLayout" in wide and "\nLayout" not in narrow
    assert wide.count("\n") <= (ROWS if more else narrow.count("\n"))
    # Whatever stands beside another, each word of the narrow page is whole on the wide one.
    assert words(narrow) <= words(wide) | {""}, "no word is broken"


@pytest.mark.parametrize("name", PLANS)
def test_the_details_have_all_of_it(name: str) -> None:
    whole = terminal.render(report(name), Look(80, details=True))
    assert max(map(columns, whole.split("\n"))) <= 80
    assert "Notes\n" in whole
    for assumption in report(name).assumptions:
        assert str(assumption.name) in whole


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("details", [False, True])
def test_long_names_are_whole(width: int, details: bool) -> None:
    text = terminal.render(solved(LONG_NAMES), Look(width, details=details))
    assert max(map(columns, text.split("\n"))) <= width
    for name in (
        "chinchilla.approach3_rounded",
        "commoncrawl-filtered-english",
        "another-name-that-is-as-long-as-that",
    ):
        assert name in text
        for cut in range(8, len(name)):
            assert not re.search(rf"(?:^|\s){re.escape(name[:cut])}\s*$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "width", "line"),
    [
        ("all of it", 9, "all of it"),
        ("cut at a word", 9, "cut at …"),
        ("`chinchilla` is used beyond: 1 is", 32, "`chinchilla` is used beyond …"),
        ("never within `two words` of code", 22, "never within …"),
        ("unbreakable", 4, "unbreakable …"),
    ],
)
def test_a_text_in_a_line(text: str, width: int, line: str) -> None:
    assert in_a_line(text, width) == line
