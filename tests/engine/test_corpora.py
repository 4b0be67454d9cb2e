"""What laws of other corpora would choose, beside a plan that rests on the optimum of one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.laws.totals import in_totals
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

SAID = re.compile(
    r"At (\S+) FLOP it is (\S+) tokens a param\. (\d+) laws fitted on other corpora choose "
    r"(\S+) \(`(\S+)`\) to (\S+) \(`(\S+)`\)"
)


def report(text: str, intervals: bool = True) -> Report:
    return report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=intervals)


def said(text: str) -> re.Match[str] | None:
    found = [match for note in report(text).notes if (match := SAID.match(note.text))]
    assert len(found) < 2
    return found[0] if found else None


def ratio(law: str, compute: float) -> float:
    known = LIBRARY.law(law)
    assert known is not None
    out = in_totals(known, {"compute": compute}, catalogue=LIBRARY).outputs
    return out["tokens"].value / out["params"].value


@pytest.mark.parametrize("compute", ["1e20", "1e21", "1e22"])
def test_the_ends_are_the_optima_of_laws_at_the_plans_compute(compute: str) -> None:
    found = said(f"compute: {compute} FLOP\n")
    assert found is not None
    assert float(found[2]) == pytest.approx(ratio("chinchilla", float(compute)), rel=0.01)
    assert int(found[3]) >= 5
    low, high = float(found[4]), float(found[6])
    assert low < 8
    assert found[7] == "minicpm" and high == pytest.approx(ratio("minicpm", float(compute)), rel=0.01)


def test_the_corpus_of_the_plans_own_law_is_not_another() -> None:
    found = said("use laws minicpm\ncompute: 1e21 FLOP\n")
    assert found is not None
    assert "minicpm" not in (found[5], found[7])


@pytest.mark.parametrize(
    "text",
    [
        "model: 7B\ntokens: 140B\n",  # the plan chooses both
        "compute: 1e21 FLOP\nmodel: 7B\n",
        "compute: 1e21 FLOP\nrequire tokens / params >= 60\n",  # it does not rest on the optimum
        "use laws chinchilla, llama3\ncompute: 1e21 FLOP\n",  # it does not rest on one law
        "compute: 1e21 FLOP\nobjective: CLM of protein\n",  # no other law is for it
        "model: 47B, 13B active\ntokens: 260B\n",  # a mixture of experts
    ],
)
def test_a_plan_that_does_not_rest_on_the_optimum_of_one_law_is_told_nothing(text: str) -> None:
    assert said(text) is None


def test_a_check_does_not_look_for_them() -> None:
    assert not any(SAID.match(note.text) for note in report("compute: 1e21 FLOP\n", intervals=False).notes)


def test_laws_are_not_drawn_out_without_end() -> None:
    near, far = said("compute: 1e22 FLOP\n"), said("compute: 6e24 FLOP\n")
    assert near is not None and far is not None
    assert int(far[3]) < int(near[3])
