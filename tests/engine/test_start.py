"""Plans that start from a checkpoint: what is trained on, what it takes, and whose settings it has."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY
from reports import solved, under

from runplan.dsl.plan.ir import Plan, Stage
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.text.source import Source
from runplan.engine.problem.solution import Solution

PEAK = 989.4e12  # of an H100 in bf16
DAY = 86400.0


def plan_of(text: str) -> Plan:
    plan = lower(parse_file(Source("p.plan", text))[0], LIBRARY.vocabulary()).plan
    assert plan is not None
    return plan


def solution(text: str) -> Solution:
    return under(text).solutions[0]


def value(found: Solution, name: str) -> float:
    got = found.get(name)
    assert got is not None
    return got


# ---- by arithmetic


@settings(max_examples=15, deadline=None)
@given(
    size=st.floats(1e8, 1e11),
    data=st.floats(1e7, 1e11),
    passes=st.integers(1, 6),
    gpus=st.integers(1, 512),
    rate=st.floats(0.1, 0.6),
)
def test_the_data_within_their_passes_at_six_flop_a_param_and_token(
    size: float, data: float, passes: int, gpus: int, rate: float
) -> None:
    text = f"start: checkpoint\nmodel: {size:.6g} params\ndata: {data:.6g} tokens up to {passes} epochs\n"
    found = solution(f"{text}hardware: {gpus} x H100 for ? at {rate * 100:.6g}% MFU\n")
    tokens = passes * float(f"{data:.6g}")
    assert value(found, "tokens") == pytest.approx(tokens, rel=1e-9)
    took = 6 * float(f"{size:.6g}") * tokens / (gpus * PEAK * float(f"{rate * 100:.6g}") / 100)
    assert value(found, "time") == pytest.approx(took, rel=1e-9)


@pytest.mark.parametrize("most", ["?", "up to 900 days"])
def test_a_stated_run_takes_as_long_as_it_does_however_the_time_is_left_open(most: str) -> None:
    found = solution(f"start: checkpoint\nmodel: 7B params\ntokens: 1B\nhardware: 8 x H100 for {most} at 40% MFU\n")
    assert found.status == "solved"
    assert value(found, "time") == pytest.approx(6 * 7e9 * 1e9 / (8 * PEAK * 0.4), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0.01, 0.9), new=st.floats(1e9, 1e11), passes=st.integers(1, 4))
def test_new_data_and_replay_keep_their_shares(share: float, new: float, passes: int) -> None:
    part = round(share * 100, 3)
    text = (
        "start: checkpoint\nmodel: 7B\n"
        f"data mine: {new:.6g} tokens up to {passes} epochs weight {100 - part:.6g}%\n"
        f"data old: 1000T tokens weight {part:.6g}% for pretrain\n"
    )
    found = solution(text)
    assert value(found, "replay_share") == pytest.approx(part / 100, rel=1e-6)
    assert value(found, "tokens") == pytest.approx(passes * float(f"{new:.6g}") / (1 - part / 100), rel=1e-6)


# ---- what does not hold


@pytest.mark.parametrize("start", ["scratch", "checkpoint"])
@pytest.mark.parametrize("objective", ["CLM", "MLM", "CLM of protein"])
def test_only_a_run_from_scratch_has_a_loss_and_the_settings_of_one(start: str, objective: str) -> None:
    found = solution(f"start: {start}\nobjective: {objective}\nmodel: 1B\ntokens: 20B\n")
    laws = {definition.by for definition in found.problem.definitions.values() if definition.by}
    known = [law for name in laws if (law := LIBRARY.law(name)) is not None and not name.startswith("params")]
    begun = {law.from_weights for law in known}
    assert begun <= {start == "checkpoint"}
    assert found.get("loss") is None or start == "scratch"


@pytest.mark.parametrize("name", ["batch", "learning_rate"])
def test_settings_have_an_interval_and_are_named(name: str) -> None:
    found = solved("start: checkpoint\nmodel: 7B\ndata: 2B tokens up to 3 epochs\n").solutions[0].quantity(name)
    assert found is not None and found.by == "usual.checkpoint"
    assert found.low is not None and found.high is not None and found.low < found.value < found.high


def test_a_fine_tune_that_was_done_is_not_warned_of() -> None:
    """Zephyr: 7B on 286M tokens, at 2e-5 and 128 sequences of 2,048."""
    text = (
        "start: checkpoint mistral-7b\ndata chat: 286M tokens quality sft\nhardware: 16 x A100 for ?\n"
        "optimizer: AdamW { learning_rate: 2e-5; batch: 262144 tokens }\n"
    )
    assert [f.code for f in under(text).findings if f.severity != "info"] == []


# ---- which stages start from weights


@pytest.mark.parametrize(("start", "from_weights"), [("scratch", [False, True]), ("checkpoint", [True, True])])
def test_later_stages_start_from_the_weights_of_those_before(start: str, from_weights: list[bool]) -> None:
    plan = plan_of(f"start: {start}\nmodel: 1B\nstage first {{ tokens: 20B }}\nstage second {{ tokens: 1B }}\n")
    named = [stage for stage in plan.stages if stage.name]
    assert list(map(plan.from_weights, named)) == from_weights


def test_a_plan_without_stages_starts_where_it_says() -> None:
    assert [plan_of(f"{said}model: 1B\n").from_weights(Stage()) for said in ("", "start: checkpoint\n")] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    "law", ["kaplan", "moonlight.adamw", "diloco.m1", "sft.learning_rate.tinker", "envelope", "form.cpt.hparams"]
)
def test_any_law_named_is_taken_or_said_to_give_nothing(law: str) -> None:
    """Of a run that goes on from weights, and of stages that have a batch each: what is told of the run holds."""
    onwards = "hardware: 8 x H100 for ? at 40% MFU\nstart: checkpoint llama-3-8b\nmodel: llama-3-8b\ntokens: 1B\n"
    staged = "hardware: 8 x H100 for ? at 40% MFU\nmodel: 1B\nstage a { tokens: 2B }\nstage b { tokens: 3B }\n"
    for text in (onwards, staged):
        found = under(f"use laws {law}\n{text}").solutions[0]
        assert found.status == "solved" and found.get("time") is not None
    assert found.get("batch") is None and found.get("learning_rate") is None
    free = [one for one in found.problem.law.constants.values() if one.value is None]
    assert not free or found.get("loss") is None
