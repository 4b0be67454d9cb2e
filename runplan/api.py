"""A path to the report, or the findings, of one plan: the functions of the package."""

from __future__ import annotations

import os
from collections.abc import Sequence

from runplan.dsl.text.finding import Finding
from runplan.engine.report import Report
from runplan.project import Project, Settings


def solve(
    path: str | os.PathLike[str],
    *,
    settings: Settings = (),
    laws: Sequence[str] | None = None,
    intervals: bool = True,
) -> Report:
    """The report of a plan on disk, as `plan solve` has it: solutions, what was assumed, findings.

    The project of the plan, with its packs, is read anew each time. For many plans open a `Project` once.

    >>> import runplan
    >>> report = runplan.solve("plans/thousand-h100.plan", settings={"hardware.mfu": "45%"})
    >>> report["chinchilla"]["mfu"].value
    0.45

    Args:
        path: A `.plan` or `.plan.yaml` file.
        settings: Instead of what the plan says: `{"tokens": "2T"}`, or `["tokens=2T"]`.
        laws: Names of laws, in place of the plan's own.
        intervals: Whether to compute the 80 % intervals of the laws' constants.

    Raises:
        OSError: Where the file cannot be read. What is wrong with a plan is a finding, never an exception.
        BadConfig: Where the configuration of its project cannot be used.
        UnknownLaw: For a name in `laws` that no law has.
    """
    return Project.open(path).report(path, settings=settings, laws=laws, intervals=intervals)


def check(
    path: str | os.PathLike[str],
    *,
    settings: Settings = (),
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    extend_select: Sequence[str] | None = None,
) -> tuple[Finding, ...]:
    """The findings of a plan on disk, as `plan check` shows them.

    >>> import runplan
    >>> [finding.code for finding in runplan.check("plans/over-budget.plan") if finding.severity == "error"]
    ['B001']

    Args:
        path: A `.plan` or `.plan.yaml` file.
        settings: Instead of what the plan says; see `solve`.
        select: Codes, names or prefixes of the findings to keep, in place of what the configuration keeps and leaves
            out.
        ignore: Of those to leave out, in place of what the configuration leaves out.
        extend_select: Of those to keep as well. Of several words that fit a finding the longest counts.

    Raises:
        OSError: Where the file cannot be read. What is wrong with a plan is a finding, never an exception.
        BadConfig: Where the configuration of its project cannot be used.
        UnknownCode: For such a word that no finding has.
    """
    return Project.open(path).check(path, settings=settings, select=select, ignore=ignore, extend_select=extend_select)
