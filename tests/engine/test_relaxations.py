"""Random plans that cannot be kept: the conflict is one, and each change that is offered makes room, and no less."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from infeasible import applied, plans
from known import LIBRARY

from runplan.dsl.text.fixes import edited
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.conflict import can_hold
from runplan.engine.solve.digits import NOTE
from runplan.engine.solve.knob import Knob
from runplan.engine.solve.knobs import members_of

FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


def judged(text: str) -> Solution:
    """What a plan is judged by: the solution, or that at the worst end of its ranges."""
    reader = Buffer("x.plan", text.encode(), Disk(Path()))
    report = report_of("x.plan", reader, catalogue=LIBRARY, intervals=False)
    assert report.solutions, (text, [finding.message for finding in report.findings])
    (solution,) = report.solutions
    return solution.worst or solution


@FEW
@given(plans())
def test_a_conflict_and_its_changes_are_true(text: str) -> None:
    solution = judged(text)
    if solution.status != "infeasible":
        return
    _is_minimal(solution)
    offered = 0
    for one in solution.conflict:
        for change in (one.change, *one.others) if one.change else ():
            assert judged(applied(text, change)).status != "infeasible", f"{change} makes no room"
            assert [edited(fix.edits[0].span.source, [fix]) for fix in change.fixes] == [applied(text, change)]
            offered += 1
    assert offered or len(solution.conflicts) > 1 or len(solution.conflict) == 1, "there is room somewhere"
    _are_tight(text, solution)


def _is_minimal(solution: Solution) -> None:
    """The members cannot hold together, and without any one of them the others can."""
    problem = solution.problem
    members = {member.text: member for member in members_of(problem)}
    assert solution.conflict
    assert all(one.span is not None for one in solution.conflict)
    taking_part = [members[one.text] for one in solution.conflict]
    rest = [member for member in members.values() if member not in taking_part]
    assert not can_hold(problem, rest), "it is a conflict by itself"
    for member in taking_part:
        assert can_hold(problem, [*rest, member]), f"without {member.text} the others hold"


def _are_tight(text: str, solution: Solution) -> None:
    """One of the last digit less makes no room, but what the digits of the figures leave open."""
    members = {member.text: member for member in members_of(solution.problem)}
    for one in solution.conflict:
        if one.value is not None:
            knob = members[one.text].knobs[0]
            less = _a_digit_less(knob, one.value)
            if less is not None:
                tried = judged(applied(text, knob.change(less)))
                eased = any(value.note == NOTE for value in tried.values.values())
                assert tried.status != "solved" or eased, (one.change, less)


def _a_digit_less(knob: Knob, value: float) -> float | None:
    """The figure of four digits before one, nearer to what the plan says; None where there is none between."""
    up = value > knob.now
    step = knob.written.step or 3e-5 * value
    less = knob.written.rounded(value - step if up else value + step, up)
    between = knob.now < less < value if up else value < less < knob.now
    return less if between else None


@pytest.mark.parametrize(
    ("limits", "blamed"),
    [
        (("loss <= 1.9", "loss >= 2.1"), {"loss <= 1.9", "loss >= 2.1"}),
        (("perplexity <= 7.4", "loss * 2 >= 4.2"), {"perplexity <= 7.4", "loss * 2 >= 4.2"}),
        (("loss <= 2.3", "loss >= 2.4", "params <= 9B"), {"loss <= 2.3", "loss >= 2.4"}),
        (("cost <= 300k USD", "gpu_hours >= 200k GPU-hours"), {"cost <= 300k USD", "gpu_hours >= 200k GPU-hours"}),
    ],
)
def test_limits_on_one_thing_blame_nothing_else(limits: tuple[str, ...], blamed: set[str]) -> None:
    text = "hardware: up to 2048 x H100 for up to 90 days at 40% MFU @ 2 USD/GPU/hour\n"
    solution = judged(text + "".join(f"require {limit}\n" for limit in limits))
    assert solution.status == "infeasible"
    assert {one.text for one in solution.conflict} == blamed
