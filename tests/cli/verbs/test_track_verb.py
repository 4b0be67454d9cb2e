"""`plan track`: what it shows in each format, what it freezes, what it refuses, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from runplan.cli.main import main
from runplan.cli.schemas.outputs import output_schema

Run = Callable[..., tuple[int, str, str]]
PLAN = """\
hardware: 1 x H100 for 1 minute at 8% MFU @ 2.50 USD/GPU/hour
model: { layers: 5, hidden: 256, heads: 4, ffn: 1024, mlp: plain, vocab: 256, context: 512 tokens, tied: false }
tokens: 42795008
optimizer: AdamW { batch: 32768 tokens, learning_rate: 2.83e-3 }
phase warmup: 5% warmup
phase stable: 75% constant
phase decay: 20% linear
require time <= 15 seconds
"""
LOG = (Path(__file__).resolve().parents[2] / "facts/h100_log_1e15-h256.csv").read_text(encoding="utf-8")
HALF = "".join(LOG.splitlines(keepends=True)[:219])


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "run.plan").write_text(PLAN, "utf-8")
    (tmp_path / "log.csv").write_text(HALF, "utf-8")

    def run(*argv: str, width: int = 80) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(width))
        code = main(["track", *argv])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_table_fits_where_it_is_shown(plan: Run, width: int) -> None:
    code, out, _ = plan("run.plan", "log.csv", width=width)
    assert code == 0 and max(map(len, out.splitlines())) <= width
    assert "On its way: 49.9% done, 13.65 seconds in all, training loss 0.7" in " ".join(out.split())


def test_the_document_is_as_its_schema_says(plan: Run) -> None:
    code, out, _ = plan("run.plan", "log.csv", "-o", "json")
    found = json.loads(out)
    jsonschema.validate(found, output_schema("track"))
    assert code == 0 and found["schema"] == "plan.track/v1"
    assert found["forecast"]["time"]["low"] < 13.654 < found["forecast"]["time"]["high"]
    assert found["now"]["tokens"] == {"value": 21364736.0, "unit": "token"}


@pytest.mark.parametrize("format", ["markdown", "sarif", "concise", "junit", "full"])
def test_each_format_says_what_is_found(plan: Run, format: str) -> None:
    _, out, _ = plan("run.plan", "log.csv", "-o", format)
    assert "W012" in out


def test_the_threshold_decides_the_exit_code(plan: Run, tmp_path: Path) -> None:
    slow = [line.rsplit(",", 1) for line in HALF.splitlines()[1:]]
    lines = "\n".join(f"{rest},{1.3 * float(seconds)}" for rest, seconds in slow)
    (tmp_path / "slow.csv").write_text(f"{HALF.splitlines()[0]}\n{lines}\n", "utf-8")
    code, out, _ = plan("run.plan", "slow.csv", "-o", "concise")
    assert code == 1 and "error[W004]" in out and "warning[W001]" in out
    assert plan("run.plan", "slow.csv", "--fail-on", "never")[0] == 0
    assert "::error title=plan (W004),file=slow.csv,line=219" in plan("run.plan", "slow.csv", "-o", "github")[1]


def test_what_is_frozen_does_not_move_with_the_plan(plan: Run, tmp_path: Path) -> None:
    code, _, err = plan("run.plan", "--freeze")
    assert code == 0 and err == "plan track: wrote run.track.toml\n"
    first = json.loads(plan("run.plan", "log.csv", "-o", "json")[1])
    assert [f["code"] for f in first["findings"]] == ["W010"]
    (tmp_path / "run.plan").write_text(PLAN.replace("42795008", "50M"), "utf-8")
    code, out, _ = plan("run.plan", "log.csv", "-o", "json", "--fail-on", "warning")
    later = json.loads(out)
    assert code == 1 and [f["code"] for f in later["findings"]] == ["W010", "W011"]
    assert later["forecast"] == first["forecast"] and later["plan"]["frozen"]
    code, _, err = plan("run.plan", "--freeze")
    assert code == 2 and "run.track.toml is there" in err
    (tmp_path / "run.track.toml").write_text("schema = 1\n", "utf-8")
    assert plan("run.plan", "log.csv")[0] == 2


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("run.plan",), "which log?"),
        (("run.plan", "none.csv"), "none.csv: No such file"),
        (("none.plan", "log.csv"), "none.plan: No such file"),
        (("run.plan", "log.csv", "--unit", "loss"), "is no pair"),
        (("run.plan", "log.csv", "-o", "sarfi"), "unknown format `sarfi`"),
        (("run.plan", "log.csv", "--column", "lss=loss"), "unknown quantity `lss`; did you mean `loss`?"),
    ],
)
def test_what_cannot_be_done_is_exit_2(plan: Run, argv: tuple[str, ...], says: str) -> None:
    code, _, err = plan(*argv)
    assert code == 2 and says in err


def test_a_log_that_cannot_be_read_is_a_finding(plan: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("step,tokens,lr\n1,2,3\n", "utf-8")
    code, out, _ = plan("run.plan", "bad.csv", "-o", "json")
    assert code == 1 and [f["code"] for f in json.loads(out)["findings"]] == ["F002"]
