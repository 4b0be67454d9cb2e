"""Results of other plans by name: what they are, what rests on them, and what is said where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from known import LIBRARY

from runplan.cli.outcome import exit_code
from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

SMALL = "hardware: 64 x H100 for 10 days at 40% MFU @ 2 USD/GPU/hour\n"
BIG = """\
import "small.plan" as small
hardware: 1000 x H100 for up to 60 days at 40% MFU @ 2 USD/GPU/hour
data web: 10T tokens
require cost + small.cost <= 2M USD
"""
TUNED = """\
import "big.plan" as big
hardware: 64 x H100 for ? at 40% MFU @ 2 USD/GPU/hour
model: big.params
tokens: 20B
"""
PROGRAMME = """\
import "small.plan" as ablations
import "big.plan" as flagship
import "tuned.plan" as tuned
let total = ablations.cost + flagship.cost + tuned.cost
require total <= 2.1M USD because "the year's"
"""
PLANS = {"small.plan": SMALL, "big.plan": BIG, "tuned.plan": TUNED, "programme.plan": PROGRAMME}


def report(path: str, *settings: str, files: Mapping[str, str] = MappingProxyType({}), more: bool = False) -> Report:
    return report_of(path, Files({**PLANS, **files}), catalogue=LIBRARY, settings=settings, intervals=more)


def value(path: str, name: str, files: Mapping[str, str] = MappingProxyType({})) -> float:
    found = report(path, files=files)
    (solution,) = found.solutions
    assert solution.status == "solved", found.findings
    return solution[name].value


def errors(found: Report) -> list[tuple[str, str, int]]:
    return [(f.code, f.at.span.source.path, f.at.span.line) for f in found.findings if f.severity == "error"]


# ---- what they are


def test_a_budget_over_two_plans() -> None:
    ablations = 64 * 240 * 2
    assert value("big.plan", "small.cost") == pytest.approx(ablations)
    assert value("big.plan", "cost") == pytest.approx(2e6 - ablations)
    assert report("big.plan").solutions[0].binding[-1] == "cost + small.cost <= 2M USD"


def test_a_result_is_a_figure_too() -> None:
    assert value("tuned.plan", "params") == value("big.plan", "params")
    assert value(
        "a.plan", "tokens", files={"a.plan": 'import "big.plan" as big\nmodel: 7B\ntokens: big.tokens.web / 100\n'}
    ) == (pytest.approx(value("big.plan", "tokens.web") / 100))


def test_a_programme_has_no_run_of_its_own() -> None:
    found = report("programme.plan")
    (solution,) = found.solutions
    assert (solution.status, errors(found), exit_code(found.findings)) == ("solved", [], 0)
    costs = [value(f"{name}.plan", "cost") for name in ("small", "big", "tuned")]
    assert solution["total"].value == pytest.approx(sum(costs))
    assert found.assumptions == () and "params" not in solution
    results = found.to_dict()["solutions"][0]["results"]
    assert results["flagship.cost"] == {"value": pytest.approx(costs[1]), "unit": "USD", "plan": "big.plan"}


def test_a_programme_over_its_budget() -> None:
    found = report("programme.plan", "require=total <= 1M USD")
    assert errors(found) == [("B001", "--set", 1)] and exit_code(found.findings) == 1
    # A bound below is none of a budget.
    assert [code for code, _, _ in errors(report("programme.plan", "require=total >= 9M USD"))] == ["B002"]


def test_the_results_of_imports_of_imports() -> None:
    through = 'import "lib.plan" as l\nrequire l.spent <= 3M USD\n'
    lib = 'import "big.plan" as big\nimport "small.plan" as s\nlet spent = big.cost + s.cost\n'
    assert value("a.plan", "l.spent", files={"a.plan": through, "lib.plan": lib}) == pytest.approx(2e6)


def test_both_spellings() -> None:
    text = """\
import: big.plan as big
hardware: 64 x H100 for 1 month at 40% MFU
model: 7B
require: tokens <= big.tokens
"""
    found = report_of("a.plan.yaml", Files({**PLANS, "a.plan.yaml": text}), catalogue=LIBRARY, intervals=False)
    assert found.solutions[0].status == "solved" and found.solutions[0]["big.tokens"].value > 1e12


def test_each_plan_is_solved_once() -> None:
    solved: dict[str, Report] = {}
    report_of("programme.plan", Files(PLANS), catalogue=LIBRARY, intervals=False, solved=solved)
    assert set(solved) == {"small.plan", "big.plan", "tuned.plan"}


def test_what_is_not_named_is_not_solved() -> None:
    broken = "hardware: 64 x H100 for 10 days at 40% MFU @ 2 USD/GPU/hour\nrequire cost <= 1 USD\nlet most = 3M USD\n"
    text = 'import "b.plan" as b\nhardware: 8 x H100 for 10 days at 40% MFU @ 2 USD/GPU/hour\nrequire cost <= b.most\n'
    assert errors(report("a.plan", files={"a.plan": text, "b.plan": broken})) == []


def test_an_interval_and_where_it_is_from() -> None:
    rate = "hardware: 64 x H100 for ? @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 200B\n"
    text = 'import "rate.plan" as r\nimport "small.plan" as s\nlet total = r.cost + s.cost\nrequire total <= 1M USD\n'
    (solution,) = report("a.plan", files={"a.plan": text, "rate.plan": rate}, more=True).solutions
    own = report("rate.plan", files={"rate.plan": rate}, more=True).solutions[0]["cost"]
    there, total = solution["r.cost"], solution["total"]
    assert there.source == "rate.plan: cost under chinchilla.epoch" and there.span is not None and there.span.line == 1
    assert own.low is not None and own.high is not None
    assert there.low == pytest.approx(own.low, rel=0.02) and there.high == pytest.approx(own.high, rel=0.02)
    assert total.low == pytest.approx(own.low + 30720, rel=0.02) and total.high == pytest.approx(
        own.high + 30720, rel=0.02
    )


@pytest.mark.parametrize(("limit", "holds"), [(1.01, True), (0.99, False)])
def test_a_probability_over_plans(limit: float, holds: bool) -> None:
    """A result is drawn with the rest: nine in ten of its draws are below the end of its interval, in a check, too."""
    rate = "hardware: 64 x H100 for ? @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 200B\n"
    high = report("rate.plan", files={"rate.plan": rate}, more=True).solutions[0]["cost"].high
    assert high is not None
    most = f"{limit * (high + 30720):.0f} USD"
    text = f'import "rate.plan" as r\nimport "small.plan" as s\nrequire P(r.cost + s.cost <= {most}) >= 90%\n'
    found = report("a.plan", files={"a.plan": text, "rate.plan": rate})
    assert bool(errors(found)) is not holds


def test_results_of_one_plan_are_drawn_together() -> None:
    """What is paid is the price times the hours in every draw, whichever rate the devices turn out to have."""
    rate = "hardware: 64 x H100 for ? @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 200B\n"
    for sign, holds in (("<= 2.001", True), (">= 1.999", True), ("<= 1.99", False)):
        text = f'import "rate.plan" as r\nrequire P(r.cost / r.gpu_hours {sign} USD/GPU/hour) >= 99%\n'
        assert bool(errors(report("a.plan", files={"a.plan": text, "rate.plan": rate}))) is not holds


# ---- what is said where there are none

ASSUMED = "hardware: 64 x H100 for up to 90 days @ 2 USD/GPU/hour\nmodel: 7B\ntokens: {}\n"
TWO = {"one.plan": ASSUMED.format("500B"), "two.plan": ASSUMED.format("700B")}


def test_a_rate_that_two_plans_assume_is_drawn_once() -> None:
    files = {
        **TWO,
        "both.plan": 'import "one.plan" as one\nimport "two.plan" as two\nlet total = one.cost + two.cost\n'
        "let ratio = one.cost / two.cost\nrequire total <= 1M USD\n",
    }
    values = report("both.plan", files=files, more=True).solutions[0]
    one, two, total = (values[name] for name in ("one.cost", "two.cost", "total"))
    assert None not in (one.low, one.high, two.low, two.high, total.low, total.high)
    assert (total.low, total.high) == (
        pytest.approx(one.low + two.low, rel=2e-3),  # type: ignore[operator]
        pytest.approx(one.high + two.high, rel=2e-3),  # type: ignore[operator]
    )
    assert values["ratio"].value == pytest.approx(5 / 7, rel=1e-6) and values["ratio"].low is None


def test_a_rate_that_a_plan_and_its_import_assume_is_drawn_once() -> None:
    limit = "require one.cost + cost <= 130k USD\n"
    files = {**TWO, "own.plan": f'import "one.plan" as one\n{TWO["two.plan"]}{limit}'}
    (found,) = [f for f in report("own.plan", files=files).findings if f.code == "H011"]
    alone = report("alone.plan", files={"alone.plan": ASSUMED.format("1.2T") + "require cost <= 130k USD\n"})
    (same,) = [f for f in alone.findings if f.code == "H011"]
    assert found.data["share"] == pytest.approx(same.data["share"], abs=0.01)


def test_what_is_imported_may_miss_a_requirement_without_a_run() -> None:
    files = {**TWO, "all.plan": 'import "one.plan" as one\nrequire one.cost <= 55k USD\n'}
    for more in (False, True):
        (found,) = [f for f in report("all.plan", files=files, more=more).findings if f.code == "H011"]
        assert "`one.cost` is 52,891 USD" in found.message


ASKING = """\
import "b.plan" as b
hardware: 8 x H100 for 10 days at 40% MFU @ 2 USD/GPU/hour
require cost + b.cost <= 3M USD
"""


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (
            "hardware: 256 x H100 for 30 days at 45% MFU @ 2 USD/GPU/hour\nmodel: 70B\ntokens: 2T\n",
            "C003",
            "no solution",
        ),
        (SMALL + "require cost <= 1k USD\n", "B001", "does not hold"),
        (SMALL.replace("64 x H100 for 10 days", "? x H100 for ?"), "C002", "undecided"),
        (SMALL + "require loss <= 2\n", "B002", "no solution"),
        (SMALL + "tokens: 3 parsecs\n", "U002", "cannot be read"),
    ],
)
def test_a_plan_without_results_is_a_finding_at_the_import(text: str, code: str, said: str) -> None:
    found = report("a.plan", files={"a.plan": ASKING, "b.plan": text})
    assert errors(found) == [(code, "a.plan", 1)]
    (wrong,) = (f for f in found.findings if f.severity == "error")
    assert said in wrong.message and wrong.also[0].span.source.path == "b.plan"
    assert found.solutions == () and exit_code(found.findings) == 1


def test_what_cannot_be_read_is_told_where_it_stands_and_once() -> None:
    assert errors(report("a.plan", files={"a.plan": ASKING, "b.plan": "hardware: 64 x x H100\n"})) == [
        ("S001", "b.plan", 1)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ASKING.replace("b.cost", "b.cots"), ("N002", "a.plan", 3)),
        (ASKING.replace("b.cost", "c.cost"), ("N002", "a.plan", 3)),
        (ASKING.replace("b.plan", "a.plan"), ("N003", "a.plan", 1)),
        (ASKING.replace("b.plan", "../b.plan"), ("N004", "a.plan", 1)),
        (ASKING + 'import "small.plan" as b\n', ("N005", "a.plan", 4)),
        (ASKING.replace("cost + b.cost", "b.params"), ("U001", "a.plan", 3)),
    ],
)
def test_mistakes(text: str, expected: tuple[str, str, int]) -> None:
    assert errors(report("a.plan", files={"a.plan": text, "b.plan": SMALL})) == [expected]


def test_plans_that_import_each_other() -> None:
    one = 'import "b.plan" as b\n' + SMALL + "require cost + b.cost <= 1M USD\n"
    other = 'import "a.plan" as a\n' + SMALL + "require cost + a.cost <= 1M USD\n"
    assert [code for code, _, _ in errors(report("a.plan", files={"a.plan": one, "b.plan": other}))] == ["N003"]


def test_a_stage_and_a_plan_of_one_name() -> None:
    text = (
        'import "small.plan" as tune\n'
        + SMALL
        + "stage pre { tokens: 1T }\nstage tune { tokens: 1B }\nrequire tune.cost <= 1M USD\n"
    )
    assert ("N005", "a.plan", 1) in errors(report("a.plan", files={"a.plan": text}))


def test_a_figure_of_another_file_is_told_with_that_file() -> None:
    text = f"import caps.plan as caps\n{SMALL}require cost <= caps.cap\n"
    found_in = report("x.plan", files={"caps.plan": "\nlet cap = 1k USD\n", "x.plan": text})
    (found,) = [f for f in found_in.findings if f.code == "B001"]
    assert found.at.text == "1k USD from `caps.cap`, caps.plan:2"
