"""`plan check --fix`: what is found is mended in its place, and nothing else is touched."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from runplan.cli.main import main

WRONG = """plan "A run"   # as it is
use  laws chinchila
hardwre: 64 x H100 for 30 days at 40% MFU @ 2.50 USD/GPU/huor
require cosst <= 1M USD because "so it is"   # and as it was
"""
RIGHT = WRONG.replace("chinchila", "chinchilla").replace("hardwre", "hardware").replace("huor", "hour")
RIGHT = RIGHT.replace("cosst", "cost")
OVER = """hardware:  # bought
  gpus: 1000
  device: H100
  time: "6 months"
  mfu: 40%
  price: 2.50 USD/GPU/hour
require: 'cost <= 1M USD'  # the board
"""


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "runplan.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_all_that_is_safe_is_mended_in_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.plan").write_bytes(b"\xef\xbb\xbf" + WRONG.replace("\n", "\r\n").encode())
    os.chmod("a.plan", 0o640)
    assert main(["check", "a.plan", "--fix"]) == 0
    assert Path("a.plan").read_bytes() == b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode()
    assert os.stat("a.plan").st_mode & 0o777 == 0o640 and sorted(os.listdir()) == ["a.plan", "runplan.toml"]
    assert "fixed 4 findings in 1 file" in capsys.readouterr().err
    assert main(["check", "a.plan", "--fix"]) == 0
    assert "fixed nothing" in capsys.readouterr().err


def test_a_difference_is_shown_and_nothing_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.plan").write_text(WRONG)
    assert main(["check", "a.plan", "--diff"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("--- a.plan\n+++ a.plan (fixed)\n") and "+hardware: 64 x H100" in out
    assert Path("a.plan").read_text() == WRONG
    Path("a.plan").write_text(RIGHT)
    assert main(["check", "a.plan", "--diff"]) == 0
    assert capsys.readouterr().out == ""


def test_standard_input_goes_to_standard_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in (WRONG, RIGHT):
        stdin(monkeypatch, text)
        assert main(["check", "-", "--stdin-filename", "x.plan", "--fix"]) == 0
        assert capsys.readouterr().out == RIGHT
    assert os.listdir() == ["runplan.toml"]


@pytest.mark.parametrize("spelling", ["a.plan.yaml", "a.plan"])
def test_a_change_that_was_solved_is_for_whoever_asks(spelling: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = OVER
    if spelling == "a.plan":
        text = "hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour\nrequire cost <= 1M USD\n"
    Path(spelling).write_text(text)
    assert main(["check", spelling, "--fix"]) == 1
    assert Path(spelling).read_text() == text
    assert main(["check", spelling, "--fix", "--unsafe-fixes"]) == 0
    assert Path(spelling).read_text() == text.replace("1000", "92")
    capsys.readouterr()


def test_a_file_that_several_plans_share_is_mended_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path("shared.plan").write_text("let limit = 30 dyas\n")
    for name in ("a.plan", "b.plan"):
        Path(name).write_text('import "shared.plan"\ncompute: 1e21 FLOP\nrequire 1 day <= limit\n')
    main(["check", "a.plan", "b.plan", "--fix"])
    assert Path("shared.plan").read_text() == "let limit = 30 days\n"
    assert "fixed 1 finding in 1 file" in capsys.readouterr().err


def test_what_brings_another_mistake_is_taken_back() -> None:
    text = "compute: 1e21 FLOP\ntokens: 20B\ntokns: 20B\n"
    Path("a.plan").write_text(text)
    assert main(["check", "a.plan", "--fix"]) == 1
    assert Path("a.plan").read_text() == text


def test_nothing_outside_of_the_project_is_touched(there: Path) -> None:
    (there / "in").mkdir()
    (there / "in" / "runplan.toml").write_text("")
    (there / "a.plan").write_text(WRONG)
    (there / "in" / "a.plan").symlink_to(there / "a.plan")
    assert main(["check", "in/a.plan", "--fix"]) == 1
    assert (there / "a.plan").read_text() == WRONG and (there / "in" / "a.plan").is_symlink()


def test_what_is_left_out_is_not_mended() -> None:
    text = "compute: 1e21 FLOP  # ignore[D002] nothing\n"
    Path("a.plan").write_text(text)
    assert main(["check", "a.plan", "--fix", "--ignore", "X"]) == 0
    assert Path("a.plan").read_text() == text
    assert main(["check", "a.plan", "--fix"]) == 0
    assert Path("a.plan").read_text() == "compute: 1e21 FLOP\n"
    Path("a.plan").write_text(text)
    assert main(["check", "a.plan", "--fix"]) == 0  # not what was answered before
    assert Path("a.plan").read_text() == "compute: 1e21 FLOP\n"


@pytest.mark.parametrize(
    "options",
    [
        ["--unsafe-fixes"],
        ["--fix", "--write-baseline"],
        ["--diff", "-o", "json"],
        ["--fix", "--watch"],
        ["--watch", "-o", "sarif"],
    ],
)
def test_what_does_not_go_together_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.plan").write_text(WRONG)
    assert main(["check", "a.plan", *options]) == 2
    assert "plan check: " in capsys.readouterr().err and Path("a.plan").read_text() == WRONG
