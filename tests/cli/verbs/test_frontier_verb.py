"""`plan frontier`: what it shows in each format, what it refuses, and how it ends."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runplan.cli.main import main

Run = Callable[..., tuple[int, str, str]]
PLAN = """\
use laws chinchilla.approach3_rounded
hardware: 64 x H100 for up to 60 days from 2026-12-01 at 40% MFU @ 2 USD/GPU/hour
data: 600B tokens
require params >= 1B
require tokens >= 1B
"""


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "a.plan").write_text(PLAN, "utf-8")

    def run(*argv: str, width: int = 80) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(width))
        code = main(["frontier", *argv])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize(("x", "y"), [("cost", "loss"), ("finish", "loss"), ("loss", "time")])
def test_the_plot_fits(plan: Run, width: int, x: str, y: str) -> None:
    code, out, _ = plan("a.plan", x, y, "--points", "6", width=width)
    assert code == 0
    assert max(map(len, out.splitlines())) <= width
    assert out.count("●") >= 4 and "┬" in out and "┤" in out


def test_a_point_a_row(plan: Run) -> None:
    code, out, _ = plan("a.plan", "cost", "loss", "--points", "5", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and len(rows) == 5
    assert {"cost [USD]", "loss [nat/token]", "params [param]", "tokens [token]", "limited by"} <= rows[0].keys()
    assert [float(row["cost [USD]"]) for row in rows] == sorted(float(row["cost [USD]"]) for row in rows)


def test_json(plan: Run) -> None:
    code, out, _ = plan("a.plan", "cost", "params", "--maximize", "params", "--points", "4", "-o", "json")
    shown = json.loads(out)
    assert code == 0
    assert (shown["schema"], shown["law"]) == ("plan.frontier/v1", "chinchilla.approach3_rounded")
    assert shown["axes"][1] == {"quantity": "params", "sense": "maximize", "open": False}
    point = shown["points"][-1]
    assert point["x"] == point["solution"]["cost"] and point["y"]["unit"] == "param"


def test_markdown(plan: Run) -> None:
    code, out, _ = plan("a.plan", "cost", "loss", "--points", "4", "-o", "markdown")
    assert code == 0 and "| cost | loss, nat/token |" in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("a.plan", "cost", "tokens"), "--maximize tokens"),
        (("a.plan", "cost", "loss", "--minimize", "time"), "neither"),
        (("a.plan", "cost", "loss", "--minimize", "loss", "--maximize", "loss"), "choose one"),
        (("a.plan", "cost", "loss", "--points", "1"), "from 2 to"),
        (("a.plan", "cost", "loss", "--law", "chinchila"), "did you mean"),
        (("b.plan", "cost", "loss"), "b.plan"),
    ],
)
def test_what_cannot_be_run(plan: Run, argv: tuple[str, ...], said: str) -> None:
    code, out, err = plan(*argv)
    assert (code, out) == (2, "") and said in err


def test_a_plan_without_a_curve(plan: Run) -> None:
    code, out, _ = plan("a.plan", "cost", "loss", "--set", "require=loss <= 1.7")
    assert code == 1 and "B002" in out


def test_why_there_are_no_rows_is_said_beside_them(plan: Run) -> None:
    code, out, err = plan("a.plan", "cost", "loss", "-o", "csv", "--set", "require=loss <= 1.7")
    assert (code, out.strip()) == (1, "")
    assert "error[B002]" in err and "loss <= 1.7" in err
