"""The bytes of a Parquet file into names of columns and their cells."""

from __future__ import annotations

import math

from runplan.dsl.text.errors import RunplanError

Cells = tuple[tuple[str, ...], tuple[list[str], ...]]


class NoParquet(RunplanError):
    """Raised for a Parquet file that cannot be read; the message says why."""


def cells_of(content: bytes) -> Cells:
    """The columns of a Parquet file, numbers to the last bit; with the unit that the metadata of a column tells.

    Raises:
        NoParquet: Where it is broken, or pyarrow is not there.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise NoParquet("Parquet needs pyarrow, which is an extra: `pip install 'runplan[parquet]'`") from error
    try:
        table = parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise NoParquet(f"it is no whole Parquet file: {str(error).splitlines()[0][:120]}") from error
    names, columns = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        unit = (field.metadata or {}).get(b"unit", b"").decode("utf-8", "replace")
        names.append(f"{field.name} ({unit})" if unit not in ("", "1") else field.name)
        columns.append([_text(value) for value in column.to_pylist()])
    return tuple(names), tuple(columns)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    return str(value)
