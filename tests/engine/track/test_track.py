"""Runs in progress against their plans: three logs that were measured, from a quarter of them on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runplan import Files, Project
from runplan.dsl.dataclass import replace
from runplan.dsl.text.source import Source
from runplan.dsl.units.base import DATE, TOKEN
from runplan.dsl.units.dims import NONE
from runplan.engine.documents.track import document
from runplan.engine.fit.read.asked import Asked
from runplan.engine.fit.read.read import read_runs
from runplan.engine.fit.table import RunTable
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.track.clock import Timing
from runplan.engine.track.drift import tracked
from runplan.engine.track.expected import CannotTrack, Expected, Figure, Stretch, expected_of
from runplan.engine.track.frozen import frozen_of, frozen_path, text_of
from runplan.engine.track.held_out import HELD_OUT, kind_of
from runplan.engine.track.order import NoProgress
from runplan.engine.track.progress import NEEDS, PREFER, USES
from runplan.engine.track.schedule import path_of
from runplan.engine.track.stages import stage_of
from runplan.engine.track.track import Track

FACTS = Path(__file__).resolve().parents[2] / "facts"
ASKED = Asked(NEEDS, USES, prefer=PREFER, log=True)
PLAN = """\
hardware: 1 x H100 for 1 minute at 8% MFU @ 2.50 USD/GPU/hour
model: { layers: 5, hidden: 256, heads: 4, ffn: 1024, mlp: plain, vocab: 256, context: 512 tokens, tied: false }
tokens: 42795008
optimizer: AdamW { batch: 32768 tokens, learning_rate: 0.0028284271247461905 }
phase warmup: 5% warmup
phase stable: 75% constant
phase decay: 20% linear
require cost <= 0.05 USD
"""
SMALL = (
    PLAN.replace("42795008", "28229632")
    .replace("32768", "16384")
    .replace("0.0028284271247461905", "0.0032659863237109042")
    .replace("layers: 5, hidden: 256", "layers: 4, hidden: 192")
    .replace("ffn: 1024", "ffn: 768")
    .replace("8% MFU", "5% MFU")
)
MEDIUM = """\
hardware: 8 x A100-80GB for ? at 40% MFU
model: 354M params
tokens: 31457280000
optimizer: AdamW { batch: 524288 tokens, learning_rate: 0.0003 }
phase warmup: 700 steps warmup
phase down: 59300 steps cosine
"""
STAGES = """\
model: 1B
stage one { hardware: 8 x H100 for ? at 40% MFU @ 2 USD/GPU/hour; tokens: 20B }
stage two { hardware: 8 x H100 for ? at 40% MFU @ 2 USD/GPU/hour; tokens: 1B }
require cost <= 5000 USD
"""
LOGS = {"1e15-h256": PLAN, "3e14-h192": SMALL}
Rows = list[list[str]]
HEAD = "step,tokens,loss,learning_rate,seconds\n"
LOSS = (("nat", 1.0), ("token", -1.0))


def expected(plan: str) -> Expected:
    project = Project(Files({"run.plan": plan}))
    return expected_of(project.report("run.plan"), "sha256:0", project.library)[0]


EXPECTED = {name: expected(plan) for name, plan in LOGS.items()}
LIBRARY = Project(Files({"run.plan": PLAN})).library


def text(name: str) -> str:
    return (FACTS / f"h100_log_{name}.csv").read_text(encoding="utf-8")


def table_of(log: str) -> tuple[RunTable, Track | None]:
    table, _ = read_runs("log.csv", Files({"log.csv": log}), LIBRARY, ASKED)
    assert table is not None
    return table, None


def run(log: str, against: Expected, *, changed: bool = False) -> Track:
    table, found = read_runs("log.csv", Files({"log.csv": log}), LIBRARY, ASKED)
    assert table is not None, found
    return tracked(against, table, Source("log.csv", log), LIBRARY, found, changed=changed)


def first(name: str, share: float) -> str:
    lines = text(name).splitlines(keepends=True)
    tokens = EXPECTED[name].tokens
    return lines[0] + "".join(line for line in lines[1:] if float(line.split(",")[1]) <= share * tokens)


def codes(track: Track, *but: str) -> list[str]:
    """The codes of what is found, but for that nothing was frozen and that no law knows such losses."""
    return sorted(found.code for found in track.findings if found.code not in ("W010", "W012", "F006", *but))


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize(("share", "off"), [(0.25, 0.17), (0.5, 0.08), (0.75, 0.08), (0.9, 0.05), (1.0, 0.03)])
def test_what_the_first_part_of_a_log_tells_of_its_end(name: str, share: float, off: float) -> None:
    whole, _ = table_of(text(name))
    tokens, time, losses = (whole.values(one) for one in ("tokens", "time", "loss"))
    ended = losses[tokens > 0.97 * tokens[-1]].mean()
    track = run(first(name, share), EXPECTED[name])
    assert track.ends["tokens"].value == tokens[-1]
    finish = track.ends["time"]
    assert finish.value == pytest.approx(time[-1], rel=0.005) and finish.low <= time[-1] <= finish.high
    loss = track.ends["loss"]
    assert abs(np.log(loss.value / ended)) < off and loss.low <= ended <= loss.high
    assert codes(track) == []


def test_a_loss_on_held_out_text_under_a_cosine_is_told_by_the_first_part_of_a_log() -> None:
    """GPT-2 of 354M params by llm.c, evaluated on FineWeb each 250 steps."""
    lines = (FACTS / "gpt2_medium_log.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    held_to, ended = expected(MEDIUM), float(lines[-1].split(",")[1])
    for share, off in ((0.25, 0.015), (0.5, 0.004), (0.75, 0.004)):
        loss = run("".join(lines[: 2 + int(240 * share)]), held_to).ends["loss"]
        assert abs(np.log(loss.value / ended)) < off and loss.low <= ended <= loss.high


def test_a_decay_that_is_to_come_is_known_from_the_schedule() -> None:
    track = run(first("3e14-h192", 0.75), EXPECTED["3e14-h192"])
    flat = replace(EXPECTED["3e14-h192"], schedule=())
    without = run(first("3e14-h192", 0.75).replace("e-05", "e-03"), flat)
    assert track.ends["loss"].value < 0.93 * without.ends["loss"].value
    assert track.curve is not None and not track.curve.told
    ended = run(text("3e14-h192"), EXPECTED["3e14-h192"])
    assert ended.curve is not None and ended.curve.told


def test_the_pace_gives_the_mfu_of_the_plan() -> None:
    track = run(first("1e15-h256", 0.5), EXPECTED["1e15-h256"])
    against = track.expected
    assert track.mfu is not None and track.slower is not None
    assert track.mfu / 0.08 == pytest.approx(track.slower, rel=1e-6)
    assert track.progress.timing.pace == pytest.approx(13.65 / against.tokens, rel=0.01)
    assert track.spent == pytest.approx(track.progress.timing.elapsed * 2.5 / 3600)  # type: ignore[operator]


def resumed(name: str, *, anew: bool) -> str:
    """A log of which a part was done twice; the seconds go on, or begin anew."""
    rows = [line.split(",") for line in first(name, 0.6).splitlines()[1:]]
    again, from_here = rows[: len(rows) * 5 // 6], rows[len(rows) // 2 :]
    begins = float(from_here[0][4])
    offset = -begins + 0.03 if anew else float(again[-1][4]) - begins + 0.5
    later = [[*row[:4], repr(float(row[4]) + offset)] for row in from_here]
    return HEAD + "\n".join(map(",".join, [*again, *later])) + "\n"


@pytest.mark.parametrize("anew", [False, True])
def test_a_log_that_was_resumed_counts_each_step_once(anew: bool) -> None:
    name = "1e15-h256"
    track = run(resumed(name, anew=anew), EXPECTED[name])
    straight = run(first(name, 0.6), EXPECTED[name])
    assert codes(track) == ["W008"]
    assert list(track.progress.tokens) == list(straight.progress.tokens)
    assert list(track.progress.loss) == list(straight.progress.loss)
    assert track.progress.resumed[0].lost == pytest.approx(0.2 * EXPECTED[name].tokens, rel=0.05)
    assert track.progress.timing.pace == pytest.approx(straight.progress.timing.pace, rel=0.02)
    # What was done again took its time, and may have to be done again.
    assert track.progress.timing.elapsed is not None and straight.progress.timing.elapsed is not None
    assert track.progress.timing.elapsed > 1.25 * straight.progress.timing.elapsed
    assert track.ends["time"].high - track.ends["time"].low > 2 * (
        straight.ends["time"].high - straight.ends["time"].low
    )
    assert track.ends["loss"].value == pytest.approx(straight.ends["loss"].value, rel=1e-6)


def test_a_pause_is_none_of_the_pace() -> None:
    rows = [line.split(",") for line in first("1e15-h256", 0.5).splitlines()[1:]]
    late = [[*row[:4], repr(float(row[4]) + (600 if i > 150 else 0))] for i, row in enumerate(rows)]
    track = run(HEAD + "\n".join(map(",".join, late)) + "\n", EXPECTED["1e15-h256"])
    assert [pause.seconds for pause in track.progress.timing.pauses] == [pytest.approx(600, abs=1)]
    assert track.progress.timing.pace == pytest.approx(13.65 / track.expected.tokens, rel=0.01)
    assert codes(track) == ["W004", "W004", "W009"]


@pytest.mark.parametrize("often", [2, 8])
@pytest.mark.parametrize("least", [0.0, 1800.0])
def test_stops_to_come_are_as_many_and_as_long_as_those_of_the_log(often: int, least: float) -> None:
    rng, held, sets = np.random.default_rng(0), 0, 400
    for _ in range(sets):
        seen, later = (rng.exponential(600.0, n) + least for n in (max(rng.poisson(often), 1), rng.poisson(often)))
        timing = Timing(None, None, 0.0, 1e5, tuple(seen.tolist()), None, "", 0.0, (), None, np.empty(0))
        middle, error = timing.stops(1e5)
        held += middle - QUANTILE * error <= later.sum() <= middle + QUANTILE * error
        assert middle == pytest.approx(seen.sum()) and timing.stops(0.0) == (0.0, 0.0)
    assert 0.75 < held / sets < 0.98


def changed(column: int, by: float, after: float = 0.0) -> str:
    rows = [line.split(",") for line in first("1e15-h256", 0.5).splitlines()[1:]]
    for i, row in enumerate(rows):
        if i >= after * len(rows):
            row[column] = repr(float(row[column]) * by)
    return HEAD + "\n".join(map(",".join, rows)) + "\n"


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (changed(4, 1.5), ["W001"]),
        (changed(4, 6.0), ["W001", "W004", "W004"]),
        (changed(3, 0.5), ["W006"]),
        (changed(1, 0.5), ["W001", "W006", "W007"]),
        (changed(2, 1.2, 0.9), ["W003"]),
        (changed(2, 3.0, 0.9), ["W003"]),
        (first("1e15-h256", 0.06), ["W014"]),
        (first("1e15-h256", 0.5) + "700,22937600,nan,2.8e-3,7\n", ["F010", "W003"]),
    ],
)
def test_what_is_not_as_planned_has_a_code(log: str, found: list[str]) -> None:
    assert codes(run(log, EXPECTED["1e15-h256"])) == found


def test_what_a_law_lends_a_plan_is_advice() -> None:
    half = first("1e15-h256", 0.5)
    given = run(changed(3, 0.5), EXPECTED["1e15-h256"])
    assert {f.code: f.severity for f in given.findings}["W006"] == "warning"
    bare = expected("hardware: 1 x H100 for 1 minute at 8% MFU\nmodel: 3.9M\ntokens: 42795008\n")
    found = {f.code: f.severity for f in run(half, bare).findings}
    assert found["W006"] == found["W007"] == "info"


def test_a_log_that_is_faster_than_the_devices_is_of_another_run() -> None:
    assert codes(run(changed(4, 0.05), EXPECTED["1e15-h256"])) == ["W015"]


def test_a_log_with_a_clock_says_when_it_ends() -> None:
    rows = [line.split(",") for line in first("1e15-h256", 0.5).splitlines()[1:]]
    begins = 1_795_046_400  # 2026-11-19
    lines = "\n".join(",".join([*row[:4], f"{begins + 40_000 * float(row[4]):.0f}"]) for row in rows)
    track = run(f"step,tokens,loss,learning_rate,timestamp\n{lines}\n", EXPECTED["1e15-h256"])
    finish = track.ends["finish"]
    assert finish.low < begins + 40_000 * 13.654 < finish.high and finish.dim == DATE


def test_a_law_that_knows_such_losses_says_what_to_expect_by_now() -> None:
    """A log of a run as Chinchilla's law has it, with a decay that brings 5 %."""
    text = "hardware: 64 x H100 for 60 days at 40% MFU\nmodel: 1B\ntokens: 40B\n"
    text += "optimizer: AdamW { batch: 1M tokens, learning_rate: 3e-4 }\n"
    text += "phase warmup: 5% warmup\nphase stable: 75% constant\nphase decay: 20% linear\n"
    against = expected(text)
    rng = np.random.default_rng(0)
    whole, seen = against.tokens, np.arange(1, 301) * against.tokens / 600
    tokens, losses = (np.array(each) for each in zip(*against.curve, strict=True))
    curve = np.interp(seen, tokens, losses) * 1.045 * np.exp(rng.normal(0, 0.01, 300))

    def log(times: float) -> str:
        rows = (f"{i * 66},{d:.0f},{times * y:.5f}" for i, (d, y) in enumerate(zip(seen, curve, strict=True), 1))
        return "step,tokens,loss\n" + "\n".join(rows) + "\n"

    good = run(log(1.0), against)
    assert codes(good) == [] and good.law_now is not None
    final = against.figures["loss"].value
    assert good.ends["loss"].value == pytest.approx(final, rel=0.02)
    assert good.ends["loss"].low < final < good.ends["loss"].high
    assert "plan's pace" in good.ends["time"].by and whole == good.ends["tokens"].value
    assert codes(run(log(1.15), against)) == ["W002"]
    assert "W010" in [found.code for found in run(log(0.5), against).findings]


def test_what_is_frozen_is_read_as_it_was_written() -> None:
    frozen = replace(EXPECTED["1e15-h256"], frozen="2026-11-28")
    assert frozen_of(text_of(frozen).encode(), "run.track.toml") == frozen
    assert frozen_path("a/run.plan") == "a/run.track.toml" == frozen_path("a/run.plan.yaml")
    track = run(first("1e15-h256", 0.5), frozen, changed=True)
    assert [found.code for found in track.findings if found.code in ("W011", "W012")] == ["W011"]


@pytest.mark.parametrize(
    ("time", "limits"),
    [
        ("for 10 minutes", [("time", 600.0)]),
        ("for up to 10 minutes", [("time", 600.0)]),
        ("for 5 seconds..10 minutes", [("time", 600.0)]),
        ("for ?", []),
        ("from 2026-12-01 until 2026-12-02", [("time", 86400.0), ("finish", 1796169600.0)]),
        ("from 2026-12-01 until ?", []),
        ("for up to 10 days from 2026-12-01 until 2026-12-02", [("finish", 1796169600.0), ("time", 864000.0)]),
    ],
)
def test_a_run_is_held_to_what_is_stated_and_not_to_what_it_was_found_to_take(
    time: str, limits: list[tuple[str, float]]
) -> None:
    found = expected(PLAN.replace("for 1 minute", time)).limits
    assert [(one.quantity, one.bound) for one in found if one.quantity != "cost"] == limits
    assert all(one.sign == "<=" for one in found)


def test_pools_are_held_to_the_longest_time_of_theirs() -> None:
    pools = "1 x H100 for up to 10 minutes at 8% MFU + 1 x A100 for up to 20 minutes at 8% MFU\n"
    (limit,) = expected("hardware: " + pools + PLAN.split("\n", 1)[1].rsplit("require", 1)[0]).limits
    assert (limit.quantity, limit.bound) == ("time", 1200.0)


def test_a_batch_of_sequences_is_one_of_tokens_by_the_plans_context() -> None:
    rows = [line.split(",") for line in text("1e15-h256").splitlines()[1:]]
    log = "step,global_batch_size_in_sequences,loss\n" + "".join(f"{row[0]},64,{row[2]}\n" for row in rows[:200])
    track = run(log, EXPECTED["1e15-h256"])
    assert track.progress.done == float(rows[199][1]) and "sequences" in track.progress.derived


def test_what_cannot_be_tracked_says_why() -> None:
    with pytest.raises(CannotTrack, match="not solved"):
        expected("tokens: 2T\nrequire loss <= 0.1\n")
    with pytest.raises(NoProgress, match="no tokens"):
        run(
            "loss\n2.5\n2.4\n",
            replace(EXPECTED["1e15-h256"], figures={"tokens": EXPECTED["1e15-h256"].figures["tokens"]}),
        )


@pytest.mark.parametrize("by_law", [False, True])
@pytest.mark.parametrize("shape", ["cosine", "linear", "wsd"])
def test_logs_of_the_multi_power_law_are_forecast_by_half_of_them(shape: str, by_law: bool) -> None:
    """Losses as Luo et al. 2025 have them for 100M params, with noise of 1 %, whatever the schedule; where the plan has
    a law, that of Besiroglu et al. 2024, which is for another corpus and tokenizer, its way goes into the forecast.
    """
    law = LIBRARY.law("multi_power.100M")
    assert law is not None
    constants = {name: float(one.value or 0.0) for name, one in law.constants.items()}
    whole, peak, steps = 20e9, 3e-4, 40_000
    up = Stretch("up", 0.02 * whole, 0, 1, "warmup")
    down = {
        "cosine": (Stretch("down", whole, 1, 0.1, "cosine"),),
        "linear": (Stretch("down", whole, 1, 0, "linear"),),
        "wsd": (Stretch("stable", 0.8 * whole, 1, 1, "constant"), Stretch("down", whole, 1, 0.1, "exponential")),
    }
    schedule = (up, *down[shape])
    path = path_of(schedule, whole, steps, peak, LIBRARY, (np.array([]), np.array([])))
    rates = np.maximum(path.summed / whole * steps * peak, 1e-9)
    loss = constants["L_0"] + constants["A"] * rates ** -constants["alpha"]
    loss -= constants["B"] * peak * path.annealed
    seen = np.arange(1, 201) * whole / 400
    noisy = np.interp(seen, path.tokens, loss) * np.exp(np.random.default_rng(0).normal(0, 0.01, 200))
    rate = peak * np.interp(seen, path.tokens, path.share)
    rows = (f"{d:.0f},{y:.5f},{r:.5g}" for d, y, r in zip(seen, noisy, rate, strict=True))
    figures = {
        "tokens": Figure(whole, TOKEN),
        "batch": Figure(whole / steps, TOKEN),
        "learning_rate": Figure(peak, NONE),
    }
    curve: tuple[tuple[float, float], ...] = ()
    if by_law:
        curve = tuple((d, 1.8172 + 482.01 / 1e8**0.3478 + 2085.43 / d**0.3658) for d in [*seen.tolist(), whole])
        figures["loss"] = Figure(curve[-1][1], LOSS)
    held_to = Expected("p", "", "chinchilla.epoch" if by_law else "", figures, schedule, (), curve)
    track = run("tokens,loss,lr\n" + "\n".join(rows) + "\n", held_to)
    end = track.ends["loss"]
    assert codes(track) == [] and end.value == pytest.approx(loss[-1], rel=0.02) and end.low <= loss[-1] <= end.high
    assert end.high / end.low < 1.08


def rows_of(name: str, share: float) -> list[list[str]]:
    return [line.split(",") for line in first(name, share).splitlines()[1:]]


def log_of(rows: list[list[str]], head: str = HEAD) -> str:
    return head + "\n".join(map(",".join, rows)) + "\n"


def in_turn(rows: list[list[str]]) -> list[list[str]]:
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]


@pytest.mark.parametrize(
    "as_written",
    [
        lambda rows: [row for row in rows for _ in range(2)],
        lambda rows: [[*row[:2], repr(float(row[2]) * by), *row[3:]] for row in rows for by in (0.98, 1.02)],
        lambda rows: rows[::-1],
        in_turn,
    ],
    ids=["twice", "of two ranks", "newest first", "in no order"],
)
def test_rows_count_once_each_in_the_order_of_the_steps(
    as_written: Callable[[list[list[str]]], list[list[str]]],
) -> None:
    name = "1e15-h256"
    straight, own = run(first(name, 0.5), EXPECTED[name]), run(log_of(as_written(rows_of(name, 0.5))), EXPECTED[name])
    assert codes(own) == codes(straight) == []
    assert own.progress.done == straight.progress.done and own.progress.resumed == ()
    for quantity in ("time", "loss"):
        assert own.ends[quantity].value == pytest.approx(straight.ends[quantity].value, rel=1e-3)


def test_a_count_that_begins_anew_goes_on() -> None:
    name = "1e15-h256"
    rows = rows_of(name, 0.5)
    at = len(rows) // 2
    step, tokens, seconds = (float(rows[at - 1][i]) for i in (0, 1, 4))
    later = [
        [f"{float(r[0]) - step:.0f}", f"{float(r[1]) - tokens:.0f}", r[2], r[3], repr(float(r[4]) - seconds)]
        for r in rows[at:]
    ]
    track = run(log_of([*rows[:at], *later]), EXPECTED[name])
    assert track.progress.anew == (at + 2,) and track.progress.resumed == ()
    straight = run(first(name, 0.5), EXPECTED[name])
    assert track.progress.done == straight.progress.done
    assert track.ends["loss"].value == pytest.approx(straight.ends["loss"].value, rel=1e-3)
    assert track.ends["time"].value == pytest.approx(straight.ends["time"].value, rel=0.01)
    # One that begins from nothing again is a run from nothing.
    scratch = run(log_of([*rows[:at], *rows[: at // 2]]), EXPECTED[name])
    assert scratch.progress.anew == () and scratch.progress.done == float(rows[at // 2 - 1][1])


@pytest.mark.parametrize(
    ("head", "cells"),
    [
        ("step,loss,step_time_ms", lambda r: [r[0], r[2], "10.448"]),
        ("step,loss,time (ms)", lambda r: [r[0], r[2], f"{10.448 + 0.01 * (float(r[0]) % 3):.3f}"]),
        ("step,loss,tokens_per_second", lambda r: [r[0], r[2], "3136000"]),
        ("step,loss,tokens_per_second_per_gpu", lambda r: [r[0], r[2], "3136000"]),
        ("step,loss,timestamp", lambda r: [r[0], r[2], stamp(r, "T", "+00:00")]),
        ("step,loss,timestamp", lambda r: [r[0], r[2], stamp(r, " ", "")]),
        ("Wall time,Step,loss", lambda r: [f"{1_795_046_400 + float(r[0]) * 0.010448:.6f}", r[0], r[2]]),
        ("step,loss,elapsed", lambda r: [r[0], r[2], f"0:00:{float(r[0]) * 0.010448:09.6f}"]),
    ],
)
def test_the_pace_is_told_in_each_way_that_logs_tell_it(
    head: str, cells: Callable[[list[str]], tuple[str, ...]]
) -> None:
    rows = [cells(row) for row in rows_of("1e15-h256", 0.5)]
    track = run(log_of([*map(list, rows)], head + "\n"), EXPECTED["1e15-h256"])
    assert track.ends["time"].value == pytest.approx(13.65, rel=0.01) and "F006" not in codes(track)


def stamp(row: list[str], between: str, zone: str) -> str:
    seconds = float(row[0]) * 0.010448
    return f"2026-12-01{between}06:00:{seconds:09.6f}{zone}"


def test_a_log_that_begins_late_is_taken_to_have_had_its_pace_before() -> None:
    name = "1e15-h256"
    rows = rows_of(name, 0.6)[130:]
    begins = float(rows[0][4])
    track = run(log_of([[*row[:4], repr(float(row[4]) - begins)] for row in rows]), EXPECTED[name])
    assert track.progress.timing.late == pytest.approx(begins, rel=0.02)
    assert track.ends["time"].value == pytest.approx(13.65, rel=0.01)


def test_a_pace_that_becomes_another_is_the_pace_of_now() -> None:
    rows = rows_of("1e15-h256", 0.5)
    at = len(rows) * 7 // 10
    turn = float(rows[at][4])
    slow = [[*r[:4], repr(turn + 2 * (float(r[4]) - turn) if i > at else float(r[4]))] for i, r in enumerate(rows)]
    track = run(log_of(slow), EXPECTED["1e15-h256"])
    change = track.progress.timing.change
    assert change is not None and change.ratio == pytest.approx(0.5, rel=0.03) and abs(change.line - at) < 15
    truth = turn + 2 * (13.65 - turn)
    assert track.ends["time"].value == pytest.approx(truth, rel=0.03)
    assert track.ends["time"].low < truth < track.ends["time"].high
    assert "W016" in codes(track)


@pytest.mark.parametrize("column", ["val_loss", "eval/loss", "heldout_loss", "test loss"])
def test_a_loss_says_of_which_text_it_is(column: str) -> None:
    name = "1e15-h256"
    own = run(first(name, 0.5).replace(",loss,", f",{column},"), EXPECTED[name])
    assert (own.of, own.header) == ("held out", column) and own.held is None
    trained = run(first(name, 0.5), EXPECTED[name])
    assert (trained.of, trained.header) == ("training", "loss")
    assert own.ends["loss"].value == trained.ends["loss"].value


def test_a_log_with_both_losses_tells_both() -> None:
    name, head = "1e15-h256", "step,tokens,train_loss,val_loss,seconds\n"
    rows = [
        [*r[:3], f"{1.08 * float(r[2]):.5f}" if i % 10 == 9 else "", r[4]] for i, r in enumerate(rows_of(name, 0.5))
    ]
    log = log_of(rows, head)
    table, found = read_runs("log.csv", Files({"log.csv": log}), LIBRARY, ASKED)
    held, _ = read_runs("log.csv", Files({"log.csv": log}), LIBRARY, replace(ASKED, prefer={"loss": HELD_OUT}))
    assert table is not None and held is not None and kind_of(held) == "held out"
    track = tracked(EXPECTED[name], table, Source("log.csv", log), LIBRARY, found, held=held)
    trained, evaluated = track.ends["loss"], track.ends["held_out_loss"]
    assert evaluated.value / trained.value == pytest.approx(1.08, rel=0.03)
    assert evaluated.high / evaluated.low > trained.high / trained.low


def test_no_loss_is_forecast_of_a_run_that_diverges() -> None:
    assert "loss" not in run(changed(2, 3.0, 0.9), EXPECTED["1e15-h256"]).ends


def test_a_loss_that_stands_still_is_said() -> None:
    rows = [[*row[:2], "5.4", *row[3:]] for row in rows_of("1e15-h256", 0.5)]
    assert codes(run(log_of(rows), EXPECTED["1e15-h256"])) == ["W003"]


def test_what_is_reserved_is_paid_for_whole() -> None:
    whole = run(first("1e15-h256", 0.5), EXPECTED["1e15-h256"]).ends
    assert whole["cost"].value == pytest.approx(2.5 / 60) and whole["gpu_hours"].value == pytest.approx(60)
    used = run(first("1e15-h256", 0.5), expected(PLAN.replace("for 1 minute", "for up to 1 minute"))).ends
    assert used["cost"].value == pytest.approx(2.5 * used["time"].value / 3600)
    pools = "hardware: 1 x H100 for up to 1 minute at 8% MFU @ 2 USD/GPU/hour + 1 x A100 for up to 1 minute at 8% MFU"
    both = expected(pools + " @ 1 USD/GPU/hour\n" + PLAN.split("\n", 1)[1])
    ends = run(first("1e15-h256", 0.5), both).ends
    assert ends["cost"].value == pytest.approx(3 * ends["time"].value / 3600)


def stages() -> tuple[Expected, ...]:
    project = Project(Files({"run.plan": STAGES}))
    return expected_of(project.report("run.plan"), "sha256:0", project.library)


def staged(begin: int, end: int, off: int = 0) -> str:
    """Steps of 1M tokens, a hundredth of a second each."""
    steps = range(begin, end, 100)
    return "step,tokens,loss,seconds\n" + "".join(
        f"{s},{s}000000,{3 * s**-0.05:.4f},{(s - off) / 100}\n" for s in steps
    )


def test_a_log_of_a_plan_with_stages_is_of_the_one_in_which_it_stands() -> None:
    one, two = stages()
    assert (one.stage, two.stage, two.before) == ("one", "two", one.tokens == 20e9 and one.tokens)
    assert {limit.text.partition(",")[0]: limit.bound for limit in two.limits}["`cost <= 5000 USD`"] == pytest.approx(
        5000 - one.figures["cost"].value
    )
    for log, stage in ((staged(100, 10_000), one), (staged(100, 20_500), two), (staged(20_100, 20_500, 20_000), two)):
        table, found = read_runs("log.csv", Files({"log.csv": log}), LIBRARY, ASKED)
        assert table is not None and stage_of(stages(), table).stage == stage.stage
        track = tracked(stage, table, Source("log.csv", log), LIBRARY, found)
        assert track.progress.done == pytest.approx(9.9e9 if stage is one else 0.4e9)
        assert track.ends["time"].value == pytest.approx(stage.tokens / 1e8, rel=0.02)
    own, _ = read_runs("log.csv", Files({"log.csv": staged(100, 500)}), LIBRARY, ASKED)
    assert own is not None
    assert tracked(two, own, Source("log.csv", staged(100, 500)), LIBRARY).progress.done == 0.4e9
    with pytest.raises(NoProgress, match="before stage `two` begins"):
        run("step,tokens,loss\n19000,19e9,2\n20000,20e9,2\n", two)
    assert frozen_of(text_of(replace(two, frozen="2026-11-28")).encode(), "f") == replace(two, frozen="2026-11-28")


@given(st.data())
def test_any_log_is_tracked_or_says_why_not(data: st.DataObject) -> None:
    """Rows of a log in any order, twice or not, with cells that are anything: no NaN is ever told."""
    rows = [line.split(",") for line in text("1e15-h256").splitlines()[1:]]
    chosen = [list(rows[i]) for i in data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=40))]
    for row in chosen if data.draw(st.booleans()) else sorted(chosen, key=lambda row: float(row[0])):
        if data.draw(st.integers(0, 3)) == 0:
            row[data.draw(st.integers(0, 4))] = data.draw(st.sampled_from(["", "nan", "x", "-1", "0", "1e30", "5"]))
    log = HEAD + "\n".join(map(",".join, chosen)) + "\n"
    table, found = read_runs("log.csv", Files({"log.csv": log}), LIBRARY, ASKED)
    if table is None:
        assert found
        return
    with suppress(NoProgress):
        track = tracked(EXPECTED["1e15-h256"], table, Source("log.csv", log), LIBRARY, found)
        told = {name: document(track)[name] for name in ("now", "forecast", "resumed", "pauses")}
        json.dumps(told, allow_nan=False)
