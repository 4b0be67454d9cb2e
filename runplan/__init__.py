"""Declarative plans for language-model training runs: the public names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runplan.engine.problem.solution import Value
    from runplan.engine.report import Report

__version__ = "0.1.0"
__all__ = ["__version__", "quantity", "solve"]


def solve(path: str, *, settings: tuple[str, ...] = (), intervals: bool = True) -> Report:
    """The report of the plan at a path: solutions with their values, assumptions, findings.

    Args:
        path: A `.plan` or `.plan.yaml` file.
        settings: `path=value` each, instead of what the plan says, such as `tokens=2T`.
        intervals: Whether to compute the 80 % intervals of the laws' constants.

    Raises:
        OSError: Where the file cannot be read. What is wrong with a plan is a finding, never an exception.
    """
    from pathlib import Path

    from runplan.dsl.text.reader import Disk, project_root
    from runplan.engine.pipeline import report_of

    return report_of(path, Disk(project_root(Path(path))), settings=settings, intervals=intervals)


def quantity(value: Value) -> Any:
    """A value of a solution as a pint quantity, in base units of `dsl/units/units.txt`, for pint's arithmetic."""
    from runplan.dsl.units.table import registry

    out = registry().Quantity(value.value)
    for name, exponent in value.dim:
        out = out * registry().Unit(name) ** exponent
    return out
