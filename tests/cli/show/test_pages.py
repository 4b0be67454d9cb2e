"""Pages of the catalogues stay within their width, and no name in them is broken."""

from __future__ import annotations

import re

import pytest
from known import LIBRARY

from runplan.cli.main import main
from runplan.cli.show.catalogue import law, record, rule
from runplan.cli.show.catalogue.subjects import RulePage
from runplan.cli.show.text.page import WIDTH, columns, paragraph
from runplan.dsl.syntax.parse import parse
from runplan.dsl.text.source import Source, View


def fits(text: str) -> None:
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []


def test_devices() -> None:
    devices = LIBRARY.records("device")
    fits(record.listed(devices))
    for one in devices:
        text = record.page(one)
        fits(text)
        figures, _, sources = text.partition("\nsources\n")
        assert re.findall(r"^  (\[\d+\])", sources, re.MULTILINE) == list(
            dict.fromkeys(re.findall(r"\[\d+\]", figures))
        )


def test_laws(capsys: pytest.CaptureFixture[str]) -> None:
    fits(law.listed(LIBRARY))
    for one in LIBRARY.laws():
        assert main(["law", one.name]) == 0
        for at in (["compute=1e22"], ["params=7B", "tokens=1T"]):
            main(["law", one.name, "--at", *at])  # what a law does not take, it refuses
        fits(capsys.readouterr().out)
    assert main(["law", "hernandez", "--at", "params=1B", "finetune_tokens=100M"]) == 0
    fits(capsys.readouterr().out)


def test_rules() -> None:
    rules = LIBRARY.rules()
    fits(rule.listed(rules))
    for one in rules:
        text = rule.page(RulePage(one.code, (one,)))
        fits(text)
        example = text.split("keeps it\n" if one.severity != "note" else "\nnot said of\n")[1].partition("\n\n")[0]
        node, findings = parse(View(example, Source("p.plan", example)), "file")
        assert node is not None and findings == [], "what is shown can be pasted"


def test_a_last_column_without_room_stands_below() -> None:
    rows = [("a", "short"), ("b" * 60, "a_name_that_is_long_enough"), ("c", "short")]
    assert columns(rows).splitlines() == [
        "a" + " " * 61 + "short",
        "b" * 60,
        "    a_name_that_is_long_enough",
        "c" + " " * 61 + "short",
    ]
    assert paragraph("read example.org/" + "x" * 30 + "/" + "y" * 40) == (
        "read example.org/" + "x" * 30 + "/\n" + "y" * 40 + "\n"
    )
