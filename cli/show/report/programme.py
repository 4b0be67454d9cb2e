"""A report to what its plan rests on of other plans: each result, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.content import Cell, Section, table
from runplan.cli.show.text.figures import figure, interval
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import Known
from runplan.engine.problem.solution import Value
from runplan.engine.report import Report
from runplan.engine.results import imported_of


def sections(report: Report) -> Iterator[Section]:
    """The results that the plan imports, by its first law; nothing where it imports none."""
    solution = report.solutions[0] if report.solutions else None
    found = imported_of(report.plan, solution) if report.plan and solution else {}
    if solution is None or not found:
        return
    known = solution.problem.quantities
    rows = [
        (plain(name), Cell(_said(name, value, known), interval(_quantity(name), value, known)), plain(_from(value, of)))
        for name, (value, of) in found.items()
    ]
    yield Section("With other plans", table(rows, wrap=2))


def headline(report: Report) -> Iterator[str]:
    """What a plan that has no run of its own comes to: what it makes of the results, or these."""
    solution = report.solutions[0]
    found = imported_of(report.plan, solution) if report.plan else {}
    made = {name: value for name, (value, of) in found.items() if not of}
    for name, value in (made or {name: value for name, (value, _) in found.items()}).items():
        yield f"{plain(name)} {_said(name, value, solution.problem.quantities)}"


def _said(name: str, value: Value, known: Known) -> str:
    return plain(figure(_quantity(name), value.value, value.dim, known))


def _quantity(name: str) -> str:
    """The quantity that a result is, which says how it is read."""
    return name.rpartition(".")[2]


def _from(value: Value, plan: str) -> str:
    return f"of {plan}" if plan else f"= {value.formula}"
