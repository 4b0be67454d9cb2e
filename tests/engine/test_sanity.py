"""What no run has, or is taken from elsewhere, has a finding; and what is offered instead holds when it is pasted."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import report_of

FOUND = ("D006", "D007", "D008", "H002", "H003", "H005", "H006", "H007", "H009", "T025")


def findings(text: str) -> dict[str, Finding]:
    report = report_of("a.plan", Files({"a.plan": text}), catalogue=LIBRARY, intervals=False)
    return {f.code: f for f in report.findings if f.code in FOUND or f.severity == "error"}


H100 = "hardware: 8 x H100 for ? at 40% MFU\n"


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("hardware: 1 x RTX-4090 for 1 day at 30% MFU\ntokens: 1000\n", "D006", "1000 tokens"),
        ("model: 40T\ntokens: 800T\n", "D007", "40T params"),
        ("model: 7 params\ntokens: 1M\n", "D008", "7 params"),
        ("hardware: 100 x H100 for ? at 40% MFU in nodes of 8\nmodel: 7B\ntokens: 140B\n", "H009", "12.5 nodes"),
        (H100 + "model: 10M\ntokens: 200M\noptimizer: AdamW { batch: 4M tokens }\n", "T025", "50 steps"),
        (
            "hardware: 2 x RTX4090 for ?\nmodel: 1.1B\ntokens: 22B\n",
            "H006",
            "no run is known on rtx-4090 or its generation",
        ),
        ("hardware: 64 x H100 in tf32 for 30 days\n", "H007", "no run in tf32 is known"),
        (
            "hardware: 256 x H100 for 90 days at 40% MFU @ 2.5 USD/GPU/hour\nmodel: 13B\ntokens: 2T\n",
            "H005",
            "80.2 % of the hardware that is reserved is idle: 1.109M USD for nothing",
        ),
        ("hardware: 256 x H100 for 90 days at 40% MFU\nmodel: 13B\ntokens: 2T\n", "H005", "is idle"),
    ],
)
def test_what_no_run_has_is_said_once(text: str, code: str, says: str) -> None:
    found = findings(text)
    assert says in found[code].message and "[" not in found[code].message + "".join(found[code].help)
    assert not {"D006", "D007", "D008", "T025"} - {code} & found.keys()


FORMS = (
    "compute: {} FLOP\n",
    "hardware: {} x H100 for 30 days\n",
    "hardware: 64 x H100 for {} years\nrequire loss <= 2.5\n",
    "hardware: 64 x H100 for 30 days at {} FLOP/s\n",
    "hardware: {} GPU-hours of H100\n",
    "compute: 1e22 FLOP\nmodel: {} params\n",
    "compute: 1e22 FLOP\ntokens: {} tokens\n",
    "compute: 1e22 FLOP\ndata: {} tokens up to 2 epochs\n",
    "compute: 1e22 FLOP\nmodel: {{ layers: {}; hidden: 4096; heads: 32; ffn: 16384; vocab: 32000 }}\n",
    "let much = {}\ncompute: much * 1 FLOP\n",
    "compute: 1e22 FLOP\nrequire loss <= {}\n",
)


@settings(max_examples=20)
@given(form=st.sampled_from(FORMS), power=st.integers(40, 300), sign=st.sampled_from(("-", "")))
def test_what_is_out_of_all_scale_is_told_as_that_and_as_nothing_else(form: str, power: int, sign: str) -> None:
    found = findings(form.format(f"1.5e{sign}{power}"))
    assert found.keys() == {"U004"}, {code: one.message for code, one in found.items()}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("let much = 1e39\ncompute: much * much * 1 FLOP\n", "`compute` comes to 1e78 FLOP: no run has so many"),
        ("compute: 1e-9 FLOP\n", "`params` comes to 1.163e-6 params: less than one is no run"),
        ("compute: 1e22 FLOP\nmodel: 1e30 params\n", "`tokens` comes to 1.667e-9 tokens: less than one is no run"),
        ("hardware: 1e20 x H100 for 1e30 years\n", "`compute` comes to"),
    ],
)
def test_figures_that_can_each_be_and_leave_no_run_are_told_by_what_they_come_to(text: str, says: str) -> None:
    found = findings(text)
    assert found.keys() == {"U004"} and found["U004"].message.startswith(says), found


@given(
    gpus=st.integers(1, 4096),
    nodes_of=st.sampled_from([0, 4, 8]),
    days=st.integers(1, 200),
    size=st.integers(1, 70),
    # Tokens are whole: at just a fifth they may be a little less than that.
    idle=st.floats(0.06, 0.99).filter(lambda idle: abs(idle - 0.4) > 1e-6),
)
@settings(max_examples=40, deadline=None)
def test_what_is_enough_is_enough(gpus: int, nodes_of: int, days: int, size: int, idle: float) -> None:
    count = gpus * (nodes_of or 1)
    tokens = count * 989.4e12 * 0.4 * days * 86400 * (1 - idle) / (6 * size * 1e9)
    assume(1e9 < tokens < 1e15)
    nodes = f" in nodes of {nodes_of}" if nodes_of else ""

    def plan(count: object, time: str) -> str:
        return f"hardware: {count} x H100 for {time} at 40% MFU{nodes}\nmodel: {size}B\ntokens: {tokens:.0f}\n"

    found = findings(plan(count, f"{days} days"))["H005"]
    # Availability is not given: less than that stops of published runs took of the rate of their steps.
    assert (found.severity == "warning") == (idle >= 0.4)
    (help,) = found.help
    times, counts = re.search(r"for ([^,:]+)[,:]", help), re.search(r"reserve (\d[\d,]*)", help)
    assert times is not None
    assert "C003" not in findings(plan(count, times[1]))
    if counts:
        fewer = int(counts[1].replace(",", ""))
        assert fewer < count and (not nodes_of or fewer % nodes_of == 0)
        assert "C003" not in findings(plan(fewer, f"{days} days"))


@pytest.mark.parametrize(
    ("text", "severity", "says"),
    [
        # OPT-175B as it was done, at the rate that its logbook has of its steps: a quarter went to stops.
        (
            "hardware: 992 x A100-SXM-80GB for 34 days at 147 TFLOP/s\nmodel: 175B\ntokens: 300B\n",
            "info",
            "26.5 % of the hardware that is reserved is idle, if its rate is kept all the time",
        ),
        (
            "hardware { gpus: 992; device: A100-SXM-80GB; time: 34 days; rate: 147 TFLOP/s; availability: 99% }\n"
            "model: 175B\ntokens: 300B\n",
            "warning",
            "25.7 % of the hardware that is reserved is idle",
        ),
        # BloombergGPT as it was done, with no rate.
        (
            "hardware: 512 x A100-SXM-40GB for 105.8 days\nmodel: 50.6B\ntokens: 569B\n",
            "warning",
            "MFU that runs reach, and",
        ),
        (
            "hardware: 512 x H100 for 60 days + 64 x A100 for 200 days\nmodel: 50.6B\ntokens: 569B\n",
            "warning",
            "MFU that runs reach, and",
        ),
    ],
)
def test_what_is_idle_is_said_at_the_rate_that_it_is_idle_at(text: str, severity: str, says: str) -> None:
    found = findings(text)["H005"]
    assert found.severity == severity
    assert says in found.message


@pytest.mark.parametrize("hours", [120, 140, 260])
@pytest.mark.parametrize("shape", ["774M", "774M and its block"])
def test_the_needed_rate_as_stated_is_enough(hours: int, shape: str) -> None:
    """Also where attention counts in a stated rate, and not in one that is assumed; and none is blamed on the plan."""
    model = "model: 774M\n"
    if shape != "774M":
        model = "model { params: 774M; layers: 36; hidden: 1280; heads: 20; context: 16384 tokens }\n"
    scale = 1 if shape == "774M" else 2

    def plan(rate: str = "") -> str:
        return f"hardware: 8 x A100 for {hours * scale} hours {rate}\n{model}tokens: 150B\n"

    found = findings(plan())
    assert found.keys().isdisjoint({"H002", "C003"})
    (stated,) = re.findall(r"`(at [^`]+)`", found["H003"].help[0])
    assert findings(plan(stated)).keys().isdisjoint({"C003", "H003"})


def test_what_is_enough_for_next_to_nothing_is_not_nothing() -> None:
    found = findings("hardware: 8 x H100 for 30 days at 40% MFU\nmodel: 100M\ntokens: 2000\n")["H005"]
    assert found.help == ("reserve it for 1 hour, or reserve 1 GPU: that is enough for the run at that rate",)
