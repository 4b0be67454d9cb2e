"""What a check found, and how it is summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import counted
from runplan.dsl.types import TYPE_CHECKING, Self
from runplan.engine.gate import Verdict

if TYPE_CHECKING:
    from runplan.dsl.packs.library import Library


@dataclass(frozen=True, slots=True)
class Count:
    """How often a code is found."""

    code: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Findings that are shown, in how many files they were looked for, and the verdict on each of these.

    Attributes:
        places: The path of a file from the root of its repository, by the path that findings name it by.
        libraries: Where the rules stand that were looked for.
        statistics: Whether the findings are counted by code as well.
    """

    findings: tuple[Finding, ...]
    files: int
    verdicts: tuple[Verdict, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    libraries: tuple[Library, ...] = ()
    statistics: bool = False

    @classmethod
    def of(cls, findings: Iterable[Finding], files: int) -> Self:
        """What was found in so many files."""
        return cls(tuple(findings), files)

    def place(self, span: Span) -> str:
        """The file of a span as other programs know it: from the root of the repository."""
        return self.places.get(span.source.path, span.source.path)

    def counts(self) -> tuple[Count, ...]:
        """How often each code is found, the most frequent first."""
        count = Counter((f.code, f.name) for f in self.findings)
        return tuple(
            Count(code, name, n) for (code, name), n in sorted(count.items(), key=lambda one: (-one[1], one[0]))
        )

    def document(self) -> dict[str, object]:
        """All of it as `plan.check/v1`."""
        from runplan.engine.documents.check import document  # what is shown to people has no use for it

        found = document(self.findings, self.files, self.verdicts)
        if self.statistics:
            found["statistics"] = [{"code": row.code, "name": row.name, "count": row.count} for row in self.counts()]
        return found

    def deciding(self) -> list[Finding]:
        """The findings that keep a plan from holding, shown or not."""
        return [finding for verdict in self.verdicts for finding in verdict.by]

    def left_out(self) -> list[Finding]:
        """Those of them that are not shown."""
        shown = {(f.code, f.at.span.source.path, f.at.span.start, f.message) for f in self.findings}
        every = self.deciding()
        return [f for f in every if (f.code, f.at.span.source.path, f.at.span.start, f.message) not in shown]

    def summary(self) -> str:
        """Such as `2 errors, 1 warning, 4 files`, or `no findings, 4 files`."""
        count = Counter(finding.severity for finding in self.findings)
        found = [counted(count[severity], severity) for severity in RANK if count[severity]]
        return ", ".join([*(found or ["no findings"]), counted(self.files, "file")])


def told(finding: Finding) -> list[str]:
    """The lines of a finding that stands apart from its plan: the message, its notes and what helps."""
    helps = (line for text in finding.help for line in text.splitlines())
    lines = (finding.message, *(f"note: {note}" for note in finding.notes), *(f"help: {line}" for line in helps))
    return [plain(line) for line in lines]
