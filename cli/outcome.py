"""What came of a command to an exit code, by the table of the command line's contract."""

from __future__ import annotations

from collections.abc import Iterable

from runplan.dsl.text.codes import RANK
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.finding import Finding

CLEAN, FOUND, COULD_NOT_RUN, BUG, UNDECIDED = 0, 1, 2, 3, 4


class CannotRun(RunplanError):
    """Raised for a command that cannot be run; the message says why, in one line."""


def exit_code(findings: Iterable[Finding], fail_on: str = "error", by: Iterable[Finding] = ()) -> int:
    """1 where a finding is at or above the threshold, 4 where the only such findings are C009.

    Args:
        by: The findings that decide the verdict, which count whatever is shown and whatever the threshold.
    """
    lowest = {"never": -1, "error": RANK["error"], "warning": RANK["warning"]}[fail_on]
    counted = [*(f for f in findings if RANK[f.severity] <= lowest), *by]
    if any(f.code != "C009" for f in counted):
        return FOUND
    return UNDECIDED if counted else CLEAN
