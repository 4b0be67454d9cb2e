"""What is told of layouts: kinds that differ, of each stage and pool, and what is near one that cannot be."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import laid_out

from runplan.cli.show.report import terminal
from runplan.cli.show.text.look import Look
from runplan.dsl.expr.name import quantity
from runplan.engine.documents.solve import document
from runplan.engine.layout.fit import ALL, SCREEN
from runplan.engine.layout.layout import Layout
from runplan.engine.layout.tried import ENOUGH, FIRST, NO_ROOM, Tried, differing, in_order

STAGES = (
    "model: llama-3-8b\n"
    "stage pretrain { hardware: 256 x H100 for up to 60 days at 40% MFU; tokens: 1T }\n"
    "stage long { hardware: 64 x H100 for up to 30 days at 35% MFU; tokens: 50B; context: 65536 }\n"
)
POOLS = (
    "hardware: 256 x H100 for 30 days at 40% MFU + 128 x A100 for 30 days at 45% MFU\nmodel: llama-3-8b\ntokens: 300B\n"
)
ONE = "hardware: 64 x H100 for 30 days at 40% MFU\nmodel: llama-3-70b\ntokens: 100B\n"
# A rule tells more where it is known what layouts reach.
FAST = ONE.replace("40%", "67%")

tried = st.builds(
    Tried,
    st.builds(Layout, *(st.sampled_from((1, 2, 4, 8)) for _ in range(3)), ep=st.sampled_from((1, 1, 8))),
    st.sampled_from((ENOUGH, ENOUGH, NO_ROOM)),
    st.floats(0.1, 2),
    st.floats(1, 2),
)


@given(st.lists(tried, min_size=1, max_size=30))
def test_what_is_told_is_in_order_with_the_first_and_no_kind_twice_before_others(some: list[Tried]) -> None:
    ordered = in_order(some)
    told = differing(ordered)
    assert told[0] == ordered[0] and told == [one for one in ordered if one in told]
    kinds = {one.layout.parts for one in ordered}
    assert min(FIRST, len(kinds)) <= len({one.layout.parts for one in told})
    enough = [one for one in ordered if one.band == ENOUGH]
    if told[0].band == ENOUGH:
        near = [one for one in enough if one.pace <= 1.2 * min(one.pace for one in enough)]
        shares = any(one.layout.ep > 1 for one in enough)
        others = {one.layout.pp for one in near} - {one.layout.pp for one in told}
        assert not shares or not others or len({one.layout.pp for one in told}) >= FIRST - 1
        alone = [one for one in near if one.layout.parts[:3] == (1, 1, 1)]
        assert not alone or any(one.layout.parts[:3] == (1, 1, 1) for one in told)


@pytest.mark.parametrize(("times", "codes"), [(32, set()), (3, {"H013"}), (31, set())])
def test_a_step_that_is_not_the_batch_is_said(times: int, codes: set[str]) -> None:
    said = f"optimizer: AdamW {{ batch: 512 sequences }}\nlayout: dp 8, micro_batch 2 sequences, accumulate {times}\n"
    assert {one.code for one in laid_out(ONE + said).findings if one.code.startswith("H01")} == codes


def test_stages_have_a_list_each() -> None:
    report = laid_out(STAGES)
    (solution,) = report.solutions
    assert [one.scope for one in solution.layouts] == [(("stage", "pretrain"),), (("stage", "long"),)]
    for one in solution.layouts:
        stage = one.scope[0][1]
        assert len(one.first) == FIRST
        assert one.first[0].figures["tp"] == solution.values[quantity("tp").in_stage(stage)].value
    (told,) = json.loads(json.dumps(document(report)))["solutions"]
    assert "layouts" not in told and [len(stage["layouts"]["first"]) for stage in told["stages"]] == [FIRST, FIRST]
    assert pickle.loads(pickle.dumps(solution.layouts)) == solution.layouts


def test_pools_have_a_list_each() -> None:
    report = laid_out(POOLS)
    (solution,) = report.solutions
    assert [one.scope for one in solution.layouts] == [(("pool", "1"),), (("pool", "2"),)]
    (told,) = json.loads(json.dumps(document(report)))["solutions"]
    assert [pool["pool"] for pool in told["pool_layouts"]] == [1, 2] and "layouts" not in told


@pytest.mark.parametrize("said", ["require pretrain.memory_per_gpu <= 30 GB\n", "require pretrain.tp >= 4\n"])
def test_what_is_required_of_a_stage_is_kept_by_its_layout(said: str) -> None:
    report = laid_out(STAGES + said)
    assert not [one for one in report.findings if one.severity == "error"]
    (solution,) = report.solutions
    assert len(solution.layouts) == 2


@pytest.mark.parametrize(("most", "holds"), [(8, True), (2, False)])
def test_the_fewest_devices_of_a_stage_are_told_where_they_are_asked_for(most: int, holds: bool) -> None:
    report = laid_out(f"{STAGES}require long.fitting_gpus <= {most}\n")
    assert [one.code for one in report.findings if one.severity == "error"] == ([] if holds else ["B002"])


@pytest.mark.parametrize(
    ("said", "help"),
    [
        ("tp 3", ["write `tp 2` or `tp 4`"]),
        ("pp 5 .. 7", ["write `pp 4` or `pp 8`"]),
        ("tp at least 16", ["write `tp 8`"]),
        ("tp 8, pp 8, dp 2", ["write `tp 4`", "write `pp 4`", "write `dp 1`", "have 128 devices"]),
        ("tp 5, pp 7", ["leave the layout out"]),
    ],
)
def test_of_a_layout_that_does_not_go_with_the_devices_what_is_near_is_told(said: str, help: list[str]) -> None:
    (found,) = [one for one in laid_out(f"{ONE}layout: {said}\n").findings if one.code == "C001"]
    assert list(found.help) == help
    for each in help:
        if each.startswith("write") and said.count(",") == 0:
            for text in each.removeprefix("write ").split(" or "):
                changed = laid_out(f"{ONE}layout: {text.strip('`')}\n")
                assert not [one for one in changed.findings if one.code == "C001"]


def test_experts_are_whole_where_there_are_enough_and_cut_where_there_are_not() -> None:
    text = "hardware: {} for up to 900 days at 30% MFU\nmodel: {}\ntokens: 100B\nlayout: {}\n"
    (whole,) = laid_out(text.format("256 x H100", "qwen3-235b-a22b", "tp 2, pp 8, ep 32")).solutions
    assert (whole["dp"].value, whole["etp"].value) == (16, 1), "more devices of experts than copies"
    (cut,) = laid_out(text.format("128 x GB200", "grok-1", "tp 4, pp 1, ep 8")).solutions
    assert cut["etp"].value == 4, "eight experts are too few for the memory"


def test_parts_of_experts_are_sent_each_token_that_passes_them() -> None:
    text = "hardware: 64 x H100 for up to 900 days at 30% MFU\nmodel: mixtral-8x7b\ntokens: 100B\n"
    layout = "layout: tp 8, pp 1, ep {}, etp {}, micro_batch 1 sequence, recompute none in megatron\n"
    sent = [
        laid_out(text + layout.format(ep, etp)).solutions[0]["mixture_tensor_bytes"].value
        for ep, etp in ((8, 1), (1, 8))
    ]
    attention, two_experts = 1, 2
    assert sent[1] / sent[0] == pytest.approx((attention + two_experts) / attention)


@pytest.mark.parametrize("text", [ONE, STAGES, POOLS, ONE + "optimizer: prodigy\n", FAST])
def test_a_screen_without_details_shows_the_same_without_looking_at_all_of_them(text: str) -> None:
    closely, briefly = (laid_out(text, look=look) for look in (ALL, SCREEN))
    for width in (80, 160):
        assert terminal.render(briefly, Look(width)) == terminal.render(closely, Look(width))
    assert briefly.solutions[0].layouts == closely.solutions[0].layouts, "they are there for who asks"
    assert briefly.findings == closely.findings


def test_laws_that_give_the_same_run_have_its_layouts_in_common() -> None:
    laws = ("chinchilla", "chinchilla.approach3", "kaplan.joint")
    one, same, other = laid_out(ONE, *laws).solutions
    assert one.layouts[0] is same.layouts[0] is not other.layouts[0]
    for law, shared in zip(laws, (one, same, other), strict=True):
        (alone,) = laid_out(ONE, law).solutions
        for name in ("layout_time", "memory_per_gpu", "roofline_mfu", "tp", "layout_mfu"):
            assert shared[name] == alone[name], law


@pytest.mark.parametrize(
    ("model", "said", "told", "help"),
    [
        ("llama-3-8b", "ep 8", "the model has no experts", "write `ep 1`"),
        ("llama-3-8b", "pp 64", "32 layers cannot be cut into 64 parts", "write `pp 32`"),
        ("llama-3-8b", "tp 5", "32 heads cannot be cut into 5 parts", "write `tp 4` or `tp 8`"),
        ("llama-3-8b", "pp 4, interleave 16", "32 layers have not 16 parts for each of 4", "leave `interleave` out"),
        ("mixtral-8x7b", "ep 5", "8 experts cannot be shared out over 5", "write `ep 4` or `ep 8`"),
    ],
)
def test_a_layout_that_the_model_cannot_have_is_told_with_one_that_it_can(
    model: str, said: str, told: str, help: str
) -> None:
    plan = f"hardware: 320 x H100 for up to 90 days at 30% MFU\nmodel: {model}\ntokens: 60B\n"
    (found,) = (one for one in laid_out(f"{plan}layout: {said}\n").findings if one.code == "C001")
    assert (found.message, found.help[0]) == (told, help)
    mended = help.split("`")[1] if help.startswith("write") else "pp 4"
    assert all(one.code != "C001" for one in laid_out(f"{plan}layout: {mended}\n").findings)
