"""Points that are solved on arrays are what the solver of single plans makes of each."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from operator import add, eq, lt, mul, sub, truediv
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, Op, Ref
from runplan.dsl.text.reader import Files
from runplan.engine.sweep.handles import Guard, Handle, Opaque, Unlike, differences, named
from runplan.engine.sweep.job import STATUSES, Job, Row
from runplan.engine.sweep.make import job_of
from runplan.engine.sweep.point import Solver
from runplan.engine.sweep.prepared import boxes_of
from runplan.engine.sweep.rows import varied
from runplan.engine.sweep.solved import solved

# Figures of arrays and of single plans agree to this share: both are solved to rounding.
RTOL = 1e-11
PLANS = {
    "compute": "use laws chinchilla, llama3, kaplan.joint, chinchilla.approach2\ncompute: 1e23 FLOP\n",
    "hardware": """\
use laws chinchilla, llama3
hardware: 512 x H100 for 30 days at 40% MFU @ 2.50 USD/GPU/hour
data: 900B tokens
require cost <= 900k USD
""",
    "a requirement that binds": """\
hardware: 512 x H100 for 30 days at 40% MFU
data: 20T tokens
require tokens / params >= 60
require params >= 8B
minimize loss
""",
    "a size": "hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\ndata: 400B tokens\n",
    "size and tokens": "hardware: 64 x H100 for 90 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 400B\n",
    "repeats": "hardware: 64 x H100 for 30 days at 40% MFU\ndata: 200B tokens up to 4 epochs\n",
    "a law of repeats": """\
use laws muennighoff
hardware: 64 x H100 for 30 days at 40% MFU
data: 2T tokens up to 4 epochs
""",
    "sources": """\
hardware: 64 x H100 for 30 days at 40% MFU
data web: 2T tokens
data code: 100B tokens up to 4 epochs
""",
    "pools": """\
hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour + 64 x A100 for 20 days at 45% MFU @ 1 USD/GPU/hour
data: 20T tokens
""",
    "whole devices": "hardware: ? x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 400B\n",
    "whole nodes": """\
hardware: ? x H100 for 30 days in nodes of 8 at 40% MFU @ 2 USD/GPU/hour
data: 4T tokens
require loss <= 2.1
minimize cost
""",
    "devices and time": """\
hardware: ? x H100 for up to 30 days at 40% MFU @ 2 USD/GPU/hour
data: 4T tokens
require loss <= 2.1
""",
    "stages": """\
hardware: 64 x H100 for 60 days at 40% MFU
model: 8B
stage pretrain { data web: 1T tokens; tokens: 300B }
stage anneal { data clean: 50B tokens; tokens: 30B }
""",
    "a loss that may be too low": """\
hardware: 512 x H100 for 30 days at 40% MFU
data: 900B tokens
require loss <= 2.0
minimize loss
""",
    "three powers": "use laws abnar\nhardware: 64 x H100 for 30 days at 40% MFU\nrequire params >= 10B\n",
    "a let": """\
let days = 30 days
hardware: 64 x H100 for days at 40% MFU @ 2 USD/GPU/hour
data: 20T tokens
require cost <= 200k USD
""",
}
# Of each plan, axes whose values are varied, and whether all of its points are solved on arrays.
CASES = [
    ("compute", ("compute={a}e21..{b}e24 FLOP:log60",), True),
    ("hardware", ("hardware.gpus=64..4096:log8", "hardware.time={a}..{b}0 days:8"), True),
    (
        "hardware",
        ("hardware.mfu=2{a}%..4{b}%:7", "hardware.price=1..{b} USD/GPU/hour:7", "data=80B..900B tokens:5"),
        True,
    ),
    ("hardware", ("hardware.device=H100,A100", "hardware.gpus=64..4096:log60"), True),
    (
        "a requirement that binds",
        ("hardware.time={a}0..{b}00 days:60", "require[1]=params >= 1B,params >= 40B"),
        False,
    ),
    ("a size", ("model={a}B..{b}0B:log9", "hardware.gpus=8..512:log9"), True),
    ("size and tokens", ("model={a}B..{b}B:8", "tokens={a}0B..{b}00B:8"), False),
    ("repeats", ("data={a}0B..{b}00B tokens:9", "hardware.gpus=8..512:log9"), True),
    ("a law of repeats", ("data={a}0B..{b}00B tokens:9", "hardware.gpus=8..64:log9"), False),
    ("sources", ("data.web={a}0B..{b}00B tokens:9", "data.code={a}B..{b}0B tokens:9"), False),
    ("pools", ("hardware.pool1.gpus=8..512:log9", "hardware.pool2.mfu=2{a}%..4{b}%:9"), True),
    ("whole devices", ("hardware.time={a}..{b}0 days:60",), True),
    ("whole nodes", ("hardware.time={a}0..{b}0 days:8", "hardware.mfu=2{a}%..4{b}%:8"), True),
    ("devices and time", ("hardware.mfu=2{a}%..4{b}%:8", "hardware.price={a}..{b} USD/GPU/hour:8"), False),
    ("stages", ("stages.anneal.tokens={a}B..{b}0B:9", "hardware.gpus=64..512:log9"), False),
    ("a loss that may be too low", ("hardware.gpus=64..4096:log8", "data={a}0B..{b}00B tokens:8"), False),
    ("three powers", ("hardware.time={a}..{b}0 days:9", "hardware.gpus=8..512:log9"), True),
    ("a let", ("days={a}..{b}0 days:9", "hardware.gpus=8..512:log9"), True),
]


def job(plan: str, axes: tuple[str, ...]) -> Job:
    return job_of("a.plan", Files({"a.plan": PLANS[plan]}), axes, catalogue=LIBRARY)


@pytest.mark.parametrize(("plan", "axes", "whole"), CASES, ids=lambda value: value if isinstance(value, str) else "")
@settings(max_examples=1, deadline=None)
@given(st.integers(1, 4), st.integers(5, 9), st.data())
def test_a_row_on_arrays_is_the_row_of_its_point(
    plan: str, axes: tuple[str, ...], whole: bool, a: int, b: int, data: st.DataObject
) -> None:
    asked = job(plan, tuple(axis.format(a=a, b=b) for axis in axes))
    solver, laws = Solver.of(asked), len(asked.laws)
    number = data.draw(st.integers(0, asked.size // laws - 1))
    found = solved(asked, number * laws, (number + 1) * laws)
    for law, row in enumerate(solver.rows(number)):
        assert STATUSES[found.status[law]] == row.status
        assert (found.reasons[found.why[law]] if found.why[law] >= 0 else "") == row.reason
        assert bool(found.kept[law]) == row.kept
        figures = row.figures or (math.nan,) * len(asked.asked)
        for text, figure in zip(found.figures, figures, strict=True):
            on_arrays = float(found.figures[text][law])
            assert math.isnan(on_arrays) if math.isnan(figure) else on_arrays == pytest.approx(figure, rel=RTOL)


@pytest.mark.parametrize(("plan", "axes"), [case[:2] for case in CASES if case[2]])
def test_what_can_be_solved_on_arrays_is(plan: str, axes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = job(plan, tuple(axis.format(a=2, b=6) for axis in axes))

    def single(solver: Solver, point: int) -> None:
        raise AssertionError(f"point {point} is solved by itself")

    assert boxes_of(Solver.of(asked))
    monkeypatch.setattr(Solver, "rows", single)
    assert len(solved(asked, 0, asked.size)) == asked.size


@pytest.mark.parametrize(("plan", "axes"), [case[:2] for case in CASES if case[2]])
def test_products_of_powers_are_what_newtons_method_finds(
    plan: str, axes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = job(plan, tuple(axis.format(a=2, b=6) for axis in axes))
    found = solved(asked, 0, asked.size)
    monkeypatch.setattr("runplan.engine.sweep.solved._prepared", {})
    monkeypatch.setattr("runplan.engine.sweep.known.straight", lambda *_: None)
    curved = solved(asked, 0, asked.size)
    assert found.status.tolist() == curved.status.tolist()
    for text, figures in found.figures.items():
        np.testing.assert_allclose(figures, curved.figures[text], rtol=RTOL)


def test_no_bit_hangs_on_the_piece_that_a_row_is_asked_for_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runplan.engine.sweep.blocks.MOST", 20)
    asked = job("hardware", ("hardware.gpus=64..4096:log9", "hardware.time=10..90 days:9"))
    whole = solved(asked, 0, asked.size)
    for pieces in ((0, 1, 41, 100, asked.size), (0, 39, 40, 80, asked.size)):
        parts = [solved(asked, start, stop) for start, stop in pairwise(pieces)]
        for text, figures in whole.figures.items():
            assert b"".join(part.figures[text].tobytes() for part in parts) == figures.tobytes()
        assert [status for part in parts for status in part.status] == list(whole.status)


def test_what_cannot_hold_together_is_told_on_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = job("a loss that may be too low", ("hardware.gpus=8..2048:log8", "data=20B..200B tokens:8"))
    solver = Solver.of(asked)
    every = [row for point in range(asked.size) for row in solver.rows(point)]
    alone: list[int] = []

    def single(solver: Solver, point: int) -> list[Row]:
        alone.append(point)
        return [every[point]]

    monkeypatch.setattr(Solver, "rows", single)
    found = solved(asked, 0, asked.size)
    assert [STATUSES[status] for status in found.status] == [row.status for row in every]
    assert sum(row.status == "infeasible" for row in every) > 0.7 * len(every)
    reasons = [found.reasons[why] if why >= 0 else "" for why in found.why]
    # Where several things are at odds, each is one that is.
    assert sum(told == row.reason for told, row in zip(reasons, every, strict=True)) >= 0.6 * len(every)
    assert len(alone) <= 0.3 * len(every)


def test_a_long_list_of_whole_numbers_is_solved_on_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = job("hardware", ("hardware.gpus=64..1000:900",))
    wanted = {point: tuple(Solver.of(asked).rows(point)) for point in (0, 417, 899)}

    def single(solver: Solver, point: int) -> None:
        raise AssertionError(f"point {point} is solved by itself")

    monkeypatch.setattr(Solver, "rows", single)
    found = solved(asked, 0, asked.size)
    for point, rows in wanted.items():
        for law, row in enumerate(rows):
            at = point * len(rows) + law
            assert [figures[at] for figures in found.figures.values()] == pytest.approx(
                list(row.figures), rel=RTOL, nan_ok=True
            )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.integers(1, 40))
def test_what_is_varied_is_told_of_rows_in_a_row_as_of_any(start: int, count: int) -> None:
    axes = ("hardware.device=H100,A100", "hardware.gpus=8,16,32", "data=1T..2T tokens:3")
    asked = job("hardware", axes)
    numbers = np.arange(start, min(start + count, asked.size), dtype=np.int64)
    in_a_row, any_order = varied(asked, numbers), varied(asked, np.append(numbers, 0))
    for one, other in zip(in_a_row, any_order, strict=True):
        assert (one.path, one.unit, one.values.tolist()) == (other.path, other.unit, other.values.tolist()[:-1])
    place = numbers // len(asked.laws)
    assert in_a_row[1].values.tolist() == [(8.0, 16.0, 32.0)[at // 3 % 3] for at in place.tolist()]


def test_a_date_is_no_figure() -> None:
    asked = job("hardware", ("hardware.from=2026-01-01,2027-01-01", "hardware.gpus=8,16"))
    dates, devices, _ = varied(asked, np.arange(0, 8, 2, dtype=np.int64))
    assert (dates.unit, dates.values.tolist()) == ("", ["2026-01-01", "2026-01-01", "2027-01-01", "2027-01-01"])
    assert devices.values.tolist() == [8.0, 16.0, 8.0, 16.0]


def test_a_chunk_ends_where_a_block_does() -> None:
    asked = job("hardware", ("hardware.gpus=64..4096:log100", "hardware.time=10..90 days:1000"))
    ends, at = [], 0
    while at < asked.size:
        at = asked.cut(at, min(at + 50_000, asked.size))
        ends.append(at)
    starts = {asked.blocks.at(point).start * len(asked.laws) for point in range(0, asked.size // len(asked.laws), 1000)}
    assert starts <= {0, *ends} and ends[-1] == asked.size


# ---- handles


def handle(name: str, value: float, guards: list[Guard]) -> Any:
    return Handle(0, Name(name, "varied"), value, guards)


def test_what_a_figure_is_compared_with_is_a_guard() -> None:
    guards: list[Guard] = []
    one = handle("x", 2.0, guards)
    assert (one < 3.0, one == 1, one == one) == (True, False, True)
    assert [(guard.outcome, guard.holds(5.0)) for guard in guards] == [(True, False), (False, False)]


@pytest.mark.parametrize("use", [float, int, bool, abs, round, math.floor, math.exp, math.log])
def test_what_is_done_with_a_figure_is_seen(use: Callable[[Any], object]) -> None:
    with pytest.raises(Opaque):
        use(handle("x", 2.0, []))


@pytest.mark.parametrize("use", [add, sub, mul, truediv, pow, lt, eq])
def test_what_is_done_with_two_figures_is_seen(use: Callable[[Any, Any], object]) -> None:
    one, other = handle("x", 2.0, []), handle("y", 3.0, [])
    with pytest.raises(Opaque):
        use(one, other)
    for sides in ((one, 2.0), (2.0, one)) if use not in (lt, eq) else ():
        with pytest.raises(Opaque):
            use(*sides)


def test_a_handle_becomes_a_name_and_all_else_stays_itself() -> None:
    one = handle("x", 2.0, [])
    kept = Op("+", (Num(1.0), Num(3.0)))
    expr = Op("*", (Num(one), kept))
    found = named(expr, {})
    assert found == Op("*", (Ref(one.name), kept)) and found.args[1] is kept


def test_values_that_differ_by_more_than_figures_are_unlike() -> None:
    assert differences((1.0, Num(2.0)), (1.0, Num(3.0))) == {(1, "value"): 3.0}
    with pytest.raises(Unlike):
        differences((1.0, "a"), (1.0, "b"))
