"""`plan backtest`: which runs it takes, what it shows, what it refuses, and how it ends."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from runplan.cli.main import main

Verb = Callable[..., tuple[int, str, str]]
OWN = """run acme-7b "Acme 7B" {
  family "acme"
  year 2026
  params 7.2B
  tokens 2T
  device "H100"
  gpus 256
  time 16 days
  mfu 44%
  batch 4M tokens
  learning_rate 3e-4
}
"""


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """The verb in a folder with a pack of one run, beside a plan that has none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "runplan.toml").touch()
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "runs.plan").write_text(OWN, encoding="utf-8")
    (tmp_path / "ours" / "next.plan").write_text("hardware: 64 x H100 for 30 days\n", encoding="utf-8")

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["backtest", *argv])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def names(out: str) -> list[str]:
    return [run["name"] for run in json.loads(out)["runs"]]


@pytest.mark.parametrize("runs", ["ours/runs.plan", "ours"])
def test_ones_own_runs(plan: Verb, runs: str) -> None:
    code, out, err = plan(runs, "-o", "json")
    assert (code, err, names(out)) == (0, "", ["acme-7b"])


def test_runs_and_families_of_the_library(plan: Verb) -> None:
    code, out, _ = plan("llama-2", "deepseek-v3", "-o", "json")
    assert code == 0
    long = ["deepseek-v3-128k", "deepseek-v3-32k"]  # the same family, extended to longer contexts
    assert names(out) == ["deepseek-v3", *long, "llama-2-13b", "llama-2-34b", "llama-2-70b", "llama-2-7b"]


def test_ones_own_beside_the_library(plan: Verb) -> None:
    assert names(plan("ours", "bloom-176b", "-o", "json")[1]) == ["acme-7b", "bloom-176b"]


def test_ones_own_runs_move_ones_own_defaults(plan: Verb, tmp_path: Path) -> None:
    """Another run of one's own, of another family, is known to the plan of the first."""
    before = plan("ours", "-o", "json")[1]
    slow = OWN.replace("acme-7b", "old-7b").replace('"acme"', '"old"').replace("16 days", "90 days")
    more = "".join(slow.replace("old", f"old{n}") for n in range(30))
    (tmp_path / "ours" / "older.plan").write_text(more, encoding="utf-8")
    runs = {run["name"]: run for run in json.loads(plan("ours", "-o", "json")[1])["runs"]}
    (first,) = json.loads(before)["runs"]
    hours = [run["columns"]["gpu_hours"]["predicted"]["value"] for run in (first, runs["acme-7b"])]
    assert hours[0] < hours[1]


@pytest.mark.parametrize("columns", [80, 140])
@pytest.mark.parametrize("more", [(), ("--details",)])
def test_it_fits_the_terminal(plan: Verb, monkeypatch: pytest.MonkeyPatch, columns: int, more: tuple[str, ...]) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = plan("bloom", "llama-2", "phi", "phi-3", "palm", "ours", *more)
    assert code == 0
    assert max(map(len, out.splitlines())) <= columns
    for line in ("Scorecard", "GPU-hours, default rate", "Not judged", "Set aside"):
        assert line in out
    # A table is in one piece.
    assert out.count("within 2x") == len(re.findall(r"^Scorecard|have in common$", out, re.MULTILINE))


def test_the_furthest_off_are_shown_or_all(plan: Verb) -> None:
    short, long = (plan("bloom", "gpt-3", "llama-2", *more)[1] for more in ((), ("--details",)))
    assert "Batch: furthest off" in short and "The 10 of 18 runs that are furthest off; `--details` shows all." in short
    assert "Batch: run by run" in long and "furthest off" not in long
    assert "and 8 more" in " ".join(short.split()) and " more\n" not in long


def test_laws_are_scored_side_by_side(plan: Verb) -> None:
    _, out, _ = plan("llama-2", "--laws", "steplaw,deepseek")
    assert re.findall(r"^  by `(\S+)`  ", out.partition("Batch: by what")[2].partition("Batch: run")[0], re.M) == [
        "deepseek",
        "steplaw",
        "usual",
    ]


def test_markdown(plan: Verb) -> None:
    code, out, _ = plan("llama-2", "-o", "markdown")
    assert code == 0
    assert out.startswith("**Backtest:** 4 runs; GPU-hours, default rate: ")
    assert "|  | runs | ratio | 10 \N{EN DASH} 90 % | within 2x | inside |" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.plan"], "unknown run `nowhere.plan`; there is no such file, run or family"),
        (["lama-2"], "unknown run `lama-2`; did you mean `llama-2`?"),
        (["ours/next.plan"], "no run is told of in ours/next.plan; `run NAME { ... }` tells of one (docs/packs.md)"),
        (["llama-2", "--laws", ","], "`--laws` names none; write them like `--laws deepseek,steplaw`"),
        (["llama-2", "--laws", "stepplaw"], "unknown law `stepplaw`; did you mean `steplaw`?"),
        (["llama-2", "-o", "csv"], "unknown format `csv`; it is one of table, json, markdown"),
    ],
)
def test_what_it_refuses(plan: Verb, words: list[str], said: str) -> None:
    code, out, err = plan(*words)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"plan backtest: {said}"


def test_a_run_with_a_mistake_is_not_judged(plan: Verb, tmp_path: Path) -> None:
    (tmp_path / "ours" / "runs.plan").write_text(OWN.replace('"H100"', '"H1OO"'), encoding="utf-8")
    code, out, err = plan("ours", "-o", "json")
    assert code == 2 and json.loads(out)["schema"] == "plan.error/v1"
    assert "error[N002] unknown device `H1OO`" in err
    assert "ours/runs.plan: no run of it is judged until what is wrong in it is mended" in err


def test_the_example_of_the_help(plan: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = plan("--help")
    assert code == 0
    example = " ".join(out.split()).partition("example: plan backtest ")[2]
    code, out, _ = plan(*shlex.split(example))
    assert code == 0 and json.loads(out)["schema"] == "plan.backtest/v1"
