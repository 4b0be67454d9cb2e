"""What is found of the first layout by bounds is what is found where all of them are looked at."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.expr.name import quantity
from runplan.dsl.text.reader import Files
from runplan.engine.layout.choose import Race
from runplan.engine.layout.layout import Layout, layouts
from runplan.engine.layout.memory import LAYOUT_TOKENS, LEAST, MOST, ROOFLINE, TIME, USABLE
from runplan.engine.layout.search import Search, search_of
from runplan.engine.layout.tried import ALIKE, ENOUGH, FIRST, NO_ROOM, TIGHT, Tried
from runplan.engine.pipeline import plan_at
from runplan.engine.problem import quantities as q
from runplan.engine.solutions import solution_of

PLANS = {
    "a small model": "hardware: 64 x H100 for up to 90 days at 40% MFU\nmodel: llama-3-8b\ntokens: 160B\n",
    "much of a model": "hardware: 32 x A100-SXM-80GB for up to 900 days at 40% MFU\nmodel: llama-3-70b\ntokens: 160B\n",
    "a size that is free": "hardware: 1000 x H100 for 6 months at 40% MFU\n",
    "experts": "hardware: 256 x H800 for up to 900 days at 30% MFU\nmodel: deepseek-v3\ntokens: 300B\n",
    "long sequences": (
        "hardware: 64 x H100 for up to 900 days at 40% MFU\nmodel llama-3-8b { context: 131072 }\ntokens: 160B\n"
    ),
    "what is required": (
        "hardware: 64 x H100 for up to 90 days at 40% MFU\nmodel: llama-3-8b\ntokens: 160B\nrequire tp >= 2\n"
    ),
    "a framework": (
        "hardware: 64 x H100 for up to 90 days at 40% MFU\nmodel: llama-3-8b\ntokens: 160B\nlayout: tp ? in megatron\n"
    ),
}


def search(text: str) -> Search:
    read = plan_at("a.plan", Files({"a.plan": text}), catalogue=LIBRARY)
    assert read.plan is not None
    found = search_of(read.plan, solution_of(next(read.problems()), intervals=False), LIBRARY)
    assert found is not None
    return found


def race(of: Search) -> Race:
    devices = round(of.memory.known[q.GPUS])
    room = next(of.rooms(devices))
    tried = list(layouts(room, of.said))
    return Race(of.sheet(devices), len(of.regimes(devices)), tried, of.keeps, room, True)


def rate(of: Search, layout: Layout) -> float:
    sheet = of.sheet(layout.devices)
    sheet.turn_to(layout)
    return max(sheet.under(regime, priced=True)[ROOFLINE] for regime in range(len(sheet.order)))


def enough(tried: Sequence[Tried]) -> list[Layout]:
    return [one.layout for one in tried if one.band == ENOUGH]


@pytest.mark.parametrize("text", PLANS.values(), ids=PLANS)
def test_bounds_leave_out_none_of_the_first(text: str) -> None:
    of = search(text)
    whole = race(of)
    every = whole.ordered(whole.tried)
    one = race(of)
    first = one.ordered(1)[0]
    assert (first.layout, first.band) == (every[0].layout, every[0].band)
    assert enough(race(of).ordered(FIRST))[:FIRST] == enough(every)[:FIRST]
    fastest = one.roofline(first)
    assert fastest is not None
    assert fastest[0] * (1 + 1e-12) >= max(rate(of, tried.layout) for tried in every if tried.band != NO_ROOM)


@pytest.mark.parametrize("text", PLANS.values(), ids=PLANS)
def test_layouts_together_come_to_what_each_does(text: str) -> None:
    of = search(text)
    devices = round(of.memory.known[q.GPUS])
    some = list(layouts(next(of.rooms(devices)), of.said))[::17]
    wanted = (LEAST, MOST, USABLE, TIME, LAYOUT_TOKENS, ROOFLINE)
    together = of.sheet(devices).columns(some, 0, wanted)
    sheet = of.sheet(devices)
    for i, layout in enumerate(some):
        sheet.turn_to(layout)
        found = sheet.under(0, priced=True)
        assert {name: together[name][i] for name in wanted} == {name: found[name] for name in wanted}


def test_of_layouts_that_are_tight_one_that_is_likely_to_fit_is_told() -> None:
    """The fastest has the largest micro-batch for which there may be room at all, and next to none for sure."""
    text = (
        "hardware: 1 x RTX-4090 for ?\nstart: checkpoint llama-3-8b\ndata: 20M tokens\n"
        "optimizer: AdamW { lora: 16; frozen_bits: 4 }\n"
    )
    (first,) = race(search(text)).ordered(1)
    assert first.band == TIGHT and first.layout.micro_batch == 1 and first.chance > 0.5


def test_of_layouts_that_are_alike_those_come_first_that_have_less_of_what_few_runs_have() -> None:
    """Megatron-LM's 310B, which lay in 16 parts where 12 and 6 are as fast (arXiv:2104.04473, table 1)."""
    text = (
        "hardware: 1920 x A100 for up to 90 days at 40% MFU\n"
        "model { layers: 96; hidden: 16384; heads: 128; ffn: 65536; mlp: plain; vocab: 51200; context: 2048 }\n"
        "tokens: 300B\noptimizer: AdamW { batch: 2160 sequences }\n"
    )
    first = race(search(text)).ordered(5)
    alike = [one for one in first if one.band == ENOUGH and one.pace <= ALIKE * min(each.pace for each in first)]
    assert [one.odd for one in alike] == sorted(one.odd for one in alike)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["experts", "a framework", "a small model"]),
    st.lists(st.tuples(st.integers(0), st.integers(0)), max_size=8),
)
def test_what_a_layout_comes_to_does_not_hang_on_what_was_looked_at_before(
    plan: str, looks: list[tuple[int, int]]
) -> None:
    """Also of what one regime says, and another takes by a formula: `expert_bytes`."""
    of = search(PLANS[plan])
    devices = round(of.memory.known[q.GPUS])
    regimes, sheet = of.regimes(devices), of.sheet(devices)
    tried = list(layouts(next(of.rooms(devices)), of.said))
    for one, other in looks:
        layout, regime = tried[one % len(tried)], other % len(regimes)
        sheet.turn_to(layout)
        found, alone = sheet.under(regime, priced=True), of.on(devices).at(layout, regimes[regime].figures)
        assert {name: found[name] for name in alone} == alone


def test_a_model_of_a_size_alone_is_cut_into_no_more_parts_than_it_usually_has_layers() -> None:
    of = search("hardware: 4096 x H100 for up to 90 days at 40% MFU\nmodel: 300M\ntokens: 1T\n")
    deepest = max(one.pp for one in layouts(next(of.rooms(4096)), of.said))
    assert 8 <= deepest <= of.memory.usual(quantity("usual_layers")) < 32
