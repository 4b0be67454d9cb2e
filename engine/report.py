"""All that is known of a plan, as plain data: what every output format shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runplan.dsl.expr.name import Name
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source, Span
from runplan.dsl.units.dims import Dim
from runplan.engine.analysis.band import Band
from runplan.engine.problem.solution import Note, Solution, Value


@dataclass(frozen=True, slots=True)
class Assumption:
    """A default that was taken, with what it rests on.

    Attributes:
        value: In base units.
        span: Where the figure stands in a pack; None where it is none of a pack.
    """

    name: Name
    value: float
    dim: Dim
    source: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Report:
    """A plan, solved under each of its laws and judged.

    Attributes:
        source: The plan's text.
        plan: None where it could not be read; the findings say why.
        budget: What the hardware, or the stated budget, gives: compute, gpu_hours, time, cost, energy, emissions.
        solutions: One a law, in the plan's order; the first decides errors and the exit code.
        bands: For each solution how much its size matters; None where its law has no loss surface.
        notes: What a reader should know of the numbers whatever they are.
        findings: Everything wrong, doubtful or worth knowing, of all stages, in order.
    """

    source: Source
    plan: Plan | None
    budget: Mapping[str, Value] = field(default_factory=dict)
    solutions: tuple[Solution, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    findings: tuple[Finding, ...] = ()
    bands: tuple[Band | None, ...] = ()
    notes: tuple[Note, ...] = ()
