"""A job: what a command line says to rows, the same wherever and in whatever pieces they are worked on."""

from __future__ import annotations

import math
import pickle
from itertools import pairwise

import pytest
from known import LIBRARY

from runplan.dsl.expr.name import Name
from runplan.dsl.text.reader import Files
from runplan.engine.layout.fit import Look
from runplan.engine.pipeline import report_of
from runplan.engine.sweep.axes import CannotSweep, Spaced, axis_of
from runplan.engine.sweep.job import STATUSES, Columns, Job
from runplan.engine.sweep.make import job_of
from runplan.engine.sweep.solved import solved

PLAN = """\
import "prices.plan"
use laws chinchilla, llama3
hardware: 64 x H100 for 30 days at 40% MFU @ h100
data: 2T tokens
require cost <= 400k USD
require loss <= 2.07
"""
FILES = Files({"a.plan": PLAN, "prices.plan": "let h100 = 2 USD/GPU/hour\n"})
AXES = ("hardware.gpus=64..1024:log3", "data=40B tokens, 2T tokens")


def job(*axes: str, asked: tuple[str, ...] = (), where: str | None = None) -> Job:
    return job_of("a.plan", FILES, axes or AXES, catalogue=LIBRARY, asked=asked, where=where)


def name_of(text: str) -> Name:
    """A quantity of the run, or of a stage."""
    stage, _, quantity = text.rpartition(".")
    return Name(quantity).in_stage(stage) if stage else Name(quantity)


def rows(columns: Columns) -> list[tuple[object, ...]]:
    """The rows, their figures to the last bit."""
    return [
        (
            *(float.hex(float(figures[at])) for figures in columns.figures.values()),
            STATUSES[columns.status[at]],
            columns.reasons[columns.why[at]] if columns.why[at] >= 0 else "",
            bool(columns.kept[at]),
        )
        for at in range(len(columns))
    ]


def test_a_row_is_what_the_plan_comes_to_at_its_point_under_its_law() -> None:
    asked = job()
    found = solved(asked, 0, asked.size)
    assert len(found) == asked.size == 3 * 2 * 2
    seen = set()
    for row in range(asked.size):
        point, law = divmod(row, 2)
        report = report_of("a.plan", FILES, catalogue=LIBRARY, settings=asked.settings_at(point), intervals=False)
        solution, status = report.solutions[law], STATUSES[found.status[row]]
        seen.add(status)
        assert {"broken": "solved"}.get(status, status) == solution.status
        broken = {f.at.span.text for f in report.findings if f.code == "B001" and solution.law in f.laws}
        if status in ("solved", "broken"):
            assert (found.reasons[found.why[row]] if status == "broken" else "") == "".join(broken)
        if status == "infeasible":
            assert found.reasons[found.why[row]] == "; ".join(one.text for one in solution.conflict)
            assert all(math.isnan(figures[row]) for figures in found.figures.values())
            continue
        for name, figures in found.figures.items():
            value = solution.get(name)
            assert math.isnan(figures[row]) if value is None else figures[row] == value
    assert seen == {"solved", "broken", "infeasible", "undecided"}


LAID_OUT = {
    "a requirement that the givens decide": (
        "hardware: 8 x H100 for up to 900 days at 40% MFU\nmodel: llama-3-8b\ntokens: 10B\n"
        "require memory_per_gpu <= 60 GB\n",
        "hardware.gpus=1,8",
        ("solved", "broken"),
        "memory_per_gpu,tp,time",
    ),
    "devices that are open": (
        "let most = 80 GB\nhardware: ? x H100 for 900 days at 40% MFU\nmodel: 13B\ntokens: 260B\n"
        "require memory_per_gpu <= most\n",
        "model=1B,13B",
        ("solved",),
        "gpus,time",
    ),
    "a size that is open": (
        "hardware: 2 x H100 for 300 days at 40% MFU\nrequire memory_per_gpu <= 40 GB\n",
        "hardware.time=300 days",
        ("solved",),
        "params,tokens,loss",
    ),
    "a stage": (
        "data: 1T tokens\nmodel: 8B\nstage a { hardware: 64 x H100 for 9 days at 40% MFU }\n"
        "stage b { hardware: 8 x H100 for 9 days at 40% MFU; data: 2B tokens }\n",
        "stages.b.hardware.gpus=4,8",
        ("solved",),
        "b.memory_per_gpu,memory_per_gpu,tokens",
    ),
    "what serves it": (
        "hardware: 1024 x H100 for 60 days at 40% MFU\ninference: 2T tokens\nrequire serving_gpus <= 1\n",
        "hardware.gpus=8,1024",
        ("solved", "broken"),
        "params,serving_gpus",
    ),
    "the fewest devices": (
        "hardware: 64 x H100 for 60 days at 40% MFU\nmodel: llama-3-8b\n",
        "hardware.gpus=16,64",
        ("solved",),
        "fitting_gpus,layout_mfu",
    ),
    "devices whose memory nothing tells": (
        "hardware { gpus: 8; rate: 400 TFLOP/s; time: 60 days }\nmodel: 8B\nrequire memory_per_gpu <= 60 GB\n",
        "hardware.gpus=8",
        ("undecided",),
        "tokens",
    ),
}


@pytest.mark.parametrize(("text", "axis", "statuses", "asked"), LAID_OUT.values(), ids=LAID_OUT)
def test_what_hangs_on_the_layout_is_what_the_plan_comes_to(
    text: str, axis: str, statuses: tuple[str, ...], asked: str
) -> None:
    files = Files({"a.plan": text})
    one = job_of("a.plan", files, (axis,), catalogue=LIBRARY, asked=asked.split(","))
    found = solved(one, 0, one.size)
    quantities = LIBRARY.quantities()
    assert [each.dim for each in one.asked] == [quantities[name_of(each.text).text].counted.dim for each in one.asked]
    for row, status in enumerate(found.status):
        (solution,) = report_of(
            "a.plan", files, catalogue=LIBRARY, settings=one.settings_at(row), intervals=False, look=Look(fitting=True)
        ).solutions
        assert {name: figures[row] for name, figures in found.figures.items()} == {
            name: value.value for name in asked.split(",") if (value := solution.values.get(name_of(name)))
        }
        if STATUSES[status] == "broken":
            assert found.reasons[found.why[row]] == text.splitlines()[-1].removeprefix("require ")
    assert {STATUSES[status] for status in found.status} == set(statuses)


def test_what_cannot_be_read_at_a_point_is_refused_there_and_nowhere_else() -> None:
    found = solved(job("hardware.gpus=64,64.5"), 0, 4)
    assert [STATUSES[status] for status in found.status] == ["solved", "undecided", "refused", "refused"]
    assert found.reasons[found.why[2]] == "U004: `gpus` is `64.5`; it must be a whole number"
    assert all(math.isnan(figures[2]) for figures in found.figures.values())


def test_no_bit_of_a_row_hangs_on_the_piece_or_the_process_that_it_is_worked_on_in() -> None:
    asked = job()
    whole = rows(solved(asked, 0, asked.size))
    sent = pickle.loads(pickle.dumps(asked))
    assert sent == asked and sent.key == asked.key != job("hardware.gpus=64").key
    for pieces in ((0, 1, 4, 12), (0, 7, 8, 12)):
        found = [row for start, stop in pairwise(pieces) for row in rows(solved(sent, start, stop))]
        assert found == whole


def test_expressions_are_asked_and_points_are_chosen_by_them() -> None:
    found = solved(job(asked=("tokens / params", "cost"), where="cost <= 200k USD"), 0, 12)
    assert list(found.figures) == ["tokens / params", "cost"]
    assert [bool(kept) for kept in found.kept] == [cost <= 200e3 for cost in found.figures["cost"]]


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        ("tokens=1T,2T", ["1T", "2T"]),
        ("tokens=1T..2T:3", ["1000000000000", "1500000000000", "2000000000000"]),
        ("tokens=1T..16T:log3", ["1000000000000", "4000000000000", "16000000000000"]),
        ("hardware.time=1..3 months:3", ["1 months", "2 months", "3 months"]),
        ("hardware.mfu=30%..40%:3", ["30%", "35%", "40%"]),
        ("hardware.mfu=0.3..0.4:3", ["0.3", "0.35", "0.4"]),
        ("hardware.mfu=30%..40%", ["30%..40%"]),
        ("model=47B, 13B active; 7B", ["47B, 13B active", "7B"]),
    ],
)
def test_an_axis_is_a_list_or_a_range_with_its_ends(word: str, texts: list[str]) -> None:
    axis = axis_of(word)
    assert [axis.text(at) for at in range(len(axis))] == texts


def test_what_is_counted_is_whole_between_the_ends_of_a_range() -> None:
    (axis,) = job("hardware.gpus=256..4096:log4").axes
    assert [axis.text(at) for at in range(len(axis))] == ["256", "645", "1625", "4096"]
    assert isinstance(job("hardware.mfu=30%..50%:3").axes[0], Spaced)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tokens",), "write what is varied like"),
        (("tokens=",), "write what is varied like"),
        (("tokens=1T,,2T",), "a value is missing"),
        (("tokens=1T,1T",), "`1T` stands there twice"),
        (("tokens=1T..2T:1",), "2 to 10,000,000 figures"),
        (("tokens=1T..1T:3",), "both ends are"),
        (("hardware.mfu=120%..140%:3",), "more than 100 %"),
        (("tokens=1..2T:3",), "as in `1T..2T`"),
        (("hardware.time=1 day..3 months:3",), "both ends in one unit"),
        (("hardware.device=H100..A100:3",), "a range is of figures"),
        (("hardware.from=2026-01-01..2027-01-01:3",), "a range is of figures"),
        (("data=1T tokens", "data=2T tokens"), "`data` is varied twice"),
        (("hardware.gpus=8,16", "hardware.pool1.gpus=8,32"), "`hardware.pool1.gpus` is varied twice"),
        (("hardware.gpus=8,16", "hardware=8 x H100 for 9 days,8 x A100 for 9 days"), "in place of `hardware.gpus`"),
        (("hardware.gpu=8,16",), "did you mean `gpus`"),
    ],
)
def test_what_cannot_be_varied_is_said_with_what_helps(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CannotSweep, match=said):
        job(*words)
