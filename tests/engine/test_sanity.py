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

FOUND = ("D006", "D007", "D008", "H005", "H006", "H007", "H009", "T025")


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


@given(
    gpus=st.integers(1, 4096),
    nodes_of=st.sampled_from([0, 4, 8]),
    days=st.integers(1, 200),
    size=st.integers(1, 70),
    # Tokens are whole: at just a fifth they may be a little less than that.
    idle=st.floats(0.06, 0.99).filter(lambda idle: abs(idle - 0.2) > 1e-6),
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
    assert (found.severity == "warning") == (idle >= 0.2)
    (help,) = found.help
    times, counts = re.search(r"for ([^,:]+)[,:]", help), re.search(r"reserve (\d[\d,]*)", help)
    assert times is not None
    assert "C003" not in findings(plan(count, times[1]))
    if counts:
        fewer = int(counts[1].replace(",", ""))
        assert fewer < count and (not nodes_of or fewer % nodes_of == 0)
        assert "C003" not in findings(plan(fewer, f"{days} days"))


def test_what_is_enough_for_next_to_nothing_is_not_nothing() -> None:
    found = findings("hardware: 8 x H100 for 30 days at 40% MFU\nmodel: 100M\ntokens: 2000\n")["H005"]
    assert found.help == ("reserve it for 1 hour, or reserve 1 GPU: that is enough for the run",)
