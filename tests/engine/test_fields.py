"""Every field of a statement, in every form that a figure may have, changes the answer or has a finding.

The fields are those of `stdlib/quantities.plan`: one that is added there is in this test without being named.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

BASE = {
    "hardware": {"gpus": "64", "device": "H100", "time": "30 days", "price": "2 USD/GPU/hour", "pue": "1.2"},
    "model": {"params": "7B", "layers": "30", "vocab": "50000"},
    "optimizer": {},
}
TEXT = {"hardware": "hardware {block}\n", "model": "model {block}\ncompute: 1e22 FLOP\n"}
TEXT["optimizer"] = "compute: 1e22 FLOP\noptimizer: AdamW {block}\n"
# What a figure stands in place of.
INSTEAD = {"rate": ("mfu",), "gpu_hours": ("gpus", "time")}
FORMS = ("given", "range", "at most", "at least", "?")

FIELDS = {
    (known.facts.statement, known.facts.given.name): known
    for known in LIBRARY.quantities().values()
    if known.facts.given is not None and known.facts.statement in BASE
}


def solved(statement: str, fields: dict[str, str]) -> Report:
    block = "{ " + "; ".join(f"{name}: {text}" for name, text in fields.items()) + " }"
    text = TEXT[statement].replace("{block}", block)
    return report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), intervals=False)


def answer(report: Report) -> dict[str, object]:
    solution = report.solutions[0] if report.solutions else None
    values = {str(name): value.value for name, value in solution.values.items()} if solution else {}
    return {**values, "status": solution.status if solution else ""}


def written(example: str, form: str) -> str:
    """A figure of a form: its example, halved where it can be, so that it is no default."""
    found = re.fullmatch(r"([\d.e-]+)(.*)", example, re.DOTALL)
    if found is None:  # a word
        low, high = example, example
    else:
        number, unit = found.groups()
        half = str(int(number) // 2) if number.isdigit() else f"{float(number) * 0.9:.6g}"
        low, high = half + unit, number + unit
    forms = {"given": low, "range": f"{low} .. {high}", "at most": f"up to {low}", "at least": f"at least {low}"}
    return forms.get(form, "?")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("statement", "name"), FIELDS)
def test_no_figure_is_passed_over(statement: str, name: str, form: str) -> None:
    known = FIELDS[statement, name]
    assert known.facts.given is not None
    others = {key: text for key, text in BASE[statement].items() if key != name}
    for key in INSTEAD.get(name, ()):
        others.pop(key, None)
    without, with_ = (
        solved(statement, others),
        solved(statement, {**others, name: written(known.facts.given.example, form)}),
    )
    said = [f for f in with_.findings if re.search(rf"\b{re.escape(name)}\b", f.message + f.at.span.text)]
    told = {other.message for other in without.findings}
    new = [f for f in said if f.severity == "error" or f.message not in told]
    assert new or answer(with_) != answer(without) or (form == "?" and _is_found(with_, known.name)), name


def _is_found(report: Report, name: str) -> bool:
    """Whether it is solved for; of a setting, which not to mention is to ask for, whether a law lends it."""
    solution = report.solutions[0]
    lent = solution.quantity(name)
    return any(v.name.text == name for v in solution.problem.variables) or (lent is not None and lent.kind == "law")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [name for statement, name in FIELDS if statement == "hardware"])
def test_a_figure_that_is_not_solved_leaves_no_number_of_its_device(name: str, form: str) -> None:
    """What is stated in a form that is not solved yet is not computed with what a device usually has."""
    field = FIELDS["hardware", name].facts.given
    assert field is not None
    report = solved("hardware", {**BASE["hardware"], name: written(field.example, form)})
    if any(f.code == "C009" for f in report.findings):
        assert report.solutions[0].status == "undecided"
