"""What stops a first-time user: forms that are taken, and mistakes whose help, pasted, leads to a plan."""

from __future__ import annotations

import pytest
from known import LIBRARY

from runplan.dsl.plan.ir import Plan
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source

HARDWARE = "hardware: 64 x H100 for 30 days at 40% MFU\n"


def read(text: str, name: str = "x.plan") -> tuple[Plan | None, list[Finding]]:
    """What a text says, and all that is wrong with it before anything is solved."""
    file, findings = syntax_of(Source(name, text))
    lowered = lower(file, LIBRARY.vocabulary())
    return lowered.plan, [*findings, *(f for f in lowered.findings if f.severity == "error")]


@pytest.mark.parametrize(
    ("taken", "same"),
    [
        ("laws: chinchilla, llama3", "use laws chinchilla, llama3"),
        ("laws chinchilla", "use laws chinchilla"),
        ("use laws: chinchilla", "use laws chinchilla"),
        ("model: { params: 8B, layers: 32 }", "model: { params: 8B; layers: 32 }"),
        ("model: {\n  params: 8B,\n  layers: 32,\n}", "model: {\n  params: 8B\n  layers: 32\n}"),
        ("optimizer: AdamW { beta1: 0.9, beta2: 0.95 }", "optimizer: AdamW { beta1: 0.9; beta2: 0.95 }"),
        ("model: { params: 8B; tied: 1 }", "model: { params: 8B; tied: true }"),
        ("model: { params: 8B; tied: 0 }", "model: { params: 8B; tied: no }"),
    ],
)
def test_what_people_write_is_taken(taken: str, same: str) -> None:
    found, findings = read(HARDWARE + taken + "\n")
    assert findings == []
    one, other = found, read(HARDWARE + same + "\n")[0]
    assert one is not None and other is not None
    assert (one.laws, one.optimizer) == (other.laws, other.optimizer)
    of_one, of_other = one.model, other.model
    assert (of_one is None) == (of_other is None)
    if of_one is not None and of_other is not None:
        assert of_one.params == of_other.params
        assert [(k, getattr(v, "value", v)) for k, v in of_one.architecture.items()] == [
            (k, getattr(v, "value", v)) for k, v in of_other.architecture.items()
        ]


def test_a_block_of_hardware_may_have_commas() -> None:
    commas = read("hardware: { gpus: 64, device: H100, time: 30 days, mfu: 40% }\n")
    assert commas[1] == [] and commas[0] == read("hardware: { gpus: 64; device: H100; time: 30 days; mfu: 40% }\n")[0]


def test_for_may_be_left_out_beside_both_dates() -> None:
    plan, findings = read("hardware: 64 x H100 at 40% MFU from 2026-01-01 until 2026-02-01\n")
    assert findings == [] and plan is not None
    assert "time" not in plan.stages[0].hardware[0].figures
    for text in ("hardware: 64 x H100\n", "hardware: 64 x H100 at 40% MFU from 2026-01-01\n"):
        assert [f.message for f in read(text)[1]] == ["for how long is not said"]
