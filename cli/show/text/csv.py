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
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return stream.getvalue()


def _safe(text: str) -> str:
    text = plain(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
