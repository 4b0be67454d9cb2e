"""Rows to CSV that a spreadsheet takes for what it is."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from runplan.cli.show.text.plain import plain

# What a spreadsheet takes for a formula when a cell begins with it.
_FORMULA = ("=", "+", "-", "@")


def csv_text(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """The heads and the rows; a text stays one, whatever it begins with."""
    return csv_rows([heads, *rows])


def csv_rows(rows: Iterable[Iterable[object]]) -> str:
    """Rows alone, such as those that go on with others."""
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows(
        [_safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )
    return stream.getvalue()


def _safe(text: str) -> str:
    text = plain(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
