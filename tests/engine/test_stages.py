"""Stages of one plan: each a scope of its own, the model shared, a budget over all."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reports import solved as report_of
from reports import under

from runplan.cli.show.report.budget import hardware
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.solution import Solution

H100 = "H100 for ? at 40% MFU @ 2 USD/GPU/hour"
ALL = "hardware: 64 x H100 for 30 days at 40% MFU\n"
PEAK, HOUR = 989.4e12, 3600.0


def solved(text: str) -> Solution:
    report = report_of(text)
    assert [f for f in report.findings if f.severity == "error"] == []
    (solution,) = report.solutions
    assert solution.status == "solved"
    return solution


def hours(params: float, tokens: float, gpus: float, mfu: float) -> float:
    return 6 * params * tokens / (gpus * PEAK * mfu) / HOUR


def test_totals_add_up_over_stages_and_each_has_its_own() -> None:
    found = solved(
        f"model: 3B\nstage pretrain {{ hardware: 128 x {H100}; tokens: 300B }}\n"
        "stage finetune { hardware: 16 x H100 for ? at 30% MFU @ 2 USD/GPU/hour; tokens: 6B }\n"
    )
    first, second = hours(3e9, 300e9, 128, 0.4), hours(3e9, 6e9, 16, 0.3)
    assert found["cost"].value == pytest.approx(2 * (128 * first + 16 * second))
    assert found["finetune.cost"].value == pytest.approx(2 * 16 * second)
    assert found["time"].value / HOUR == pytest.approx(first + second)
    assert found["gpus"].value == 128 and found["tokens"].value == 306e9
    assert [stage["params"].value for stage in stages_of(found)] == [3e9, 3e9]


def test_seconds_a_step_of_three_stages_come_to_days() -> None:
    """Nemotron-4 340B (arXiv:2406.11704), table 2: 7.6, 3.8 and 74.6 days from its seconds an iteration."""
    found = solved(
        "model { params: 341B; context: 4096 tokens }\n"
        "stage a { hardware: 1536 x H100 for ? at 10.3 s/step; optimizer: AdamW { batch: 768 sequences }\n"
        "tokens: 200B }\n"
        "stage b { hardware: 3072 x H100 for ? at 10.4 s/step; optimizer: AdamW { batch: 1536 sequences }\n"
        "tokens: 200B }\n"
        "stage c { hardware: 6144 x H100 for ? at 8.0 s/step; optimizer: AdamW { batch: 2304 sequences }\n"
        "tokens: 7.6T }\n"
    )
    days = [stage["time"].value / 86400 for stage in stages_of(found)]
    assert days == pytest.approx([7.6, 3.8, 74.6], rel=0.01)


SPLIT = f"""
require cost <= 5M USD
stage pretrain {{ hardware: 512 x {H100} }}
stage anneal {{ hardware: 512 x {H100}; tokens: 100B }}
stage finetune {{ hardware: 64 x {H100}; data: 2B tokens up to 3 epochs; tokens: 2 epochs; require cost <= 20k USD }}
minimize loss
"""


def test_one_budget_is_split_over_stages() -> None:
    """The rest of the budget is the pre-training's; the loss is that of the tokens of all, as of one run."""
    found = solved(SPLIT)
    assert found["cost"].value == pytest.approx(5e6, rel=1e-9)
    assert found["finetune.tokens"].value == 4e9
    alone = solved(f"hardware: 512 x {H100}\nrequire cost <= 5M USD\nminimize loss\n")
    assert found["loss"].value == pytest.approx(alone["loss"].value, rel=1e-6)
    assert found["params"].value == pytest.approx(alone["params"].value, rel=1e-3)
    losses = [stage["loss"].value for stage in stages_of(found)]
    assert losses == sorted(losses, reverse=True) and losses[-1] == found["loss"].value


def test_a_requirement_inside_a_stage_is_of_that_stage() -> None:
    report = report_of("model: 70B\n" + SPLIT.replace("cost <= 20k USD", "cost <= 100 USD"))
    found = [f for f in report.findings if f.severity == "error"]
    assert [(f.code, f.at.span.text) for f in found] == [("B001", "cost <= 100 USD")]


def test_a_stage_named_within_anothers_name_keeps_its_limits_to_itself() -> None:
    whole = solved(
        "model: 1B\n"
        + "".join(f"stage {name} {{ hardware: 8 x H100 for 3 days at 40% MFU }}\n" for name in ("pre", "pre.b"))
    )
    assert [stage.binding for stage in stages_of(whole)] == [("compute",)] * 2


def test_hardware_outside_of_stages_is_one_reservation_for_all() -> None:
    found = solved(
        "hardware: 1000 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\n"
        "stage pretrain { tokens: ? }\nstage long { context: 32k tokens; tokens: 100B }\n"
    )
    assert found["cost"].value == 1000 * 720 * 2
    assert found["compute"].value == pytest.approx(1000 * 30 * 86400 * PEAK * 0.4)
    assert found["long.context"].value == 32000


def test_what_is_left_of_a_reservation_is_idle() -> None:
    found = solved(
        "hardware: 1000 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\n"
        "stage a { tokens: 1T }\nstage b { tokens: 100B }\n"
    )
    used = hours(7e9, 1.1e12, 1000, 0.4)
    assert found["time"].value / HOUR == pytest.approx(used)
    assert found["cost"].value == pytest.approx(1000 * 720 * 2)
    assert found["idle_share"].value == pytest.approx(1 - used / 720)


def test_data_outside_of_stages_are_one_store_for_all() -> None:
    """A source that has reached its epochs in all stages together is seen no more, and the others go on."""
    plan = (
        f"model: 1B\nhardware: 64 x {H100}\ndata web: 400B tokens\ndata code: 50B tokens up to 4 epochs\n"
        "stage a {{ tokens: {a} }}\nstage b {{ tokens: {b} }}\n"
    )
    found = solved(plan.format(a="300B", b="250B"))
    whole = solved(plan.format(a="500B", b="50B"))
    for name in ("tokens.web", "tokens.code", "epochs.code"):
        assert found[name].value == pytest.approx(whole[name].value)
    assert found["tokens.web"].value == pytest.approx(400e9) and found["epochs.code"].value == pytest.approx(3.0)
    assert found["a.tokens.web"].value + found["b.tokens.web"].value == pytest.approx(400e9)
    short = report_of(plan.format(a="500B", b="200B"))
    assert [f.code for f in short.findings if f.severity == "error"] == ["C003"]


def test_a_stage_begins_when_the_one_before_ends() -> None:
    found = solved(
        "model: 7B\nstage a { hardware: 512 x H100 for 30 days from 2027-01-01 at 40% MFU; tokens: 1T }\n"
        f"stage b {{ hardware: 64 x {H100}; tokens: 10B }}\n"
    )
    assert found["b.start"].value == found["a.finish"].value
    assert found["finish"].value == pytest.approx(found["b.start"].value + found["b.time"].value)


def test_where_the_objective_changes_a_law_speaks_of_the_stages_that_it_is_for() -> None:
    found = solved(
        f"model: 7B\nlaws: chinchilla\nstage a {{ hardware: 512 x {H100}; tokens: 1T }}\n"
        f"stage b {{ hardware: 64 x {H100}; objective: MLM; tokens: 10B }}\n"
    )
    alone = solved(f"model: 7B\nlaws: chinchilla\nhardware: 512 x {H100}\ntokens: 1T\n")
    assert found["loss"].value == pytest.approx(alone["loss"].value)
    assert "loss" not in stages_of(found)[1]
    assert [f.severity for f in found.findings if f.code == "L004"] == ["info"]


@pytest.mark.parametrize(("kinds", "budget"), [(("CLM", "MLM"), "1e21"), (("CLM", "MLM"), "3e19")])
def test_a_transfer_is_two_stages(kinds: tuple[str, str], budget: str) -> None:
    first, second = kinds
    plan = f"laws: plm\ncompute: {budget} FLOP\n"
    whole = solved(f"{plan}objective: transfer from {first} to {second} of protein\n")
    staged = solved(
        f"{plan}stage a {{ objective: {first} of protein }}\nstage b {{ objective: {second} of protein }}\n"
    )
    for name in ("params", "loss", "pretrain_tokens", "finetune_tokens", "transferred_tokens", "compute"):
        assert staged[name].value == pytest.approx(whole[name].value)
    for one, other in (("pretrain", "a"), ("finetune", "b")):
        for name in ("tokens", "compute"):
            assert whole[f"{one}.{name}"].value == pytest.approx(staged[f"{other}.{name}"].value)
    assert sum(stage["compute"].value for stage in stages_of(whole)) == pytest.approx(whole["compute"].value)


def test_text_and_then_code_is_a_transfer_of_their_law() -> None:
    whole = solved(
        "laws: hernandez\nmodel: 1B\nobjective: transfer from text to python\ndata: 30M tokens at 4 characters/token\n"
    )
    staged = solved(
        "laws: hernandez\nmodel: 1B\nstage a { tokens: 20B }\n"
        "stage b { objective: CLM of python; data: 30M tokens at 4 characters/token; tokens: 30M }\n"
    )
    assert staged["transferred_tokens"].value == pytest.approx(whole["transferred_tokens"].value)
    assert staged["tokens"].value == 20.03e9


def test_a_later_stage_without_a_length_is_trained_on_all_of_its_data() -> None:
    found = solved(
        f"require cost <= 5M USD\nminimize loss\nstage pretrain {{ hardware: 512 x {H100} }}\n"
        f"stage anneal {{ hardware: 512 x {H100}; data math: 100B tokens up to 2 epochs }}\n"
    )
    assert found["anneal.tokens"].value == 200e9 and found["anneal.tokens"].kind == "assumed"
    assert found["cost"].value == pytest.approx(5e6)


@given(later=st.lists(st.integers(1, 200), min_size=1, max_size=20))
@settings(max_examples=4, deadline=None)
def test_a_first_stage_has_what_later_ones_leave_of_the_best_or_is_told_to_have_none(later: list[int]) -> None:
    """To the law they are one run: the first has the rest of its best tokens, and where there is no rest nothing says
    how many.
    """
    alone = under(ALL)
    best = alone.solutions[0]["tokens"].value
    rest = best - 1e9 * sum(later)
    assume(abs(rest) > 1e-3 * best)
    stages = "".join(f"stage s{at} {{ data: {tokens}B tokens }}\n" for at, tokens in enumerate(later, 1))
    report = under(f"{ALL}stage s0 {{ tokens: ? }}\n{stages}")
    (found,) = report.solutions
    if rest > 0:
        assert found["s0.tokens"].value == pytest.approx(rest, rel=1e-4)
        assert found["loss"].value == pytest.approx(alone.solutions[0]["loss"].value, rel=1e-9)
        return
    (error,) = [f for f in report.findings if f.severity == "error"]
    assert found.status == "undecided"
    assert (error.code, error.message[:42]) == ("C002", "nothing says how many tokens `s0` has, and")


def test_free_stages_that_cost_alike_have_as_many_tokens_each() -> None:
    plan = "require cost <= 2M USD\nminimize loss\n" + "".join(
        f"stage {s} {{ hardware: 512 x {H100} }}\n" for s in "ab"
    )
    found = solved(plan)
    assert found["a.tokens"].value == found["b.tokens"].value
    dearer = report_of(
        plan.replace("stage b { hardware: 512 x H100 for ? at 40%", "stage b { hardware: 512 x H100 for ? at 30%")
    )
    (why,) = [f for f in dearer.findings if f.severity == "error"]
    assert why.code == "C002" and "`b`" in why.message


def test_a_split_that_a_bound_leaves_open_is_one_as_good_as_any() -> None:
    """What is paid for the reservation is the same for each split but for rounding, whose slope a search followed."""
    found = solved(
        "hardware: 1000 x H100 for 90 days at 40% MFU\nstage s0 { data: 2563876920248 tokens up to 2 epochs }\n"
        "stage s1 { data: 135152926 tokens up to 2 epochs }\nstage s2 { tokens: ? }\n"
        "stage s3 { data: 677175985 tokens }\nstage s4 { tokens: ? }\n"
    )
    alone = solved("hardware: 1000 x H100 for 90 days at 40% MFU\n")
    assert found["loss"].value == pytest.approx(alone["loss"].value, rel=1e-9)


def test_a_stage_has_a_loss_before_the_data_of_a_later_one_are_seen() -> None:
    found = solved(
        f"model: 7B\nhardware: 256 x {H100}\ndata web: 400B tokens\ndata code: 50B tokens up to 4 epochs\n"
        "stage pre { tokens: 400B }\nstage anneal { tokens: 40B; phase cool: rest linear mix web 50%, code 50% }\n"
        f"stage sft {{ hardware: 8 x {H100}; data own: 1B tokens up to 3 epochs }}\n"
    )
    losses = [stage["loss"].value for stage in stages_of(found)]
    assert losses == sorted(losses, reverse=True) and losses[-1] == found["loss"].value
    assert losses[0] == pytest.approx(solved("model: 7B\ntokens: 400B\n")["loss"].value)


def test_a_stage_that_has_few_data_does_not_hold_the_others_to_as_many() -> None:
    found = solved(
        f"require cost <= 1M USD\nminimize loss\nstage a {{ hardware: 256 x {H100}; data: 100B tokens }}\n"
        f"stage b {{ hardware: 256 x {H100} }}\n"
    )
    alone = solved(f"hardware: 256 x {H100}\nrequire cost <= 1M USD\nminimize loss\n")
    assert found["loss"].value == pytest.approx(alone["loss"].value, rel=1e-6)


def test_a_finding_of_a_stage_names_it() -> None:
    report = report_of(
        "model: 7B\nstage a { hardware: 512 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour; tokens: 1T }\n"
        f"stage b {{ hardware: 64 x {H100}; tokens: 10B }}\n"
    )
    (idle,) = [f for f in report.findings if f.code == "H005"]
    assert idle.message.startswith("in `a` 92 % of the hardware")


def test_what_is_worth_knowing_of_several_stages_is_said_once() -> None:
    report = report_of(
        "model: 7B\n" + "".join(f"stage {name} {{ hardware: 64 x {H100}; tokens: 10B }}\n" for name in ("a", "b", "c"))
    )
    (found,) = [f for f in report.findings if f.code == "H004"]
    assert found.message.startswith("in `a`, `b` and `c` no availability is given")
    assert [label.span.line for label in (found.at, *found.also)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("outer", "told"),
    [
        (f"64 x {H100}", "64 x H100 for 13.26 days at 40% MFU @ 2 USD/GPU/hour"),
        ("? x H100 for 30 days at 40% MFU", "29 x H100 for 30 days at 40% MFU"),
        ("64 x H100 for up to 30 days at 40% MFU", "64 x H100 for up to 30 days at 40% MFU"),
    ],
)
def test_hardware_outside_of_stages_is_told_as_all_of_them_have_it(outer: str, told: str) -> None:
    report = report_of(f"hardware: {outer}\nmodel: 7B\nstage a {{ tokens: 600B }}\nstage b {{ tokens: 91B }}\n")
    assert hardware(report) == (told,)


POOLS = "512 x H100 for {0} at 40% MFU @ 2 USD/GPU/hour + 512 x A100 for {0} at 45% MFU @ 1 USD/GPU/hour"
TWO = "model: 7B\nstage a { tokens: 500B }\nstage b { tokens: 50B }\n"


@pytest.mark.parametrize(("time", "paid"), [("30 days", 30 * 24.0), ("up to 30 days", None), ("?", None)])
def test_pools_outside_of_stages_run_side_by_side_in_each(time: str, paid: float | None) -> None:
    solution = solved(f"hardware: {POOLS.format(time)}\n{TWO}")
    rate = 512 * (0.4 * PEAK + 0.45 * 312e12)
    took = [6 * 7e9 * tokens / rate / HOUR for tokens in (500e9, 50e9)]
    assert [stage["time"].value / HOUR for stage in stages_of(solution)] == pytest.approx(took, rel=1e-3)
    assert solution["time"].value / HOUR == pytest.approx(sum(took), rel=1e-3)
    assert solution["gpus"].value == 1024
    assert solution["cost"].value == pytest.approx(512 * 3.0 * (paid or sum(took)), rel=1e-3)


def test_hours_bought_outside_of_stages_are_shared() -> None:
    solution = solved(f"hardware: 50k GPU-hours of H100 at 40% MFU @ 2 USD/GPU/hour\n{TWO}")
    used = [6 * 7e9 * tokens / (0.4 * PEAK) / HOUR for tokens in (500e9, 50e9)]
    assert [stage["cost"].value for stage in stages_of(solution)] == pytest.approx([2 * h for h in used], rel=1e-3)
    assert solution["cost"].value == pytest.approx(100_000.0)
    assert solution["idle_share"].value == pytest.approx(1 - sum(used) / 50_000, rel=1e-3)
    free = solved("hardware: 50k GPU-hours of H100 at 40% MFU\nmodel: 7B\nstage a { tokens: 500B }\nstage b { }\n")
    assert free["compute"].value == pytest.approx(50_000 * HOUR * 0.4 * PEAK, rel=1e-3)


def test_a_reserve_of_the_plan_is_one_for_all_its_stages() -> None:
    solution = solved(f"hardware: 512 x H100 for 30 days at 40% MFU\nreserve: ?\n{TWO}")
    needed = 6 * 7e9 * 550e9 / (512 * 0.4 * PEAK * 30 * 24 * HOUR)
    assert solution["reserve"].value == pytest.approx(1 - needed, rel=1e-4)


def test_the_rate_of_each_stage_is_found_where_nothing_ties_them() -> None:
    stage = "stage {} {{ hardware: {} x H100 for 10 days at ? MFU; tokens: {} }}\n"
    text = "model: 7B\n" + stage.format("a", 256, "500B") + stage.format("b", 64, "50B")
    solution = solved(text)
    for name, gpus, tokens in (("a", 256, 500e9), ("b", 64, 50e9)):
        assert solution[f"{name}.mfu"].value == pytest.approx(hours(7e9, tokens, gpus, 1.0) / 240, rel=1e-3)
    (open_,) = [f for f in report_of(text.replace("model: 7B", "model: 1B .. 9B params")).findings if f.code == "C002"]
    assert "`a.mfu` and `b.mfu`" in open_.message


def test_how_long_a_stage_takes_is_told_without_the_time_in_it() -> None:
    stages = (f"stage {name} {{ hardware: {count} x {H100}; tokens: 91B }}\n" for name, count in (("a", 64), ("b", 8)))
    solution = solved("model: 7B\n" + "".join(stages))
    formula = solution["a.reserved_time"].formula
    assert "gpus" in formula and "rate" in formula and "reserved_time" not in formula and "second" not in formula


def test_a_stage_that_begins_too_soon_is_told_which_dates_make_room() -> None:
    """1T tokens on a 7B take 2.4 days on 512 GPUs."""
    report = report_of(
        f"model: 7B\nstage a {{ hardware: 512 x {H100} from 2027-01-01; tokens: 1T }}\n"
        f"stage b {{ hardware: 64 x H100 from 2027-01-02 until 2027-03-01 at 40% MFU; tokens: 10B }}\n"
    )
    changes = {one.text: one.change.said for one in report.solutions[0].conflict if one.change}
    assert changes["a.from: 2027-01-01"] == "a.from <= 2026-12-30"
    assert changes["b.from: 2027-01-02"] == "b.from >= 2027-01-04"
    assert changes["a.gpus: 512"] == "a.gpus >= 1229"


@pytest.mark.parametrize(
    ("required", "lacks"),
    [
        ("cost <= 1M USD", "`price`"),
        ("energy <= 1 GWh", "`pue`"),
        ("finish <= 2027-01-01", "`from`"),
        ("b.cost <= 1M USD", "`price`"),
        ("a.finish <= 2027-01-01", "`from`"),
    ],
)
@pytest.mark.parametrize("apart", [False, True])
def test_what_a_stage_lacks_is_told_of_its_own_hardware(required: str, lacks: str, apart: bool) -> None:
    """Of two stages that run on the plan's hardware, or each on its own, one of which has a price."""
    bare = "hardware: 64 x H100 for ? at 40% MFU"
    ends = [f"{bare} @ 2 USD/GPU/hour; ", f"{bare}; "] if apart else ["", ""]
    stages = "".join(f"stage {name} {{ {end}tokens: 1T }}\n" for name, end in zip("ab", ends, strict=True))
    hardware = "" if apart else f"{bare}\n"
    (found,) = (f for f in report_of(f"model: 7B\n{hardware}{stages}require {required}\n").findings if f.code == "C004")
    assert f"no {lacks} is given" in found.message


def test_data_of_a_stage_stand_against_its_tokens_and_more_of_them_make_room() -> None:
    """Four passes over 10B and one over 5B are 45B."""
    own = "data web: 10B tokens up to 4 epochs; data code: 5B tokens"
    text = f"hardware: 64 x {H100}\nmodel: 7B\nstage a {{ tokens: 100B; {own} }}\nstage b {{ tokens: 10B }}\n"
    changes = {one.text: one.change for one in report_of(text).solutions[0].conflict}
    assert {said: change.said for said, change in changes.items() if change} == {
        "a.tokens: 100B": "a.tokens <= 45B",
        "data web of a: 10B tokens": "data web of a >= 23.75B tokens",
        "data code of a: 5B tokens": "data code of a >= 60B tokens",
    }
    for old, new in (("100B", "45B"), ("10B tokens up", "23.75B tokens up"), ("5B tokens }", "60B tokens }")):
        assert report_of(text.replace(old, new)).solutions[0].status == "solved"


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        ("hardware: 64 x H100 for 30 days at 40% MFU", ""),
        ("hardware: 64 x H100 for up to 30 days at 40% MFU", ""),
        ("hardware: 46080 GPU-hours of H100 at 40% MFU", ""),
        ("", "hardware: 32 x H100 for 30 days at 40% MFU"),
        ("", "hardware: 32 x H100 for up to 30 days at 40% MFU"),
        ("", "compute: 3.282591744e22 FLOP"),
    ],
)
def test_a_loss_that_is_required_of_stages_leaves_nothing_idle_of_what_bounds_them(outside: str, inside: str) -> None:
    """What is reserved is spent on the least loss, as in a plan without stages: a bound on that is no goal."""
    stages = f"stage a {{ {inside or 'tokens: ?'} }}\nstage b {{ {inside or 'tokens: ?'} }}\n"
    whole = solved("hardware: 64 x H100 for 30 days at 40% MFU\n")
    solution = solved(f"{outside}\n{stages}require loss <= 2.25\n")
    assert solution["loss"].value == pytest.approx(whole["loss"].value, rel=1e-5)
    assert solution["compute"].value == pytest.approx(whole["compute"].value, rel=1e-5)
