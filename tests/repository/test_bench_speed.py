"""The bench of speed runs; how fast anything is, is for its reader and no test."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY
from wheels import needs_repository

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import plan_at

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"

pytestmark = needs_repository


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("speed")


def test_the_bench_of_speed_runs(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, str(BENCH / "speed.py"), "--quick", "--python", sys.executable, "--json", str(told)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads(told.read_text("utf-8"))["rows"]
    assert [row["name"].rpartition(", ")[2] for row in rows] == ["empty cache", "edited", "unchanged"]
    assert all(row["name"] in done.stdout for row in rows)


def test_a_command_that_fails_is_said(speed: Any, tmp_path: Path) -> None:
    bench = speed.Bench(Path(sys.executable).parent, tmp_path, rounds=1)
    processes = [bench.python("right", "pass"), bench.python("wrong", "raise SystemExit('no')")]
    cases = importlib.import_module("cases")
    rows = [cases.ratio("right", "right"), cases.ratio("wrong", "right")]
    found = speed.measured_of(bench.group("both", 1, processes, rows))
    assert [result.row.name for result in found.results] == ["right"]
    assert found.missing == ["wrong is not measured: wrong fails", "wrong: exit 1\nno\n"]


def test_no_plan_that_grows_is_refused(speed: Any) -> None:
    cases = importlib.import_module("cases")
    for what, most in cases.MOST.items():
        text = cases.HARDWARE + cases.GROWING[what](most)
        read = plan_at("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY)
        assert not [f.message for f in read.findings if f.severity == "error"], what


def test_what_falls_short_is_told_on_the_page(speed: Any, tmp_path: Path) -> None:
    def result(name: str, figure: float) -> Any:
        row = speed.Row(name, "import yaml", lambda took: 1.0, name, 2.0, 1.5)
        return speed.Result("one plan", row, speed.Spread.of([figure]), 30.0, 20.0)

    results = [result("fast", 1.2), result("fair", 1.9), result("slow", 2.1)]
    assert [each.verdict for each in results] == ["stretch", "goal", "falls short"]
    page = tmp_path / "page.md"
    page.write_text("# Speed\n\n{}### One plan\n\nold\n{}the end\n".format(*speed.MARKS), "utf-8")
    told = dict.fromkeys(("date", "commit", "python", "machine", "versions"), "now")
    speed.write_into(page, told, speed.Measured(results, {}, ["a peer is not measured"]))
    text = page.read_text("utf-8")
    assert text.startswith("# Speed\n") and text.endswith("the end\n") and "old" not in text
    assert "- slow: 2.1 where 2 is asked" in text and "- fair" not in text and "a peer is not measured" in text


def test_what_was_measured_of_other_groups_stays_on_the_page(speed: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("{}{}".format(*speed.MARKS), "utf-8")
    told = dict.fromkeys(("date", "commit", "python", "machine", "versions"), "now")
    for group, figure in (("one plan", 3.0), ("sweeps", 1.0), ("sweeps", 1.8)):
        row = speed.Row(f"of {group}", "import yaml", lambda took: 1.0, group, 2.0, 1.5)
        result = speed.Result(group, row, speed.Spread.of([figure]), 30.0, 20.0)
        speed.write_into(page, told, speed.Measured([result], {}, []))
    text = page.read_text("utf-8")
    assert text.count("### Sweeps") == text.count("### What falls short") == 1 and "| 1.8 |" in text
    assert "- of one plan: 3 where 2 is asked" in text and "- of sweeps" not in text


def test_the_plans_that_are_measured_hold_what_they_say(speed: Any) -> None:
    cases = importlib.import_module("cases")
    assert len(cases.PLAN_YAML.splitlines()) == 30
    assert cases.axes_of(1_000_000) == tuple(f"{axis}:100" for axis in cases.SWEPT)
    assert cases.axes_of(10_000)[0].endswith(":10") and cases.axes_of(10_000)[2].endswith(":100")


def test_the_page_has_a_place_for_what_is_measured(speed: Any) -> None:
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert [text.count(mark) for mark in speed.MARKS] == [1, 1]


def test_the_bench_of_crews_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(BENCH)
    scatter = importlib.import_module("scatter")
    scatter.main(["--quick", "--json", str(tmp_path / "told.json")])
    rows = json.loads((tmp_path / "told.json").read_text("utf-8"))["rows"]
    assert [row["crew"] for row in rows] == list(scatter.QUICK)
    assert all(row["points_per_second"] > 0 and row["crew"] in capsys.readouterr().out for row in rows[:1])
