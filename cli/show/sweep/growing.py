"""Rows of a sweep to what they add to a file, in the formats of which a file can grow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator

from runplan.cli.show.text.csv import csv_rows
from runplan.dsl.dataclass import dataclass
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import iso_date, json_unit
from runplan.engine.sweep.job import STATUSES, Job
from runplan.engine.sweep.packed import head, records
from runplan.engine.sweep.rows import Rows, heads, varied

SCHEMA = "plan.sweep/v1"


@dataclass(frozen=True, slots=True)
class Format:
    """A format of which a file can grow.

    Attributes:
        name: As it is asked for.
        head: What a file begins with that is to have so many rows.
        rows: What rows add to it.
        between: What stands between rows and those before them.
        tail: What it ends with.
        is_text: Whether a terminal can show it.
        made: What makes the file that is wanted, at the second path, of one that has grown, at the first; None where
            it is that.
    """

    name: str
    head: Callable[[Job, int], bytes]
    rows: Callable[[Job, Rows], bytes]
    between: bytes = b""
    tail: bytes = b""
    is_text: bool = True
    made: Callable[[Job, str, str], None] | None = None


def _csv_head(job: Job, count: int) -> bytes:
    names = [f"{path} [{unit}]" if unit else path for path, unit in _varied(job)]
    asked = [f"{job.head(asked)} [{unit_of(asked.dim)}]" for asked in job.asked]
    return csv_rows([[*names, "status", *asked, "why"]]).encode()


def _csv(job: Job, rows: Rows) -> bytes:
    return csv_rows(_cells(job, rows, "")).encode()


def _lines(job: Job, rows: Rows) -> bytes:
    names = [*(path for path, _ in _varied(job)), "status", *map(job.head, job.asked), "why"]
    return "".join(
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=True) + "\n" for row in _cells(job, rows, None)
    ).encode()


def _document_head(job: Job, count: int) -> bytes:
    said = {
        "schema": SCHEMA,
        "plan": job.path,
        "laws": list(job.laws),
        "varied": [{"path": path, "unit": unit or "1"} for path, unit in _varied(job)],
        "quantities": [{"name": job.head(asked), "unit": unit_of(asked.dim)} for asked in job.asked],
    }
    return (json.dumps(said, ensure_ascii=True, indent=2)[:-2] + ',\n  "points": [').encode()


def _document(job: Job, rows: Rows) -> bytes:
    return b",".join(b"\n    " + line for line in _lines(job, rows).splitlines())


def _nothing(job: Job, count: int) -> bytes:
    return b""


def _records(job: Job, rows: Rows) -> bytes:
    return records(job, rows).tobytes()


def _streams(job: Job, rows: Rows) -> bytes:
    from runplan.engine.sweep.parquet import batch  # an extra

    return batch(job, rows)


def _parquet(job: Job, path: str, target: str) -> None:
    from runplan.engine.sweep.parquet import packed

    packed(job, path, target)


_FORMATS = (
    Format("csv", _csv_head, _csv),
    Format("jsonl", _nothing, _lines),
    Format("json", _document_head, _document, b",", b"\n  ]\n}\n"),
    Format("npy", head, _records, is_text=False),
    Format("parquet", _nothing, _streams, is_text=False, made=_parquet),
)
GROWING = {format.name: format for format in _FORMATS}


def unit_of(dim: Dim) -> str:
    """The unit that a figure is told in."""
    return "date" if dim == DATE else json_unit(dim)[0]


def _varied(job: Job) -> list[tuple[str, str]]:
    """The path and the unit of each column of what is varied."""
    return [(column.path, column.unit) for column in heads(job)]


def _cells(job: Job, rows: Rows, nothing: str | None) -> Iterator[list[object]]:
    """The cells of rows: what is varied, how it came out, what is asked, and what is wrong."""
    columns: list[list[object]] = [column.values.tolist() for column in varied(job, rows.numbers)]
    columns.append([STATUSES[status] for status in rows.status.tolist()])
    for asked in job.asked:
        figures, said = rows.figures[asked.text].tolist(), _saying(asked.dim)
        columns.append([nothing if math.isnan(figure) else said(figure) for figure in figures])
    columns.append([rows.reason(at) or nothing for at in range(len(rows))])
    yield from map(list, zip(*columns, strict=True))


def _saying(dim: Dim) -> Callable[[float], object]:
    """What tells a figure in base units: in its unit, or as a date."""
    if dim == DATE:
        return iso_date
    factor = json_unit(dim)[1]
    return lambda figure: figure / factor
