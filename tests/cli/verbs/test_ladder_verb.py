"""`plan ladder`: what it writes, what it refuses, and how it answers."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.cli.main import main
from runplan.cli.show.formats import rendered
from runplan.cli.show.text.look import Look
from runplan.dsl.text.reader import Files
from runplan.engine.ladder.ladder import Asked, Ladder, ladder_of
from runplan.engine.problem import quantities as q

SMALL = "hardware: 8 x H100 for 3 days at 40% MFU @ 3 USD/GPU/hour\nmodel: llama-3.2-1b\n"
FEW = ("--budgets", "2", "--sizes", "3")


@pytest.fixture(autouse=True)
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.plan").write_text(SMALL, "utf-8")
    monkeypatch.chdir(tmp_path)


def test_runs_are_written_as_a_table_to_fill_in_and_as_plans_that_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ladder", "a.plan", *FEW, "--out", "runs.csv", "--plans", "runs"]) == 0
    assert "fill in its column `loss`" in capsys.readouterr().err
    with open("runs.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6
    for row in rows:
        assert row["loss"] == "" and row["objective"] == "CLM of text"
        assert int(row["tokens"]) == int(row["steps"]) * int(row["batch_tokens"])
        assert float(row["compute"]) == pytest.approx(6 * int(row["params"]) * int(row["tokens"]), rel=1e-5)
    assert {path.stem for path in Path("runs").iterdir()} == {row["name"] for row in rows}
    assert main(["check", "runs"]) == 0
    assert main(["fmt", "--check", "runs"]) == 0


def test_losses_are_simulated_for_a_fit_that_gets_the_law_back(capsys: pytest.CaptureFixture[str]) -> None:
    """The loop: a ladder, its results, the fit; the constants come back within their intervals."""
    assert main(["ladder", "a.plan", "--share", "20%", "--out", "runs.csv", "--simulate", "--preview"]) == 0
    told = capsys.readouterr().err
    assert "its losses are simulated" in told and "Where the runs lie" in told and "●" in told
    argv = ["fit", "runs.csv", "--form", "chinchilla", "--bootstrap", "0", "-o", "json", "--out", "ours.plan"]
    assert main(argv) == 0
    assert "simulated" in Path("runs.csv").read_text("utf-8").splitlines()[0]
    assert main(["test", "ours.plan"]) == 0
    assert main(["ladder", "a.plan", "--simulate"]) == 2


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs.csv").write_text("mine\n", "utf-8")
    assert main(["ladder", "a.plan", *FEW, "--out", "runs.csv", "--plans", "runs"]) == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert Path("runs.csv").read_text("utf-8") == "mine\n"
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--design", "isflop"], "did you mean `isoflop`"),
        (["--share", "120%"], "write a share"),
        (["--share", "nan"], "write a share"),
        (["--noise", "0"], "write a share"),
        (["--sizes", "2"], "from 3 to 20"),
        (["--family", "lama-3-8b"], "did you mean"),
        (["--law", "chinchila"], "did you mean"),
        (["--law", "llama3"], "no loss over size and tokens"),
        (["--share", "1e-9"], "too small for three sizes"),
        (["-o", "yaml"], "unknown format"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ladder", "a.plan", *argv]) == 2
    assert said in capsys.readouterr().err


@cache
def small() -> Ladder:
    return ladder_of("a.plan", Files({"a.plan": SMALL}), Asked(budgets=2, sizes=3), catalogue=LIBRARY)


@pytest.mark.parametrize("columns", [40, 60, 80, 140])
def test_a_page_is_no_wider_than_the_terminal(columns: int) -> None:
    out = rendered("ladder", "table", small(), Look(columns))
    assert max(map(len, out.splitlines())) <= columns
    assert "not given; `--share` says another" in " ".join(out.split())


def test_settings_change_the_flagship_and_its_runs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["ladder", "a.plan", *FEW, "-o", "json", "--set", "hardware.gpus=64"])
    spent = json.loads(capsys.readouterr().out)["totals"]["compute"]["value"]
    assert spent == pytest.approx(8 * (small().total(q.COMPUTE) or 0.0), rel=0.02)
