"""Phases that are not finished, and mixes as others write them: one finding, and how it is written."""

from __future__ import annotations

import pytest
from reports import under

RUN = "model: 1B\ntokens: 500B\ndata web: 1T tokens\ndata code: 1T tokens\n"
IN_YAML = "model: 1B\ntokens: 500B\ndata:\n  web: 1T tokens\n  code: 1T tokens\nschedule:\n"


@pytest.mark.parametrize(
    ("phase", "code", "text", "help"),
    [
        ("2000 warmup", "U003", "2000", "`2000 steps warmup`"),
        ("2000 warmup mix web 100%", "U003", "2000", "`2000 steps warmup`"),
        ("2B warmup", "U003", "2B", "write `2B tokens warmup`"),
        ("2000", "S001", "2000", "`2000 steps constant`"),
        ("2000 steps", "S001", "2000 steps", "`2000 steps constant`"),
        ("1%", "S001", "1%", "`1% constant`"),
        ("warmup 1%", "S001", "1", "`1% warmup`"),
        ("1% warmup mix web=100%", "S001", "=", "write `mix web 100%`"),
        ("1% warmup mix web 50% code 50%", "S001", "code", "`50%, code 50%`"),
    ],
)
def test_a_phase_that_cannot_be_read_says_what_is_missing(phase: str, code: str, text: str, help: str) -> None:
    for plan in (f"{RUN}phase a: {phase}\nphase b: rest linear\n", f"{IN_YAML}  a: {phase}\n  b: rest linear\n"):
        file = "x.plan.yaml" if plan.startswith(IN_YAML) else "x.plan"
        (found,) = [f for f in under(plan, "chinchilla", name=file).findings if f.severity == "error"]
        assert found.code == code and found.at.span.text == text
        assert any(help in line for line in found.help), found.help


def test_a_source_with_epochs_first() -> None:
    (found,) = [f for f in under(RUN + "data d: 1T tokens epochs 4\n", "chinchilla").findings if f.severity == "error"]
    assert found.help[0] == "write `up to 4 epochs`"


@pytest.mark.parametrize(
    ("condition", "help"),
    [
        ("tokens <= 50%", "write the right side in tokens"),
        ("tokens.web <= 50%", "write the right side in tokens"),
        ("epochs.web <= 50%", "write the right side in epochs"),
        ("share.web >= 1 token", "write the right side as a plain number"),
    ],
)
def test_a_condition_on_another_dimension_says_which_it_wants(condition: str, help: str) -> None:
    text = f"{RUN}require {condition}\n"
    (found,) = [f for f in under(text, "chinchilla").findings if f.severity == "error"]
    assert found.code == "U001" and found.help == (help,)
