"""All that is known of a plan, as plain data: what every output format shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import Name
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.errors import NotThere
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source, Span
from runplan.dsl.types import TYPE_CHECKING, Any
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show
from runplan.engine.problem.solution import TOLD, Note, Solution, Value

if TYPE_CHECKING:
    from runplan.engine.analysis.band import Band

# How many solutions, and how many errors, a report lists when it is printed.
LINES = 5


@dataclass(frozen=True, slots=True)
class Assumption:
    """A default that was taken, with what it rests on.

    Attributes:
        value: In base units; a text where it is no figure, such as the name of a law.
        span: Where it stands in a pack; None where it is none of a pack.
        low, high: The ends of its 80 % interval, in base units; None where none is known.
    """

    name: Name
    value: float | str
    dim: Dim
    source: str
    span: Span | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A plan, solved under each of its laws and judged.

    >>> import runplan
    >>> report = runplan.solve("plans/thousand-h100.plan")
    >>> list(report), report.to_dict()["schema"]
    (['chinchilla', 'llama3'], 'plan.solve/v1')

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

    def __getitem__(self, law: str) -> Solution:
        """The solution under a law, as the plan names it or by its own name.

        Raises:
            NotThere: Where the plan was not solved under it.
        """
        for solution in self.solutions:
            if law in (solution.law, solution.resolved):
                return solution
        solved = ", ".join(self) or "none: the findings say why"
        raise NotThere(f"{self.source.path} is not solved under `{law}`; its laws are {solved}")

    def __contains__(self, law: object) -> bool:
        return any(law in (solution.law, solution.resolved) for solution in self.solutions)

    def __iter__(self) -> Iterator[str]:
        """The laws, as the plan names them."""
        return (solution.law for solution in self.solutions)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, `plan.solve/v1`: what `plan solve -o json` prints."""
        from runplan.engine.documents.solve import document

        return document(self)

    def __repr__(self) -> str:
        counts = Counter(finding.severity for finding in self.findings)
        found = ", ".join(f"{counts[name]} {name}{'s' * (counts[name] > 1)}" for name in RANK if counts[name])
        lines = [f"<Report of {self.source.path}: {found or 'no findings'}>"]
        lines += [f"  {one.law}: {_told(one)}" for one in self.solutions[:LINES]]
        lines += [f"  {finding!r}" for finding in self.findings if finding.severity == "error"][:LINES]
        return "\n".join(lines)


def _told(solution: Solution) -> str:
    """A solution in a line."""
    told = ((name, solution.quantity(name)) for name in TOLD)
    figures = (f"{name} = {show(value.value, value.dim)}" for name, value in told if value is not None)
    return ", ".join([solution.status, *figures])
