"""Runs that were measured, as columns of figures in base units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.units.dims import Dim

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of each run.

    Attributes:
        name: The quantity, as plans and laws call it; the file's own word where there is no such quantity.
        header: What the file calls it, with its unit where it says one.
        dim: Of the values.
        values: (runs), in base units; NaN where a run has none.
    """

    name: str
    header: str
    dim: Dim
    values: Floats


@dataclass(frozen=True, slots=True)
class RunTable:
    """Runs, one a row: those rows of a file that can be used.

    Attributes:
        path: Of the file, as the user named it.
        digest: SHA-256 of the file's bytes, in hexadecimal.
        columns: By the name of the quantity.
        lines: (runs), where each stands in the file, from 1.
        labels: What the file calls each run; empty where it does not say.
        kinds: (runs) words each, by the header of a column of words of which there are few, such as an objective.
        objective: What all of them were trained for, as `MLM of protein`; empty where the file does not say.
    """

    path: str
    digest: str
    columns: Mapping[str, Column]
    lines: tuple[int, ...]
    labels: tuple[str, ...]
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objective: str = ""

    def __len__(self) -> int:
        return len(self.lines)

    def values(self, name: str) -> Floats:
        """The figures of a quantity, (runs), in base units.

        Raises:
            KeyError: Where the file has none.
        """
        return self.columns[name].values

    def rows(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> RunTable:
        """Some of the runs, by a mask or by their places."""
        places = np.arange(len(self))[kept]
        return replace(
            self,
            columns={name: replace(c, values=c.values[places]) for name, c in self.columns.items()},
            lines=tuple(self.lines[i] for i in places),
            labels=tuple(self.labels[i] for i in places),
            kinds={name: tuple(words[i] for i in places) for name, words in self.kinds.items()},
        )
