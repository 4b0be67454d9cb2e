"""The examples of rules to verdicts: each put through the whole pipeline as a plan of its own."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Rule, Spans
from runplan.dsl.text.reader import Files
from runplan.dsl.text.source import Span
from runplan.dsl.types import Literal
from runplan.engine.judge.rules import example
from runplan.engine.pipeline import report_of


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a rule, solved.

    Attributes:
        text: The plan.
        solved: Whether it can be read and has a solution under its first law, or the rule is about its having none.
        flagged: Whether the rule, at its severity, is among the findings.
        why: What keeps it from being solved; empty where it is.
        span: Where its pack writes it.
    """

    kind: Literal["breaks", "keeps"]
    text: str
    solved: bool
    flagged: bool
    why: str
    span: Span

    @property
    def holds(self) -> bool:
        """Whether it does what the rule promises of it."""
        return self.solved and self.flagged == (self.kind == "breaks")


def examples(rule: Rule, catalogue: Library) -> Iterator[Example]:
    """The examples of a rule, each put through the whole pipeline as a plan of its own."""
    kinds: tuple[tuple[Literal["breaks", "keeps"], Spans], ...]
    kinds = (("breaks", rule.breaks), ("keeps", rule.keeps))
    for kind, statements in kinds:
        if text := example(statements):
            name = f"{kind}.plan"
            report = report_of(name, Files({name: text}), catalogue=catalogue, intervals=False)
            flagged = any((f.code, f.severity) == (rule.code, rule.severity) for f in report.findings)
            flagged = flagged or any(note.code == rule.code for note in report.notes if rule.severity == "note")
            solved = flagged or (report.solutions[:1] != () and report.solutions[0].status == "solved")
            wrong = next((f for f in report.findings if f.severity == "error"), None)
            why = (
                f"{wrong.at.span.source.path}:{wrong.at.span.line}: {wrong.message}" if wrong else "it has no solution"
            )
            yield Example(kind, text, solved, flagged, "" if solved else why, statements[0].to(statements[-1]))
