"""The rate that runs are expected to reach: recomputed, held to families that it has not seen, and steady."""

from __future__ import annotations

import math
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY
from wheels import needs_repository

from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.text.reader import Files
from runplan.engine.documents.solve import document
from runplan.engine.pipeline import report_of
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.runs.rates import ALIKE, APART, FULL, Expected, held_back, rates_in, rates_of, sort_of, tells_rate
from runplan.engine.runs.record import Run, runs_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-numbers-are-made.md"
RUNS = tuple(run for run in runs_of(LIBRARY) if tells_rate(run))
HELD_BACK = held_back(RUNS)


PLAIN = "hardware: 64 x H100 for ?\nmodel: 7B\ntokens: 140B\n"


def with_runs(text: str) -> Library:
    return LIBRARY.with_files(pack_files(Files({"packs/a.plan": text}), "packs", "packs", "pack"))


def expected(device: str, precision: str = "bf16", library: Library = LIBRARY) -> Expected:
    record = library.record("device", device)
    sort = sort_of(record, precision) if record else None
    assert sort is not None
    return rates_in(library).expected(sort)


def own_run(name: str, mfu: float, device: str = "H100-SXM") -> str:
    hours = 6 * 7e9 * 1e12 / (mfu * 989.4e12) / 3600
    return f'run {name} {{ device "{device}"; params 7B; tokens 1T; gpu_hours {hours:.6f} GPU-hours }}\n'


# ---- recomputed


def test_the_fit_is_the_least_of_what_it_says_to_make_small() -> None:
    """Huber's loss with priors has a slope of nothing there, and 80 % of the weight lies within the spread."""
    fit = rates_of(RUNS)
    terms = list(fit.effects)
    sizes = Counter(run.family for run in fit.runs)
    weights = np.array([1 / (1 + (sizes[run.family] - 1) * ALIKE) for run in fit.runs])
    x = np.zeros((len(fit.runs), len(terms)))
    y = np.zeros(len(fit.runs))
    for i, run in enumerate(fit.runs):
        assert run.device is not None and run.mfu is not None
        x[i, terms.index("")] = x[i, terms.index("generation " + run.device.text("generation"))] = 1.0
        y[i] = math.log(run.mfu)
        if run.precision not in ("bf16", "fp16"):
            half = math.log((run.peak or 0.0) / (run.device.figure("peak", "bf16") or 1.0)) / 2
            x[i, terms.index(f"precision {run.precision}")] = half
            y[i] += half
    effects = np.array([fit.effects[term] for term in terms])
    left = y - x @ effects
    prior = np.array([10.0 if not t else APART if t.startswith("generation") else 1 / QUANTILE for t in terms])
    pull = np.clip(left / fit.residual, -FULL, FULL) / fit.residual
    assert np.abs(x.T @ (weights * pull) - effects / prior**2).max() < 0.05
    order = np.argsort(np.abs(left))
    share = np.cumsum(weights[order]) / weights.sum()
    assert np.abs(left)[order][np.searchsorted(share, 0.8)] == pytest.approx(QUANTILE * fit.residual, rel=0.02)


# ---- families that it has not seen


def ratio(run: Run, told: Expected) -> float:
    """Device-hours by the rate that is expected, over those that the run took."""
    assert run.mfu is not None
    return run.mfu / told.mfu


def inside(run: Run, told: Expected) -> bool:
    assert run.mfu is not None
    return told.low <= run.mfu <= told.high


def generation(run: Run) -> str:
    return run.device.text("generation") if run.device else ""


GROUPS: dict[str, Callable[[Run], bool]] = {
    "all": lambda run: True,
    "on Ampere": lambda run: generation(run) == "Ampere",
    "on Hopper": lambda run: generation(run) == "Hopper",
    "on Volta": lambda run: generation(run) == "Volta",
    "on others": lambda run: generation(run) not in ("Ampere", "Hopper", "Volta"),
    "dense": lambda run: not run.mixture,
    "mixtures of experts": lambda run: run.mixture,
    "below 1B active": lambda run: (run.active or 0) < 1e9,
    "1B to 10B": lambda run: 1e9 <= (run.active or 0) < 1e10,
    "10B to 100B": lambda run: 1e10 <= (run.active or 0) < 1e11,
    "from 100B": lambda run: (run.active or 0) >= 1e11,
    "up to 64 devices": lambda run: 0 < (run.gpus or 0) <= 64,
    "more than 1,000 devices": lambda run: (run.gpus or 0) > 1000,
    "in fp8": lambda run: run.precision == "fp8",
}


def test_of_held_back_families_the_hours_are_right_in_the_middle_and_within_the_interval() -> None:
    assert 0.8 < median(ratio(*each) for each in HELD_BACK) < 1.25
    assert 0.65 < sum(inside(*each) for each in HELD_BACK) / len(HELD_BACK) < 0.95


@needs_repository
def test_the_page_shows_how_it_does() -> None:
    rows = []
    for name, fits in GROUPS.items():
        some = [each for each in HELD_BACK if fits(each[0])]
        families = len({run.family for run, _ in some})
        within = sum(inside(*each) for each in some) / len(some)
        middle = median(ratio(*each) for each in some)
        rows.append(f"| {name} | {len(some)} | {families} | {middle:.2f} | {within:.0%} |\n")
    head = "| runs | how many | families | hours expected over taken, median | inside the 80 % interval |\n"
    table = head + "|---|---|---|---|---|\n" + "".join(rows)
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(head)
    rest = after.split("\n\n", 1)[1]
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(f"{before}{table}\n{rest}", encoding="utf-8")
    assert table in PAGE.read_text(encoding="utf-8")


# ---- steady


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_records_does_not_matter(seed: int) -> None:
    mixed = list(RUNS)
    random.Random(seed).shuffle(mixed)
    device = LIBRARY.record("device", "A100")
    sort = sort_of(device, "bf16") if device else None
    assert sort is not None
    first, second = (rates_of(runs).expected(sort) for runs in (RUNS, mixed))
    assert (second.mfu, second.spread) == pytest.approx((first.mfu, first.spread), rel=1e-9)


def test_hours_told_in_any_way_are_the_same_hours() -> None:
    run = 'run ours { device "H100-SXM"; params 7B; tokens 1T; '
    forms = ("gpu_hours 48k GPU-hours }\n", "gpus 100; time 20 days }\n", "gpus 100; time 480 hours }\n")
    rates = [expected("H100-SXM", library=with_runs(run + form)).mfu for form in forms]
    assert rates == pytest.approx([rates[0]] * 3, rel=1e-12)


def test_a_family_of_many_counts_little_more_than_one() -> None:
    def shifted(count: int) -> float:
        hours = 6 * 7e9 * 1e12 / (0.1 * 989.4e12) / 3600
        text = "".join(
            f'run r{i} {{ family "f"; device "H100-SXM"; params 7B; tokens 1T; gpu_hours {hours} GPU-hours }}\n'
            for i in range(count)
        )
        library = with_runs(text)
        device = LIBRARY.record("device", "H100-SXM")
        sort = sort_of(device, "bf16") if device else None
        assert sort is not None
        theirs = [Run(run.record, run.device, own=False) for run in runs_of(library)]
        return math.log(rates_of(theirs).expected(sort).mfu / expected("H100-SXM").mfu)

    assert shifted(1) < 0
    assert 1 < shifted(8) / shifted(1) < 2.5


# ---- devices, precisions


def test_a_device_without_runs_takes_all_of_them_and_is_wider() -> None:
    known, unknown = expected("H100-SXM"), expected("MI300X")
    assert known.generation and not unknown.generation
    assert unknown.spread > 1.3 * known.spread
    assert len(unknown.all) == len(RUNS)


def test_a_rate_in_sixteen_bits_is_not_taken_of_another_peak() -> None:
    half, eight = expected("H100-SXM"), expected("H100-SXM", "fp8")
    assert 0.5 * half.mfu < eight.mfu < half.mfu, "some of the gain of the peak is seen"
    assert [run.name for run in eight.precision] == ["deepseek-v3"]
    assert eight.spread > half.spread
    single = expected("A100", "tf32")
    assert not single.precision and single.spread > expected("A100").spread


def test_the_hours_of_deepseek_v3_are_within_the_interval_by_its_sizes_alone() -> None:
    """2.664M H800 hours for the pre-training: arXiv:2412.19437, table 1."""
    text = "hardware: 2048 x H800 in fp8 for ? @ 2 USD/GPU/hour\nmodel: 671B params, 37B active\ntokens: 14.8T\n"
    out: dict[str, Any] = document(report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY))
    (solution,) = out["solutions"]
    hours, told = solution["gpu_hours"]["value"], expected("H800", "fp8")
    assert hours * told.mfu / told.high < 2.664e6 < hours * told.mfu / told.low
    assert hours == pytest.approx(2.664e6, rel=0.25)
    assert solution["cost"]["value"] == pytest.approx(2 * hours)


# ---- a user's own


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 0.6), st.integers(1, 6))
def test_own_runs_move_their_users_default_towards_them_and_narrow_it(mfu: float, count: int) -> None:
    usual = expected("H100-SXM")
    library = with_runs("".join(own_run(f"r{i}", mfu) for i in range(count)))
    ours = expected("H100-SXM", library=library)
    assert len(ours.own) == count
    kept = ALIKE * count / (1 - ALIKE + ALIKE * count)
    moved = math.log(ours.mfu / usual.mfu) / math.log(mfu / usual.mfu) if abs(math.log(mfu / usual.mfu)) > 0.1 else kept
    assert kept - 0.05 < moved < 1.0
    assert ours.spread < usual.spread * 1.02
    assert expected("A100", library=library).mfu != expected("A100").mfu


def test_a_run_that_is_set_aside_moves_nothing() -> None:
    aside = own_run("r", 0.6).replace("}", '; aside "trained elsewhere" }')
    assert expected("H100-SXM", library=with_runs(aside)).mfu == expected("H100-SXM").mfu


def test_a_run_that_cannot_be_is_found_and_not_passed_over() -> None:
    library = with_runs(own_run("fast", 3.0))
    (found,) = [
        f for f in report_of("x.plan", Files({"x.plan": PLAIN}), catalogue=library).findings if f.code == "P001"
    ]
    assert found.message == "run `fast` tells of hours in which its device does not do it: 6ND is 300% of its peak"
    assert (found.at.span.source.path, found.at.span.text) == ("packs/a.plan", "fast")
    stated = report_of("x.plan", Files({"x.plan": PLAIN.replace("?", "? at 40% MFU")}), catalogue=library)
    assert "P001" not in {f.code for f in stated.findings}, "nothing rests on it"


# ---- stops are taken off once


def mfu_and_hours(hardware: str) -> tuple[float, float, set[str]]:
    text = f"hardware {{ gpus: 64; device: H100; time: ?; {hardware} }}\nmodel: 7B\ntokens: 140B\n"
    out: dict[str, Any] = document(report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False))
    solution = out["solutions"][0]
    return solution["mfu"]["value"], solution["gpu_hours"]["value"], {f["code"] for f in out["findings"]}


def test_a_usual_availability_is_in_the_rate_already() -> None:
    usual, hours, codes = mfu_and_hours("precision: bf16")
    assert "H004" not in codes
    for stated in (85, 90, 99):
        mfu, same, codes = mfu_and_hours(f"availability: {stated}%")
        assert same == pytest.approx(hours, rel=1e-6)
        assert mfu == pytest.approx(usual / (stated / 100), rel=1e-6)
        assert "H004" not in codes


def test_hardware_that_is_down_longer_takes_longer() -> None:
    _, hours, _ = mfu_and_hours("precision: bf16")
    assert mfu_and_hours("availability: 50%")[1] == pytest.approx(hours * 85 / 50, rel=1e-6)


def test_a_stated_rate_is_of_the_steps_and_availability_takes_from_it() -> None:
    _, hours, codes = mfu_and_hours("mfu: 40%")
    assert "H004" in codes
    assert mfu_and_hours("mfu: 40%; availability: 90%")[1] == pytest.approx(hours / 0.9, rel=1e-6)


# ---- runs as they were done


DONE = [run for run in RUNS if not run.mixture and (run.record.figure("year") or 0) >= 2022]


@pytest.mark.parametrize("run", DONE[::4], ids=lambda run: run.name)
def test_a_run_as_it_was_done_is_no_error_and_idle_only_where_few_are_so_slow(run: Run) -> None:
    """Its hardware, time, size and tokens, and no rate."""
    assert run.device is not None and run.gpu_hours and run.params and run.tokens and run.mfu
    gpus = run.gpus or 512
    text = (
        f"hardware: {gpus:g} x {run.device.name} in {run.precision} for {run.gpu_hours / 3600 / gpus:.9g} hours\n"
        f"model: {run.params / 1e9:.9g}B\ntokens: {run.tokens / 1e9:.9g}B\n"
    )
    out: dict[str, Any] = document(report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False))
    assert out["solutions"][0]["status"] == "solved"
    found = {f["code"]: f["severity"] for f in out["findings"] if f["severity"] != "info"}
    assert "error" not in found.values()
    told = expected(run.device.name, run.precision)
    assert ("H005" in found) == (run.mfu < told.low * (1 - 1e-9))
    assert ("H003" in found) == (run.mfu > told.high * (1 + 1e-9))
    assert found.keys() <= {"H003", "H005", "D002"}
