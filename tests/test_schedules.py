"""Every schedule of the standard library solves, its phases make up the run, and it raises no false alarm."""

from __future__ import annotations

from pathlib import Path

import pytest

from runplan.dsl.reader import Buffer, Disk
from runplan.engine.catalogue import standard
from runplan.engine.pipeline import report_of

NAMES = sorted({header.name for header in standard().index("schedule").values()})


@pytest.mark.parametrize("name", NAMES)
def test_a_schedule_makes_up_the_run(name: str) -> None:
    text = f"compute: 1e22 FLOP\nschedule: {name}\n"
    report = report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), intervals=False)
    (solution,) = report.solutions
    v = {key: value.value for key, value in solution.values.items()}
    phases = solution.problem.phases
    assert sum(v[f"phase.{phase}.tokens"] for phase in phases) == pytest.approx(v["tokens"], rel=1e-12)
    rates = [(v[f"phase.{p}.learning_rate.start"], v[f"phase.{p}.learning_rate.end"]) for p in phases]
    assert max(max(pair) for pair in rates) == pytest.approx(v["learning_rate"])
    assert rates[-1][1] < v["learning_rate"]
    assert not [f for f in report.findings if f.code == "T001"], "each of them lowers the rate at the end"


def test_the_steps_of_deepseek() -> None:
    """arXiv:2401.02954, section 2.3: 80, 10 and 10 % of the tokens at 100, 31.6 and 10 % of the peak."""
    shape = standard().schedule("multi-step")
    assert shape is not None
    assert [round(sum(p.share for p in shape.phases[:n]), 9) for n in (2, 3, 4)] == [0.8, 0.9, 1.0]
