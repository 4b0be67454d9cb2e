"""`plan fit` on published ladders whose larger runs were done: what it forecasts of them from the smaller ones."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from runplan.cli.main import main

FACTS = Path(__file__).resolve().parents[2] / "facts"


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    capsys.readouterr()
    assert main(["fit", *argv, "--bootstrap", "0", "-o", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_of_three_hundred_times_the_compute_is_forecast(capsys: pytest.CaptureFixture[str]) -> None:
    with (FACTS / "delphi.csv").open(encoding="utf-8") as file:
        measured = {row["budget"]: float(row["loss"]) for row in csv.DictReader(file)}["1e+23"]
    runs = (str(FACTS / "delphi.csv"), "--where", "compute <= 3e20 FLOP")
    found = told(capsys, *runs, "--form", "isoflop", "--predict", "compute=1e23", "--predict", "compute=3e19")
    loss, among = (one["outputs"]["loss"] for one in found["forecasts"])
    assert abs(loss["value"] - measured) < 0.004
    assert loss["low"] < measured < loss["high"] and math.log(loss["high"] / loss["low"]) < 0.12
    # Among the runs a form does not drift: the best of that budget came to 3.19657.
    assert among["low"] < 3.19657 < among["high"] < 1.004 * among["low"]


def test_runs_too_small_for_a_form_are_left_out_of_a_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    # Byte-level models of 1e14 FLOP gain more by compute than larger ones do: a surface through them goes on so.
    forms = ("--forms", "isoflop,chinchilla")
    found = told(capsys, str(FACTS / "h100_ladder.csv"), *forms, "--predict", "compute=1e16 FLOP")
    fewer, every, parabolas = found["forms"]
    assert fewer["form"] == "chinchilla, compute >= 1.732e+14 FLOP"
    assert every["form"] == "chinchilla" and fewer["future_error"] < every["future_error"] / 1.5
    assert fewer["forecasts"]["loss"]["value"] > 1.02 * every["forecasts"]["loss"]["value"]
    # Four budgets leave none to hold their minima to, and those tell more closely what comes than the surface does.
    assert found["chosen"] == parabolas["form"] == "isoflop" and parabolas["future_error"] is None
    assert parabolas["expected_error"] < fewer["expected_error"] / 2


def test_losses_by_compute_alone_are_told_by_what_needs_no_size(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # C4 in bits a byte, the best run of each budget of Delphi: marin-community/marin, docs/reports, May 2026.
    best = {3e18: 1.08711, 9e18: 1.029155, 1.8e19: 0.99479, 3e19: 0.972027, 9e19: 0.924102, 1.8e20: 0.896859}
    rows = "".join(f"{spent},{loss}\n" for spent, loss in (best | {3e20: 0.878126}).items())
    (tmp_path / "best.csv").write_text("compute,loss\n" + rows, "utf-8")
    found = told(capsys, str(tmp_path / "best.csv"), "--unit", "loss=bit/byte", "--predict", "compute=1e23")
    assert found["chosen"] == "envelope"
    nats = found["forms"][0]["forecasts"]["loss"]
    assert nats["low"] < 0.721256 * math.log(2) < nats["high"] and abs(nats["value"] / math.log(2) - 0.721256) < 0.01
    assert main(["fit", str(tmp_path / "best.csv"), "--form", "isoflop", "--bootstrap", "0"]) == 1
    assert "no column for `params`" in capsys.readouterr().err
