"""What is asked of a file of runs, as data."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.units.dims import Dim


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a file of runs.

    Attributes:
        needs: Quantities without which a run is of no use: what is wrong with them is an error.
        uses: Those that are read as well where the file has them.
        columns: The file's own word for a quantity, where the user says it.
        units: The unit of a quantity's figures, where the user says it.
        decimal: The sign of decimals, `.` or `,`, where the user says it; empty for what the file tells.
        prefer: Of quantities that several columns may be, the words to take, the first choice first.
        dims: Of quantities that the library does not know.
        where: Only rows of which this condition holds; empty for all.
        log: Whether rows are points of one run in order, and not runs.
    """

    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    decimal: str = ""
    prefer: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dims: Mapping[str, Dim] = field(default_factory=dict)
    where: str = ""
    log: bool = False

    @property
    def header(self) -> str:
        """A line of names that such a file may begin with."""
        return "step,tokens,loss" if self.log else "params,tokens,loss"

    @property
    def row(self) -> str:
        """What a row of it is."""
        return "point" if self.log else "run"
