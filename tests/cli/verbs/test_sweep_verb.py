"""`plan sweep`: what a grid of points comes to, in every format, and which of them are best."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from runplan.cli.main import main
from runplan.engine.sweep.job import STATUSES

PLAN = """\
hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour
data: 2T tokens
require cost <= 300k USD
"""
AXES = ["hardware.gpus=64..512:log4", "hardware.time=10..40 days:4"]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.plan").write_text(PLAN, "utf-8")
    monkeypatch.chdir(tmp_path)


def swept(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> str:
    assert main(["sweep", "small.plan", *argv]) == code
    return capsys.readouterr().out


def rows(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(swept(capsys, *AXES, *argv, "-o", "csv"))))


def test_every_format_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    files = [f"-o{name}=a.{name}" for name in ("csv", "jsonl", "json", "npy", "npz", "parquet")]
    text = swept(capsys, *AXES, "--ask", "loss,cost", *files, "-o", "table")
    assert "16 points: 11 solved, 5 break what the plan requires" in text
    document = json.loads(Path("a.json").read_text("utf-8"))
    assert document["schema"] == "plan.sweep/v1"
    assert document["quantities"] == [{"name": "loss", "unit": "nat/token"}, {"name": "cost", "unit": "USD"}]
    points = document["points"]
    assert points == [json.loads(line) for line in Path("a.jsonl").read_text("utf-8").splitlines()]
    table = np.load("a.npy")
    packed = np.load("a.npz")
    columns = parquet.read_table("a.parquet")
    assert columns.column_names == list(points[0])
    assert columns.schema.field("cost").metadata == {b"unit": b"USD"}
    assert columns.to_pylist() == points
    with open("a.csv", encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    assert len(points) == len(table) == len(lines) == 16
    for at, (point, line) in enumerate(zip(points, lines, strict=True)):
        assert point["cost"] == table["cost"][at] == packed["cost"][at] == float(line["cost [USD]"])
        assert point["status"] == STATUSES[table["status"][at]] == line["status"]
        assert point["hardware.time"] == table["hardware.time"][at] == float(line["hardware.time [days]"])
        assert (point["why"] or "") == line["why"] == ("" if point["status"] == "solved" else "cost <= 300k USD")


def test_what_an_axis_came_to_stands_beside_it_and_the_first_point_may_be_no_plan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [f"-o{name}=a.{name}" for name in ("csv", "jsonl", "json", "npy", "npz", "parquet")]
    swept(capsys, "tokens=0,1T,3T", "--ask", "tokens,loss", *files)
    points = parquet.read_table("a.parquet").to_pylist()
    assert points == [json.loads(line) for line in Path("a.jsonl").read_text("utf-8").splitlines()]
    assert points == json.loads(Path("a.json").read_text("utf-8"))["points"]
    assert [(point["tokens"], point["status"]) for point in points] == [
        (0.0, "refused"),
        (1e12, "solved"),
        (3e12, "infeasible"),
    ]
    assert points[1]["solved tokens"] == pytest.approx(1e12) and points[0]["solved tokens"] is None
    assert list(np.load("a.npy").dtype.names or ()) == np.load("a.npz").files
    assert "solved tokens [token]" in Path("a.csv").read_text("utf-8").splitlines()[0].split(",")


def test_points_are_chosen_by_a_condition_by_rank_and_by_what_none_beats(capsys: pytest.CaptureFixture[str]) -> None:
    every = [row for row in rows(capsys) if row["status"] == "solved"]
    loss, cost = "loss [nat/token]", "cost [USD]"
    cheap = rows(capsys, "--where", "cost <= 100k USD")
    assert cheap == [row for row in every if float(row[cost]) <= 100e3]
    best = rows(capsys, "--top", "3", "--by", "loss")
    assert best == sorted(every, key=lambda row: float(row[loss]))[:3]
    front = rows(capsys, "--pareto", "cost,loss")
    for row in every:
        beaten = any(
            float(other[cost]) <= float(row[cost]) * (1 + 1e-9)
            and float(other[loss]) <= float(row[loss]) * (1 + 1e-9)
            and other != row
            for other in front
        )
        assert beaten != (row in front)
    assert rows(capsys, "--pareto", "cost,loss", "--top", "1", "--by", "cost") == front[:1]
    assert rows(capsys, "--top", "1", "--by", "cost / tokens", "--minimize", "cost / tokens")


def test_a_grid_is_a_map_and_an_axis_a_curve(capsys: pytest.CaptureFixture[str]) -> None:
    shown = swept(capsys, *AXES)
    assert "loss, nat/token by hardware.gpus, down, and hardware.time, across" in shown
    assert "blank where there is no solution" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "● solved" in swept(capsys, AXES[0])


def test_a_sweep_without_a_solved_point_finds_something(capsys: pytest.CaptureFixture[str]) -> None:
    shown = swept(capsys, "hardware.gpus=1024,2048", code=1)
    assert "2 points: 2 break what the plan requires" in shown
    assert "cost <= 300k USD" in shown


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["hardware.gpu=8,16"], "did you mean `gpus`"),
        ([AXES[0], "--top", "3"], "`--top N --by Q` go together"),
        ([AXES[0], "--by", "loss"], "`--top N --by Q` go together"),
        ([AXES[0], "--top", "0", "--by", "loss"], "write how many"),
        ([AXES[0], "--pareto", "cost"], "two quantities or more"),
        ([AXES[0], "--pareto", "cost,loss", "--minimize", "time"], "`time` is not in `--pareto` or `--by`"),
        ([AXES[0], "--pareto", "cost,cost/tokens"], "say which way `cost/tokens` is better"),
        ([AXES[0], "--ask", "lost"], "did you mean `loss`"),
        ([AXES[0], "--where", "P(loss <= 2) >= 50%"], "no probability"),
        ([AXES[0], "--where", "loss <= 2 USD"], "`loss <= 2 USD`"),
        ([AXES[0], "-o", "npy"], "is no text: write it to a file"),
        ([AXES[0], "-o", "xml"], "unknown format `xml`"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "small.plan", *argv]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_without_pyarrow_parquet_is_refused_before_anything_is_solved(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "runplan.engine.sweep.parquet", raising=False)
    swept(capsys, *AXES, "-oparquet=a.parquet", code=2)
    assert main(["sweep", "small.plan", *AXES, "-oparquet=a.parquet"]) == 2
    assert "Parquet needs pyarrow, which is an extra: `pip install 'runplan[parquet]'`" in capsys.readouterr().err
    assert not Path("a.parquet.part").exists()


def test_a_sweep_of_which_nothing_is_wanted_is_an_empty_parquet_file(capsys: pytest.CaptureFixture[str]) -> None:
    swept(capsys, *AXES, "--ask", "loss", "--where", "loss <= 1", "-oparquet=a.parquet", code=1)
    table = parquet.read_table("a.parquet")
    assert len(table) == 0 and table.column_names[-3:] == ["status", "loss", "why"]
