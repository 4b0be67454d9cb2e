"""What is required at a rate that is assumed, and in how many draws it fails (H011)."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Solution

RUN = "model: 7B\ntokens: 1T\n"
TIMED = "hardware: 64 x H100 for ? @ 2 USD/GPU/hour\n" + RUN
DEVICES = "hardware: ? x H100 for 30 days @ 2 USD/GPU/hour\n" + RUN


def judged(text: str) -> tuple[Solution, list[Finding]]:
    report = report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False)
    return report.solutions[0], [f for f in report.findings if f.code == "H011"]


def value(found: Solution, name: str) -> float:
    at = found.get(name)
    assert at is not None
    return at


# What they come to at the rate that is assumed.
COST, DAYS = (value(judged(TIMED)[0], name) for name in ("cost", "time"))
DAYS /= 86400


def spread_of(found: Solution) -> float:
    (spread,) = {d.spread for name, d in found.problem.definitions.items() if name.text == "mfu"}
    assert spread is not None
    return spread


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.sampled_from((TIMED, DEVICES)), st.floats(0.7, 2.0))
def test_the_share_is_that_of_a_log_normal_rate(text: str, room: float) -> None:
    """Against draws of their own: what it costs goes with the rate, on whole devices."""
    middle, _ = judged(text)
    cost, by = value(middle, "cost"), spread_of(middle)
    limit = round(cost * room)
    found, warned = judged(text + f"require cost <= {limit} USD\n")
    if limit < cost:
        assert found.status == "infeasible" or warned == []
        return
    random, hours = Random(7), middle["compute"].value / middle["rate"].value / 3600
    whole = 720.0 if text is DEVICES else 0.0
    needed = (hours * math.exp(-by * random.gauss(0, 1)) for _ in range(20000))
    paid = (2 * (math.ceil(each / whole) * whole if whole else each) for each in needed)
    share = sum(each > limit for each in paid) / 20000
    if share > 0.115:
        assert [f.data["share"] for f in warned] == [pytest.approx(share, abs=0.015)]
    elif share < 0.085:
        assert warned == []


def test_what_it_says_was_tried() -> None:
    limit = round(1.15 * COST)
    required = f"require cost <= {limit} USD\n"
    _, (warned,) = judged(TIMED + required)
    assert warned.severity == "warning"
    assert f"of draws `cost` is above the {limit:,} USD that the plan allows: `mfu` is assumed to be" in warned.message
    rate, bound = warned.help
    (least,) = re.findall(r"an MFU of ([\d.]+) % or more", rate)
    for mfu, holds in ((float(least), True), (float(least) - 0.2, False)):
        found, none = judged(TIMED.replace("for ?", f"for ? at {mfu}% MFU") + required)
        assert none == []
        assert (value(found, "cost") <= limit) == holds
    (text,) = re.findall("`(.*)`", bound)
    assert judged(TIMED + f"require {text}\n")[1] == []


@pytest.mark.parametrize(
    "text",
    [
        TIMED + f"require cost <= {4 * COST:.0f} USD\n",
        TIMED.replace("for ?", "for ? at 42% MFU") + "require cost <= 57k USD\n",
        TIMED.replace("for ?", "for ? at 38% .. 50% MFU") + "require cost <= 65k USD\n",
        TIMED + "require tokens / params >= 100\n",
        "hardware: 1000 x H100 for 6 months @ 2.5 USD/GPU/hour\nrequire cost <= 10.8M USD; require tokens >= 1T\n",
        "hardware: 512 x A100 for 60 days @ 1 USD/GPU/hour\nmodel: 13B\ntokens: 1T\nrequire cost <= 738k USD\n",
    ],
)
def test_no_word_where_it_does_not_hang_on_what_is_assumed_or_seldom_fails(text: str) -> None:
    found, warned = judged(text)
    assert found.status == "solved"
    assert warned == []


def test_what_is_preferred_is_information() -> None:
    _, (told,) = judged(TIMED + f"prefer time <= {1.1 * DAYS:.2f} days\n")
    assert told.severity == "info"


def test_a_bound_from_below_fails_where_the_rate_is_higher() -> None:
    days = round(0.85 * DAYS, 2)
    found, (warned,) = judged(TIMED + f"require time >= {days} days\n")
    by = math.log(DAYS / days) / spread_of(found)
    assert warned.data["share"] == pytest.approx(0.5 * math.erfc(by / math.sqrt(2)), abs=0.002)
    assert f"`time` is below the {days:.4g} days" in warned.message


def test_a_date_may_be_missed() -> None:
    text = "hardware { gpus: 64; device: H100; time: ?; from: 2026-01-01 }\n" + RUN
    end = math.ceil(DAYS) + 3
    found, (warned,) = judged(text + f"require finish <= {date(2026, 1, 1) + timedelta(days=end)}\n")
    by = math.log(end / DAYS) / spread_of(found)
    assert warned.data["share"] == pytest.approx(0.5 * math.erfc(by / math.sqrt(2)), abs=0.01)


def test_what_is_broken_already_is_not_said_again() -> None:
    _, warned = judged(TIMED + f"require cost <= {0.9 * COST:.0f} USD\n")
    assert warned == []


def test_the_law_and_the_rate_together_decide_what_is_spent_on_a_loss() -> None:
    text = "hardware: ? x H100 for 30 days @ 2.5 USD/GPU/hour\nrequire loss <= 2.1\n"
    _, (warned,) = judged(text + f"require cost <= {1.1 * value(judged(text)[0], 'cost'):.0f} USD\n")
    assert 0.25 < float(warned.data["share"]) < 0.5


def test_a_loss_that_a_slower_run_does_not_reach() -> None:
    text = "hardware: 1000 x H100 for 6 months\nrequire loss <= {}\n"
    loss = value(judged("hardware: 1000 x H100 for 6 months\n")[0], "loss")
    _, (warned,) = judged(text.format(round(loss + 0.004, 4)))
    assert "of draws `loss` is above the" in warned.message


def test_hours_that_a_budget_pays_are_chosen_before_the_rate_is_known() -> None:
    """A run that is planned to the last dollar at the middle costs more where devices are slower, half of the time."""
    text = "hardware: 1000 x H100 for up to 6 months @ 2 USD/GPU/hour\nrequire cost <= 2M USD\n"
    _, (warned,) = judged(text)
    assert warned.data["share"] == pytest.approx(0.5, abs=1e-3)
