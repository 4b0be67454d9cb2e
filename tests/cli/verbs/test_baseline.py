"""A baseline: what is known is left out, what is new or has grown is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runplan.cli.main import main

PLAN = """\
use laws chinchilla
hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour
require cost <= 100k USD
prefer time <= 20 days
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "a.plan").write_text(PLAN, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(here: Path, old: str, new: str) -> None:
    path = here / "plans" / "a.plan"
    assert old in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def check(*arguments: str) -> int:
    return main(["check", "-o", "concise", "--fail-on", "warning", *arguments])


@pytest.fixture
def known(here: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert check() == 1
    assert check("--write-baseline") == 0
    capsys.readouterr()
    return "plan-baseline.json"


def test_what_is_known_is_left_out_wherever_it_stands(
    here: Path, known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("--baseline", known) == 0
    printed = capsys.readouterr()
    assert "B001" not in printed.out and "B003" not in printed.out
    assert printed.err == f"plan check: 2 findings left out by the baseline {known}\n"
    edit(here, "use laws", "# moved\n\nrequire tokens >= 1B\nuse laws")
    assert check("--baseline", known) == 0


def test_what_has_grown_or_is_new_is_told(here: Path, known: str, capsys: pytest.CaptureFixture[str]) -> None:
    edit(here, "64 x", "48 x")
    assert check("--baseline", known) == 0
    edit(here, "48 x", "72 x")
    assert check("--baseline", known) == 1
    printed = capsys.readouterr()
    assert "error[B001]" in printed.out and "B003" not in printed.out
    assert "not found any more" not in printed.err
    edit(here, "72 x", "64 x")
    edit(here, "require cost <= 100k USD", "require cost <= 100k USD\nrequire cost <= 90k USD")
    assert check("--baseline", known) == 1


def test_what_was_mended_is_to_be_taken_out(here: Path, known: str, capsys: pytest.CaptureFixture[str]) -> None:
    edit(here, "100k USD", "200k USD")
    assert check("--baseline", known) == 0
    assert "1 that stand there are not found any more: `--write-baseline`" in capsys.readouterr().err
    assert check("--baseline", known, "--select", "H") == 0
    assert "not found" not in capsys.readouterr().err
    assert check("--baseline", known, "--write-baseline") == 0
    assert [entry["code"] for entry in json.loads(Path(known).read_text("utf-8"))["findings"]] == ["B003"]


def test_a_plan_that_is_not_solved_is_in_no_baseline(here: Path) -> None:
    edit(here, "require cost <= 100k USD", "require loss <= 0.1")
    assert check("--write-baseline") == 1
    assert json.loads(Path("plan-baseline.json").read_text("utf-8"))["findings"] == []
    assert check("--baseline", "plan-baseline.json") == 1


def test_a_file_that_is_no_baseline_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text, said in (("{}", "its schema is"), ("[", "no JSON"), (None, "`--write-baseline` makes one")):
        if text is None:
            Path("b.json").unlink()
        else:
            Path("b.json").write_text(text, "utf-8")
        assert check("--baseline", "b.json") == 2
        assert said in capsys.readouterr().err
    Path("b.json").write_text('{"schema": "plan.baseline/v1", "findings": [{"code": "B001"}]}', "utf-8")
    assert check("--baseline", "b.json") == 2
    assert "an entry is not as" in capsys.readouterr().err


def test_it_names_files_from_its_own_folder(here: Path, known: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (entry, *_) = json.loads(Path(known).read_text("utf-8"))["findings"]
    assert entry["file"] == "plans/a.plan"
    monkeypatch.chdir(here / "plans")
    assert check("a.plan", "--baseline", f"../{known}") == 0


def test_alike_findings_of_two_stages_are_each_known(here: Path) -> None:
    stage = (
        "stage {} {{\n  hardware: 512 x H100 for {} days at 40% MFU @ 2 USD/GPU/hour\n  require cost <= 0.5M USD\n}}\n"
    )
    text = "use laws chinchilla\n" + stage.format("one", 30) + stage.format("two", 60)
    (here / "plans" / "a.plan").write_text(text, "utf-8")
    assert check("--ignore", "L,H", "--write-baseline") == 0
    assert check("--ignore", "L,H", "--baseline", "plan-baseline.json") == 0


def test_one_that_is_more_severe_has_grown(here: Path, known: str, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "runplan.toml").write_text('severity = { B003 = "error" }\n')
    assert check("--baseline", known) == 1
    assert "error[B003]" in capsys.readouterr().out
    entries = json.loads(Path(known).read_text("utf-8"))
    for entry in entries["findings"]:
        del entry["severity"]  # as it was written before there were severities
    Path(known).write_text(json.dumps(entries))
    assert check("--baseline", known) == 0


def test_writing_it_for_one_plan_keeps_what_is_known_of_others(
    here: Path, known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "plans" / "b.plan").write_text(PLAN.replace("64", "65"), "utf-8")
    assert check("plans/b.plan", "--baseline", known, "--write-baseline") == 0
    assert check("--baseline", known) == 0
    (here / "plans" / "a.plan").unlink()
    capsys.readouterr()
    assert check("--baseline", known) == 0
    assert "and 2 that stand there are not found any more" in capsys.readouterr().err
    assert check("--baseline", known, "--write-baseline") == 0
    files = {entry["file"] for entry in json.loads(Path(known).read_text("utf-8"))["findings"]}
    assert files == {"plans/b.plan"}
