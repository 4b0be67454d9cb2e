"""`units.txt` to a table of Python's own, as a wheel is built: `python -m runplan.dsl.units.make_table PATH`."""

from __future__ import annotations

import sys

from runplan.dsl.units.table import PATH, Table, read_table


def module_of(table: Table) -> str:
    """The text of a module that holds a table, to the last bit."""
    units = {name: (one.factor, one.dim) for name, one in table.units.items()}
    lines = (f"UNITS = {units!r}", f"BASES = {table.bases!r}", f"CURRENCIES = {tuple(sorted(table.currencies))!r}")
    return "\n".join(lines) + "\n"


def main(path: str) -> None:
    """Write the module to a file."""
    with open(PATH, encoding="utf-8") as file, open(path, "w", encoding="utf-8") as out:
        out.write(module_of(read_table(file.read())))


if __name__ == "__main__":
    main(sys.argv[1])
