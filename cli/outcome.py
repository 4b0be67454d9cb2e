"""What came of a command to an exit code, by the table of the command line's contract."""

from __future__ import annotations

from collections.abc import Iterable

from runplan.dsl.text.codes import RANK, Severity
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.finding import Finding

CLEAN, FOUND, COULD_NOT_RUN, BUG, UNDECIDED = 0, 1, 2, 3, 4


class CannotRun(RunplanError):
    """Raised for a command that cannot be run; the message says why, in one line."""


def exit_code(findings: Iterable[Finding], fail_on: str = "error") -> int:
    """1 where a finding is at or above the threshold, 4 where the only such findings are C009."""
    if fail_on == "never":
        return CLEAN
    threshold: Severity = "warning" if fail_on == "warning" else "error"
    counted = [f for f in findings if RANK[f.severity] <= RANK[threshold]]
    if any(f.code != "C009" for f in counted):
        return FOUND
    return UNDECIDED if counted else CLEAN
