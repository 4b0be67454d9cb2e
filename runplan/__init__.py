"""Declarative plans for language-model training runs: the public names.

>>> import runplan
>>> report = runplan.solve("plans/thousand-h100.plan")
>>> f"{report['chinchilla']['params'].to_pint():.3g}"
'2.26e+11 param'

Nothing is imported before it is asked for, so that `import runplan` costs next to nothing. `docs/python.md` tells more.
"""

from __future__ import annotations

TYPE_CHECKING = False  # checkers take it as true; `typing` itself takes longer to load than all of a cached check
if TYPE_CHECKING:
    from runplan.api import check, solve
    from runplan.dsl.expr.dimensions import DimensionClash
    from runplan.dsl.text.errors import BadConfig, NotThere, NoWorker, RunplanError, UnknownCode, UnknownLaw
    from runplan.dsl.text.finding import Finding
    from runplan.dsl.text.reader import Buffer, Disk, Files, Reader
    from runplan.dsl.units.table import UnknownUnit
    from runplan.engine.laws.form import Refused
    from runplan.engine.problem.solution import Solution, Value
    from runplan.engine.report import Report
    from runplan.engine.solve.verify import BrokenInvariant
    from runplan.project import Project

__version__ = "0.1.0"

# Where each public name is defined.
_HOMES = {
    "BadConfig": "dsl.text.errors",
    "BrokenInvariant": "engine.solve.verify",
    "Buffer": "dsl.text.reader",
    "DimensionClash": "dsl.expr.dimensions",
    "Disk": "dsl.text.reader",
    "Files": "dsl.text.reader",
    "Finding": "dsl.text.finding",
    "NoWorker": "dsl.text.errors",
    "NotThere": "dsl.text.errors",
    "Project": "project",
    "Reader": "dsl.text.reader",
    "Refused": "engine.laws.form",
    "Report": "engine.report",
    "RunplanError": "dsl.text.errors",
    "Solution": "engine.problem.solution",
    "UnknownCode": "dsl.text.errors",
    "UnknownLaw": "dsl.text.errors",
    "UnknownUnit": "dsl.units.table",
    "Value": "engine.problem.solution",
    "check": "api",
    "solve": "api",
}

__all__ = [
    "BadConfig",
    "BrokenInvariant",
    "Buffer",
    "DimensionClash",
    "Disk",
    "Files",
    "Finding",
    "NoWorker",
    "NotThere",
    "Project",
    "Reader",
    "Refused",
    "Report",
    "RunplanError",
    "Solution",
    "UnknownCode",
    "UnknownLaw",
    "UnknownUnit",
    "Value",
    "__version__",
    "check",
    "solve",
]


if not TYPE_CHECKING:  # a checker would take it that every name is there

    def __getattr__(name: str) -> object:
        """A public name, imported when it is first asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module 'runplan' has no attribute {name!r}")
        from importlib import import_module

        from runplan.modules import install

        install()
        found: object = getattr(import_module(f"runplan.{_HOMES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """The public names, for completion."""
    return [*__all__, *(name for name in globals() if name.startswith("__") and name not in __all__)]
