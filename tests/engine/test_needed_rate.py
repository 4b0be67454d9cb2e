"""What rate the givens need, where nobody states one; and what they need where it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.reader import Files
from runplan.engine.documents.solve import document
from runplan.engine.pipeline import report_of

# Dense bf16 peaks, and the best matrix product measured, in FLOP/s: NVIDIA's data sheets, stas00/ml-engineering.
A100, H100 = 312e12, 989.4e12
A100_CEILING = 271.2e12
DAY = 86400.0
# The share of the speed of its steps that a run keeps end to end: `usual_availability`.
USUALLY_UP = 0.85


def document_of(text: str, file: str = "x.plan") -> dict[str, Any]:
    return document(report_of(file, Files({file: text}), catalogue=LIBRARY, intervals=False))


def solved(text: str, file: str = "x.plan") -> tuple[dict[str, Any], dict[str, str]]:
    """The first solution, and the severities of what is found, by code."""
    out = document_of(text, file)
    return out["solutions"][0], {f["code"]: f["severity"] for f in out["findings"]}


def value(solution: dict[str, Any], name: str) -> float:
    found = solution[name]["value"]
    assert isinstance(found, float)
    return found


USUAL = value(solved("hardware: 512 x A100-SXM-80GB for ?\nmodel: 13B\ntokens: 1T\n")[0], "mfu")


def days_for(mfu: float, tokens: float = 1e12) -> float:
    """How many days 512 A100s take for 13B on so many tokens, at an MFU."""
    return 6 * 13e9 * tokens / (512 * A100 * mfu) / DAY


FORMS = {
    "a line": "hardware: 512 x A100-SXM-80GB for {days:.6f} days\nmodel: 13B\ntokens: 1T\n",
    "a block": "hardware {{ gpus: 512; device: A100-SXM-80GB; time: {days:.6f} days }}\nmodel: 13B\ntokens: 1T\n",
    "hours": "hardware: {hours:.3f} GPU-hours of A100-SXM-80GB\nmodel: 13B\ntokens: 1T\n",
    "nodes": "hardware: 64 nodes x A100-SXM-80GB for {days:.6f} days in nodes of 8\nmodel: 13B\ntokens: 1T\n",
    "steps": (
        "hardware: 512 x A100-SXM-80GB for {days:.6f} days\nmodel: 13B\ntokens: 250k steps\n"
        "optimizer: AdamW {{ batch: 4M tokens }}\n"
    ),
    "passes": "hardware: 512 x A100-SXM-80GB for {days:.6f} days\nmodel: 13B\ndata: 500B tokens\ntokens: 2 epochs\n",
    "a mixture": "hardware: 512 x A100-SXM-80GB for {days:.6f} days\nmodel: 47B params, 13B active\ntokens: 1T\n",
    "stopped": (
        "hardware {{ gpus: 1024; device: A100-SXM-80GB; time: {days:.6f} days; availability: 50% }}\n"
        "model: 13B\ntokens: 1T\n"
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_up_to_what_is_assumed_the_needed_rate_is_told_and_the_run_is_done_early(form: str) -> None:
    needed = 0.5 * USUAL
    days = days_for(needed)
    found, codes = solved(FORMS[form].format(days=days, hours=512 * days * 24))
    assert found["status"] == "solved"
    assert value(found, "needed_mfu") == pytest.approx(value(found, "mfu") * (1 - value(found, "idle_share")), rel=1e-5)
    assert value(found, "needed_mfu") == pytest.approx(needed, rel=1e-5)
    assert value(found, "mfu") > needed
    assert codes["H005"] == "warning"


@pytest.mark.parametrize("form", FORMS)
def test_above_what_is_assumed_the_needed_rate_is_taken_and_judged(form: str) -> None:
    # Where the plan says how long its hardware is down, the rate is that while it is up: what stops take is not in it.
    needed = 1.1 * USUAL / (USUALLY_UP if form == "stopped" else 1.0)
    days = days_for(needed)
    found, codes = solved(FORMS[form].format(days=days, hours=512 * days * 24))
    assert found["status"] == "solved"
    assert value(found, "mfu") == pytest.approx(needed, rel=1e-5)
    assert value(found, "needed_mfu") == pytest.approx(needed, rel=1e-5)
    assert value(found, "idle_share") == pytest.approx(0.0, abs=1e-5)
    assert codes["H003"] == "info"
    assert "C003" not in codes


@pytest.mark.parametrize("form", FORMS)
def test_above_what_was_measured_of_the_device_it_cannot_be(form: str) -> None:
    days = days_for(1.01 * A100_CEILING / A100)
    found, codes = solved(FORMS[form].format(days=days, hours=512 * days * 24))
    assert found["status"] == "infeasible"
    assert codes["C003"] == "error"


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 1.2), st.floats(1e9, 2e11), st.integers(1, 4096))
def test_only_above_the_ceiling_is_a_run_an_error(needed: float, params: float, gpus: int) -> None:
    tokens = 20 * params
    days = 6 * params * tokens / (gpus * H100 * needed) / DAY
    if days < 1:
        return
    text = f"hardware: {gpus} x H100 for {days:.9f} days\nmodel: {params / 1e9:.9f}B\ntokens: {tokens / 1e9:.9f}B\n"
    found, codes = solved(text)
    ceiling = 794.5e12 / H100
    if abs(needed / ceiling - 1) < 0.01:
        return
    assert found["status"] == ("solved" if needed < ceiling else "infeasible")
    assert value(found, "needed_mfu") == pytest.approx(needed, rel=1e-4)
    if needed < ceiling:
        assert "C003" not in codes
        assert value(found, "mfu") >= needed * (1 - 1e-5)


def test_both_spellings_say_the_same() -> None:
    days = days_for(1.1 * USUAL)
    text = f"hardware: 512 x A100-SXM-80GB for {days:.6f} days\nmodel: 13B\ntokens: 1T\n"
    plan, yaml = (solved(text, file)[0] for file in ("x.plan", "x.plan.yaml"))
    assert plan == yaml


@pytest.mark.parametrize(
    "bounds",
    [
        "hardware: up to 512 x A100-SXM-80GB for up to {days:.6f} days\nmodel: 13B\ntokens: 1T\n",
        "hardware: 512 x A100-SXM-80GB for {days:.6f} days\nmodel: at least 13B\ntokens: at least 1T\n",
    ],
)
def test_bounds_of_the_plan_are_believed_before_the_rate_as_well(bounds: str) -> None:
    found, _ = solved(bounds.format(days=days_for(1.1 * USUAL)))
    assert found["status"] == "solved"
    assert value(found, "mfu") == pytest.approx(1.1 * USUAL, rel=1e-5)


def test_a_requirement_is_judged_at_the_rate_that_is_assumed() -> None:
    days = days_for(1.1 * USUAL)
    text = f"hardware: 512 x A100-SXM-80GB for ?\nmodel: 13B\ntokens: 1T\nrequire time <= {days:.6f} days\n"
    found, codes = solved(text)
    assert codes["B001"] == "error"
    assert value(found, "mfu") == pytest.approx(USUAL)


def test_what_is_required_of_the_needed_rate() -> None:
    text = f"hardware: 512 x A100-SXM-80GB for {days_for(0.3):.6f} days\nmodel: 13B\ntokens: 1T\n"
    assert "B002" not in solved(text + "require needed_mfu <= 31%\n")[1]
    broken = document_of(text + "require needed_mfu <= 25%\n")["findings"]
    help, *_ = next(f["help"] for f in broken if f["code"] == "B002")
    # 25 / 30 of the tokens, of the size; 30 / 25 of the time, of the devices.
    assert "tokens <= 833" in help
    assert "gpus >= 615" in help


def test_several_pools_need_the_same_share_of_what_is_assumed_of_each() -> None:
    text = "hardware: 512 x A100-SXM-80GB for 30 days + 256 x H100 for 20 days\nmodel: 13B\ntokens: 2T\n"
    found = report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False).solutions[0]
    peak = 512 * A100 * 30 * DAY + 256 * H100 * 20 * DAY
    assert found["needed_mfu"].value == pytest.approx(6 * 13e9 * 2e12 / peak)
    shares = [found[f"pool{i}.needed_mfu"].value / found[f"pool{i}.mfu"].value for i in (1, 2)]
    assert shares[0] == pytest.approx(shares[1])


def test_a_pool_whose_rate_is_stated_keeps_it() -> None:
    text = "hardware: 512 x A100-SXM-80GB for 30 days at 40% MFU + 256 x H100 for 30 days\nmodel: 13B\ntokens: {}T\n"
    given = 512 * A100 * 30 * DAY * 0.4
    for tokens in (3.0, 6.0):
        plan = Files({"x.plan": text.format(tokens)})
        found = report_of("x.plan", plan, catalogue=LIBRARY, intervals=False).solutions[0]
        needed = (6 * 13e9 * tokens * 1e12 - given) / (256 * H100 * 30 * DAY)
        assert found.status == "solved"
        assert found["pool1.mfu"].value == 0.4
        assert found["pool2.needed_mfu"].value == pytest.approx(needed, rel=1e-5)
        assert found["needed_mfu"].value == pytest.approx(needed, rel=1e-5)
    assert found["pool2.mfu"].value == pytest.approx(needed, rel=1e-5)


def test_where_the_rate_is_stated_none_is_needed() -> None:
    text = "hardware: 512 x A100-SXM-80GB for 18 days at 30% MFU\nmodel: 13B\ntokens: 1T\n"
    found, codes = solved(text)
    assert found["status"] == "infeasible"
    assert "needed_mfu" not in found
    assert codes["C003"] == "error"


# ---- where it is asked for


@pytest.mark.parametrize(
    ("text", "mfu"),
    [
        # bigscience/bigscience#12 asks what a run of 70B reached: 6 N D over the devices, the time and the peak.
        (
            "hardware {{ gpus: 16; device: A100; time: 13.5 hours; mfu: {hole} }}\nmodel: 70B\ntokens: 16.384M\n",
            6 * 70e9 * 16.384e6 / (16 * 13.5 * 3600 * A100),
        ),
        (
            "hardware: 256 x H100 for 30 days at ? MFU\nmodel: 7B\ntokens: 2T\n",
            6 * 7e9 * 2e12 / (256 * 30 * DAY * H100),
        ),
        ("hardware: 256 x H100 for 30 days at ?\nmodel: 7B\ntokens: 2T\n", 6 * 7e9 * 2e12 / (256 * 30 * DAY * H100)),
        ("hardware: 256 x H100 for 30 days\nmodel: 7B\ntokens: 2T\nminimize mfu\n", 8.4e22 / (256 * 30 * DAY * H100)),
        (
            "hardware: ? x H100 for 30 days at ? MFU @ 2 USD/GPU/hour\nmodel: 7B\ntokens: 2T\n"
            "require cost <= 200k USD\n",
            8.4e22 / (138 * 30 * DAY * H100),
        ),
        ("hardware: 100k GPU-hours of H100 at ? MFU\nmodel: 7B\ntokens: 2T\n", 8.4e22 / (1e5 * 3600 * H100)),
    ],
)
def test_the_rate_that_the_givens_need(text: str, mfu: float) -> None:
    found, codes = solved(text.format(hole="?"))
    assert found["status"] == "solved"
    assert value(found, "mfu") == pytest.approx(mfu, rel=1e-6)
    assert value(found, "idle_share") == pytest.approx(0.0, abs=1e-6)
    assert "H006" not in codes


def test_a_rate_that_is_asked_for_in_yaml() -> None:
    text = "hardware:\n  gpus: 256\n  device: H100\n  time: 30 days\n  rate: unknown\nmodel: 7B\ntokens: 2T\n"
    found, _ = solved(text, "x.plan.yaml")
    assert value(found, "mfu") == pytest.approx(8.4e22 / (256 * 30 * DAY * H100), rel=1e-6)


def test_a_rate_that_is_asked_for_is_none_that_cannot_be() -> None:
    found, codes = solved("hardware: 256 x H100 for 30 days at ? MFU\nmodel: 70B\ntokens: 2T\n")
    assert found["status"] == "infeasible"
    assert codes["C003"] == "error"


def test_a_bound_on_a_rate_that_is_asked_for() -> None:
    text = "hardware: 256 x H100 for 30 days at ? MFU\nmodel: 7B\ntokens: 2T\nrequire mfu <= {}%\n"
    assert solved(text.format(13))[0]["status"] == "solved"
    assert solved(text.format(12))[0]["status"] == "infeasible"


def test_a_rate_that_nothing_needs_is_not_determined() -> None:
    found, codes = solved("hardware: 1000 x H100 for 6 months at ? MFU\n")
    assert found["status"] == "undecided"
    assert codes["C002"] == "error"


def test_the_least_rate_for_a_loss() -> None:
    text = "hardware: 1000 x H100 for 3 months at ? MFU\nrequire loss <= 1.95\n"
    needed = value(solved("require loss <= 1.95\nminimize compute\n")[0], "compute")
    assert value(solved(text)[0], "mfu") == pytest.approx(needed / (1000 * 90 * DAY * H100), rel=1e-5)


def test_one_pool_of_several_may_be_asked_for() -> None:
    text = "hardware: 512 x A100-SXM-80GB for 30 days at 40% MFU + 128 x H100 for 30 days at ? MFU\n"
    text += "model: 13B\ntokens: 3T\n"
    found = report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False).solutions[0]
    left = 6 * 13e9 * 3e12 - 512 * A100 * 30 * DAY * 0.4
    assert found["pool2.mfu"].value == pytest.approx(left / (128 * H100 * 30 * DAY), rel=1e-6)
