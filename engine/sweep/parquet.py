"""Rows of a sweep to a Parquet file, by way of one that can grow: the rows of each chunk as Arrow streams them.

A Parquet file ends with where in it everything is, so that none can be cut off and gone on with.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from runplan.dsl.units.base import DATE
from runplan.dsl.units.show import json_unit
from runplan.engine.sweep.axes import CannotSweep
from runplan.engine.sweep.job import STATUSES, Job
from runplan.engine.sweep.rows import Rows, varied

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError as error:
    raise CannotSweep("Parquet needs pyarrow, which is an extra: `pip install 'runplan[parquet]'`") from error

# Rows that are read, packed and found together: all groups of a file but the last have so many.
GROUP = 1 << 18


def batch(job: Job, rows: Rows) -> bytes:
    """Rows as a stream of Arrow's; the unit of a column is in its metadata."""
    columns = [(one.path, one.unit or "1", one.values) for one in varied(job, rows.numbers)]
    asked = [
        (job.head(one), "date" if one.dim == DATE else unit, rows.figures[one.text] / factor)
        for one in job.asked
        for unit, factor in (json_unit(one.dim),)
    ]
    arrays = [pa.array(values, from_pandas=True) for _, _, values in (*columns, *asked)]
    names = [(name, {"unit": unit}) for name, unit, _ in (*columns, *asked)]
    texts = [
        ("status", pa.array(np.array(STATUSES)[rows.status])),
        ("why", pa.array(np.array([*rows.reasons, ""], dtype=object)[rows.why], mask=rows.why < 0, type=pa.string())),
    ]
    for place, (name, column) in enumerate(texts):
        # How it came out stands behind what is varied, and what is wrong at the end, as in all tables.
        at = len(columns) if not place else len(arrays)
        arrays.insert(at, column)
        names.insert(at, (name, {}))
    fields = [pa.field(name, one.type, metadata=said) for one, (name, said) in zip(arrays, names, strict=True)]
    schema = pa.schema(fields, metadata={"plan": job.path})
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(stream.getvalue())


def packed(job: Job, path: str, target: str) -> None:
    """The rows of a file of such streams in a Parquet file, which is the same however they were cut into streams."""
    with pa.OSFile(path) as file:
        tables = _groups(file)
        first = next(tables)
        with parquet.ParquetWriter(target, first.schema, compression="zstd") as writer:
            writer.write_table(first, row_group_size=GROUP)
            for table in tables:
                writer.write_table(table, row_group_size=GROUP)


def _groups(file: pa.NativeFile) -> Iterator[pa.Table]:
    """The rows of streams in groups, the first also where there is none."""
    held: list[pa.Table] = []
    told = False
    while file.tell() < file.size():
        with pa.ipc.open_stream(file) as stream:
            held.append(stream.read_all())
        while sum(map(len, held)) >= GROUP:
            table = pa.concat_tables(held)
            yield table.slice(0, GROUP).combine_chunks()
            held, told = [table.slice(GROUP)], True
    if any(map(len, held)) or not told:
        yield pa.concat_tables(held).combine_chunks()
