"""One project by every way: the command, the API, a dictionary of files; and what changes between two questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import runplan
from runplan.cli.main import main

PLAN = "hardware: 64 x X1 for 30 days at 40% MFU\n"
PACK = 'device x1 aliases X1 {{ peak bf16 {peak} TFLOP/s from "data sheet"; memory 96 GB from "data sheet" }}\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "acme.plan").write_text(PACK.format(peak=400), encoding="utf-8")
    (tmp_path / "runplan.toml").write_text('packs = ["packs"]\n', encoding="utf-8")
    (tmp_path / "p.plan").write_text(PLAN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def solved(capsys: pytest.CaptureFixture[str], path: str = "p.plan") -> Any:
    main(["solve", path, "-o", "json"])
    return json.loads(capsys.readouterr().out)


def test_the_api_knows_the_packs_of_a_project(project: Path) -> None:
    report = runplan.solve("p.plan")
    assert [f.code for f in report.findings if f.severity == "error"] == []
    assert report.solutions[0].get("peak") == 400e12


def test_a_pack_that_is_edited_is_seen_by_the_next_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = solved(capsys)["solutions"][0]["rate"]["value"]
    (project / "packs" / "acme.plan").write_text(PACK.format(peak=800), encoding="utf-8")
    assert solved(capsys)["solutions"][0]["rate"]["value"] == pytest.approx(2 * before)


def test_packs_that_are_taken_out_are_gone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solved(capsys)["findings"] == [] or solved(capsys)["solutions"]
    (project / "runplan.toml").write_text("packs = []\n", encoding="utf-8")
    assert [f["code"] for f in solved(capsys)["findings"]] == ["N002"]


def test_the_working_directory_is_not_in_the_answer(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = solved(capsys, str(project / "p.plan"))
    monkeypatch.chdir(project / "packs")
    assert solved(capsys, str(project / "p.plan")) == here
