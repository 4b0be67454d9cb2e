"""What a report says, as data that every format lays out in its own way: cells, tables, charts, sections."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import Dim

Mood = Literal["good", "doubtful", "bad"]
Line = tuple[str, ...]

NOTHING = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands at one place of a table.

    Attributes:
        text: A figure, a name or a sentence; it may be of several lines.
        ends: The interval of a figure, or what else is said beside it.
        mark: A sign that a note explains; empty where others of the column have one, None where none can.
        code: Whether the text is the plan's own, or a name in it.
        mood: What the text says of the plan.
    """

    text: str
    ends: str = ""
    mark: str | None = None
    code: bool = False
    mood: Mood | None = None

    def __str__(self) -> str:
        # Without its mark a figure keeps its place.
        beside = f" {self.ends}" if self.ends else ""
        return f"{self.text}{beside}{'' if self.mark is None else self.mark or ' '}"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells.

    Attributes:
        heads: Of the columns; empty where the rows are a name and a text each.
        figures: Whether all columns but the first are figures, and are aligned as such.
        wrap: Of a table of texts the column that takes what room is left.
        apart: Of a table of figures the column before which it is best parted where it is too wide.
    """

    rows: tuple[tuple[Cell, ...], ...]
    heads: Line = ()
    figures: bool = False
    wrap: int = 1
    apart: int = 0

    @property
    def lines(self) -> tuple[Line, ...]:
        """The rows as texts."""
        return tuple(tuple(map(str, row)) for row in self.rows)


def table(
    lines: Iterable[Iterable[str | Cell]], heads: Line = (), *, figures: bool = False, wrap: int = 1, apart: int = 0
) -> Table:
    """A table of cells and of texts that are cells without more."""
    rows = tuple(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in line) for line in lines)
    return Table(rows, heads, figures, wrap, apart)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the axis of a chart that has a name, and a shorter one."""

    low: float
    high: float
    name: str
    short: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A curve over a logarithmic axis.

    Attributes:
        dim: Of what stands on the axis.
        points: From left to right, evenly apart on the axis.
        least: The lowest point of the curve, the optimum.
        own: Where the plan is on the axis.
        stretches: Parts of the axis to mark; the first is what must be in the picture.
    """

    title: str
    dim: Dim
    points: tuple[tuple[float, float], ...]
    least: tuple[float, float]
    own: float
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class PlotAxis:
    """An axis of a plot.

    Attributes:
        name: What stands on it.
        said: A value of it as people write it.
        logarithmic: Whether equal steps are equal ratios.
    """

    name: str
    dim: Dim
    said: Callable[[float], str]
    logarithmic: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """Points of a curve over two axes.

    Attributes:
        points: From one end of the curve to the other.
        own: Where the plan is; None where that is nowhere.
    """

    x: PlotAxis
    y: PlotAxis
    points: tuple[tuple[float, float], ...]
    own: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a table, and what is said under it.

    Attributes:
        said: Sentences that tell something.
        notes: Sentences on how to read the section.
    """

    title: str
    table: Table
    chart: Chart | None = None
    said: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
