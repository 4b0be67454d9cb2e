"""The bytes of a file into a grid, by the form that it is in."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span
from runplan.engine.fit.parquet import NoParquet, cells_of
from runplan.engine.fit.read.delimited import NotCells, delimited
from runplan.engine.fit.read.grid import Grid
from runplan.engine.fit.read.json_rows import json_rows
from runplan.engine.fit.read.logs import is_log, log_rows
from runplan.engine.fit.read.text import text_of
from runplan.engine.fit.read.words import Words, is_unit

_PARQUET = b"PAR1"
# An object or an array; a line of a log may begin with a bracket, too, and a date in it.
_JSON = pattern(r'\s*(?:\{\s*["}]|\[\s*[\[{\]"])')


def grid_of(path: str, content: bytes, words: Words) -> tuple[Grid | None, Finding | None]:
    """The cells of a file, or why it has none.

    Raises:
        NotCells: For a text in none of the forms.
    """
    if content.startswith(_PARQUET):
        return _parquet(path, content), None
    source, wrong = text_of(path, content)
    if wrong is not None:
        return None, wrong
    return _grid(source, words), None


def _grid(source: Source, words: Words) -> Grid:
    if _JSON.match(source.text):
        return json_rows(source)
    if not _has_names(source, words) and is_log(source.text, words):
        return log_rows(source, words)
    return _with_units(delimited(source), words)


def _with_units(grid: Grid, words: Words) -> Grid:
    """The grid, with the units that its first row says below the names put into these."""
    first = [cells[0].strip().strip("[](){}") for cells in grid.columns] if len(grid) else []
    read = [words.read(header) for header in grid.headers[: len(first)]]
    said = [(one, cell) for one, cell in zip(read, first, strict=True) if one is not None and cell]
    if not said or not all(not one.unit and is_unit(one.sort, cell) for one, cell in said):
        return grid
    headers = tuple(
        f"{header} [{cell}]" if one is not None and cell else header
        for header, one, cell in zip(grid.headers, read, first, strict=True)
    )
    columns = tuple(cells[1:] for cells in grid.columns)
    return replace(grid, headers=headers, columns=columns, lines=grid.lines[1:])


def _has_names(source: Source, words: Words) -> bool:
    """Whether the first line has names of columns, two of them of quantities."""
    try:
        head = delimited(Source(source.path, "\n".join(source.text.split("\n", 400)[:400])))
    except NotCells:
        return False
    return sum(words.read(name) is not None for name in head.headers) >= 2


def _parquet(path: str, content: bytes) -> Grid:
    source = Source(path, "")
    try:
        names, columns = cells_of(content)
    except NoParquet as error:
        raise NotCells(1, str(error)) from error
    count = len(columns[0]) if columns else 0
    return Grid(source, names, columns, range(1, count + 1), lambda line, column: Span(source, 0, 0), (), 0)
