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


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        # Several in one comment, each with its own reason.
        ("a.plan", "tokens: 200B  # ignore[D002] a # ignore[D003]\n", ["X001@2", "X004@2"]),
        ("a.plan", "tokens: 200B  # a test # ignore[under-trained] of the data\n", []),
        ("a.plan", "tokens: 200B  #ignore[d002]: of the data\n", []),
        ("a.plan", "tokens: 200B  # ignore[] why\n", ["D002@2", "X002@2"]),
        ("a.plan", "tokens: 200B  # ignore[D002] why until 2099-1-1\n", ["D002@2", "X003@2"]),
        ("a.plan", "tokens: 200B  # ignore[D002] why until: 2099-01-01\n", []),
        ("a.plan", "tokens: 200B  # ignore[D002] why, until then\n", []),
        ("a.plan", "tokens: 200B  # ignore[D002] until 2099-01-01: why\n", []),
        ("a.plan", "tokens: 200B  # ignore[D002] until 2020-01-01 why\n", ["D002@2", "X003@2"]),
        ("a.plan", "tokens: 200B  # ignore[D002] why (Until 2020-01-01).\n", ["D002@2", "X003@2"]),
        ("a.plan", "tokens: 200B  # ignore[D002] until 2 weeks are over\n", ["D002@2", "X003@2"]),
        ("a.plan", "tokens: 200B  # ignore[D002] until 2099-01-01\n", ["X004@2"]),
        # What only looks like a comment.
        ("a.plan.yaml", "tokens: 200B\nplan: >\n  a\n  # ignore[D002] text\n", ["D002@2"]),
        ("a.plan.yaml", "tokens: 200B\nplan: 'it is # ignore[D002] text'\n", ["D002@2"]),
        ("a.plan.yaml", "plan: it's fine\ntokens: 200B  # ignore[D002] not 'text'\n", []),
        ("a.plan.yaml", 'plan: "a#b"\ntokens: 200B  # ignore[D002] a\n', []),
    ],
)
def test_each_comment_is_read_as_it_stands(
    name: str, text: str, left: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(BIG + text, tmp_path, capsys, name) == left


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_may_end_in_either_way(end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{BIG}tokens: 200B  # ignore[D002]\n# ignore[D003] why until 2020-01-01\ncompute: 1e24 FLOP\n"
    (tmp_path / "a.plan").write_bytes(text.replace("\n", end).encode())
    main(["check", str(tmp_path / "a.plan"), "-o", "json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [(f["code"], f["line"], f["end_column"]) for f in found if f["code"][0] == "X"] == [
        ("X004", 2, 29),
        ("X003", 3, 36),
    ]


FIELDS = "  gpus: 64\n  device: H100\n  time: 30 days\n  mfu: 40%\n"
WHY = "# ignore[H004] it is in the MFU\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.plan.yaml", f"hardware:  {WHY}{FIELDS}"),
        ("a.plan.yaml", f"{WHY}hardware:  # ours\n{FIELDS}"),
        ("a.plan", f"hardware: {{  {WHY}{FIELDS}}}\n"),
        ("a.plan", f"{WHY}hardware: {{\n{FIELDS}}}\n"),
    ],
)
def test_on_the_line_that_opens_a_block_it_is_for_the_block(
    name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(text, tmp_path, capsys, name) == []


def test_in_an_imported_file_it_is_for_what_is_found_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared = "let n = 20Gi tokens  # ignore[D009] as the paper has it\nlet m = 1  # ignore[D009] in vain\n"
    (tmp_path / "shared.plan").write_text(shared)
    assert checked('import "shared.plan"\ncompute: 1e21 FLOP\nrequire tokens >= 1B\n', tmp_path, capsys) == []
    (tmp_path / "shared.plan").write_text(shared.replace("as the paper has it", "").replace("D009] in", "D0009] in"))
    found = checked('import "shared.plan"\ncompute: 1e21 FLOP\nrequire tokens >= 1B\n', tmp_path, capsys)
    assert found == ["X004@1", "X002@2"]
