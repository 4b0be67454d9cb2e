"""`# ignore[CODE] reason` silences findings of rules in their place, and nothing else; and what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runplan.cli.main import main
from runplan.dsl.text.source import Source
from runplan.engine.judge.ignores import ignores, kept

BIG = "model: 70B\n"


def checked(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str = "a.plan") -> list[str]:
    """The codes of a plan's findings with their lines, without what says how far a law is stretched."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    main(["check", str(tmp_path / name), "-o", "json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    return [f"{f['code']}@{f['line']}" for f in found if f["code"] != "L001"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("tokens: 200B\n", ["D002@2"]),
        ("tokens: 200B  # ignore[D002] a test of the data\n", []),
        ("tokens: 200B  # ignore[under-trained] a test of the data\n", []),
        ("# ignore[D002] a test of the data\ntokens: 200B\n", []),
        ("# ignore[D002] a test\n# of the data\ntokens: 200B\n", []),
        ("# ignore[D002] a test\n\n  # of the data\n\ntokens: 200B\n", []),
        ("tokens: 200B  # ignore[D002] a test until 2099-12-31\n", []),
        ("tokens: 200B  # ignore[D002] a test until 2020-12-31\n", ["D002@2", "X003@2"]),
        ("tokens: 200B  # ignore[D002]\n", ["X004@2"]),
        ("tokens: 200B  # ignore[D003] not this one\n", ["D002@2", "X001@2"]),
        ("tokens: 200B  # ignore[D002, D999] a test\n", ["X002@2"]),
        ("tokens: 1.4T  # ignore[D002] long gone\n", ["X001@2"]),
        ("tokens: 200B\n# ignore[D002] below is too late\n", ["D002@2", "X001@3"]),
    ],
)
def test_a_finding_is_silenced_in_its_place(
    text: str, left: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(BIG + text, tmp_path, capsys) == left


def test_in_yaml_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(BIG + "tokens: 200B  # ignore[D002] a test\n", tmp_path, capsys, "a.plan.yaml") == []


def test_what_is_wrong_with_a_plan_is_not_silenced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(BIG + "tokenz: 200B  # ignore[N001] so be it\n", tmp_path, capsys) == ["N001@2"]


def test_a_broken_budget_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.plan"
    plan = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\nrequire cost <= 1k USD"
    path.write_text(plan, encoding="utf-8")
    assert main(["check", str(path)]) == 1
    path.write_text(f"{plan}  # ignore[B001] the board knows\n", encoding="utf-8")
    assert main(["check", str(path)]) == 0
    capsys.readouterr()


def test_a_quote_is_no_comment() -> None:
    assert ignores(Source("p", 'plan "# ignore[D002] a title"\n')) == ()


def test_the_last_day_still_counts() -> None:
    source = Source("p", "model: 1B  # ignore[D002] why until 2026-03-01\n")
    known = {("D002", "under-trained")}
    assert [f.code for f in kept((), source, known, "2026-03-01")] == ["X001"]
    assert [f.code for f in kept((), source, known, "2026-03-02")] == ["X003"]


def test_a_day_that_there_is_not_is_no_date() -> None:
    source = Source("p", "model: 1B  # ignore[D002] why until 2026-02-30\n")
    (found,) = kept((), source, {("D002", "under-trained")}, "2026-01-01")
    assert (found.code, found.message) == ("X003", "this ignores until 2026-02-30, which is no date of the calendar")
