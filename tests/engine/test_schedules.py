"""Every schedule of the standard library solves, its phases make up the run, and it raises no false alarm."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.formulate.durations import SUMMED
from runplan.engine.pipeline import report_of

NAMES = sorted({header.name for header in LIBRARY.index("schedule").values()})


@pytest.mark.parametrize("name", NAMES)
def test_a_schedule_makes_up_the_run(name: str) -> None:
    text = f"compute: 1e22 FLOP\nschedule: {name}\n"
    report = report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)
    (solution,) = report.solutions
    v = {str(name): value.value for name, value in solution.values.items()}
    phases = solution.problem.phases
    assert sum(v[f"phase.{phase}.tokens"] for phase in phases) == pytest.approx(v["tokens"], rel=1e-12)
    rates = [(v[f"phase.{p}.learning_rate.start"], v[f"phase.{p}.learning_rate.end"]) for p in phases]
    assert max(max(pair) for pair in rates) == pytest.approx(v["learning_rate"])
    assert rates[-1][1] < v["learning_rate"]
    assert not [f for f in report.findings if f.code == "T001"], "each of them lowers the rate at the end"


def test_the_steps_of_deepseek() -> None:
    """arXiv:2401.02954, section 2.3: 80, 10 and 10 % of the tokens at 100, 31.6 and 10 % of the peak."""
    shape = LIBRARY.schedule("multi-step")
    assert shape is not None
    assert [round(sum(p.length.value for p in shape.phases[:n] if p.length), 9) for n in (2, 3, 4)] == [0.8, 0.9, 1.0]


def test_the_batch_ramp_of_llama_3() -> None:
    """arXiv:2407.21783, section 3.4: 1,200,000 steps of 4M, then 8M after 252M tokens, then 16M after 2.87T."""
    text = "model: 405B\ntokens: 15.6T\nschedule: llama3-405B\noptimizer: AdamW { batch: 16M tokens }\n"
    report = report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)
    v = {str(name): value.value for name, value in report.solutions[0].values.items()}
    assert v["phase.warmup.batch.start"] == pytest.approx(4e6) and v["phase.anneal.batch.end"] == pytest.approx(16e6)
    assert v["phase.warmup.steps"] == pytest.approx(8_000, rel=0.005)
    assert v["steps"] == pytest.approx(252e6 / 4e6 + (2.87e12 - 252e6) / 8e6 + (15.6e12 - 2.87e12) / 16e6, rel=1e-3)
    assert v["steps"] == pytest.approx(sum(v[f"phase.{phase}.steps"] for phase in report.solutions[0].problem.phases))


RAMP = """schedule mine {{
  phase all: 90% warmup
  phase end: 10% linear
  batch {ramp}
  cites "ours"
}}
compute: 1e22 FLOP
schedule: mine
"""


@pytest.mark.parametrize(
    ("ramp", "code"),
    [
        ("50% until 20%", "P001"),
        ("50% until 20%, 80% until 10%, 100%", "P001"),
        ("50% until 120%, 100%", "U004"),
        ("0%", "U004"),
        ("4M token until 1%, 100%", "U001"),
    ],
)
def test_a_ramp_that_does_not_reach_the_end_in_order_is_refused(ramp: str, code: str) -> None:
    text = RAMP.format(ramp=ramp)
    found = report_of(
        "x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False
    ).findings
    assert [(f.code, f.at.span.line) for f in found] == [(code, 4)]


def test_what_was_seen_when_a_phase_ends_is_a_short_sum_however_many_there_are() -> None:
    count = 2 * SUMMED + 5
    text = "model: 7B\ntokens: 1T\n" + "".join(f"phase p{i}: {100 / count:.12f}% constant\n" for i in range(count))
    report = report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)
    (solution,) = report.solutions
    seen = 0.0
    for i in range(count):
        phase = solution.within(("phase", f"p{i}"))
        seen += phase["tokens"].value
        assert phase["end_tokens"].value == pytest.approx(seen, rel=1e-12)
        assert len(phase["end_tokens"].inputs) <= SUMMED
