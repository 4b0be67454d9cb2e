"""The bytes of a file into a grid, by the form that it is in."""

from __future__ import annotations

from runplan.dsl.text.finding import Finding
from runplan.engine.fit.read.delimited import delimited
from runplan.engine.fit.read.grid import Grid
from runplan.engine.fit.read.text import text_of


def grid_of(path: str, content: bytes) -> tuple[Grid | None, Finding | None]:
    """The cells of a file, or why it has none.

    Raises:
        NotCells: For a text in none of the forms.
    """
    source, wrong = text_of(path, content)
    if wrong is not None:
        return None, wrong
    return delimited(source), None
