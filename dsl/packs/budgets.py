"""The files of folders' budgets to what every plan of a folder is to keep, as statements that it is read with.

A plan cannot loosen them: what they name stands under names that no plan can write.
"""

from __future__ import annotations

from collections.abc import Iterable

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.syntax.imports import renamed, syntax_of
from runplan.dsl.syntax.statements import ASIDES, BY_RULE, DEFINITIONS
from runplan.dsl.syntax.tree import File, Node
from runplan.dsl.text.finding import Budget, Finding, finding
from runplan.dsl.text.reader import Reader
from runplan.dsl.text.source import Source, Span
from runplan.dsl.text.words import cut

# What such a file may say.
_RATES = ("rate", "calendar")
MAY_SAY = ("require", "let", *_RATES)


@dataclass(frozen=True, slots=True)
class FolderBudget:
    """A file of a folder's budget.

    Attributes:
        within: The folder whose plans are to keep it, from the root of their project; empty for all of them.
        source: The file as it was when the project was made.
        baseline: Whether a baseline may leave out what breaks it.
    """

    within: str
    source: Source
    baseline: bool = False

    def holds_for(self, name: str | None) -> bool:
        """Whether a plan is in the folder, by its path from the root."""
        return not self.within or (name is not None and name.startswith(f"{self.within}/"))


@dataclass(frozen=True, slots=True)
class Statements:
    """What a file of a budget says, and what is wrong with it."""

    budget: FolderBudget
    said: tuple[Node, ...]
    findings: tuple[Finding, ...]


def statements_of(budget: FolderBudget) -> Statements:
    """What a file of a budget says."""
    file, found = syntax_of(budget.source)
    said = [node for node in file.statements if node.rule in MAY_SAY]
    findings = [*found, *map(_foreign, (node for node in file.statements if node.rule not in MAY_SAY))]
    if not findings and all(node.rule != "require" for node in said):
        help = ["say what they are to keep, such as `require cost <= 8M USD`, or take the file out of `budgets`"]
        message = f"`{budget.source.path}` requires nothing of the plans of its folder"
        findings.append(finding("S006", message, Span(budget.source, 0, 0), help=help))
    return Statements(budget, tuple(renamed(said, budget.source.path, ())), tuple(findings))


def _foreign(node: Node) -> Finding:
    row = BY_RULE.get(node.rule)
    said = row.keyword if row else " ".join(node.span.text.split()[:1])
    message = f"`{cut(said)}` is no part of a folder's budget"
    return finding("N001", message, node.span, help=["it has what plans are to keep, `require`, and `let`s for that"])


def with_budgets(file: File, every: Iterable[Statements], reader: Reader) -> tuple[File, list[Finding]]:
    """A plan with what its folder's budgets say, and what is wrong with these."""
    if all(node.rule in DEFINITIONS | ASIDES for node in file.statements):
        return file, []
    name = reader.resolve(file.source.path)
    kept = [one for one in every if one.budget.holds_for(name)]
    said = [node for one in kept for node in one.said]
    # What figures rest on stands first: a plan that says it otherwise gives it a second time.
    first, last = ([node for node in said if (node.rule in _RATES) == rates] for rates in (True, False))
    budgets = {one.budget.source.path: Budget(one.budget.source.path, one.budget.baseline) for one in kept}
    whole = replace(file, statements=(*first, *file.statements, *last), budgets=budgets)
    return whole, [found for one in kept for found in one.findings]
