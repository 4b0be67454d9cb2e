"""Where what one plan chooses changes, and what is worth knowing for it: put into the text, and solved anew."""

from __future__ import annotations

import json
import math
from statistics import NormalDist

import pytest
from known import LIBRARY
from reports import ROOT, under

from runplan.cli.show.report import terminal
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import Look
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.decide.alone import Alone, Choice, choice_of, decided_alone
from runplan.engine.decide.candidates import outcome_of
from runplan.engine.decide.flips import Flip
from runplan.engine.documents.solve import document
from runplan.engine.pipeline import plan_at
from runplan.engine.problem import quantities as q

HARDWARE = "hardware: 1000 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\n"
ANY = HARDWARE + "require cost <= 2M USD\n"
WAYS = ANY + "require params == 50B or params == 70B\n"
GIVEN = ANY + "model: 13B\ntokens: 3T\n"
MANY = "hardware: ? x H100 for up to 60 days @ 2 USD/GPU/hour\nmodel: 13B\ntokens: 2T\nrequire time <= 30 days\n"


def alone(text: str) -> Alone:
    report = under(text)
    assert report.plan is not None
    found = decided_alone(report.plan, report.solutions[0])
    assert found is not None
    return found


def chosen(text: str) -> Choice | None:
    """What a plan chooses as it stands."""
    read = plan_at("a.plan", Buffer("a.plan", text.encode(), Disk(ROOT)), catalogue=LIBRARY)
    problem = next(read.problems()).settled()
    return choice_of(problem, outcome_of(problem))


def flips(found: Alone) -> dict[str, Flip]:
    return {f"{'below' if flip.below else 'above'} {flip.input.said}": flip for flip, _ in found.flips}


def told(text: str, flip: Flip, value: float) -> str:
    """A plan with another figure in the place of what a change is told of."""
    figure = flip.input.lever.written.text(value)
    by = {
        "mfu": ("40% MFU", f"{figure} MFU"),
        "cost <=": ("cost <= 2M USD", f"cost <= {figure}"),
        "gpus": ("1000 x", f"{figure} x"),
        "time": ("30 days", figure),
        "price": ("@ 2 USD/GPU/hour", f"@ {figure}"),
        "model": ("model: 13B", f"model: {figure}"),
        "tokens": ("tokens: 3T", f"tokens: {figure}"),
    }
    old, new = by[flip.input.said]
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize("text", [ANY, WAYS, GIVEN])
def test_each_change_is_what_the_plan_chooses_when_it_says_so(text: str) -> None:
    found = alone(text)
    assert found.now is not None and len(found.flips) > 3
    for flip, choice in found.flips:
        there = chosen(told(text, flip, flip.at))
        assert (there is None) == (choice is None)
        if there is not None and choice is not None:
            assert there.ways == choice.ways
            assert there.figures == pytest.approx(choice.figures, rel=1e-6)
        before = chosen(told(text, flip, flip.before))
        assert before is not None and before.ways == found.now.ways


def test_a_bound_flips_where_the_arithmetic_says() -> None:
    found = flips(alone(GIVEN))
    hours = 1000 * 720
    assert found["above price"].at * 3600 == pytest.approx(2e6 / hours, rel=2e-3)
    assert found["above time"].broken == found["above gpus"].broken == "cost <= 2M USD"
    # 6 N D in 30 days on 1000 devices of 989.4 TFLOP/s.
    needed = 6 * 13e9 * 3e12 / (1000 * 989.4e12 * 30 * 86400)
    assert found["below mfu"].at == pytest.approx(needed, rel=0.01)


def test_the_alternative_changes_where_both_are_as_good() -> None:
    flip, choice = next((f, c) for f, c in alone(WAYS).flips if f.input.said == "mfu" and f.below)
    assert choice is not None and choice.ways == ("params == 50B",)
    losses = [
        under(told(ANY, flip, value) + f"model: {size}\n").solutions[0]["loss"].value
        for value in (flip.at, flip.before)
        for size in ("50B", "70B")
    ]
    assert losses[0] < losses[1] and losses[2] > losses[3]


def test_a_size_is_another_choice_where_the_present_one_costs_a_hundredth_more_compute() -> None:
    text = "hardware: 1000 x H100 for 30 days at 40% MFU\n"
    found = alone(text)
    assert found.now is not None
    flip = flips(found)["below mfu"]
    size = found.now.figures[q.PARAMS]

    def dearer(rate: float) -> float:
        """The compute beyond that of the best size, as a share, that the present one needs for the same loss."""
        best = under(told(text, flip, rate)).solutions[0]
        own = under(f"model: {size:.12g} params\nrequire loss <= {best['loss'].value:.12g}\n").solutions[0]
        return own["compute"].value / best["compute"].value - 1.0

    assert dearer(flip.before) < 0.01 < dearer(flip.at)


def test_a_plan_that_cannot_be_done_is_told_where_it_can() -> None:
    found = alone(GIVEN.replace("3T", "15T"))
    assert found.now is None
    assert {"above mfu", "below model", "below tokens"} <= flips(found).keys()
    assert all(choice is not None for _, choice in found.flips)


def test_the_rate_is_worth_the_devices_that_are_bought_in_case_it_is_low() -> None:
    found = alone(MANY)
    known = found.knowing
    assert known is not None and known.choice is not None and found.measure is not None
    assert found.measure.name == q.GPUS
    solution = under(MANY).solutions[0]
    middle, spread = solution["mfu"].value, solution.problem.definitions[q.MFU].spread
    assert spread is not None
    needed = 6 * 13e9 * 2e12 / (989.4e12 * middle * 30 * 86400)
    chosen = found.candidates[known.choice].figures[q.GPUS]
    assert known.fates[known.choice].holds == pytest.approx(
        NormalDist().cdf(math.log(chosen / needed) / spread), abs=0.02
    )
    assert known.fates[known.choice].holds >= 0.9
    # Nothing else moves how long it takes.
    assert [worth.what for worth in known.each] == ["mfu"]
    assert 0 < known.each[0].gain <= known.everything.gain


def test_what_nothing_moves_is_not_worth_knowing() -> None:
    assert alone(GIVEN).knowing is None


def test_reports_tell_of_it() -> None:
    report = under(WAYS)
    shown = terminal.render(report, Look(details=True))
    assert "Where the choice changes: now params 70B" in shown and "choose params 50B" in shown
    told_ = json.loads(document_text(document(report, details=True)))["solutions"][0]["decision"]
    assert told_["choice"]["ways"] == ["params == 70B"]
    below = next(one for one in told_["flips"] if one["input"] == "mfu")
    assert below["side"] == "below" and below["choose"]["params"]["value"] == 50e9
    assert "decision" not in json.loads(document_text(document(report)))["solutions"][0]


@pytest.mark.parametrize("days", [1, 9, 19, 40, 400])
def test_a_date_is_told_to_the_day(days: int) -> None:
    hardware = f"hardware: 64 x H100 for {days + 0.3} days at 40% MFU from 2027-01-01\n"
    report = under(hardware + "compute: 1e19 FLOP .. 1e26 FLOP\nmodel: 7B\nrequire finish <= 2028-12-31\n")
    assert report.plan is not None
    found = decided_alone(report.plan, report.solutions[0])
    assert found is not None
    flip = flips(found)["below finish <="]
    assert flip.at <= report.solutions[0]["finish"].value <= flip.before == flip.at + 86400.0
