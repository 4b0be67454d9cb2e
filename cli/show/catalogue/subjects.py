"""What the pages of the catalogue are about, with what is needed to say it."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law, Rule
from runplan.dsl.text.finding import Finding
from runplan.dsl.types import TYPE_CHECKING
from runplan.dsl.units.dims import NONE, Dim
from runplan.engine.laws.evaluate import Evaluation, accepted
from runplan.engine.laws.goldens import GoldenResult

if TYPE_CHECKING:
    from runplan.engine.laws.uncertain import Sure  # only where a law is evaluated is anything drawn


@dataclass(frozen=True, slots=True)
class LawPage:
    """One law among the others."""

    law: Law
    catalogue: Library


@dataclass(frozen=True, slots=True)
class LawAt:
    """A law at some inputs, and how sure what it gives is."""

    found: Evaluation
    catalogue: Library
    sure: Sure


@dataclass(frozen=True, slots=True)
class RulePage:
    """The rules that go by one code; none where the code is the program's own."""

    code: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """What testing packs gave.

    Attributes:
        results: Of golden values, and of examples of rules.
        findings: What is wrong with the packs, and what is off.
        untested: Laws without a golden value, and rules without examples.
        files: How many files the packs are of.
    """

    results: tuple[GoldenResult, ...]
    findings: tuple[Finding, ...]
    untested: tuple[str, ...]
    files: int

    def summary(self) -> dict[str, int]:
        """How many passed and how many failed."""
        passed = sum(result.verdict == "pass" for result in self.results)
        return {"passed": passed, "failed": len(self.results) - passed}


def dim_of(law: Law, name: str, catalogue: Library) -> Dim:
    """The dimension of a quantity that a law takes or gives."""
    quantities = catalogue.quantities()
    if name in quantities:
        return quantities[name].counted.dim
    taken = accepted(law, catalogue)
    if name in taken:
        return taken[name].dim
    return next((f.counted.dim for f in law.functions if f.output == name), NONE)
