"""Every default that an answer rests on is among the assumptions once, and nothing that the plan says is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.reader import Files
from runplan.engine.assumptions import MONTH
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

# A statement, and the assumption that is made where it is not there.
STATEMENTS = {
    "law": "use laws chinchilla",
    "objective": "objective: CLM",
    "data": "data: 10T tokens",
    "goal": "minimize loss",
    "schedule": "schedule: cosine",
    "optimizer": "optimizer: AdamW",
}
FIELDS = {
    "precision": ("in bf16", ""),
    "mfu": ("at 40% MFU", ""),
    "month": ("for 60 days", "for 2 months"),
}


def report(text: str) -> Report:
    return report_of("a.plan", Files({"a.plan": text}), catalogue=LIBRARY, intervals=False)


@given(said=st.sets(st.sampled_from([*STATEMENTS, *FIELDS])), size=st.booleans())
@settings(max_examples=40, deadline=None)
def test_what_is_not_said_and_is_used_is_assumed(said: set[str], size: bool) -> None:
    precision, mfu, time = (FIELDS[key][key not in said] for key in FIELDS)
    lines = [f"hardware: 64 x H100 {precision} {time} {mfu}", *(STATEMENTS[key] for key in STATEMENTS if key in said)]
    text = "\n".join([*lines, "model: 7B"] if size else lines) + "\n"
    found = report(text)
    assert found.solutions[0].status == "solved", text
    names = [str(assumption.name) for assumption in found.assumptions]
    assert len(names) == len(set(names))
    assert {*names} & {*STATEMENTS, *FIELDS} == {*STATEMENTS, *FIELDS} - said
    solution = found.solutions[0]
    assert {name for name, value in solution.values.items() if value.kind == "assumed"} <= {
        a.name for a in found.assumptions
    }
    assert all(a.source for a in found.assumptions)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("compute: 1e22 FLOP\n", "law", "chinchilla.epoch"),
        ("compute: 1e20 FLOP\nobjective: MLM of protein\n", "law", "plm"),
        ("model: 7B\ntokens: 1T\nobjective: MLM of text\n", "law", "none"),
        ("model: 671B params, 37B active\ntokens: 14.8T\n", "law", "joint_moe"),
        ("compute: 1e22 FLOP\n", "objective", "CLM of text"),
        ("compute: 1e22 FLOP\n", "data", "fresh without end"),
        ("hardware: 64 x H100 for ?\nmodel: 7B\ntokens: 1T\n", "goal", "the least time"),
        ("compute: 1e22 FLOP\n", "goal", "minimize loss"),
        ("hardware: 64 x H100 for 2 months\n", "month", MONTH),
        ("hardware: 64 x H100 for 2 months\n", "precision", "bf16"),
        ("compute: 1e22 FLOP\n", "schedule", "WSD"),
        ("compute: 1e22 FLOP\n", "optimizer", "AdamW"),
    ],
)
def test_an_assumption_is_said_with_its_value(text: str, name: str, value: object) -> None:
    found = report(text)
    assert [a.value for a in found.assumptions if str(a.name) == name] == [value]
    told = found.to_dict()["assumptions"]
    assert [a["value"] for a in told if a["name"] == name] == [value]


def test_a_calendar_and_a_comment_are_no_months_of_30_days() -> None:
    text = 'plan "6 months"\n# for 6 months\ncalendar month = 30.4375 days\nhardware: 64 x H100 for 2 months\n'
    assert "month" not in {str(a.name) for a in report(text).assumptions}
