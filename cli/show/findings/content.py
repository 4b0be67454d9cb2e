"""What a check found, and how it is summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import counted


@dataclass(frozen=True, slots=True)
class Checked:
    """Findings, and in how many files they were looked for."""

    findings: tuple[Finding, ...]
    files: int

    @classmethod
    def of(cls, findings: Iterable[Finding], files: int) -> Self:
        """What was found in so many files."""
        return cls(tuple(findings), files)

    def summary(self) -> str:
        """Such as `2 errors, 1 warning, 4 files`, or `no findings, 4 files`."""
        count = Counter(finding.severity for finding in self.findings)
        found = [counted(count[severity], severity) for severity in RANK if count[severity]]
        return ", ".join([*(found or ["no findings"]), counted(self.files, "file")])
