"""The standard library, read once for all tests of a process: it is a value, and no test can change it."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.packs.library import Library
from runplan.dsl.packs.standard import standard
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.dims import Dim

LIBRARY = standard()


def known_of(library: Library) -> tuple[dict[str, Dim], Mapping[str, Mapping[str, Field]]]:
    """What a reader of packs must know: the dimension of each quantity, and the fields of statements."""
    quantities = library.quantities()
    return {name: known.counted.dim for name, known in quantities.items()}, quantities.fields
