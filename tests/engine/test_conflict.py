"""Plans that cannot be kept: who takes part in the conflict, and that what is offered makes room."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Solution


def solution(text: str) -> Solution:
    reader = Buffer("x.plan", text.encode(), Disk(Path()))
    (found,) = report_of("x.plan", reader, catalogue=LIBRARY, intervals=False).solutions
    return found


def conflict(text: str) -> dict[str, str]:
    """What cannot hold together, each with the change that makes room."""
    found = solution(text)
    assert found.status == "infeasible"
    return {one.text: one.change for one in found.conflict}


def test_a_requirement_that_a_given_decides_is_kept_where_the_given_moves() -> None:
    """255B params would end the conflict, and break `params >= 467.9B` all the same."""
    told = conflict(
        "use laws kaplan.headline\nmodel: 1.371B\nrequire tokens / params <= 50\nrequire tokens >= 12740B\n"
        "require params >= 467.9B\n"
    )
    assert told["model: 1.371B"] == "model >= 467.9B"


def test_what_makes_room_counts_repeats() -> None:
    """Six passes over 20B tokens are worth less than 120B tokens, and take longer for the same loss."""
    text = "hardware: 16 x H100 for {} at 40% MFU\ndata: 20B tokens up to 8 epochs\nmodel: 3B\nrequire loss <= 2.245\n"
    (change,) = (change for what, change in conflict(text.format("2 days")).items() if what.startswith("time"))
    assert solution(text.format(change.removeprefix("time >= "))).status == "solved"


def test_the_figures_shown_beside_a_conflict_count_repeats() -> None:
    text = "compute: 1e22 FLOP\ndata: 20B tokens up to 8 epochs\nrequire loss <= 1.9\n"
    shown = solution(text)
    assert shown.status == "infeasible"
    assert shown.get("loss") == pytest.approx(solution(text.replace("require loss <= 1.9", "")).get("loss") or 0.0)
    assert (shown.get("effective_tokens") or 0.0) < 0.9 * (shown.get("tokens") or 0.0)


def test_a_size_that_is_no_part_of_a_conflict_is_left_out_of_it() -> None:
    """The default rate follows the size: with the size free the compute there is is no product of powers."""
    told = conflict("hardware: up to 155 x A100 for 48.7 days\nmodel: 245.3B\nrequire loss <= 1.952\n")
    assert set(told) == {"time: 48.7 days", "gpus: 155", "loss <= 1.952"}
