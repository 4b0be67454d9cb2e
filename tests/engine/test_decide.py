"""What to choose of several plans, where that changes, and what is worth knowing: held to arithmetic, solved anew."""

from __future__ import annotations

import math
from random import Random
from statistics import NormalDist
from typing import Any

import pytest
from reports import compared, under

from runplan.cli.show.comparison import csv, markdown, terminal
from runplan.cli.show.text.decisions import where
from runplan.dsl.units.base import FLOP
from runplan.engine.comparison.compare import Comparison, compared_plans
from runplan.engine.decide.candidates import Measure
from runplan.engine.decide.flips import Flip
from runplan.engine.decide.knowing import About, Knowing, Row
from runplan.engine.documents.compare import document
from runplan.engine.problem import quantities as q

HARDWARE = "hardware: 1024 x H100 for 60 days at 40% MFU @ 2 USD/GPU/hour\n"
BIG = HARDWARE + "model: 70B\ntokens: 1.4T\nrequire time <= 50 days\n"
SMALL = BIG.replace("70B", "13B").replace("1.4T", "2T")
MANY = "hardware: ? x H100 for 60 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 2T\n"
CHEAP = MANY.replace("H100", "A100").replace("40%", "50%").replace("@ 2", "@ 1")
DAY = 86400.0


def plans(**texts: str) -> Comparison:
    return compared_plans([(name, under(text, name=f"{name}.plan")) for name, text in texts.items()])


def flips(comparison: Comparison) -> dict[str, Flip]:
    assert comparison.decision is not None
    names = [column.name for column in comparison.columns]
    out = {}
    for flip in comparison.decision.flips:
        of = "" if flip.input.of is None else f" of {names[flip.input.of]}"
        out[f"{'below' if flip.below else 'above'} {flip.input.said}{of}"] = flip
    return out


# ---- where the choice changes


def test_below_a_rate_another_plan_is_chosen() -> None:
    comparison = plans(big=BIG, small=SMALL)
    decision = comparison.decision
    assert decision is not None and decision.measure is not None
    assert (decision.measure.name, decision.choice) == (q.LOSS, 0)
    found = flips(comparison)
    # 6 N D in 50 days on 1024 devices of 989.4 TFLOP/s.
    needed = 6 * 70e9 * 1.4e12 / (1024 * 989.4e12 * 50 * DAY)
    flip = found["below mfu"]
    assert flip.at < needed < flip.before
    assert (flip.choose, flip.broken) == (1, "time <= 50 days")
    assert flip.at == pytest.approx(needed, rel=0.01)
    # The time that it takes is no choice of the plan's: a tighter bound breaks it.
    days = 6 * 70e9 * 1.4e12 / (1024 * 989.4e12 * 0.4) / DAY
    assert found["below time <="].at / DAY == pytest.approx(days, rel=0.01)


def test_a_price_at_which_the_other_devices_are_cheaper() -> None:
    comparison = plans(h=MANY, a=CHEAP)
    assert comparison.decision is not None and comparison.decision.measure is not None
    assert comparison.decision.measure.name == q.COST
    found = flips(comparison)
    for key, flip in found.items():
        if key.endswith(("of h", "of a")):
            assert flip.choose != comparison.decision.choice
    assert {"price of h", "price of a", "mfu of h", "mfu of a"} <= {key.partition(" ")[2] for key in found}


def told(text: str, flip: Flip, value: float) -> str:
    """A plan with another figure in the place of what a change is told of."""
    figure = flip.input.lever.written.text(value)
    by = {"mfu": ("40% MFU", f"{figure} MFU"), "time <=": ("50 days", figure), "gpus": ("1024 x", f"{figure} x")}
    old, new = by[flip.input.said]
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize("said", ["mfu", "time <=", "gpus"])
def test_each_change_is_what_the_plans_say_when_they_are_changed(said: str) -> None:
    comparison = plans(big=BIG, small=SMALL)
    (flip,) = [flip for key, flip in flips(comparison).items() if key == f"below {said}"]
    for value, chosen in ((flip.at, flip.choose), (flip.before, 0)):
        anew = plans(big=told(BIG, flip, value), small=told(SMALL, flip, value)).decision
        assert anew is not None and anew.choice == chosen
    # Of devices one says up to how many nothing changes: below that something does.
    edge = flip.before if said == "gpus" else flip.at
    assert where(flip).startswith(f"below {flip.input.lever.written.text(edge)} ")


def test_plans_that_cannot_be_told_apart_have_no_decision() -> None:
    assert plans(one=BIG, same=BIG).decision is None
    assert plans(one=BIG, open="hardware: ? x H100 for ? at 40% MFU\nmodel: 7B\ntokens: 2T\n").decision is None


def test_where_no_plan_holds_none_is_chosen_until_one_does() -> None:
    tight = "require time <= 4 days\n"
    comparison = plans(
        big=BIG.replace("require time <= 50 days\n", tight), small=SMALL.replace("require time <= 50 days\n", tight)
    )
    decision = comparison.decision
    assert decision is not None and decision.choice is None
    assert flips(comparison)["above time <="].choose == 1


def test_laws_change_the_least_worst_choice_where_it_is_solved_on_both_sides() -> None:
    laws = ("chinchilla", "llama3", "chinchilla.approach3")
    comparison = compared("compute: 1e22 FLOP\n", *laws)
    decision = comparison.decision
    assert decision is not None and decision.choice == comparison.least_worst
    (flip,) = decision.flips
    assert flip.below and flip.input.said == "compute"
    for value, chosen in ((flip.at, flip.choose), (flip.before, decision.choice)):
        text = f"compute: {flip.input.lever.written.text(value)}\n"
        assert compared(text, *laws).least_worst == chosen
    assert "choose `chinchilla`" in terminal.render(comparison)


# ---- what is uncertain


def test_how_often_a_plan_holds_is_how_often_its_rate_is_enough() -> None:
    assumed = [text.replace(" at 40% MFU", "") for text in (BIG, SMALL)]
    comparison = plans(big=assumed[0], small=assumed[1])
    known = comparison.decision.knowing if comparison.decision else None
    assert known is not None
    mfu = comparison.columns[0].solution.problem.definitions[q.MFU]
    middle, spread = comparison.columns[0].solution["mfu"].value, mfu.spread
    assert spread is not None
    needed = 6 * 70e9 * 1.4e12 / (1024 * 989.4e12 * 50 * DAY)
    assert known.fates[0].holds == pytest.approx(NormalDist().cdf(math.log(middle / needed) / spread), abs=0.01)
    assert known.fates[1].holds == 1.0
    assert [worth.what for worth in known.each] == ["mfu"]
    assert known.each[0].saves <= 1.0 - known.fates[0].holds + 1e-12


def known_case(count: int = 1000) -> Knowing:
    """One plan that costs 0, and one that costs what is drawn between -1 and 1; and something that does not matter."""
    drawn = [-1.0 + 2.0 * (i + 0.5) / count for i in range(count)]
    other = Random(1).sample(drawn, count)
    rows: tuple[Row, ...] = tuple((0.0, x + 0.01) for x in drawn)
    return Knowing(Measure(q.COMPUTE, FLOP), rows, (About("x", False, tuple(drawn)), About("y", False, tuple(other))))


def test_what_is_worth_knowing_is_what_choosing_after_it_gains() -> None:
    known = known_case()
    assert known.choice == 0
    # The mean of what is below nothing, of a figure that is uniform between -0.99 and 1.01.
    exact = 0.99**2 / 4
    assert known.everything.gain == pytest.approx(exact, rel=1e-3)
    assert known.everything.changes == pytest.approx(0.495, abs=1e-3)
    (worth,) = known.each
    assert worth.what == "x"
    assert worth.gain == pytest.approx(exact, rel=0.02)


def test_a_choice_that_fails_too_often_is_none() -> None:
    rows: tuple[Row, ...] = tuple((None if i < 30 else 0.0, 1.0) for i in range(100))
    known = Knowing(Measure(q.COMPUTE, FLOP), rows, (About("x", False, tuple(map(float, range(100)))),))
    assert known.choice == 1
    assert [fate.holds for fate in known.fates] == [0.7, 1.0]
    assert known.fates[1].regret == pytest.approx(0.7)
    (worth,) = known.each
    assert worth.gain == pytest.approx(0.7) and worth.saves == 0.0


def test_knowing_which_law_is_right_is_what_the_best_compromise_costs() -> None:
    comparison = compared("compute: 1e23 FLOP\n", "chinchilla", "kaplan.joint")
    regrets = [[v.regret for v in said if v] for said in comparison.verdicts]
    assert comparison.knowing_law == pytest.approx(min(sum(said) for said in regrets) / 2, abs=1e-6)
    # A size that is told leaves no choice, and so nothing that knowing could change.
    pinned = compared("compute: 1e21 FLOP\nmodel: 1B\ntokens: 10B\n", "chinchilla", "chinchilla.approach3")
    assert pinned.knowing_law == pytest.approx(0.0, abs=1e-9)


def test_plans_under_several_laws_regret_what_each_law_says_of_the_others() -> None:
    laws = "use laws chinchilla, kaplan.joint\n"
    texts = {"small": "compute: 1e23 FLOP\nmodel: 10B\n", "middle": "compute: 1e23 FLOP\nmodel: 60B\n"}
    comparison = plans(**{name: laws + text for name, text in texts.items()})
    found = comparison.decision.laws if comparison.decision else None
    assert found is not None
    assert found.laws == ("chinchilla", "kaplan.joint")
    for at, law in enumerate(found.laws):
        loss = [under(text, law).solutions[0]["loss"].value for text in texts.values()]
        assert found.best[at] == loss.index(min(loss))
        assert [row[at] for row in found.regrets] == pytest.approx([each - min(loss) for each in loss])
    assert found.least_worst == 1
    assert found.knowing_law == pytest.approx(sum(each or 0.0 for each in found.regrets[1]) / 2)
    told: Any = document(comparison)["decision"]
    assert told["laws"]["least_worst"] == "middle"
    assert "of each plan under each law" in terminal.render(comparison)


# ---- shown


def test_every_format_says_the_decision() -> None:
    comparison = plans(big=BIG, small=SMALL)
    found: Any = document(comparison)["decision"]
    assert (found["by"], found["choice"]) == ("loss", "big")
    (flip,) = [each for each in found["flips"] if each["input"] == "mfu"]
    assert flip["side"] == "below" and flip["choose"] == "small" and flip["because"] == "time <= 50 days"
    assert flip["at"]["value"] < flip["before"]["value"] < flip["now"]["value"] == 0.4
    shown = " ".join(terminal.render(comparison).split())
    assert "below 13.4% mfu choose `small` `big`: `time <= 50 days` fails" in shown
    assert "Where the choice changes" in markdown.render(comparison)
    assert csv.render(comparison)
    assert all(len(line) <= 80 for line in terminal.render(comparison).splitlines())


def test_the_spread_within_one_stands_apart_from_that_between_them() -> None:
    from reports import solved

    from runplan.engine.comparison.compare import compared_laws

    text = "compute: 1e23 FLOP\nuse laws chinchilla, llama3\n"
    rows: Any = document(compared_laws(solved(text)))["rows"]
    (params,) = [row for row in rows if row["quantity"] == "params"]
    ends = params["values"][0]
    assert params["within"] == pytest.approx(ends["high"] / ends["low"])
    assert params["spread"] != params["within"]
