"""What is taken of each source: by weight, equally often, by the mixes of phases; and where data of quality go."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.documents.solve import document as document_of
from runplan.engine.layout.fit import GLANCE
from runplan.engine.pipeline import plan_at, report_of
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report
from runplan.engine.solve.conflict import can_hold

RUN = "model: 3B\ntokens: {}\n"


def report(text: str) -> Report:
    return report_of(
        "x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False, look=GLANCE
    )


def solution(text: str) -> Solution:
    (found,) = report(text).solutions
    return found


def value(found: Solution, name: str) -> float:
    return next(value.value for own, value in found.values.items() if str(own) == name)


def codes(text: str) -> list[str]:
    return [f.code for f in report(text).findings if f.severity == "error"]


# ---- equally often


@pytest.mark.parametrize(
    ("tokens", "web", "code", "math"),
    [
        ("500B", 333.333e9, 100e9, 66.667e9),  # a third of each
        ("1.5T", 1000e9, 300e9, 200e9),  # once each
        ("2T", 1000e9, 600e9, 400e9),  # web has been seen once: the others go on
        ("2.4T", 1000e9, 800e9, 600e9),  # math is at its third pass, code nearly
        ("2.75T", 1000e9, 1150e9, 600e9),  # math is exhausted as well
    ],
)
def test_sources_are_seen_equally_often_until_each_has_reached_its_epochs(
    tokens: str, web: float, code: float, math: float
) -> None:
    data = "data web: 1T tokens\ndata code: 300B tokens up to 4 epochs\ndata math: 200B tokens up to 3 epochs\n"
    if tokens == "2.4T":
        code, math = 840e9, 560e9
    found = solution(RUN.format(tokens) + data)
    assert found.status == "solved"
    for name, expected in (("web", web), ("code", code), ("math", math)):
        assert value(found, f"tokens.{name}") == pytest.approx(expected, rel=1e-4)


def test_nothing_is_repeated_while_another_source_is_fresh() -> None:
    """`up to` is a limit and no weight: 10T of web beside 800B of code, four times, are 10 to 0.8."""
    found = solution(RUN.format("5T") + "data web: 10T tokens\ndata code: 800B tokens up to 4 epochs\n")
    assert value(found, "epochs.web") == pytest.approx(value(found, "epochs.code")) == pytest.approx(5 / 10.8)


def test_all_that_there_is_caps_the_tokens() -> None:
    found = solution("compute: 1e26 FLOP\ndata web: 1T tokens\ndata code: 100B tokens up to 4 epochs\nmodel: 1B\n")
    assert value(found, "tokens") == pytest.approx(1.4e12) and "data" in found.binding


def test_weights_keep_their_shares_and_the_rest_is_seen_equally_often() -> None:
    data = "data web: 10T tokens weight 60%\ndata code: 100B tokens up to 4 epochs\ndata books: 200B tokens\n"
    found = solution(RUN.format("1T") + data)
    assert value(found, "share.web") == pytest.approx(0.6)
    assert value(found, "tokens.books") == pytest.approx(200e9) and value(found, "tokens.code") == pytest.approx(200e9)
    # 400B of these are 600B at most: 60 % more of the tokens, 1.5T, and no more.
    most = solution("compute: 1e26 FLOP\nmodel: 1B\n" + data)
    assert value(most, "tokens") == pytest.approx(600e9 / 0.4) and "data code, books" in most.binding


def test_a_weight_caps_the_tokens_by_what_there_is() -> None:
    found = solution("compute: 1e26 FLOP\nmodel: 1B\ndata a: 150B tokens weight 30%\ndata b: 10T tokens weight 70%\n")
    assert value(found, "tokens") == pytest.approx(500e9) and found.binding == ("data a", "params")


@pytest.mark.parametrize(
    ("sense", "tokens"),
    [
        # 16 % of code at 1T of web, once: 1000 / (1000 + 150 e) with code and math alike up to the third pass.
        ("share.code <= 15%", 1000e9 / (1 - 0.225)),
        ("epochs.code <= 3.5 epochs", 1000e9 + 350e9 + 150e9),
        ("tokens.math <= 120B", 1000e9 + 240e9 + 120e9),
    ],
)
def test_a_requirement_on_a_source_bends_with_the_sources(sense: str, tokens: float) -> None:
    text = "hardware: 256 x H100 for 300 days at 40% MFU\ndata web: 1T tokens\n"
    text += "data code: 100B tokens up to 4 epochs\ndata math: 50B tokens up to 3 epochs\n"
    found = solution(text + f"require {sense}\n")
    assert found.status == "solved" and value(found, "tokens") == pytest.approx(tokens, rel=1e-6)


# ---- the mixes of phases


def test_three_stages_in_amounts_sum_to_what_they_take() -> None:
    """SmolLM3, three stages of 11.1T tokens: web 8.993T, math 583B."""
    text = RUN.format("11.1T") + "data web: 10T tokens\ndata code: 3T tokens\ndata math: 1T tokens\n"
    text += "phase warmup: 1% warmup mix web 85%, code 12%, math 3%\n"
    text += "phase s1: 7.889T tokens constant mix web 85%, code 12%, math 3%\n"
    text += "phase s2: 2T tokens constant mix web 75%, code 15%, math 10%\n"
    text += "phase s3: 1.1T tokens linear mix web 63%, code 24%, math 13%\n"
    found = solution(text)
    assert value(found, "tokens.web") == pytest.approx(8.993e12) and value(found, "tokens.math") == pytest.approx(583e9)


ANNEAL = "data web: 2T tokens\ndata math: {}\nphase warmup: {} warmup\nphase stable: {} constant{}\n"
ANNEAL += "phase anneal: {} linear mix web 50%, math 50%\n"
AMOUNTS = ("10B tokens", "890B tokens", "", "100B tokens")


@pytest.mark.parametrize("shares", [("1%", "89%", "", "10%"), AMOUNTS])
def test_an_anneal_takes_what_it_says(shares: tuple[str, ...]) -> None:
    """50B tokens of the anneal, out of 5B: no run; out of 100B, beside its part of the 900B before."""
    assert codes(RUN.format("1T") + ANNEAL.format("5B tokens", *shares)) == ["C003"]
    found = solution(RUN.format("1T") + ANNEAL.format("100B tokens", *shares))
    assert value(found, "tokens.math") == pytest.approx(50e9 + 900e9 * 100 / 2100)
    assert value(found, "epochs.math") == pytest.approx(0.9286, rel=1e-4)
    assert value(found, "phase.stable.mix.math") == pytest.approx(100 / 2100)


def test_what_an_anneal_takes_is_not_there_for_the_phases_before() -> None:
    """60B of math: 50B for the anneal, and 10B are left, where an even mix would take 26B."""
    found = solution(RUN.format("1T") + ANNEAL.format("60B tokens", "1%", "89%", "", "10%"))
    assert value(found, "epochs.math") == pytest.approx(1.0) and value(found, "tokens.web") == pytest.approx(940e9)
    assert value(found, "phase.stable.mix.math") == pytest.approx(10 / 900)


def test_a_ramp_counts_by_its_mean() -> None:
    text = RUN.format("1T") + "data web: 2T tokens\ndata sft: 100B tokens quality sft\nphase warmup: 1% warmup\n"
    text += "phase stable: 79% constant\nphase anneal: 20% linear mix web 90% .. 60%, sft 10% .. 40%\n"
    found = solution(text)
    assert value(found, "tokens.sft") == pytest.approx(200e9 * 0.25 + 800e9 * 0.1 / 2.1)


def test_phases_without_a_mix_have_the_weights() -> None:
    text = RUN.format("1T") + "data web: 2T tokens weight 90%\ndata math: 400B tokens weight 10%\n"
    text += "phase stable: 80% constant\nphase anneal: 20% linear mix math 100%\n"
    found = solution(text)
    assert value(found, "tokens.math") == pytest.approx(280e9) and value(found, "phase.stable.mix.math") == 0.1


def test_repeats_by_phases_are_worth_less() -> None:
    """300B tokens of an anneal out of 100B: three passes, and what the stable phase takes besides."""
    text = RUN.format("1T") + "data web: 2T tokens\ndata math: 100B tokens up to {} epochs\n"
    text += "phase stable: 70% constant mix web 100%\nphase anneal: 30% linear mix math 100%\n"
    found = solution(text.format(4))
    assert value(found, "epochs.math") == pytest.approx(3.0)
    assert value(found, "effective_tokens") < 995e9
    assert "D010" in {f.code for f in report(text.format(8).replace("100B", "50B")).findings}


# ---- data of quality


def mix_of(text: str, source: str) -> list[float]:
    found = solution(text)
    return [value(found, f"phase.{phase}.mix.{source}") for phase in found.problem.phases]


def test_quality_is_late_in_phases_that_are_amounts() -> None:
    """4.76B of 100B tokens are good: all of them fit into 10B."""
    text = RUN.format("100B") + "data web: 1T tokens\ndata math: 50B tokens quality high\n"
    text += "phase warmup: 2B tokens warmup\nphase stable: rest constant\nphase anneal: 10B tokens linear\n"
    assert mix_of(text, "math") == pytest.approx([0, 0, 10 * 50 / 1050])


def test_more_quality_than_a_phase_holds_leaves_no_share_below_nothing() -> None:
    """60 % are good, and the last phase is 99 % of the run: what the first has of it is nothing, and not -950 %."""
    text = RUN.format("400B") + "data a: 2T tokens weight 40%\ndata b: 800B tokens quality high weight 60%\n"
    assert mix_of(text + "schedule: cosine\n", "b") == pytest.approx([0, 0.6 / 0.99])
    # 98 % are good: the last phase is good altogether, and the phases before have the rest.
    text = RUN.format("400B") + "data edu: 4.9T tokens quality high\ndata forum: 100B tokens\n"
    assert mix_of(text + "schedule: WSD\n", "edu") == pytest.approx([0.88 / 0.9, 0.88 / 0.9, 1.0])


def test_the_last_phase_is_half_quality_or_twice_their_share() -> None:
    text = RUN.format("400B") + "data web: 9T tokens weight {}%\ndata edu: 9T tokens quality high weight {}%\n"
    assert mix_of(text.format(90, 10) + "schedule: WSD\n", "edu")[-1] == pytest.approx(0.5)
    assert mix_of(text.format(60, 40) + "schedule: WSD\n", "edu")[-1] == pytest.approx(0.8)


# ---- what contradicts


def test_weights_beside_a_mix_of_every_phase_are_said() -> None:
    text = RUN.format("1T") + "data web: 2T tokens weight 50%\ndata sft: 1T tokens weight 50%\n"
    mixed = "phase stable: 90% constant mix web 100%\nphase anneal: 10% linear mix web 90%, sft 10%\n"
    assert codes(text + mixed) == ["C001"]
    assert codes(text + mixed.replace(" mix web 100%", "")) == []


def test_weights_that_leave_nothing_are_said() -> None:
    assert codes(RUN.format("1T") + "data a: 2T tokens weight 100%\ndata b: 2T tokens\n") == ["U004"]


def test_a_mix_that_is_no_whole_is_said() -> None:
    text = RUN.format("1T") + "data web: 2T tokens\ndata sft: 1T tokens\nphase stable: 90% constant\n"
    assert codes(text + "phase anneal: 10% linear mix web 80%, sft 10%\n") == ["U004"]
    assert codes(text + "phase anneal: 10% linear mix web 90% .. 60%, sft 10% .. 30%\n") == ["U004"]


# ---- any sources, any schedule


@dataclass(frozen=True)
class Source:
    name: str
    amount: float
    epochs: float
    weight: float | None
    quality: bool

    def __str__(self) -> str:
        weight = f" weight {self.weight:.10g}%" if self.weight else ""
        quality = " quality high" if self.quality else ""
        return f"data {self.name}: {self.amount:.10g}B tokens up to {self.epochs:.10g} epochs{weight}{quality}"


@st.composite
def sources(draw: st.DrawFn) -> list[Source]:
    count = draw(st.integers(2, 4))
    weights: list[float | None] = [None] * count
    weighted = draw(st.integers(0, count))
    whole = 100 if weighted == count else 70
    for at in range(weighted):
        weights[at] = whole / weighted
    return [
        Source(
            name,
            draw(st.sampled_from([3.0, 50.0, 400.0, 2000.0])),
            draw(st.sampled_from([0.5, 1.0, 1.0, 2.0, 4.0])),
            weights[at],
            draw(st.booleans()),
        )
        for at, name in enumerate("abcd"[:count])
    ]


def evenly(whole: float, rooms: list[tuple[float, float]]) -> list[float]:
    """What is taken of amounts that are seen equally often, each at most so often: by halving."""
    low, high = 0.0, 1e6
    for _ in range(200):
        at = (low + high) / 2
        low, high = (at, high) if sum(a * min(at, m) for a, m in rooms) < whole else (low, at)
    return [a * min(high, m) for a, m in rooms]


def planned(own: list[Source], whole: float, taken: dict[str, float]) -> dict[str, float]:
    """The tokens of each source in phases without a mix, where those with one have taken some."""
    out = {s.name: whole * s.weight / 100 for s in own if s.weight}
    even = [s for s in own if not s.weight]
    rest = whole - sum(out.values())
    rooms = [(s.amount, max(0.0, s.epochs - taken[s.name] / s.amount)) for s in even]
    return out | dict(zip((s.name for s in even), evenly(rest, rooms) if even else [], strict=True))


def document(text: str) -> dict[str, Any]:
    found = report(text)
    out: dict[str, Any] = json.loads(json.dumps(document_of(found)))["solutions"][0]
    return out


def check_sums(found: dict[str, Any], own: list[Source]) -> None:
    """No share is below 0 or above 1, each phase is whole, and the phases sum to the sources."""
    for phase in found["phases"]:
        assert all(-1e-12 <= share <= 1 + 1e-9 for share in phase["mix"].values())
        assert sum(phase["mix"].values()) == pytest.approx(1.0)
    assert sum(one["tokens"]["value"] for one in found["mix"]) == pytest.approx(found["tokens"]["value"])
    for one in found["mix"]:
        total = sum(p["tokens"]["value"] * p["mix"].get(one["source"], 0.0) for p in found["phases"])
        assert one["tokens"]["value"] == pytest.approx(total, rel=1e-9, abs=1.0)
        source = next(s for s in own if s.name == one["source"])
        assert one["epochs"]["value"] == pytest.approx(total / source.amount / 1e9, rel=1e-9, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(sources(), st.floats(0.05, 1.0), st.sampled_from(["WSD", "cosine", "WCSD"]), st.sampled_from(["late", "early"]))
def test_any_sources_are_placed_as_they_are_said(own: list[Source], part: float, schedule: str, where: str) -> None:
    most = sum(s.amount * s.epochs for s in own)
    text = RUN.format(f"{most * part:.10g}B") + "\n".join(map(str, own)) + f"\nschedule: {schedule} quality {where}\n"
    found = document(text)
    expected = planned(own, most * part, dict.fromkeys("abcd", 0.0))
    if found["status"] == "infeasible":
        assert any(expected[s.name] > s.amount * s.epochs * (1 - 1e-9) for s in own)
        return
    check_sums(found, own)
    for one in found["mix"]:
        assert one["tokens"]["value"] == pytest.approx(expected[one["source"]] * 1e9, rel=1e-6, abs=1.0)
    good = [sum(p["mix"].get(s.name, 0.0) for s in own if s.quality) for p in found["phases"]]
    if where == "late":
        assert all(good[-1] >= share - 1e-9 for share in good)
    else:
        assert all(before >= after - 1e-9 for before, after in pairwise(good))


@settings(max_examples=30)
@given(sources(), st.floats(0.05, 1.0), st.lists(st.none() | st.integers(0, 3), min_size=3, max_size=3), st.booleans())
def test_any_mixes_of_phases_are_summed(
    own: list[Source], part: float, by_hand: list[int | None], in_tokens: bool
) -> None:
    """Some phases have a mix, one that ramps from one source to its neighbour; the others have the plan's."""
    if all(at is not None for at in by_hand):
        own = [replace(s, weight=None) for s in own]
    whole = sum(s.amount * s.epochs for s in own) * part
    shares, taken, rest = (0.1, 0.6, 0.3), dict.fromkeys("abcd", 0.0), 0.0
    text = RUN.format(f"{whole:.10g}B") + "\n".join(map(str, own)) + "\n"
    for name, share, at in zip(("first", "second", "third"), shares, by_hand, strict=True):
        said = f"{share * whole:.10g}B tokens" if in_tokens else f"{share:.0%}"
        text += f"phase {name}: {said} constant"
        if at is None:
            rest += share * whole
            text += "\n"
            continue
        one, other = own[at % len(own)].name, own[(at + 1) % len(own)].name
        text += f" mix {one} 100% .. 40%, {other} 0% .. 60%\n"
        taken[one] += 0.7 * share * whole
        taken[other] += 0.3 * share * whole
    expected = planned(own, rest, taken)
    over = [s for s in own if expected[s.name] + taken[s.name] > s.amount * s.epochs * (1 + 1e-6)]
    missing = abs(sum(expected.values()) + sum(taken[s.name] for s in own) - whole) > 1e-6 * whole
    if over or missing:  # what there would be room with takes a third of a second to find, and is tested below
        (problem,) = plan_at("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY).problems()
        assert not can_hold(problem, ())
        return
    found = document(text)
    if found["status"] == "infeasible":
        assert any(expected[s.name] + taken[s.name] > s.amount * s.epochs * (1 - 1e-6) for s in own)
    else:
        check_sums(found, own)
        for one in found["mix"]:
            name = one["source"]
            assert one["tokens"]["value"] == pytest.approx((expected[name] + taken[name]) * 1e9, rel=1e-6, abs=1.0)


def test_the_room_that_phases_leave_which_shrink_to_nothing() -> None:
    """Where all else that conflicts is ended otherwise: a quarter of 6B tokens is all that there is of `d`, and one of
    200B all of `c`, if the other phases have no token; and a quarter of the 336.8B tokens of the second is 84.2B.
    """
    text = (
        RUN.format("561.3B")
        + "data a: 2000B tokens up to 0.5 epochs weight 25%\ndata b: 3B tokens weight 25%\n"
        + "data c: 50B tokens weight 25%\ndata d: 3B tokens up to 0.5 epochs weight 25%\n"
        + "phase first: 56.1B tokens constant mix d 100% .. 40%, a 0% .. 60%\n"
        + "phase second: 336.8B tokens constant\nphase third: 168.4B tokens constant\n"
    )
    changes = {one.change.text for conflict in solution(text).conflicts for one in conflict if one.change is not None}
    assert changes >= {"phase third: 6B tokens", "phase second: 200B tokens", "data d: 84.2B tokens"}


def test_a_stretch_without_an_end_beside_one_with_an_optimum_is_no_crash() -> None:
    text = "hardware: ? x A800 for 180 days at 45% MFU\nmodel: 350M\n"
    text += "data web: 8T tokens up to 2 epochs\ndata code: 28B tokens\nrequire gpu_hours <= 1.66K GPU-hours\n"
    assert solution(text).status in ("solved", "undecided", "infeasible")


def test_a_loss_that_falls_without_end_determines_nothing() -> None:
    assert codes("hardware: ? x A100 for 140 days\nmodel: 386M .. 30.5B\nuse laws muennighoff\n") == ["C002"]


# ---- weights that are changed


@pytest.mark.parametrize(
    ("data", "change"),
    [
        # 50B of 500B are a tenth
        (
            "data web: 1T tokens weight 60%\ndata code: 50B tokens weight 40%\n",
            "data web weight 90% with data code weight 10%",
        ),
        (
            "data web: 1T tokens weight 30%\ndata code: 50B tokens weight 40%\ndata math: 1T tokens weight 30%\n",
            "data web weight 45% with data code weight 10% with data math weight 45%",
        ),
        (  # 50B of the 450B before the last phase are a ninth
            "data web: 1T tokens weight 60%\ndata code: 50B tokens weight 40%\n"
            "phase a: 90% constant\nphase b: 10% linear mix web 100%\n",
            "data web weight 88.89% with data code weight 11.11%",
        ),
        (
            "data web: 1T tokens weight 95%\ndata code: 50B tokens weight 5%\nrequire share.code >= 8%\n",
            "data web weight 92% with data code weight 8%",
        ),
    ],
)
def test_weights_are_offered_together_and_clear_the_finding(data: str, change: str) -> None:
    text = RUN.format("500B") + data
    (found,) = [f for f in report(text).findings if f.severity == "error"]
    assert change in found.help[0]
    for name, weight in re.findall(r"data (\w+) weight ([\d.]+%)", change):
        text = re.sub(rf"(data {name}: .*weight )[\d.]+%", rf"\g<1>{weight}", text)
    assert codes(text) == []


def test_no_weight_leaves_the_others_less_than_nothing() -> None:
    data = "data web: 9T tokens weight 90%\ndata code: 9T tokens weight 10%\nrequire tokens.code >= 600B\n"
    (found,) = [f for f in report(RUN.format("500B") + data).findings if f.severity == "error"]
    assert "weight" not in "".join(found.help)


def test_weights_that_are_no_whole_are_offered_as_one() -> None:
    data = "data web: 1T tokens weight 60%\ndata code: 1T tokens weight 30%\n"
    (found,) = [f for f in report(RUN.format("500B") + data).findings if f.severity == "error"]
    assert found.help == ("write `data web weight 66.67%` with `data code weight 33.33%`",)


def test_shares_are_told_in_per_cent() -> None:
    data = "data web: 1T tokens weight 95%\ndata code: 50B tokens weight 5%\nrequire share.code >= 8%\n"
    (found,) = [f for f in report(RUN.format("500B") + data).findings if f.severity == "error"]
    assert found.message == "`share.code` is 5 %; the plan asks for 8 %"


def test_a_mix_of_a_phase_is_not_dropped_in_a_transfer() -> None:
    plan = "objective: transfer from CLM to MLM of protein\ncompute: 1e21 FLOP\ndata t: 60B tokens\n"
    phases = "phase a: 90% constant\nphase b: 10% linear{}\n"
    assert codes(plan + phases.format("")) == []
    assert codes(plan + phases.format(" mix t 100%")) == ["C001"]


def test_more_passes_allowed_move_no_share_while_there_are_fresh_data() -> None:
    sources = "data web: 1T tokens up to 4 epochs\ndata code: 100B tokens up to {} epochs\n"
    shares = [value(solution(RUN.format("100B") + sources.format(n)), "share.code") for n in (4, 8)]
    assert shares == pytest.approx([1 / 11, 1 / 11])
