"""The figures of a form to what their columns are called in the file of runs, and where that stands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.source import Source, Span
from runplan.engine.fit.table import RunTable


@dataclass(frozen=True, slots=True)
class Head:
    """What a figure is called.

    Attributes:
        said: As messages say it: by its quantity, and by the file's own word where that is another.
        at: Of its header; the first word of the file where it has none.
    """

    said: str
    at: Span


def heads_of(columns: Mapping[str, str], table: RunTable, source: Source) -> dict[str, Head]:
    """Of each figure of a form.

    Args:
        columns: Of each figure the column of the table.
        source: The text of the file.
    """
    return {
        quantity: Head(_said(quantity, table.columns[column].header), header_at(column, table, source))
        for quantity, column in columns.items()
    }


def header_at(column: str, table: RunTable, source: Source) -> Span:
    """Where the header of a column stands, above or in the first row; the first word of the file where it does not."""
    return header_named(table.columns[column].header if column in table.columns else "", table, source)


def header_named(header: str, table: RunTable, source: Source) -> Span:
    """The same of a header by its text."""
    end = source.line_start(min(table.lines, default=0) + 1)
    found = re.search(rf"(?<!\w){re.escape(header)}(?!\w)", source.text[:end]) if header else None
    if found is None:
        found = re.search(r"\S+", source.text[:end])
    return Span(source, *(found.span() if found else (0, 0)))


def _said(quantity: str, header: str) -> str:
    return f"`{quantity}`" if header.partition(" ")[0] in ("", quantity) else f"`{quantity}` (`{header}` in the file)"
