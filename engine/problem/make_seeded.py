"""The first figures at random to a module, as a wheel is built: `python -m runplan.engine.problem.make_seeded PATH`."""

from __future__ import annotations

import sys

from runplan.engine.problem.seeded import DRAWS, NORMALS, ORDERS, drawn_normals, drawn_orders, middles


def module_of() -> str:
    """The text of a module that holds them, to the last bit."""
    normals, orders, quantiles = drawn_normals(DRAWS * NORMALS), drawn_orders(DRAWS, ORDERS), middles(DRAWS)
    return f"NORMALS = {normals!r}\nORDERS = {orders!r}\nQUANTILES = {quantiles!r}\n"


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write(module_of())
