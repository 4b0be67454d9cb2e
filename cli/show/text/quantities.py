"""Quantities to the words and forms that reports for people have for them."""

from __future__ import annotations

from runplan.dsl.packs.quantities import Quantities
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

# What is known of each quantity, by its name.
Known = Quantities
# What the budget, which comes before any solution, says of its time.
RESERVED = "reserved for"
# What the headline of a solved plan names, in order.
HEADLINE = ("params", "tokens", "loss", "gpus", "time", "cost")
# What the report tells of serving.
SERVED = ("inference_tokens", "inference_compute", "lifetime_compute")


def known_of(report: Report) -> Known:
    """What is known of each quantity of a report; nothing where the plan could not be read."""
    return report.solutions[0].problem.quantities if report.solutions else Quantities()


def label(name: str, known: Known) -> str:
    """What reports call a quantity."""
    return (known[name].facts.label if name in known else "") or name.replace("_", " ")


def is_share(name: str, known: Known) -> bool:
    """Whether a quantity is read in per cent."""
    return name in known and known[name].facts.per_cent


def spoken(name: str, value: float, known: Known) -> str | None:
    """The first word that plans may say in place of a quantity's value; None where there is none."""
    field = known[name].facts.given if name in known else None
    words = field.words if field is not None else ()
    return next((word for word, figure in words if figure == value), None)


def number(solution: Solution, name: str) -> float | None:
    """A quantity of the run in base units; None where it does not apply."""
    value = solution.quantity(name)
    return value.value if value else None
