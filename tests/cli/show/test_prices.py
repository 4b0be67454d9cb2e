"""What `plan solve --details` says of the limits of a plan and of what its answer hangs on, and when it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runplan.cli.main import main

PLAN = "hardware: up to 4000 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nrequire cost <= 4M USD\n"


def shown(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    (tmp_path / "x.plan").write_text(PLAN)
    main(["solve", str(tmp_path / "x.plan"), *arguments])
    return capsys.readouterr().out


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_the_details_price_each_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str) -> None:
    text = shown(tmp_path, capsys, "--details", "-o", format)
    (line,) = (line for line in text.splitlines() if "+1M USD" in line)
    assert "cost <= 4M USD" in line.replace("\\", "") and "nat/token" in line
    assert "What would change the loss" in text


def test_a_screen_and_the_folded_details_solve_nothing_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for format in ("table", "markdown"):
        assert "What holds it back" not in shown(tmp_path, capsys, "-o", format)
    assert "worth" not in json.loads(shown(tmp_path, capsys, "-o", "json"))["solutions"][0]


def test_the_json_has_prices_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (solution,) = json.loads(shown(tmp_path, capsys, "--details", "-o", "json"))["solutions"]
    (cost,) = solution["worth"]["limits"]
    assert (cost["of"], cost["line"], cost["more"]) == ("cost <= 4M USD", 2, {"value": 1e6, "unit": "USD"})
    assert cost["change"]["unit"] == "nat/token" and cost["change"]["value"] < 0
    assert cost["without"]["value"] < cost["solved"]["value"] < solution["worth"]["value"]
    of = {one["name"]: one for one in solution["sensitivity"]["inputs"]}
    assert solution["sensitivity"]["quantity"] == "loss" and len(of) <= 10
    assert of["price"]["low"]["to"]["value"] < of["price"]["high"]["to"]["value"]
