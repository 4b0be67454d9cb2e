"""Records of the kind `run`: those of the library are whole and sourced, and a pack's are held to what is read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from known import LIBRARY, known_of

from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.reader import PackReader
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.text.reader import Files
from runplan.dsl.text.source import Source
from runplan.engine.runs.record import Run, runs_of

RUNS = runs_of(LIBRARY)
# Figures of a run that are its name and no measurement.
OF_ITSELF = ("year",)
# No run was seen to reach more end to end.
MOST = 0.62


def name(run: Run) -> str:
    return run.name


def with_runs(text: str) -> Library:
    return LIBRARY.with_files(pack_files(Files({"packs/a.plan": text}), "packs", "packs", "pack"))


def run_of(text: str) -> Run:
    library = with_runs(text)
    assert library.findings == ()
    (found,) = [run for run in runs_of(library) if run.own]
    return found


# ---- the library's


@pytest.mark.parametrize("run", RUNS, ids=name)
def test_every_figure_of_a_run_has_a_source(run: Run) -> None:
    figures = [e for e in run.record.entries if any(isinstance(v, Num) for v in e.values) and e.key not in OF_ITSELF]
    assert [e.key for e in figures if not e.source or len(e.source) > 160] == []
    assert run.record.title and run.record.figure("year")


@pytest.mark.parametrize("run", RUNS, ids=name)
def test_a_run_reached_what_its_device_can(run: Run) -> None:
    """One that is said to have reached more is kept, and nothing is planned by it."""
    assert run.mfu is None or run.record.text("aside") or 0.01 < run.mfu < MOST


@pytest.mark.parametrize("run", RUNS, ids=name)
def test_a_run_tells_the_precision_that_its_peak_is_of(run: Run) -> None:
    assert run.device is None or run.record.text("precision")


@pytest.mark.parametrize(
    ("named", "mfu"),
    [("llama-3.1-405b", 0.3458), ("llama-3.1-8b", 0.139), ("bloom-176b", 0.3182), ("deepseek-v2", 0.2048)],
)
def test_the_rate_end_to_end(named: str, mfu: float) -> None:
    """6ND over device-hours and peak, as worked out by hand for the notes."""
    (run,) = [run for run in RUNS if run.name == named]
    assert run.mfu == pytest.approx(mfu, rel=1e-3)


# ---- a pack's

RUN = 'run ours { device "H100"; params 1B; tokens 20B; gpu_hours 100 GPU-hours }\n'


def test_a_run_of_a_pack() -> None:
    run = run_of(RUN)
    assert (run.family, run.mixture, run.precision) == ("ours", False, "bf16")
    assert run.compute == 1.2e20 and run.gpu_hours == 3.6e5
    assert run.mfu == pytest.approx(1.2e20 / 3.6e5 / 989.4e12)


def test_hours_are_devices_times_time() -> None:
    run = run_of(RUN.replace("gpu_hours 100 GPU-hours", "gpus 8; time 12.5 hours"))
    assert run.gpu_hours == 3.6e5


def test_a_mixture_is_counted_by_what_is_active() -> None:
    run = run_of(RUN.replace("params 1B", "params 8B; active 1B"))
    assert run.mixture and run.params == 8e9 and run.compute == 1.2e20


def test_a_peak_of_its_own_is_taken() -> None:
    run = run_of(RUN.replace('"H100"', '"H100"; precision "fp8"; peak fp8 1000 TFLOP/s'))
    assert run.peak == 1e15


@pytest.mark.parametrize("warmup", ["warmup 2000 steps", "warmup 3B tokens", "warmup 1%"])
def test_a_warm_up_is_told_in_any_length(warmup: str) -> None:
    assert run_of(RUN.replace("params", f"{warmup}; params")).record.figure("warmup")


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        ("parms 1B", "N001", "unknown field `parms` in `run`"),
        ('year 2024; device "H1O0"', "N002", "unknown device `H1O0`"),
        ('year 2024; device "A100"; precision "fp8"', "N002", "`A100` has no fp8 peak"),
        ("year 2024; device 7", "P001", "`device` is followed by one text"),
        ("tokens 7 hours", "U001", "`7 hours` is in seconds; `tokens` is in tokens"),
        ("tokens 7B; tokens 8B", "N005", "`tokens` is given twice"),
        ("warmup 3 days", "U001", "`3 days` is in seconds; `warmup` is in tokens"),
        ('note "nothing"', "P001", "run `x` has no `year` or `params` or `tokens`"),
    ],
)
def test_what_is_wrong_is_found(entry: str, code: str, said: str) -> None:
    library = with_runs(f"run x {{ {entry} }}\n")
    assert [(f.code, f.message) for f in library.findings] == [(code, said)]


def test_a_plan_may_bring_a_run() -> None:
    file, findings = syntax_of(Source("p.plan", RUN))
    assert findings == []
    brought = LIBRARY.with_pack(PackReader(*known_of(LIBRARY)).pack(file.statements))
    assert [run.name for run in runs_of(brought) if run.own] == ["ours"]
    assert {run.name for run in runs_of(brought)} - {run.name for run in RUNS} == {"ours"}


# ---- published figures, put together apart from the records


with (Path(__file__).parents[1] / "facts" / "published_runs.csv").open(encoding="utf-8", newline="") as stream:
    PUBLISHED = list(csv.DictReader(stream))


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["run"])
def test_a_published_run_is_in_the_library_as_it_was(row: dict[str, str]) -> None:
    (run,) = [run for run in RUNS if run.name == row["run"]]
    told = {
        "params": run.params,
        "active": run.record.figure("active"),
        "tokens": run.tokens,
        "device_hours": run.gpu_hours and run.gpu_hours / 3600,
        "batch": run.record.figure("batch"),
        "learning_rate": run.record.figure("learning_rate"),
    }
    assert {key: told[key] for key in told if row[key]} == pytest.approx(
        {key: float(row[key]) for key in told if row[key]}, rel=1e-4
    )
    assert not row["mfu_end_to_end"] or run.mfu == pytest.approx(float(row["mfu_end_to_end"]), rel=2e-3)


@pytest.mark.parametrize("run", RUNS, ids=name)
def test_what_was_not_checked_says_so(run: Run) -> None:
    assert [
        e.key for e in run.record.entries if (e.evidence == "memory") != e.source.endswith("from memory, not checked")
    ] == []
