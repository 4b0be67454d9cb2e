"""The changes that would keep what a plan only prefers: each is enough, the nearest, and found in a few solves."""

from __future__ import annotations

import re

import pytest
from reports import under

from runplan.engine.report import Report
from runplan.engine.solve import margin, reach, room

PLAN = """
hardware: {{ gpus: 64; device: H100; time: {days} days; nodes_of: 8; mfu: 40%; price: 2.40 USD/GPU/hour }}
model: {model}B
data web:  3T tokens weight 70%
data code: 500B tokens weight 20%
data math: 80B tokens up to 4 epochs weight 10%
prefer {preference}
minimize loss
"""


def offered(report: Report) -> list[str]:
    """The changes that the finding of the broken preference offers."""
    (found,) = [one for one in report.findings if one.code == "B003"]
    return re.sub(r"^it fits with |, one at a time$", "", found.help[0]).split(", or ") if found.help else []


def solved(days: float, model: float, preference: str) -> Report:
    return under(PLAN.format(days=f"{days:g}", model=f"{model:g}", preference=preference))


def is_kept(report: Report) -> bool:
    return all(one.code != "B003" for one in report.findings)


def one_less(figure: str, sign: float) -> float:
    """A figure that is nearer by one in its last digit."""
    return float(figure) + sign * 10.0 ** -len(figure.partition(".")[2])


@pytest.mark.parametrize(
    ("days", "model", "preference"),
    [(60, 7.0, "epochs.math <= 3"), (66, 7.5, "epochs.math <= 3"), (60, 7.0, "cost <= 200k USD")],
)
def test_each_change_is_enough_and_none_less_is(days: int, model: float, preference: str) -> None:
    changes = dict(change.split(" ", 1) for change in offered(solved(days, model, preference)))
    time = changes["time"].split()[1]
    assert is_kept(solved(float(time), model, preference))
    assert not is_kept(solved(one_less(time, 1.0), model, preference))
    if "model" in changes:
        size = changes["model"].split()[1].removesuffix("B")
        assert is_kept(solved(days, float(size), preference))
        assert not is_kept(solved(days, one_less(size, -1.0), preference))


def test_a_change_takes_a_few_solves_and_what_changes_nothing_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    of = reach.reached

    def counted(problem):  # type: ignore[no-untyped-def]
        nonlocal count
        count += 1
        return of(problem)

    for module in (margin, room):
        monkeypatch.setattr(module, "reached", counted)
    changes = offered(solved(60, 7.0, "epochs.math <= 3"))
    assert [change.split()[0] for change in changes] == ["model", "gpus", "time", "data", "data", "data"]
    assert count <= 8 * len(changes)


def test_what_leaves_out_a_figure_is_kept_to_either_side() -> None:
    assert offered(solved(60, 7.0, "gpus != 64")) == ["gpus >= 72"] or offered(solved(60, 7.0, "gpus != 64")) == [
        "gpus >= 65"
    ]
