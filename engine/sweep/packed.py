"""Rows of a sweep to the bytes of numpy's own files, which grow with the rows: one record a row."""

from __future__ import annotations

import io
import struct

import numpy as np

from runplan.dsl.units.show import json_unit
from runplan.engine.sweep.job import Job
from runplan.engine.sweep.rows import Rows, heads, varied

MAGIC = b"\x93NUMPY\x02\x00"
# The data begin at a multiple of this.
ALIGNED = 64


def records(job: Job, rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Rows as records: what is varied, places in `STATUSES`, and what is asked, in the units that JSON has."""
    out = np.empty(len(rows), dtype=_record(job))
    for column in varied(job, rows.numbers):
        out[column.path] = column.values
    out["status"] = rows.status
    for asked in job.asked:
        figures, factor = rows.figures[asked.text], json_unit(asked.dim)[1]
        out[job.head(asked)] = figures if factor == 1.0 else figures / factor
    return out


def _record(job: Job) -> np.dtype[np.void]:
    said = [(column.path, column.values.dtype) for column in heads(job)]
    return np.dtype([*said, ("status", np.dtype("u1")), *((job.head(asked), np.dtype("<f8")) for asked in job.asked)])


def head(job: Job, count: int) -> bytes:
    """What a file of so many records begins with; as long for any count."""
    said = {"descr": _record(job).descr, "fortran_order": False, "shape": (count,)}
    longest = len(repr(said)) - len(str(count)) + len(str(job.size)) + 1
    length = -(-(len(MAGIC) + 4 + longest) // ALIGNED) * ALIGNED - len(MAGIC) - 4
    return MAGIC + struct.pack("<I", length) + repr(said).encode("latin1").ljust(length - 1) + b"\n"


def columns_file(job: Job, rows: Rows) -> bytes:
    """Rows as the bytes of an `.npz`: an array a column, by its name."""
    import zipfile  # a sweep to records that grow has no use for it

    stream = io.BytesIO()
    found = records(job, rows)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in found.dtype.names or ():
            column = io.BytesIO()
            np.lib.format.write_array(column, np.ascontiguousarray(found[name]), allow_pickle=False)
            packed.writestr(f"{name}.npy", column.getvalue())
    return stream.getvalue()
