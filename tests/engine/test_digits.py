"""Figures stand for the digits that they are written with: what those leave open is no contradiction."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.reader import Files
from runplan.engine.documents.solve import document
from runplan.engine.pipeline import report_of

# What 64 H100 give in 30 days, by the arithmetic of meaning 1: 989.4 TFLOP/s at 40 % MFU.
GIVE = 64 * 30 * 86400 * 0.4 * 989.4e12
STEP = 4194304
PHASES = (
    "tokens: 1T\nmodel: 7B\nhardware: 64 x H100 for ? at 40% MFU\noptimizer: AdamW { batch: 4194304 tokens }\n"
    "phase warm: 2000 steps warmup\nphase stable: rest constant\nphase anneal: 36419 steps linear\n"
)


def solved(text: str) -> tuple[dict[str, Any], set[str]]:
    """The first solution, and the errors."""
    out: Any = document(report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False))
    return out["solutions"][0], {f["code"] for f in out["findings"] if f["severity"] == "error"}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        (
            "hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\n",
            "hardware: 64 x H100 for 30 days at 395.76 TFLOP/s\n",
            "hardware: up to 64 x H100 for up to 30 days at 40% MFU @ 2 USD/GPU/hour\n",
            "hardware: 40 x H100 for 30 days at 40% MFU + 24 x H100 for 30 days at 395.76 TFLOP/s\n",
            "hardware: 46080 GPU-hours of H100 at 40% MFU\n",
            "hardware: 64 x H100 at 40% MFU from 2026-01-01 until 2026-01-31\n",
            f"compute: {GIVE:.12g} FLOP\n",
        )
    ),
    st.sampled_from(("model: 7B\n", "model: 67B params, 7B active\n")),
    st.integers(-200, 200).filter(lambda off: off != 50).map(lambda off: off / 1e4),
)
def test_a_shortfall_within_the_digits_is_no_conflict(supply: str, model: str, off: float) -> None:
    tokens = round(GIVE * (1 + off) / 6 / 7e9)
    out, errors = solved(f"{supply}{model}tokens: {tokens}\n")
    fits = off < 0.005
    assert (out["status"], errors) == (("solved", set()) if fits else ("infeasible", {"C003"}))
    # What the plan gives stays what it is; what is taken for more by the digits is the rate.
    assert out["tokens"]["value"] == pytest.approx(tokens, rel=1e-9)
    if fits and supply.startswith("hardware: 64"):
        assert out["gpu_hours"]["value"] == pytest.approx(46080, rel=1e-9)
        assert out["time"]["value"] <= 30 * 86400 * (1 + 1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(-100, 100).filter(lambda off: abs(off) != 50).map(lambda off: off / 1e4))
def test_phases_come_to_the_tokens_by_their_digits(off: float) -> None:
    """Steps are of a batch, and tokens are written round: 238,419 steps of 4,194,304 tokens are a trillion."""
    steps = round((1e12 / STEP - 2000 - 36419) + off * 1e12 / STEP)
    out, errors = solved(PHASES.replace("rest", f"{steps} steps"))
    assert (out["status"], errors) == (("solved", set()) if abs(off) < 0.005 else ("infeasible", {"C003"}))
    if not errors:
        assert sum(phase["tokens"]["value"] for phase in out["phases"]) == pytest.approx(1e12, rel=1e-9)


def test_data_come_to_the_tokens_by_their_digits() -> None:
    plan = "compute: 6e22 FLOP\nmodel: 7B\ndata a: 600B tokens\ndata b: 398B tokens\ntokens: 1T\n"
    assert solved(plan)[1] == set()
    assert solved(plan.replace("398B", "394B"))[1] == {"C003"}


def test_what_is_required_is_kept_to_the_digit() -> None:
    plan = "hardware: 64 x H100 for 30 days at 40% MFU\nmodel: 7B\n"
    most = GIVE / 6 / 7e9
    assert solved(f"{plan}require tokens >= {round(most * 0.9999)}\n")[1] == set()
    assert solved(f"{plan}require tokens >= {round(most * 1.0001)}\n")[1] == {"B002"}
    # Of figures that agree to their digits it is the requirement that fails.
    assert solved(f"{plan}tokens: {round(most * 1.001)}\nrequire loss <= 1.9\n")[1] == {"B002"}


def test_hours_come_to_the_count_and_the_time_by_their_digits() -> None:
    """64 devices for 30 days are 46,080 GPU-hours."""
    plan = "hardware {{ gpus: 64; device: H100; time: {}; gpu_hours: {}; mfu: 40% }}\n"
    out, errors = solved(plan.format("30 days", "46k GPU-hours"))
    assert errors == set() and out["gpu_hours"]["value"] == pytest.approx(46080)
    out, errors = solved(plan.format("30 days", "50k GPU-hours"))
    assert errors == {"C003"}
    changes = {one["text"].split(":")[0]: one["change"] for one in out["conflict"]}
    assert changes == {"gpu_hours": "gpu_hours <= 46080 GPU-hours", "time": "time >= 32.56 days"}
    assert solved(plan.format("32.56 days", "50k GPU-hours"))[1] == set()
