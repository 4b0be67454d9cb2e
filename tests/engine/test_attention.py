"""Attention's own compute, by the shape and the context: in the time and in what a stated MFU is of, and not in 6ND."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

LLAMA_3_8B = "layers: 32; hidden: 4096; heads: 32; kv_heads: 8; ffn: 14336; vocab: 128256"
PARAMS = 8_030_261_248
# The H100's dense peak in bf16, in FLOP/s.
PEAK = 989.4e12


def solved(text: str) -> Report:
    return report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), intervals=False)


def at(report: Report, name: str) -> float | None:
    found = report.solutions[0].quantity(name)
    return found.value if found else None


@pytest.mark.parametrize("context", [2048, 8192, 32768, 131072])
def test_causal_attention_is_half_of_twelve_layers_width_context_a_token(context: int) -> None:
    report = solved(
        "hardware: 64 x H100 for ? at 40% MFU\n"
        f"model {{ {LLAMA_3_8B}; context: {context} tokens }}\ntokens: 100B\nuse laws chinchilla\n"
    )
    attention, compute = 6 * 32 * 4096 * context * 1e11, 6 * PARAMS * 1e11
    assert at(report, "compute") == pytest.approx(compute, rel=1e-12)
    assert at(report, "attention_compute") == pytest.approx(attention, rel=1e-12)
    assert at(report, "model_compute") == pytest.approx(compute + attention, rel=1e-12)
    assert at(report, "time") == pytest.approx((compute + attention) / (64 * PEAK * 0.4), rel=1e-6)


def test_what_the_hardware_gives_is_spent_on_attention_too() -> None:
    """A bounded run has the fewer tokens for it, and a reserved one the less idle time."""
    short, long = (
        solved(f"hardware: 64 x H100 for 7 days at 40% MFU\nmodel {{ {LLAMA_3_8B}; context: {context} tokens }}\n")
        for context in (2048, 131072)
    )
    for report, context in ((short, 2048), (long, 131072)):
        tokens = 64 * PEAK * 0.4 * 7 * 86400 / (6 * PARAMS + 6 * 32 * 4096 * context)
        assert at(report, "tokens") == pytest.approx(tokens, rel=1e-6)
    idle = solved(
        f"hardware: 64 x H100 for 7 days at 40% MFU\nmodel {{ {LLAMA_3_8B}; context: 131072 tokens }}\ntokens: 50B\n"
    )
    spent = (6 * PARAMS + 6 * 32 * 4096 * 131072) * 50e9
    assert at(idle, "idle_share") == pytest.approx(1 - spent / (64 * PEAK * 0.4 * 7 * 86400), rel=1e-6)


@pytest.mark.parametrize(
    "pools", ["64 x H100 for ? at 40% MFU", "32 x H100 for ? at 40% MFU + 32 x H100 for ? at 40% MFU"]
)
def test_pools_side_by_side_take_as_long_as_one(pools: str) -> None:
    report = solved(f"hardware: {pools}\nmodel {{ {LLAMA_3_8B}; context: 131072 tokens }}\ntokens: 100B\n")
    assert at(report, "time") == pytest.approx(597192.674, rel=1e-6)


def test_without_layers_or_without_a_context_attention_is_not_counted() -> None:
    for block in (LLAMA_3_8B, "params: 8B; context: 131072 tokens"):
        report = solved(f"hardware: 64 x H100 for ? at 40% MFU\nmodel {{ {block} }}\ntokens: 100B\n")
        assert at(report, "attention_compute") is None
        assert at(report, "time") == pytest.approx((at(report, "compute") or 0) / (64 * PEAK * 0.4), rel=1e-6)


def test_a_head_of_its_own_width_counts_by_it_and_no_heads_by_the_width_of_the_model() -> None:
    own = solved(
        "model { params: 4B; layers: 36; hidden: 2560; heads: 32; head_dim: 128; context: 4096 tokens }\ntokens: 1B"
    )
    none = solved("model { params: 4B; layers: 36; hidden: 2560; context: 4096 tokens }\ntokens: 1B")
    assert at(own, "attention_compute") == pytest.approx(6 * 36 * 4096 * 4096 * 1e9)
    assert at(none, "attention_compute") == pytest.approx(6 * 36 * 2560 * 4096 * 1e9)


def test_masked_tokens_see_both_sides() -> None:
    report = solved(
        "objective: MLM of protein\nmodel { params: 85M; layers: 12; hidden: 768; context: 1024 tokens }\ntokens: 1B"
    )
    assert at(report, "attention_compute") == pytest.approx(12 * 12 * 768 * 1024 * 1e9)


@settings(max_examples=40, deadline=None)
@given(
    layers=st.integers(1, 100),
    context=st.integers(2, 400),
    window=st.integers(1, 800),
    both=st.booleans(),
    data=st.data(),
)
def test_windows_count_what_they_let_see(
    layers: int, context: int, window: int, both: bool, data: st.DataObject
) -> None:
    """Against the count of pairs, which the formula has but for half a token at each end."""
    whole = data.draw(st.integers(0, layers))
    sides = 2 if both else 1
    objective = "MLM of protein" if both else "CLM of protein"
    report = solved(
        f"objective: {objective}\nmodel {{ params: 85M; layers: {layers}; hidden: 64; context: {context} tokens;"
        f" window: {window} tokens; global_layers: {whole} }}\ntokens: 1B\n"
    )

    def pairs(reach: float) -> float:
        """Positions seen on the sides of each token, as an integral over its place."""
        reach = min(reach, context)
        return sides * (context * reach - reach * reach / 2)

    seen = (whole * pairs(context) + (layers - whole) * pairs(window / sides)) / context
    assert at(report, "attention_compute") == pytest.approx(12 * 64 * seen * 1e9, rel=1e-9)


def test_an_assumed_rate_is_of_6nd_at_the_usual_context_and_takes_longer_over_a_longer_one() -> None:
    def days(model: str) -> float:
        found = at(solved(f"hardware: 64 x H100 for ?\nmodel {{ {model} }}\ntokens: 100B\n"), "time")
        assert found is not None
        return found

    bare = days(f"params: {PARAMS}")
    for context in (2048, 4096, 8192, 131072):
        longer = (PARAMS + 32 * 4096 * context) / (PARAMS + 32 * 4096 * min(context, 4096))
        assert days(f"{LLAMA_3_8B}; context: {context} tokens") == pytest.approx(bare * longer, rel=1e-6)


def test_pools_with_an_assumed_rate_and_with_a_stated_one_stand_side_by_side() -> None:
    report = solved(
        "hardware: 32 x H100 for ? + 32 x H100 for ? at 40% MFU\n"
        f"model {{ {LLAMA_3_8B}; context: 131072 tokens }}\ntokens: 100B\n"
    )
    rates = {
        str(n): v.value for n, v in report.solutions[0].values.items() if n.text in ("rate", "mfu", "usual_attention")
    }
    assert rates["pool2.rate"] == pytest.approx(PEAK * 0.4)
    assert rates["pool1.rate"] == pytest.approx(PEAK * rates["pool1.mfu"] * rates["usual_attention"])
    assert at(report, "time") == pytest.approx(
        6 * (PARAMS + 32 * 4096 * 131072) * 1e11 / 32 / (rates["pool1.rate"] + rates["pool2.rate"]), rel=1e-6
    )
