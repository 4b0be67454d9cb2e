"""What a verb shows to where it was asked for: standard output, or a file by `-o FORMAT=FILE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise

from runplan.cli.show.formats import Kind, rendered
from runplan.cli.show.text.look import Look
from runplan.cli.stream import tell, write
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.dsl.text.finding import Finding


def split(option: str) -> tuple[str, str | None]:
    """The format and, after `=`, the file of an `-o` option."""
    name, _, file = option.partition("=")
    return name, file or None


def show(kind: Kind, shown: object, outputs: Sequence[tuple[str, str | None]], *, details: bool = False) -> None:
    """Write what is shown in each format, to the file that goes with it or to standard output.

    Args:
        details: Whether all that there is to say is wanted, or what a screen has room for.

    Raises:
        CannotRun: Where a file cannot be written.
    """
    for name, file in outputs:
        write(rendered(kind, name, shown, Look(_width(file), _color(file), details)), file)


def tell_findings(findings: Iterable[Finding]) -> None:
    """Say the findings of one file in full, to standard error."""
    from runplan.cli.show.findings.content import Checked

    tell(rendered("findings", "full", Checked.of(findings, 1)).rstrip("\n"))


def tell_json(argv: Sequence[str], code: int, message: str) -> None:
    """Where standard output was to be JSON, say there why there is no result: it is one valid document, always."""
    asked = [word.removeprefix("-o") for word in argv if word.startswith("-o")]
    asked += [after for word in argv for option, said, after in [word.partition("=")] if said and _is_output(option)]
    asked += [after for option, after in pairwise(argv) if option == "-o" or _is_output(option)]
    if "json" in asked:
        import json

        document = {"schema": "plan.error/v1", "error": {"exit": code, "message": message}}
        sys.stdout.write(json.dumps(document, ensure_ascii=True, indent=2) + "\n")


def _is_output(option: str) -> bool:
    """Whether a long option is the one of formats, which may be cut short."""
    return len(option) > len("--") and "--output".startswith(option)


def _color(file: str | None) -> bool:
    """Whether to colour, by NO_COLOR, FORCE_COLOR and who is looking."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return file is None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _width(file: str | None) -> int:
    """Columns of the terminal; 80 where there is none, 100 in a file."""
    return terminal_columns() if file is None else 100


def terminal_columns() -> int:
    """Columns of the terminal, as `shutil` finds them; 80 where there is none."""
    try:
        said = int(os.environ.get("COLUMNS", "0"))
    except ValueError:
        said = 0
    if said > 0:
        return said
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns or 80
    except (OSError, ValueError):
        return 80
