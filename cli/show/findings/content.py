"""What a check found, and how it is summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Self

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import counted
from runplan.engine.gate import Verdict


@dataclass(frozen=True, slots=True)
class Checked:
    """Findings that are shown, in how many files they were looked for, and the verdict on each of these."""

    findings: tuple[Finding, ...]
    files: int
    verdicts: tuple[Verdict, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding], files: int) -> Self:
        """What was found in so many files."""
        return cls(tuple(findings), files)

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
